import type { Value } from "../../compiler/policy.ts";
import {
  type ResponseCacheSlot,
  encodeResponse,
  keepBody,
  lifeMs,
  sayDownstream,
  storedHeaders,
} from "../../gateway/caching.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import { definePolicy, responseOf } from "../../gateway/policy.ts";

interface Rules {
  readonly duration: Value<number>;
  readonly cacheResponse: Value<boolean> | undefined;
}

/**
 * Stores the response, as it is at this point, under the key that `cache-lookup` prepared. A body that is still on its way is
 * copied as it passes to the client and stored when it has passed whole: nobody waits for it. A later policy that
 * replaces an unread body leaves nothing to store. A cache that cannot be reached stores nothing.
 */
export const cacheStore = definePolicy({
  element: "cache-store",
  summary: "Stores the response under the key that cache-lookup prepared.",
  sections: ["outbound"],
  once: "section",
  shape: {
    attributes: {
      duration: { type: "number", expression: true, required: true, doc: "Seconds to live." },
      "cache-response": {
        type: "bool",
        expression: true,
        doc: "true: whatever the status; false: not this one; absent: only status 200.",
      },
    },
  },
  prepare: ({ attributes }) => {
    const rules: Rules = { duration: attributes.duration, cacheResponse: attributes["cache-response"] };
    return (exchange) => run(rules, exchange);
  },
});

function run(rules: Rules, exchange: Exchange): void {
  const slot = exchange.responseCache;
  if (slot === null) return;
  const response = responseOf(exchange);
  const wanted = rules.cacheResponse?.(exchange.context) ?? response.statusCode === 200;
  const ttlMs = lifeMs(rules.duration(exchange.context));
  if (!wanted || ttlMs === 0) return;
  exchange.responseCache = null;
  const { statusCode, statusReason, body } = response;
  const headers = storedHeaders(response.headers);
  keepBody(exchange, body, (octets) =>
    save(exchange, slot, { status: statusCode, reason: statusReason, headers, body: octets, ttlMs }),
  );
  sayDownstream(response.headers, slot.downstream, ttlMs, 0);
}

function save(
  exchange: Exchange,
  slot: ResponseCacheSlot,
  kept: { status: number; reason: string; headers: string[]; body: Uint8Array | null; ttlMs: number },
): void {
  const { clock } = exchange.services;
  const { ttlMs, ...response } = kept;
  slot.cache.set(
    slot.key,
    encodeResponse({ ...response, storedMs: clock.now(), lifeMs: ttlMs }),
    ttlMs,
    clock.monotonic(),
  );
}
