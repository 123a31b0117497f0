/**
 * Names of journal files. Each process writes files of its own, so that two that use one folder by mistake do not write
 * into each other's, and whoever imports them can tell which are complete: `records.HOST.PID.INSTANCE.NUMBER.v1`.
 */
import { createHash, randomBytes } from "node:crypto";
import { hostname } from "node:os";

/** The folder below the ledger's in which they are. */
export const JOURNAL = "journal";

export type SegmentKind = "records" | "contents";

export interface Owner {
  /** Of the machine's name, which a container has of its own. */
  readonly host: string;
  readonly pid: number;
  /** Random: a process id is used again. */
  readonly instance: string;
}

export interface Segment extends Owner {
  readonly kind: SegmentKind;
  readonly number: number;
}

export function newOwner(pid: number): Owner {
  const host = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);
  return { host, pid, instance: randomBytes(6).toString("hex") };
}

export function segmentName({ kind, host, pid, instance, number }: Segment): string {
  return `${kind}.${host}.${pid}.${instance}.${String(number).padStart(8, "0")}.v1`;
}

/** @returns null for a file that is none of ours */
export function parseSegmentName(name: string): Segment | null {
  const match = /^(records|contents)\.([0-9a-f]{8})\.(\d{1,10})\.([0-9a-f]{12})\.(\d{8,})\.v1$/.exec(name);
  if (match === null) return null;
  return {
    kind: match[1] as SegmentKind,
    host: match[2]!,
    pid: Number(match[3]),
    instance: match[4]!,
    number: Number(match[5]),
  };
}
