/** What the gateway counts and keeps: on this node alone, or shared through Redis when there is one. */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { GatewayCaches } from "../cache/index.ts";
import type { StartOptions } from "../cli/application.ts";
import type { CounterStores } from "../counters/counters.ts";
import { COUNTER_SCRIPTS, SqliteQuotas, countersAlone, sharedCounters } from "../counters/index.ts";
import { type RedisAddress, parseRedisAddress } from "../redis/connection-string.ts";
import { RedisLink } from "../redis/link.ts";
import { SettingsError } from "../settings.ts";

export interface SharedState {
  readonly caches: GatewayCaches;
  readonly counters: CounterStores;
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
    degraded: () => [...(link.up ? [] : ["counter_store"]), ...(caches.isDegraded ? ["cache"] : [])],
    close: () => {
      caches.close();
      counters.close();
      link.close();
    },
  };
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
