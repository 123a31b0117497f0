import { hash } from "node:crypto";

const PREFIX = "headgate:sem:";

/** Where things of one partition lie. Names are hashes: whatever a partition or a prompt is called, it is only a name. */
export interface PartitionKeys {
  /** Hexadecimal: a word in every query language. */
  readonly name: string;
  /** Of its entries' keys; a member's name follows. */
  readonly entries: string;
  readonly versions: string;
  readonly expiries: string;
}

export function keysOf(partition: string): PartitionKeys {
  const name = hash("sha256", partition, "hex");
  return {
    name,
    entries: `${ENTRIES}{${name}}:`,
    versions: `${PREFIX}z:{${name}}:`,
    expiries: `${PREFIX}x:{${name}}:`,
  };
}

/** All entries' keys begin so. */
export const ENTRIES = `${PREFIX}e:`;

export function memberOf(prompt: string): string {
  return hash("sha256", prompt, "hex").slice(0, 32);
}

export function indexName(dimensions: number): string {
  return `${PREFIX}i:${dimensions}`;
}

/** For `SCAN`: everything of a partition, or of all. */
export function patternOf(partition: string | undefined): string {
  return partition === undefined ? `${PREFIX}[ezx]:*` : `${PREFIX}[ezx]:{${keysOf(partition).name}}:*`;
}
