/**
 * Credentials that run out, kept until they do. One fetch for each key, however many ask.
 *
 *     nothing, or run out   whoever asks waits; after a failure nobody asks again before the pause is over
 *     young                 given as it is, without a promise
 *     old                   given as it is, while a new one is fetched behind the requests' backs
 *
 * Old begins when a tenth of the life is left, or five minutes if that is more, but never before half of it.
 * A source that is down costs nothing until what is here runs out (`reliability.md` A2).
 */
import type { Services } from "../../gateway/services.ts";
import { CredentialError } from "../../gateway/identity.ts";

export interface Fetched<T> {
  readonly value: T;
  /** From now on. */
  readonly lifetimeMs: number;
}

interface Entry<T> {
  value: T | undefined;
  /** These on the monotonic clock. */
  expiresAt: number;
  refreshAt: number;
  pausedUntil: number;
  failures: number;
  lastError: unknown;
  pending: Promise<T> | null;
}

const LEAST_AHEAD_MS = 5 * 60_000;
/** After the first failure; doubles up to the longest. */
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;
/** Expressions may name any number of resources. */
const MOST_ENTRIES = 1000;

export class TokenCache<T> {
  readonly #world: Pick<Services, "clock" | "log">;
  /** For the log: what is fetched. */
  readonly #what: string;
  readonly #entries = new Map<string, Entry<T>>();

  constructor(what: string, world: Pick<Services, "clock" | "log">) {
    this.#what = what;
    this.#world = world;
  }

  /** @throws what `fetch` last failed with, also as a rejection */
  get(key: string, fetch: () => Promise<Fetched<T>>): T | Promise<T> {
    const now = this.#world.clock.monotonic();
    const entry = this.#entries.get(key) ?? this.#add(key);
    const { value } = entry;
    if (value !== undefined && now < entry.expiresAt) {
      // Its failure has been said; until the value runs out it is nobody's.
      if (now >= entry.refreshAt && now >= entry.pausedUntil) this.#fetch(entry, fetch).catch(() => {});
      return value;
    }
    if (entry.pending === null && now < entry.pausedUntil) throw entry.lastError;
    return this.#fetch(entry, fetch);
  }

  #add(key: string): Entry<T> {
    // The one that has been here longest goes; who still waits for it holds it.
    if (this.#entries.size >= MOST_ENTRIES) this.#entries.delete(this.#entries.keys().next().value!);
    const entry: Entry<T> = {
      value: undefined,
      expiresAt: -Infinity,
      refreshAt: -Infinity,
      pausedUntil: -Infinity,
      failures: 0,
      lastError: null,
      pending: null,
    };
    this.#entries.set(key, entry);
    return entry;
  }

  #fetch(entry: Entry<T>, fetch: () => Promise<Fetched<T>>): Promise<T> {
    return (entry.pending ??= this.#fetchNow(entry, fetch).finally(() => (entry.pending = null)));
  }

  async #fetchNow(entry: Entry<T>, fetch: () => Promise<Fetched<T>>): Promise<T> {
    const { clock, log } = this.#world;
    try {
      const { value, lifetimeMs } = await fetch();
      if (!(lifetimeMs > 0))
        throw new CredentialError(`${this.#what} had run out when it came; is the clock right?`);
      const now = clock.monotonic();
      entry.value = value;
      entry.expiresAt = now + lifetimeMs;
      entry.refreshAt = entry.expiresAt - Math.min(Math.max(LEAST_AHEAD_MS, lifetimeMs / 10), lifetimeMs / 2);
      entry.failures = 0;
      entry.pausedUntil = -Infinity;
      return value;
    } catch (error) {
      entry.lastError = error;
      entry.pausedUntil =
        clock.monotonic() + Math.min(FIRST_PAUSE_MS * 2 ** entry.failures, LONGEST_PAUSE_MS);
      entry.failures = Math.min(entry.failures + 1, 10);
      const left =
        entry.value === undefined ? 0 : Math.max(0, Math.floor((entry.expiresAt - clock.monotonic()) / 1000));
      log({
        level: left > 0 ? "warning" : "error",
        msg: "a credential cannot be fetched",
        code: "credential_unavailable",
        credential: this.#what,
        error: error instanceof Error ? error.message : String(error),
        // The one that is here goes on serving for so long.
        secondsLeft: left,
      });
      throw error;
    }
  }
}
