/**
 * Where answers are kept by the meaning of their prompts: entries with a vector, found by nearness. In this process, or
 * shared between nodes through Redis; `semantic-store.suite.ts` says what every adapter does.
 *
 * Partitions are hard: what was stored in one is never found in another, however near. A partition is everything an answer
 * may depend on besides the words (`ai-policies.md` §2.4).
 */

export interface SemanticEntry {
  /** Any length but the same within a partition; need not be of unit length. Not of length zero. */
  readonly vector: Float32Array;
  /** What was asked, for guards that compare words. */
  readonly prompt: string;
  /** The answer, in the caller's own form. */
  readonly payload: Uint8Array;
}

/** Octets of payload and UTF-16 units of prompt together; larger entries are not kept. */
export const LARGEST_ENTRY = 2 * 1024 * 1024;

export interface Near {
  /** 1 − cosine similarity, 0 to 2. */
  readonly distance: number;
  readonly prompt: string;
  readonly payload: Uint8Array;
}

export type Found =
  /** Nearest first, at most as many as were asked for; empty: nothing is near enough. */
  | { readonly state: "answered"; readonly near: readonly Near[] }
  /** The store did not answer in time. */
  | { readonly state: "unavailable"; readonly why: string };

export interface SemanticStore {
  /**
   * What lies within `distance` of `vector` in the partition and has not expired.
   *
   * @param limit at most so many; at least 1
   * @throws never
   */
  find(partition: string, vector: Float32Array, distance: number, limit: number): Promise<Found>;
  /**
   * Keeps an entry for `ttlMs`. One with the same prompt in the same partition is replaced.
   *
   * @returns whether it was kept; false when there is no room or no answer
   * @throws never
   */
  add(partition: string, entry: SemanticEntry, ttlMs: number): Promise<boolean>;
  /** Forgets a partition's entries, or all. */
  clear(partition?: string): Promise<void>;
  close(): Promise<void>;
}
