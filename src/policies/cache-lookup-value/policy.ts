import { decodeValue } from "../../gateway/cached-values.ts";
import { CACHING_TYPE, type CachingType, cacheFor } from "../../gateway/caching.ts";
import { ALL_SECTIONS, definePolicy } from "../../gateway/policy.ts";

/**
 * Puts a cached value into a variable, with the .NET type it was stored with. Without a value the variable is not created,
 * unless there is a default. A cache that does not answer has no value.
 */
export const cacheLookupValue = definePolicy({
  element: "cache-lookup-value",
  summary:
    "Puts the value cached under a key into a variable; without one, the default value if there is one.",
  sections: ALL_SECTIONS,
  shape: {
    attributes: {
      key: {
        type: "string",
        expression: true,
        required: true,
        doc: "Key, shared by all APIs of the gateway.",
      },
      "variable-name": { type: "string", required: true, doc: "Name of the variable." },
      "default-value": {
        type: "any",
        expression: true,
        trim: false,
        doc: "What the variable gets when nothing is cached.",
      },
      "caching-type": CACHING_TYPE,
    },
  },
  run: (exchange, { attributes }) => {
    const cache = cacheFor(exchange, attributes["caching-type"] as CachingType);
    const put = (bytes: Uint8Array | null): void => {
      const value = bytes === null ? undefined : decodeValue(bytes);
      const missing = attributes["default-value"];
      if (value !== undefined) exchange.variables.set(attributes["variable-name"], value);
      else if (missing !== undefined)
        exchange.variables.set(attributes["variable-name"], missing(exchange.context));
    };
    const key = `value ${attributes.key(exchange.context)}`;
    const found = cache === null ? null : cache.get(key, exchange.services.clock.monotonic());
    return found instanceof Promise ? found.then(put) : put(found);
  },
});
