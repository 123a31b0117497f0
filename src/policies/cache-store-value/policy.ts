import { encodeValue, typeName } from "../../gateway/cached-values.ts";
import { CACHING_TYPE, type CachingType, cacheFor, lifeMs } from "../../gateway/caching.ts";
import { GatewayError } from "../../gateway/errors.ts";
import { ALL_SECTIONS, definePolicy } from "../../gateway/policy.ts";

/**
 * Keeps a copy of a value, with its .NET type, for `duration` seconds. null, and a duration that is not positive, store
 * nothing. A cache that cannot be reached stores nothing.
 */
export const cacheStoreValue = definePolicy({
  element: "cache-store-value",
  summary: "Keeps a value under a key for some seconds, with its .NET type.",
  sections: ALL_SECTIONS,
  shape: {
    attributes: {
      key: {
        type: "string",
        expression: true,
        required: true,
        doc: "Key, shared by all APIs of the gateway.",
      },
      value: {
        type: "any",
        expression: true,
        required: true,
        trim: false,
        doc: "A literal (always text) or an expression.",
      },
      duration: { type: "number", expression: true, required: true, doc: "Seconds to live." },
      "caching-type": CACHING_TYPE,
    },
  },
  run: (exchange, { attributes }) => {
    const { context, services } = exchange;
    const key = attributes.key(context);
    const value = attributes.value(context) as {} | null;
    const ttlMs = lifeMs(attributes.duration(context));
    if (value === null || ttlMs === 0) return;
    const bytes = encodeValue(value);
    if (bytes === null) throw notKept(typeName(value));
    cacheFor(exchange, attributes["caching-type"] as CachingType)?.set(
      `value ${key}`,
      bytes,
      ttlMs,
      services.clock.monotonic(),
    );
  },
});

function notKept(type: string): GatewayError {
  return new GatewayError({
    source: "cache-store-value",
    reason: "CacheValueNotSupported",
    message: `A value of type ${type} cannot be cached; texts, numbers, dates, byte[], JToken, XML, collections and responses can.`,
    status: 500,
    code: "cache_value_not_supported",
  });
}
