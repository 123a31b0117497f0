/**
 * A bounded memory of results. It keeps two generations: when the young one is full the old one is forgotten, so an
 * entry stays as long as it is asked for, and keeping order costs nothing.
 */
export class Recent<K, V> {
  readonly #limit: number;
  #young = new Map<K, V>();
  #old = new Map<K, V>();
  #weight = 0;

  /** @param limit what the entries of one generation may weigh together */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @param weight as given to `set` */
  get(key: K, weight: number): V | undefined {
    const value = this.#young.get(key);
    if (value !== undefined) return value;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old, weight);
    return old;
  }

  /** @param weight of the entry, in the unit of the limit */
  set(key: K, value: V, weight: number): void {
    if (this.#weight + weight > this.#limit) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#weight = 0;
    }
    this.#young.set(key, value);
    this.#weight += weight;
  }
}
