/**
 * The semantic cache that several nodes share, on the Redis or Valkey that is the external cache. Which way it is used is
 * asked once per connection: with a search module Redis searches (`search-mode.ts`), without one the nodes do
 * (`plain-mode.ts`). Whatever fails is a miss within `timeoutMs`, and nothing waits while the server is known to be away.
 */
import type { Clock } from "../../base/clock.ts";
import type { RedisAddress } from "../../redis/connection-string.ts";
import { RedisLink } from "../../redis/link.ts";
import type { EmbeddedSemanticStore } from "../embedded/store.ts";
import {
  type Found,
  LARGEST_ENTRY,
  type Near,
  type SemanticEntry,
  type SemanticStore,
} from "../semantic-store.ts";
import { ROUNDING, unitVector } from "../unit-vector.ts";
import { type PartitionKeys, keysOf, memberOf, patternOf } from "./keys.ts";
import type { Mode } from "./mode.ts";
import { MOST_ENTRIES, PlainMode } from "./plain-mode.ts";
import { SEMANTIC_SCRIPTS } from "./scripts.ts";
import { NoVectorSearch, SearchMode } from "./search-mode.ts";
import { within } from "./within.ts";

export interface RedisSemanticOptions {
  readonly clock: Clock;
  /** Keeps copies of vectors when Redis cannot search; closed with this store. */
  readonly copy: EmbeddedSemanticStore;
  /** Of a look-up or of storing, whatever happens. Default 250. */
  readonly timeoutMs?: number;
  /** Without a search module: entries of a partition at most. Default 10,000. */
  readonly mostEntries?: number;
  /** Told when it comes up or goes down; `reason` holds no secret. */
  readonly onChange?: (up: boolean, reason: string) => void;
}

const DEFAULT_TIMEOUT_MS = 250;
const MOST_NEAR = 100;
/** How often it is looked again because what was near is gone. */
const MOST_TRIES = 4;
const SCANNED_AT_ONCE = 500;
/** What says that the server cannot be used now; other errors are about one command. */
const HARMLESS = /^(?!LOADING|MASTERDOWN|CLUSTERDOWN|BUSY|NOAUTH|WRONGPASS|UNBLOCKED)/;

export class RedisSemanticStore implements SemanticStore {
  readonly #options: RedisSemanticOptions;
  readonly #link: RedisLink;
  readonly #timeoutMs: number;
  readonly #search: SearchMode;
  readonly #plain: PlainMode;
  #mode: Promise<Mode> | null = null;
  #opening: Promise<boolean> | null = null;
  #closed = false;

