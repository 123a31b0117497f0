/**
 * What the embedded store keeps over restarts: SQLite in the data folder, or in memory where there is none. `codes` is all
 * that looking for the nearest needs and is read whole at start; `bodies` is read for the few entries that matter.
 */
import { renameSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";

export interface Row {
  readonly id: number;
  readonly partition: string;
  readonly dimensions: number;
  readonly scale: number;
  readonly error: number;
  readonly code: Uint8Array;
  readonly endMs: number;
  /** Octets of the entry on disk. */
  readonly size: number;
}

export interface Body {
  readonly vector: Uint8Array;
  readonly prompt: string;
  readonly payload: Uint8Array;
}

/** "hgsc", in SQLite's application id: whose file it is. */
const APPLICATION = 0x68677363;
const VERSION = 1;
const SCHEMA = `
  CREATE TABLE codes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    partition TEXT NOT NULL, prompt BLOB NOT NULL, dimensions INTEGER NOT NULL,
    scale REAL NOT NULL, error REAL NOT NULL, code BLOB NOT NULL, end_ms REAL NOT NULL, size INTEGER NOT NULL
  );
  CREATE UNIQUE INDEX codes_prompt ON codes (partition, prompt);
  CREATE TABLE bodies (id INTEGER PRIMARY KEY, vector BLOB NOT NULL, prompt TEXT NOT NULL, payload BLOB NOT NULL);
  PRAGMA application_id = ${APPLICATION};
  PRAGMA user_version = ${VERSION};
`;

/** A file that is not ours, or of another version. */
class ForeignFile extends Error {}

const CORRUPT = 11;
const NOT_A_DATABASE = 26;

export class Database {
  readonly #database: DatabaseSync;
  readonly #statements: Readonly<Record<keyof typeof STATEMENTS, StatementSync>>;
  /** Where what was there before was put; null: nowhere. */
  readonly setAside: string | null;
  #inTransaction = false;

  /**
   * @param file null: in memory
   * @param nowMs for the name of a file that is set aside
   * @param isDamaged it is known that the file must be set aside
   * @throws Error when it cannot be opened: no permission, another process has it
   */
  constructor(file: string | null, nowMs: number, isDamaged = false) {
    const { database, setAside } = openOrSetAside(file, nowMs, isDamaged);
    this.#database = database;
    this.setAside = setAside;
    this.#statements = Object.fromEntries(
      Object.entries(STATEMENTS).map(([name, text]) => [name, database.prepare(text)]),
    ) as Record<keyof typeof STATEMENTS, StatementSync>;
  }

  /** Everything, oldest first. */
  *rows(): Generator<Row> {
    for (const row of this.#statements.rows.iterate())
      yield {
        id: row["id"] as number,
        partition: row["partition"] as string,
        dimensions: row["dimensions"] as number,
        scale: row["scale"] as number,
        error: row["error"] as number,
        code: row["code"] as Uint8Array,
        endMs: row["end_ms"] as number,
        size: row["size"] as number,
      };
  }

  idOf(partition: string, prompt: Uint8Array): number | null {
    const row = this.#statements.idOf.get(partition, prompt);
    return row === undefined ? null : (row["id"] as number);
  }

  /** Written at once, safe after `commit`. @returns its id, larger than all before */
  insert(row: Omit<Row, "id">, promptKey: Uint8Array, body: Body): number {
    this.#begin();
    const { partition, dimensions, scale, error, code, endMs, size } = row;
    const { lastInsertRowid } = this.#statements.insertCode.run(
      partition,
      promptKey,
      dimensions,
      scale,
      error,
      code,
      endMs,
      size,
    );
    this.#statements.insertBody.run(lastInsertRowid, body.vector, body.prompt, body.payload);
    return Number(lastInsertRowid);
  }

  /** @returns octets on disk that it had; 0 when there was none */
  delete(id: number): number {
    this.#begin();
    const row = this.#statements.deleteCode.get(id);
    this.#statements.deleteBody.run(id);
    return row === undefined ? 0 : (row["size"] as number);
  }

  /** The oldest entries' ids. */
  oldest(count: number): number[] {
    return this.#statements.oldest.all(count).map((row) => row["id"] as number);
  }

  vector(id: number): Uint8Array | null {
    const row = this.#statements.vector.get(id);
    return row === undefined ? null : (row["vector"] as Uint8Array);
  }

  body(id: number): Body | null {
    const row = this.#statements.body.get(id);
    if (row === undefined) return null;
    return {
      vector: row["vector"] as Uint8Array,
      prompt: row["prompt"] as string,
      payload: row["payload"] as Uint8Array,
    };
  }

  /** Whether something waits to be committed. */
  get pending(): boolean {
    return this.#inTransaction;
  }

  commit(): void {
    if (!this.#inTransaction) return;
    this.#inTransaction = false;
    try {
      this.#database.exec("COMMIT");
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  /** Gives up what was not committed. */
  rollback(): void {
    this.#inTransaction = false;
    // SQLite does it by itself when a disk is full.
    if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
  }

  close(): void {
    try {
      this.commit();
    } finally {
      this.#database.close();
    }
  }

  #begin(): void {
    if (this.#inTransaction) return;
    this.#database.exec("BEGIN IMMEDIATE");
    this.#inTransaction = true;
  }
}

const STATEMENTS = {
  rows: "SELECT id, partition, dimensions, scale, error, code, end_ms, size FROM codes ORDER BY id",
  idOf: "SELECT id FROM codes WHERE partition = ? AND prompt = ?",
  insertCode:
    "INSERT INTO codes (partition, prompt, dimensions, scale, error, code, end_ms, size) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
  insertBody: "INSERT INTO bodies (id, vector, prompt, payload) VALUES (?, ?, ?, ?)",
  deleteCode: "DELETE FROM codes WHERE id = ? RETURNING size",
  deleteBody: "DELETE FROM bodies WHERE id = ?",
  oldest: "SELECT id FROM codes ORDER BY id LIMIT ?",
  vector: "SELECT vector FROM bodies WHERE id = ?",
  body: "SELECT vector, prompt, payload FROM bodies WHERE id = ?",
} as const;

function openOrSetAside(
  file: string | null,
  nowMs: number,
  isDamaged: boolean,
): { readonly database: DatabaseSync; readonly setAside: string | null } {
  if (file === null) return { database: prepare(":memory:"), setAside: null };
  try {
    if (isDamaged) throw new ForeignFile("damaged while it was used");
    return { database: prepare(file), setAside: null };
  } catch (error) {
    if (!(error instanceof ForeignFile) && !isDamage(error)) throw error;
    const setAside = `${file}.damaged-${Math.floor(nowMs)}`;
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

/** Whether an error says that the file is not as SQLite left it. */
export function isDamage(error: unknown): boolean {
  const code = error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xff : null;
  return code === CORRUPT || code === NOT_A_DATABASE;
}

function prepare(file: string): DatabaseSync {
  const database = new DatabaseSync(file);
  try {
    // One process a file: two would evict each other's entries without knowing.
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    database.exec("PRAGMA page_size = 8192");
    database.exec("PRAGMA journal_mode = WAL");
    database.exec("PRAGMA synchronous = NORMAL");
    database.exec("PRAGMA cache_size = -8000");
    const tables = database.prepare("SELECT count(*) AS n FROM sqlite_schema").get()!["n"] as number;
    if (tables === 0) database.exec(`BEGIN; ${SCHEMA} COMMIT`);
    else if (
      number(database, "application_id") !== APPLICATION ||
      number(database, "user_version") !== VERSION
    )
      throw new ForeignFile("another program's file, or another version's");
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function number(database: DatabaseSync, pragma: string): number {
  return Object.values(database.prepare(`PRAGMA ${pragma}`).get()!)[0] as number;
}
