/**
 * Octets under a key, for a while: in this process or in a shared Redis. What the octets mean is the caller's business.
 *
 * A cache may forget whatever it likes and never fails a call: one that cannot be reached misses on reading and drops what
 * is written. `cache.suite.ts` says what every adapter does.
 */
export interface Cache {
  /**
   * @param now  ms on a clock that never steps back; a shared cache uses its own instead
   * @returns octets that must not be changed, or null; a promise only when somebody else has to be asked
   */
  get(key: string, now: number): Uint8Array | null | Promise<Uint8Array | null>;
  /** @param value copied when it is kept; dropped when larger than `LARGEST_ENTRY_BYTES` */
  set(key: string, value: Uint8Array, ttlMs: number, now: number): void;
  delete(key: string): void;
}

/** What a policy may choose from. */
export interface Caches {
  readonly internal: Cache;
  /** The external cache that fits this gateway's location; null when none is configured. */
  external(configured: readonly ExternalCache[]): Cache | null;
}

/** A `caches` resource, ready to use. */
export interface ExternalCache {
  readonly id: string;
  /** `default`, or the name of a region. */
  readonly location: string;
  /** StackExchange form, named values already substituted. A secret. */
  readonly connectionString: string;
}

/** As in the original product. */
export const LARGEST_ENTRY_BYTES = 2 * 1024 * 1024;

/** The one for `region`, else the default one. */
export function cacheForRegion(configured: readonly ExternalCache[], region: string): ExternalCache | null {
  const at = (location: string): ExternalCache | undefined =>
    configured.find((one) => one.location.toLowerCase() === location.toLowerCase());
  return at(region) ?? at("default") ?? null;
}
