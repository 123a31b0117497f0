/**
 * Any Redis 7 or Valkey, without modules. Entries are hashes; a sorted set per partition tells in which version a member
 * was written. A node asks for what is newer than it knows, keeps the vectors in a store of its own and looks there.
 */
import type { RedisLink } from "../../redis/link.ts";
import type { Clock } from "../../base/clock.ts";
import type { EmbeddedSemanticStore } from "../embedded/store.ts";
import type { SemanticEntry } from "../semantic-store.ts";
import type { PartitionKeys } from "./keys.ts";
import type { Mode, NearMember } from "./mode.ts";
import { within } from "./within.ts";

/** Entries of a partition at most; the oldest go. */
export const MOST_ENTRIES = 10_000;
/** As much as is read and handed on without holding anybody up. */
const NEWS_AT_ONCE = 32;
/** Partitions whose version is remembered. */
const MOST_PARTITIONS = 20_000;

interface Known {
  version: string;
  /** Asking for news right now. */
  asking: Promise<void> | null;
}

export class PlainMode implements Mode {
  readonly name = "plain";
  readonly #link: RedisLink;
  readonly #clock: Clock;
  readonly #copy: EmbeddedSemanticStore;
  readonly #known = new Map<string, Known>();
  readonly #mostEntries: number;
  readonly #newsWaitMs: number;
  /** Which thread of the copy's the versions are about. */
  #thread = 0;

  /**
   * @param copy of vectors, this mode's alone
   * @param newsWaitMs a look-up waits so long for news; what has not come by then is found by the next one
   */
  constructor(
    link: RedisLink,
    clock: Clock,
    copy: EmbeddedSemanticStore,
    newsWaitMs: number,
    mostEntries: number,
  ) {
    this.#link = link;
    this.#clock = clock;
    this.#copy = copy;
    this.#newsWaitMs = newsWaitMs;
    this.#mostEntries = mostEntries;
  }

  async near(
    keys: PartitionKeys,
    unit: Float32Array,
    distance: number,
    limit: number,
  ): Promise<NearMember[]> {
    const learnt = this.#learn(keys).then(() => true);
    const isCurrent = await within(this.#clock, this.#newsWaitMs, learnt, false);
    const found = await this.#copy.find(keys.name, unit, distance, limit);
    if (found.state === "unavailable") throw new Error(found.why);
    if (found.near.length === 0 && !isCurrent) throw new Error("what is new has not come in time");
    return found.near.map(({ prompt, distance: d }) => ({ member: prompt, distance: d }));
  }

  async add(
    keys: PartitionKeys,
    member: string,
    { vector, prompt, payload }: SemanticEntry,
    ttlMs: number,
  ): Promise<void> {
    await this.#link.call("semanticAdd", [
      3,
      keys.entries + member,
      keys.versions,
      keys.expiries,
      member,
      keys.entries,
      this.#mostEntries,
      ttlMs,
      "partition",
      keys.name,
      "prompt",
      prompt,
      "payload",
      Buffer.from(payload),
      "vector",
      Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength),
    ]);
  }

  gone(keys: PartitionKeys, members: readonly string[]): Promise<void> {
    return this.#copy.forget(keys.name, members);
  }

  reset(): void {
    this.#known.clear();
  }

  #learn(keys: PartitionKeys): Promise<void> {
    if (this.#thread !== this.#copy.threads) {
      // It began anew, and knows nothing.
      this.#thread = this.#copy.threads;
      this.#known.clear();
    }
    let known = this.#known.get(keys.name);
    if (known === undefined) {
      if (this.#known.size >= MOST_PARTITIONS) this.#known.clear();
      this.#known.set(keys.name, (known = { version: "0", asking: null }));
    }
    if (known.asking !== null) {
      // What is asked for already may miss what came since: ask again after it.
      return known.asking.then(() => this.#ask(keys, known));
    }
    return this.#ask(keys, known);
  }

  #ask(keys: PartitionKeys, known: Known): Promise<void> {
    known.asking ??= this.#takeNews(keys, known).finally(() => (known.asking = null));
    return known.asking;
  }

  async #takeNews(keys: PartitionKeys, known: Known): Promise<void> {
    for (;;) {
      const reply = (await this.#link.call("semanticNewsBuffer", [
        1,
        keys.versions,
        known.version,
        keys.entries,
        NEWS_AT_ONCE,
      ])) as unknown[];
      if (!Array.isArray(reply)) return;
      const added: Promise<boolean>[] = [];
      for (let i = 0; i + 3 < reply.length; i += 4) {
        const [member, , octets, left] = reply.slice(i, i + 4) as [Buffer, Buffer, Buffer, number];
        const vector = floatsOf(octets);
        if (vector === null || left <= 0) continue;
        added.push(this.#copy.add(keys.name, { vector, prompt: member.toString(), payload: NOTHING }, left));
      }
      await Promise.all(added);
      if (reply.length === 0) return;
      known.version = String(reply[reply.length - 3] as Buffer);
      if (reply.length < NEWS_AT_ONCE * 4) return;
    }
  }
}

const NOTHING = new Uint8Array(0);

/** @returns null when these are no floats */
function floatsOf(octets: Buffer): Float32Array | null {
  if (octets.length === 0 || octets.length % 4 !== 0) return null;
  return new Float32Array(new Uint8Array(octets).buffer);
}
