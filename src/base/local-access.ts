/**
 * The file by which a running gateway tells the command line on the same machine where it listens, and the secret of its
 * local listener. Only the account of the gateway can read it (mode 0600); it goes when the gateway ends.
 */
import { readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
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
/** One for each gateway on the folder: when the latest ends, commands reach the one before it again. */
const OWN = /^local-access-(\d+)\.json$/;

/** @param dataDir exists */
export function writeLocalAccess(dataDir: string, access: LocalAccess): void {
  for (const pid of others(dataDir, access.pid)) if (!isRunning(pid)) rmSync(ownFile(dataDir, pid), FORCE);
  replace(ownFile(dataDir, access.pid), access);
  replace(join(dataDir, FILE), access);
}

/** @returns null when no gateway runs on this data folder, or its file cannot be read */
export function readLocalAccess(dataDir: string): LocalAccess | null {
  return read(join(dataDir, FILE));
}

/** Unless another process has written its own meanwhile; one that still runs takes its place. */
export function removeLocalAccess(dataDir: string, pid: number): void {
  rmSync(ownFile(dataDir, pid), FORCE);
  if (readLocalAccess(dataDir)?.pid !== pid) return;
  for (const other of others(dataDir, pid)) {
    const access = isRunning(other) ? read(ownFile(dataDir, other)) : null;
    if (access !== null) return replace(join(dataDir, FILE), access);
  }
  rmSync(join(dataDir, FILE), FORCE);
}

const FORCE = { force: true };

function ownFile(dataDir: string, pid: number): string {
  return join(dataDir, `local-access-${pid}.json`);
}

function others(dataDir: string, pid: number): number[] {
  return readdirSync(dataDir)
    .map((name) => Number(OWN.exec(name)?.[1] ?? pid))
    .filter((other) => other !== pid);
}

function read(file: string): LocalAccess | null {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as LocalAccess;
  } catch {
    return null;
  }
}

/** A new file with the right mode takes the old one's place: an old one could have been made readable. */
function replace(file: string, access: LocalAccess): void {
  const fresh = `${file}.${access.pid}`;
  rmSync(fresh, FORCE);
  writeFileSync(fresh, `${JSON.stringify(access)}\n`, { mode: 0o600, flag: "wx" });
  renameSync(fresh, file);
}

/** A process of another account runs, too. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
