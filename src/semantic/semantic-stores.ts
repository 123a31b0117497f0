/** Which semantic cache a look-up uses: the one on the configured Redis, which nodes share, else this node's own. */
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { parseRedisAddress } from "../redis/connection-string.ts";
import { EmbeddedSemanticStore } from "./embedded/store.ts";
import { RedisSemanticStore } from "./redis/store.ts";
import type { SemanticStore } from "./semantic-store.ts";

export interface SemanticStoresOptions {
  readonly clock: Clock;
  /** Where the embedded store keeps its file; null: in memory. Exists. */
  readonly folder: string | null;
  /** The embedded store's memory and disk at most. */
  readonly memoryBytes?: number;
  readonly diskBytes?: number;
  /** For the log. */
  readonly report: (level: "info" | "warning", msg: string, reason: string) => void;
}

export class SemanticStores {
  readonly #options: SemanticStoresOptions;
  readonly #embedded: EmbeddedSemanticStore;
  /** By connection string; one at a time but while configurations change. */
  readonly #shared = new Map<string, SemanticStore>();

  constructor(options: SemanticStoresOptions) {
    this.#options = options;
    const { clock, folder, memoryBytes, diskBytes, report } = options;
    this.#embedded = new EmbeddedSemanticStore({
      clock,
      file: folder === null ? null : join(folder, "semantic-cache.db"),
      memoryBytes,
      diskBytes,
      report: (trouble) => report("warning", "semantic cache", trouble),
    });
  }

  /** @param connectionString of the external cache; null: there is none */
  for(connectionString: string | null): SemanticStore {
    if (connectionString === null) return this.#embedded;
    return this.#shared.get(connectionString) ?? this.#open(connectionString);
  }

  /** Closes what a new configuration no longer names. */
  use(connectionString: string | null): void {
    for (const [known, store] of this.#shared) {
      if (known === connectionString) continue;
      this.#shared.delete(known);
      void store.close();
    }
  }

  async close(): Promise<void> {
    const stores = [this.#embedded, ...this.#shared.values()];
    this.#shared.clear();
    await Promise.all(stores.map((store) => store.close()));
  }

  #open(connectionString: string): SemanticStore {
    const { clock, memoryBytes, report } = this.#options;
    const address = parseRedisAddress(connectionString);
    // Such a configuration is not built; a text is only here when nobody checked.
    if (typeof address === "string") return this.#embedded;
    const store = new RedisSemanticStore(address, {
      clock,
      copy: new EmbeddedSemanticStore({ clock, file: null, memoryBytes }),
      onChange: (up, reason) =>
        report(up ? "info" : "warning", `the shared semantic cache is ${up ? "back" : "down"}`, reason),
    });
    this.#shared.set(connectionString, store);
    return store;
  }
}
