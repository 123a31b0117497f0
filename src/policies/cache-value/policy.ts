import type { Cache } from "../../cache/cache.ts";
import type { Step, Value } from "../../compiler/policy.ts";
import { decodeValue, encodeValue, typeName } from "../../gateway/cached-values.ts";
import { CACHING_TYPE, type CachingType, cacheFor, lifeMs } from "../../gateway/caching.ts";
import { ClientGone, GatewayError } from "../../gateway/errors.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import type { Message } from "../../gateway/message.ts";
import { runSteps } from "../../gateway/pipeline.ts";
import { ALL_SECTIONS, type Outcome, definePolicy } from "../../gateway/policy.ts";

interface Rules {
  readonly key: Value<string>;
  readonly variable: string;
  readonly expiresAfter: Value<number> | undefined;
  readonly refreshAfter: Value<number> | undefined;
  readonly missing: Value<unknown> | undefined;
  readonly cachingType: CachingType;
  readonly steps: readonly Step[];
}

/** Seconds; eight hours. */
const DEFAULT_LIFE = 28_800;

/**
 * Looks aside into the cache: a fresh value is used, otherwise the policies inside make one. Of calls that miss together one
 * runs them and the others wait for it; while a value that is due for refreshing is made anew, the others go on with the old
 * one. A cache that does not answer is a miss.
 */
export const cacheValue = definePolicy({
  element: "cache-value",
  summary:
    "Puts a cached value into a variable, and makes it with the policies inside when there is none or it is due.",
  sections: ALL_SECTIONS,
  shape: {
    attributes: {
      key: {
        type: "string",
        expression: true,
        required: true,
        doc: "Key, shared by all APIs of the gateway.",
      },
      "variable-name": {
        type: "string",
        required: true,
        doc: "Variable that gets the value; the policies inside set it.",
      },
      "expires-after": {
        type: "number",
        expression: true,
        min: 0,
        doc: "Seconds a value is kept. Default 28800.",
      },
      "refresh-after": {
        type: "number",
        expression: true,
        min: 0,
        doc: "Seconds until it is made anew; 0 = always. Default: expires-after.",
      },
      "default-value": {
        type: "any",
        expression: true,
        trim: false,
        doc: "What the variable gets when there is no value.",
      },
      "caching-type": CACHING_TYPE,
    },
    children: { value: { min: 1, max: 1, policies: "section", doc: "Policies that set the variable." } },
  },
  prepare: ({ attributes, children }) => {
    const rules: Rules = {
      key: attributes.key,
      variable: attributes["variable-name"],
      expiresAfter: attributes["expires-after"],
      refreshAfter: attributes["refresh-after"],
      missing: attributes["default-value"],
      cachingType: attributes["caching-type"] as CachingType,
      steps: children.value[0]?.steps ?? [],
    };
    return (exchange, message) => {
      const key = `look-aside ${rules.key(exchange.context)}`;
      const cache = cacheFor(exchange, rules.cachingType);
      const found = cache === null ? null : cache.get(key, exchange.services.clock.monotonic());
      if (found instanceof Promise)
        return found.then((bytes) => decide(rules, exchange, message, cache, key, bytes));
      return decide(rules, exchange, message, cache, key, found);
    };
  },
});

/** Who is making a value, per cache and key. */
const making = new WeakMap<Cache, Map<string, Promise<void>>>();

function decide(
  rules: Rules,
  exchange: Exchange,
  message: Message | null,
  cache: Cache | null,
  key: string,
  bytes: Uint8Array | null,
): Outcome | Promise<Outcome> {
  const old = bytes === null ? null : readEntry(bytes);
  if (old !== null && exchange.services.clock.now() - old.storedMs < refreshMs(rules, exchange)) {
    exchange.variables.set(rules.variable, old.value);
    return;
  }
  return make(rules, exchange, message, cache, key, old);
}

