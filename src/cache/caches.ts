import type { Clock } from "../base/clock.ts";
import { parseRedisAddress } from "../redis/connection-string.ts";
import { RedisLink } from "../redis/link.ts";
import { type Cache, type Caches, type ExternalCache, cacheForRegion } from "./cache.ts";
import { MemoryCache } from "./memory-cache.ts";
import { RedisCache } from "./redis-cache.ts";

interface Opened {
  readonly link: RedisLink;
  readonly cache: Cache;
}

export interface GatewayCachesOptions {
  readonly clock: Clock;
  /** This gateway's location, for `useFromLocation`. */
  readonly region: string;
  /** Told when an external cache comes up or goes down. */
  readonly onChange?: (id: string, up: boolean, reason: string) => void;
}

/** The built-in cache and connections to external ones, one per connection string, kept while configuration names it. */
export class GatewayCaches implements Caches {
  readonly internal = new MemoryCache();
  readonly #options: GatewayCachesOptions;
  readonly #opened = new Map<string, Opened>();
  /** Found once per snapshot, not per request. */
  readonly #chosen = new WeakMap<readonly ExternalCache[], Opened | null>();

  constructor(options: GatewayCachesOptions) {
    this.#options = options;
  }

  external(configured: readonly ExternalCache[]): Cache | null {
    if (configured.length === 0) return null;
    let chosen = this.#chosen.get(configured);
    if (chosen === undefined) {
      chosen = this.#choose(configured);
      this.#chosen.set(configured, chosen);
    }
    return chosen?.cache ?? null;
  }

  /**
   * Opens what a new snapshot will ask for and closes what it does not name.
   *
   * @returns resolves when the external cache answers, or at once when there is none
   */
  use(configured: readonly ExternalCache[]): Promise<void> {
    const chosen = cacheForRegion(configured, this.#options.region);
    for (const [connectionString, { link }] of this.#opened) {
      if (connectionString === chosen?.connectionString) continue;
      link.close();
      this.#opened.delete(connectionString);
    }
    this.external(configured);
    return chosen === null
      ? Promise.resolve()
      : (this.#opened.get(chosen.connectionString)?.link.whenUp() ?? Promise.resolve());
  }

  /** Ids of external caches that do not answer. */
  get isDegraded(): boolean {
    return [...this.#opened.values()].some(({ link }) => !link.up);
  }

  close(): void {
    for (const { link } of this.#opened.values()) link.close();
    this.#opened.clear();
  }

  #choose(configured: readonly ExternalCache[]): Opened | null {
    const { clock, region, onChange } = this.#options;
    const chosen = cacheForRegion(configured, region);
    if (chosen === null) return null;
    const known = this.#opened.get(chosen.connectionString);
    if (known !== undefined) return known;
    const address = parseRedisAddress(chosen.connectionString);
    // Such a snapshot is not built; a text is only here when nobody checked.
    if (typeof address === "string") return null;
    const link = new RedisLink(address, {
      clock,
      needs: "read",
      onChange: (up, reason) => onChange?.(chosen.id, up, reason),
    });
    const opened = { link, cache: new RedisCache(link) };
    this.#opened.set(chosen.connectionString, opened);
    link.open().catch((error: unknown) => onChange?.(chosen.id, false, String(error)));
    return opened;
  }
}