  constructor(address: RedisAddress, options: RedisSemanticOptions) {
    this.#options = options;
    const { clock, copy, onChange } = options;
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#link = new RedisLink(address, {
      clock,
      needs: "read",
      timeoutMs: this.#timeoutMs,
      scripts: SEMANTIC_SCRIPTS,
      harmless: HARMLESS,
      onChange,
    });
    this.#search = new SearchMode(this.#link);
    const mostEntries = options.mostEntries ?? MOST_ENTRIES;
    this.#plain = new PlainMode(this.#link, clock, copy, this.#timeoutMs / 2, mostEntries);
    this.#link.onUp(() => {
      this.#mode = null;
      this.#search.reset();
      this.#plain.reset();
    });
  }

  /** How the server is used; null when it is not known. */
  async mode(): Promise<"search" | "plain" | null> {
    return (await this.#ready()) ? (await this.#chosen()).name : null;
  }

  async find(partition: string, vector: Float32Array, distance: number, limit: number): Promise<Found> {
    const unit = unitVector(vector);
    if (unit === null || !(limit >= 1) || !(distance >= 0)) return { state: "answered", near: [] };
    const most = Math.min(Math.floor(limit), MOST_NEAR);
    const look = async (): Promise<Found> => {
      if (!(await this.#ready())) return unavailable("Redis is not there");
      return {
        state: "answered",
        near: await this.#look(keysOf(partition), unit, distance + ROUNDING, most),
      };
    };
    const { clock } = this.#options;
    const late = unavailable(`Redis did not answer within ${this.#timeoutMs} ms`);
    return within(clock, this.#timeoutMs, look(), late).catch((error: unknown) => unavailable(String(error)));
  }

  async add(partition: string, entry: SemanticEntry, ttlMs: number): Promise<boolean> {
    const vector = unitVector(entry.vector);
    const { prompt, payload } = entry;
    if (vector === null || !(ttlMs > 0) || payload.length + prompt.length > LARGEST_ENTRY) return false;
    const life = Math.min(Math.max(1, Math.ceil(ttlMs)), LONGEST_LIFE_MS);
    const keep = async (): Promise<boolean> => {
      if (!(await this.#ready())) return false;
      const given = [keysOf(partition), memberOf(prompt), { vector, prompt, payload }, life] as const;
      const mode = await this.#chosen();
      await mode.add(...given).catch((error: unknown) => {
        if (!(error instanceof NoVectorSearch)) throw error;
        this.#mode = Promise.resolve(this.#plain);
        return this.#plain.add(...given);
      });
      return true;
    };
    return within(this.#options.clock, 2 * this.#timeoutMs, keep(), false).catch(() => false);
  }

  async clear(partition?: string): Promise<void> {
    try {
      if (!(await this.#ready())) return;
      const match = patternOf(partition);
      let cursor = "0";
      do {
        const reply = await this.#link.call("scan", [cursor, "MATCH", match, "COUNT", SCANNED_AT_ONCE]);
        const [next, keys] = reply as [string, string[]];
        await Promise.all(keys.map((key) => this.#link.call("unlink", [key])));
        cursor = next;
      } while (cursor !== "0" && !this.#closed);
      await this.#options.copy.clear(partition === undefined ? undefined : keysOf(partition).name);
      this.#plain.reset();
    } catch {
      // What cannot be reached cannot be cleared; it expires.
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#link.close();
    await this.#options.copy.close();
  }

  async #look(keys: PartitionKeys, unit: Float32Array, distance: number, limit: number): Promise<Near[]> {
    const mode = await this.#chosen();
    for (let tries = 1; ; tries++) {
      const members = await mode.near(keys, unit, distance, limit);
      const found = await Promise.all(members.map(({ member }) => this.#read(keys, member)));
      const gone = members.filter((_, i) => found[i] === null).map(({ member }) => member);
      if (gone.length === 0 || tries === MOST_TRIES || mode.name === "search")
        return members.flatMap(({ distance: d }, i) => {
          const entry = found[i];
          return entry == null ? [] : [{ distance: Math.max(0, d), ...entry }];
        });
      await mode.gone(keys, gone);
    }
  }

  /** @returns null when it is gone, or not what it seems */
  async #read(
    keys: PartitionKeys,
    member: string,
  ): Promise<{ readonly prompt: string; readonly payload: Uint8Array } | null> {
    const fields = ["partition", "prompt", "payload"];
    const reply = await this.#link.call("hmgetBuffer", [keys.entries + member, ...fields]);
    const [partition, prompt, payload] = reply as (Buffer | null)[];
    if (partition == null || prompt == null || payload == null) return null;
    // A key is named after its partition; nobody is believed for a name alone.
    if (partition.toString() !== keys.name) return null;
    return { prompt: prompt.toString(), payload: new Uint8Array(payload) };
  }

  /** The first to ask waits until the link is up; later ones are told at once. */
  #ready(): Promise<boolean> | boolean {
    if (this.#closed) return false;
    if (this.#link.up) return true;
    if (this.#opening === null) {
      const opened = this.#link.open().then(() => this.#link.whenUp());
      this.#opening = within(this.#options.clock, this.#timeoutMs, opened, undefined).then(
        () => this.#link.up,
        () => false,
      );
      return this.#opening;
    }
    return this.#opening.then(() => this.#link.up);
  }

  #chosen(): Promise<Mode> {
    if (this.#mode !== null) return this.#mode;
    const asked: Promise<Mode> = this.#link.call("call", ["FT._LIST"]).then(
      () => this.#search,
      (error: unknown) => {
        if (error instanceof Error && error.name === "ReplyError" && /^(?:ERR|NOPERM)\b/.test(error.message))
          return this.#plain;
        if (this.#mode === asked) this.#mode = null;
        throw error;
      },
    );
    this.#mode = asked;
    return asked;
  }
}

/** Redis' own limit is far beyond; ten years are enough. */
const LONGEST_LIFE_MS = 10 * 365 * 86_400_000;

function unavailable(why: string): Found {
  return { state: "unavailable", why };
}
