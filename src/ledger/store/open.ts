/** Opens the ledger's database. */
import { renameSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { migrate } from "./schema.ts";

const CORRUPT = 11;
const NOT_A_DATABASE = 26;

/**
 * @param file created when it does not exist; one that is damaged is set aside under another name and begun anew
 * @param now  ms since the epoch, for that name
 * @throws Error when it cannot be opened: no permission, a full disk, a later version's file
 */
export function openDatabase(file: string, now: number): { database: DatabaseSync; setAside: string | null } {
  try {
    return { database: prepare(file), setAside: null };
  } catch (error) {
    const code = primaryCode(error);
    if (code !== CORRUPT && code !== NOT_A_DATABASE) throw error;
    const setAside = `${file}.damaged-${now}`;
    renameSync(file, setAside);
    for (const end of ["-wal", "-shm"]) {
      try {
        renameSync(file + end, setAside + end);
      } catch {
        // There was none.
      }
    }
    return { database: prepare(file), setAside };
  }
}

/** SQLite's result code without its details; null when the error is not SQLite's. */
export function primaryCode(error: unknown): number | null {
  const code = error instanceof Error && "errcode" in error ? error.errcode : null;
  return typeof code === "number" ? code & 0xff : null;
}

function prepare(file: string): DatabaseSync {
  const database = new DatabaseSync(file);
  try {
    database.exec("PRAGMA busy_timeout = 5000");
    // Of a new database. Each page is written twice, by a call of its own: into the log, then into its place.
    database.exec("PRAGMA page_size = 16384");
    database.exec("PRAGMA auto_vacuum = INCREMENTAL");
    database.exec("PRAGMA journal_mode = WAL");
    // Synced at checkpoints; the journal's files are only removed after one.
    database.exec("PRAGMA synchronous = NORMAL");
    database.exec("PRAGMA cache_size = -16000");
    // A page that is written to again and again is copied into the database once per checkpoint: 16 MB between two.
    database.exec("PRAGMA wal_autocheckpoint = 1000");
    database.exec("PRAGMA mmap_size = 0");
    migrate(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
