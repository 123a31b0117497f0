/** For tests of the shared store. */
import { type TestRedis, realClock } from "../../../test/redis.ts";
import { parseRedisAddress } from "../../redis/connection-string.ts";
import { EmbeddedSemanticStore } from "../embedded/store.ts";
import { vector } from "../semantic-store.suite.ts";
import { type RedisSemanticOptions, RedisSemanticStore } from "./store.ts";

export const payload = new TextEncoder().encode("an answer");

export function openStore(text: string, options: Partial<RedisSemanticOptions> = {}): RedisSemanticStore {
  const address = parseRedisAddress(text);
  if (typeof address === "string") throw new Error(address);
  const copy = new EmbeddedSemanticStore({ clock: realClock, file: null, findTimeoutMs: 20_000 });
  return new RedisSemanticStore(address, { clock: realClock, copy, timeoutMs: 20_000, ...options });
}

/** An entry in a plane. */
export const one = (prompt = "one", degrees = 0) => ({
  vector: vector(Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)),
  prompt,
  payload,
});

/** Redis' own clock decides, so Redis does the waiting. */
export const passing = (redis: TestRedis) => (ms: number) =>
  void redis.cli("blpop", "nothing", String(ms / 1000));
