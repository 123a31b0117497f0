/** How entries are found on a Redis: by its search module, or by nodes that keep a copy of the vectors. */
import type { SemanticEntry } from "../semantic-store.ts";
import type { PartitionKeys } from "./keys.ts";

export interface NearMember {
  readonly member: string;
  readonly distance: number;
}

export interface Mode {
  readonly name: "search" | "plain";
  /**
   * Nearest first; entries may be gone meanwhile.
   * @throws Error when there is no answer
   */
  near(keys: PartitionKeys, unit: Float32Array, distance: number, limit: number): Promise<NearMember[]>;
  /** @throws Error when it was not kept */
  add(keys: PartitionKeys, member: string, entry: SemanticEntry, ttlMs: number): Promise<void>;
  /** These were near and are gone. */
  gone(keys: PartitionKeys, members: readonly string[]): Promise<void>;
  /** The connection is new, or all was cleared: what was known of the server may be wrong. */
  reset(): void;
}
