/** What the gateway counts and keeps: on this node alone, or shared through Redis when there is one. */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { ExternalCache } from "../cache/cache.ts";
import { GatewayCaches } from "../cache/index.ts";
import type { StartOptions } from "../cli/application.ts";
import type { CounterStores } from "../counters/counters.ts";
import { COUNTER_SCRIPTS, SqliteQuotas, countersAlone, sharedCounters } from "../counters/index.ts";
import { type RedisAddress, parseRedisAddress } from "../redis/connection-string.ts";
import { RedisLink } from "../redis/link.ts";
import { SettingsError } from "../settings.ts";

/** How long a start waits for stores that may be down. */
const STORES_AT_START_MS = 500;

export interface SharedState {
  readonly caches: GatewayCaches;
  readonly counters: CounterStores;
  /**
   * Resolves when what is shared answers, or after `STORES_AT_START_MS`: then the first callers find what is stored and are
   * counted with everybody's, as later ones are.
   */
  answers(configured: readonly ExternalCache[]): Promise<void>;
  /** What does not answer, for `/readyz`. */
  degraded(): string[];
  close(): void;
}

/** @throws SettingsError for an address of Redis that is none */
export async function openState(
  options: StartOptions,
  clock: Clock,
  say: (level: string, msg: string, more: Readonly<Record<string, unknown>>) => void,
): Promise<SharedState> {
  const caches = new GatewayCaches({
    clock,
    region: "self-hosted",
    onChange: (id, up, reason) =>
      say(up ? "info" : "warning", up ? "cache is back" : "cache is down", { cache: id, reason }),
  });
  if (options.redis == null) {
    const quotas =
      options.dataDir === null
        ? undefined
        : new SqliteQuotas(join(options.dataDir, "quotas.db"), ({ message }) =>
            say("error", "quotas cannot be written", { error: message }),
          );
    const close = (): void => {
      caches.close();
      quotas?.close();
    };
    return {
      caches,
      counters: countersAlone(quotas),
      answers: (configured) => soon(clock, caches.use(configured)),
      degraded: () => (caches.isDegraded ? ["cache"] : []),
      close,
    };
  }
  const link = new RedisLink(redisAddress(options.redis), {
    clock,
    needs: "write",
    scripts: COUNTER_SCRIPTS,
    onChange: (up, reason) =>
      say(up ? "info" : "warning", up ? "counter store is back" : "counter store is down", { reason }),
  });
  const counters = sharedCounters(link, `${hostname()} ${randomUUID()}`, clock);
  await link.open();
  return {
    caches,
    counters,
    answers: (configured) => soon(clock, caches.use(configured), link.whenUp()),
    degraded: () => [...(link.up ? [] : ["counter_store"]), ...(caches.isDegraded ? ["cache"] : [])],
    close: () => {
      caches.close();
      counters.close();
      link.close();
    },
  };
}

function soon(clock: Clock, ...up: readonly Promise<void>[]): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(STORES_AT_START_MS, resolve);
    void Promise.all(up).then(() => {
      cancel();
      resolve();
    });
  });
}

/** @throws SettingsError that shows nothing of the text, which holds a password */
function redisAddress(text: string): RedisAddress {
  const address = parseRedisAddress(text);
  if (typeof address !== "string") return address;
  throw new SettingsError(
    `HEADGATE_REDIS cannot be used: ${address}.`,
    "write it as host:port,password=…,ssl=True or redis://host:port",
  );
}
