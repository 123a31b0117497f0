import { CACHING_TYPE, type CachingType, cacheFor } from "../../gateway/caching.ts";
import { ALL_SECTIONS, definePolicy } from "../../gateway/policy.ts";

/** Removes what is cached under a key, if anything is. A cache that cannot be reached keeps it. */
export const cacheRemoveValue = definePolicy({
  element: "cache-remove-value",
  summary: "Removes the value cached under a key.",
  sections: ALL_SECTIONS,
  shape: {
    attributes: {
      key: {
        type: "string",
        expression: true,
        required: true,
        doc: "Key, shared by all APIs of the gateway.",
      },
      "caching-type": CACHING_TYPE,
    },
  },
  run: (exchange, { attributes }) => {
    const key = attributes.key(exchange.context);
    cacheFor(exchange, attributes["caching-type"] as CachingType)?.delete(`value ${key}`);
  },
});