/** The policies inside are asynchronous more often than not, so this is one plain async story. */
async function make(
  rules: Rules,
  exchange: Exchange,
  message: Message | null,
  cache: Cache | null,
  key: string,
  old: Entry | null,
): Promise<Outcome> {
  if (cache === null) return fill(rules, exchange, message, cache, key, old);
  const makers = making.get(cache) ?? new Map<string, Promise<void>>();
  making.set(cache, makers);
  const other = makers.get(key);
  if (other !== undefined) {
    if (old !== null) return void exchange.variables.set(rules.variable, old.value);
    await other;
    if (exchange.abort.aborted) throw new ClientGone();
    const bytes = await cache.get(key, exchange.services.clock.monotonic());
    const made = bytes === null ? null : readEntry(bytes);
    if (made !== null) return void exchange.variables.set(rules.variable, made.value);
    // The other one came back with nothing; waiting in line for each to fail would take too long.
    return fill(rules, exchange, message, cache, key, old);
  }
  let done = (): void => {};
  makers.set(key, new Promise((resolve) => (done = resolve)));
  try {
    return await fill(rules, exchange, message, cache, key, old);
  } finally {
    makers.delete(key);
    done();
  }
}

/** Runs the policies inside and keeps what they made. An old value stands in for one that they fail to make. */
async function fill(
  rules: Rules,
  exchange: Exchange,
  message: Message | null,
  cache: Cache | null,
  key: string,
  old: Entry | null,
): Promise<Outcome> {
  const { variables } = exchange;
  variables.delete(rules.variable);
  try {
    const outcome = await runSteps(rules.steps, exchange, message);
    if (outcome !== undefined) return outcome;
  } catch (error) {
    if (old === null || error instanceof ClientGone) throw error;
    exchange.remark("cache-value", `The value could not be made anew, the old one is used: ${String(error)}`);
  }
  const value = (variables.get(rules.variable) ?? null) as {} | null;
  if (value !== null) keep(rules, exchange, cache, key, value);
  else if (old !== null) variables.set(rules.variable, old.value);
  else if (rules.missing !== undefined) variables.set(rules.variable, rules.missing(exchange.context));
}

/** How long may depend on what the policies inside found out. */
function keep(rules: Rules, exchange: Exchange, cache: Cache | null, key: string, value: {}): void {
  const bytes = encodeValue(value);
  if (bytes === null) {
    throw new GatewayError({
      source: "cache-value",
      reason: "CacheValueNotSupported",
      message: `A value of type ${typeName(value)} cannot be cached; texts, numbers, dates, byte[], JToken, XML, collections and responses can.`,
      status: 500,
      code: "cache_value_not_supported",
    });
  }
  const ttlMs = expiresMs(rules, exchange);
  if (ttlMs > 0)
    cache?.set(
      key,
      entryOf(exchange.services.clock.now(), bytes),
      ttlMs,
      exchange.services.clock.monotonic(),
    );
}

function expiresMs(rules: Rules, exchange: Exchange): number {
  return lifeMs(rules.expiresAfter?.(exchange.context) ?? DEFAULT_LIFE);
}

function refreshMs(rules: Rules, exchange: Exchange): number {
  return rules.refreshAfter === undefined
    ? expiresMs(rules, exchange)
    : lifeMs(rules.refreshAfter(exchange.context));
}

// ── Entries: when it was made, as a double, then the value ────────────────────────────────────────────────────────

interface Entry {
  /** Ms since the epoch. */
  readonly storedMs: number;
  readonly value: unknown;
}

function entryOf(storedMs: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(8 + value.length);
  new DataView(bytes.buffer).setFloat64(0, storedMs);
  bytes.set(value, 8);
  return bytes;
}

/** @returns null for octets that `entryOf` has not made */
function readEntry(bytes: Uint8Array): Entry | null {
  if (bytes.length < 9) return null;
  const storedMs = new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0);
  const value = decodeValue(bytes.subarray(8));
  return value === undefined || !Number.isFinite(storedMs) ? null : { storedMs, value };
}
