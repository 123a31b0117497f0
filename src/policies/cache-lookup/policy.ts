import type { Value } from "../../compiler/policy.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import {
  CACHING_TYPE,
  type CachingType,
  type Downstream,
  acceptsCoding,
  cacheFor,
  decodeResponse,
  responseFrom,
  sayDownstream,
} from "../../gateway/caching.ts";
import { SkipToOutbound, definePolicy } from "../../gateway/policy.ts";
import { type KeyRules, responseKey } from "./key.ts";

interface Rules extends KeyRules {
  readonly cachingType: CachingType;
  readonly downstream: Value<string>;
  readonly mustRevalidate: Value<boolean>;
  readonly allowPrivate: Value<boolean>;
}

/** With these a backend might answer with less than the whole response, or refuse. */
const CONDITIONAL = [
  "Cache-Control",
  "Pragma",
  "If-Match",
  "If-None-Match",
  "If-Modified-Since",
  "If-Unmodified-Since",
  "If-Range",
  "Range",
];

/**
 * Answers a GET from the cache. A hit becomes the response; the rest of inbound and the backend are skipped, and outbound
 * goes on after `cache-store`. A miss prepares the key for `cache-store`. A cache that does not answer is a miss.
 */
export const cacheLookup = definePolicy({
  element: "cache-lookup",
  summary:
    "Answers a GET from the cache when there is a stored response; otherwise prepares for cache-store.",
  sections: ["inbound"],
  once: "section",
  shape: {
    attributes: {
      "vary-by-developer": {
        type: "bool",
        expression: true,
        required: true,
        doc: "Separate entries per user of the subscription.",
      },
      "vary-by-developer-groups": {
        type: "bool",
        expression: true,
        required: true,
        doc: "Separate entries per set of user groups.",
      },
      "caching-type": CACHING_TYPE,
      "downstream-caching-type": {
        type: "string",
        oneOf: ["none", "private", "public"],
        expression: true,
        default: "none",
        doc: "What caches of the client may do.",
      },
      "must-revalidate": {
        type: "bool",
        expression: true,
        default: true,
        doc: "Adds must-revalidate when downstream caching is on.",
      },
      "allow-private-response-caching": {
        type: "bool",
        expression: true,
        default: false,
        doc: "Cache requests with Authorization, too.",
      },
    },
    children: {
      "vary-by-header": {
        text: { type: "string", expression: true, required: true },
        doc: "Separate entries per value of this request header.",
      },
      "vary-by-query-parameter": {
        text: { type: "string", expression: true, required: true },
        doc: "Only these query parameters tell entries apart; several names are separated by semicolons.",
      },
    },
  },
  prepare: ({ attributes, children }) => {
    const rules: Rules = {
      byDeveloper: attributes["vary-by-developer"],
      byGroups: attributes["vary-by-developer-groups"],
      headers: children["vary-by-header"].map(({ text }) => text),
      parameters: children["vary-by-query-parameter"].map(({ text }) => text),
      cachingType: attributes["caching-type"] as CachingType,
      downstream: attributes["downstream-caching-type"] ?? constantNone,
      mustRevalidate: attributes["must-revalidate"],
      allowPrivate: attributes["allow-private-response-caching"],
    };
    return (exchange) => run(rules, exchange);
  },
});

const constantNone: Value<string> = Object.assign(() => "none", {
  constant: "none",
  isConstant: true,
  needs: 0,
});

function run(rules: Rules, exchange: Exchange): SkipToOutbound | void | Promise<SkipToOutbound | void> {
  const { request, context, services } = exchange;
  exchange.responseCache = null;
  if (request.method !== "GET") return;
  if (request.headers.has("authorization") && !rules.allowPrivate(context)) return;
  const cache = cacheFor(exchange, rules.cachingType);
  if (cache === null) return;
  const key = responseKey(rules, exchange);
  const downstream = {
    type: downstreamType(rules.downstream(context)),
    mustRevalidate: rules.mustRevalidate(context),
  };
  const found = cache.get(key, services.clock.monotonic());
  const decide = (bytes: Uint8Array | null): SkipToOutbound | void => {
    if (bytes !== null && answer(exchange, bytes, downstream)) return new SkipToOutbound(["cache-store"]);
    exchange.responseCache = { cache, key, downstream };
    exchange.cacheLookup = "miss";
    for (const name of CONDITIONAL) request.headers.delete(name);
    exchange.remark("cache-lookup", "Nothing was found; conditional headers were removed from the request.");
  };
  return found instanceof Promise ? found.then(decide) : decide(found);
}

function downstreamType(text: string): Downstream["type"] {
  const lower = text.toLowerCase();
  return lower === "private" || lower === "public" ? lower : "none";
}

/** @returns false when what was found is of no use to this caller */
function answer(exchange: Exchange, bytes: Uint8Array, downstream: Downstream): boolean {
  const stored = decodeResponse(bytes);
  if (stored === null) return false;
  const response = responseFrom(stored);
  const coding = response.headers.get("content-encoding");
  if (!acceptsCoding(exchange.request.headers.getAll("accept-encoding")?.join(",") ?? null, coding))
    return false;
  const ageMs = Math.max(0, exchange.services.clock.now() - stored.storedMs);
  sayDownstream(response.headers, downstream, stored.lifeMs, ageMs);
  exchange.response = response;
  exchange.remark("cache-lookup", "The response comes from the cache; processing goes on after cache-store.");
  return true;
}
