/**
 * RediSearch and what speaks like it (Azure Managed Redis, Redis Stack, Redis 8, valkey-search): one index per number of
 * dimensions over the same hashes. Of the query language only what all of them know is used.
 */
import type { RedisLink } from "../../redis/link.ts";
import type { SemanticEntry } from "../semantic-store.ts";
import { ENTRIES, type PartitionKeys, indexName } from "./keys.ts";
import type { Mode, NearMember } from "./mode.ts";
import { readSearchReply } from "./search-reply.ts";

/** The module is there, but it knows no vectors (RediSearch before 2.4), or we may not use it. */
export class NoVectorSearch extends Error {}

/** Of the server's state; anything else that is refused is refused for good. */
const PASSING =
  /^(?:OOM|READONLY|MISCONF|LOADING|BUSY|MASTERDOWN|CLUSTERDOWN|NOREPLICAS|TRYAGAIN|UNBLOCKED)\b|timeout/i;
const NO_INDEX = /no such index|unknown index|index.*not found/i;
const HAS_INDEX = /already exists/i;

export class SearchMode implements Mode {
  readonly name = "search";
  readonly #link: RedisLink;
  readonly #indexes = new Set<number>();

  constructor(link: RedisLink) {
    this.#link = link;
  }

  async near(
    { name, entries }: PartitionKeys,
    unit: Float32Array,
    distance: number,
    limit: number,
  ): Promise<NearMember[]> {
    const field = fieldOf(unit.length);
    const query = `(@partition:{${name}})=>[KNN ${limit} @${field} $vector AS score]`;
    const reply = await this.#link
      .call("call", [
        "FT.SEARCH",
        indexName(unit.length),
        query,
        ...words("PARAMS 2 vector"),
        octetsOf(unit),
        ...words(`RETURN 1 score LIMIT 0 ${limit} DIALECT 2`),
      ])
      .catch((error: unknown) => {
        if (!saysThat(error, NO_INDEX)) throw error;
        this.#indexes.delete(unit.length);
        return [0];
      });
    return readSearchReply(reply)
      .filter(({ key, score }) => key.startsWith(entries) && score <= distance)
      .map(({ key, score }) => ({ member: key.slice(entries.length), distance: Math.max(0, score) }))
      .sort((a, b) => a.distance - b.distance);
  }

  async add(
    { name, entries }: PartitionKeys,
    member: string,
    { vector, prompt, payload }: SemanticEntry,
    ttlMs: number,
  ): Promise<void> {
    await this.#ensureIndex(vector.length);
    const fields = ["partition", name, "prompt", prompt, "payload", octetsOf(payload)];
    const key = entries + member;
    await this.#link.call("semanticKeep", [
      1,
      key,
      ttlMs,
      ...fields,
      fieldOf(vector.length),
      octetsOf(vector),
    ]);
  }

  gone(): Promise<void> {
    return Promise.resolve();
  }

  reset(): void {
    this.#indexes.clear();
  }

  async #ensureIndex(dimensions: number): Promise<void> {
    if (this.#indexes.has(dimensions)) return;
    await this.#link
      .call("call", [
        "FT.CREATE",
        indexName(dimensions),
        ...words(`ON HASH PREFIX 1 ${ENTRIES} SCHEMA partition TAG ${fieldOf(dimensions)}`),
        ...words(`VECTOR HNSW 6 TYPE FLOAT32 DIM ${dimensions} DISTANCE_METRIC COSINE`),
      ])
      .catch((error: unknown) => {
        if (saysThat(error, HAS_INDEX)) return;
        throw isRefusal(error) ? new NoVectorSearch(error.message) : error;
      });
    this.#indexes.add(dimensions);
  }
}

/** Arguments without blanks in them. */
function words(text: string): string[] {
  return text.split(" ");
}

/** A field of its own for each number of dimensions, so that no index meets a vector that does not fit. */
function fieldOf(dimensions: number): string {
  return `v${dimensions}`;
}

function octetsOf(view: Float32Array | Uint8Array): Uint8Array {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength);
}

function isRefusal(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError" && !PASSING.test(error.message);
}

function saysThat(error: unknown, what: RegExp): boolean {
  return error instanceof Error && what.test(error.message);
}
