/**
 * The file by which a running gateway tells the command line on the same machine where it listens, and the secret of its
 * local listener. Only the account of the gateway can read it (mode 0600); it goes when the gateway ends.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface LocalAccess {
  /** Where the gateway answers: `http://127.0.0.1:8080`. */
  readonly gateway: string;
  /** The listener for commands, on 127.0.0.1. */
  readonly local: string;
  /** Goes into `Authorization: Bearer …` there. */
  readonly secret: string;
  readonly pid: number;
}

const FILE = "local-access.json";

/** @param dataDir exists */
export function writeLocalAccess(dataDir: string, access: LocalAccess): void {
  const file = join(dataDir, FILE);
  // A new file with the right mode takes the old one's place: an old one could have been made readable.
  const fresh = `${file}.${access.pid}`;
  rmSync(fresh, { force: true });
  writeFileSync(fresh, `${JSON.stringify(access)}\n`, { mode: 0o600, flag: "wx" });
  renameSync(fresh, file);
}

/** @returns null when no gateway runs on this data folder, or its file cannot be read */
export function readLocalAccess(dataDir: string): LocalAccess | null {
  try {
    return JSON.parse(readFileSync(join(dataDir, FILE), "utf8")) as LocalAccess;
  } catch {
    return null;
  }
}

/** Unless another process has written its own meanwhile. */
export function removeLocalAccess(dataDir: string, pid: number): void {
  if (readLocalAccess(dataDir)?.pid === pid) rmSync(join(dataDir, FILE), { force: true });
}
