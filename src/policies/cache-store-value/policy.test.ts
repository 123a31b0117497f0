import { expect, test } from "vitest";
import { MemoryCache } from "../../cache/memory-cache.ts";
import "../../compiler/runtime/library/index.ts";
import { NetArray, typeNamed } from "../../compiler/runtime/values.ts";
import type { GatewayError } from "../../gateway/errors.ts";
import { type TestServices, exchangeOf, policyStep, servicesOf, snapshotOf } from "../../gateway/testing.ts";
import { cacheLookupValue } from "../cache-lookup-value/policy.ts";
import { cacheRemoveValue } from "../cache-remove-value/policy.ts";
import { cacheStoreValue } from "./policy.ts";

type Attributes = Record<string, unknown>;

function store(services: TestServices, attributes: Attributes): void {
  void policyStep(cacheStoreValue, { attributes: { key: "k", duration: 60, ...attributes } }).run(
    exchangeOf({}, snapshotOf(), services),
    null,
  );
}

/** The variable after a look-up; `absent` when it was not created. */
async function look(services: TestServices, attributes: Attributes = {}): Promise<unknown> {
  const exchange = exchangeOf({}, snapshotOf(), services);
  await policyStep(cacheLookupValue, { attributes: { key: "k", "variable-name": "v", ...attributes } }).run(
    exchange,
    null,
  );
  return exchange.variables.has("v") ? exchange.variables.get("v") : "absent";
}

test("a value lives for its duration, to the second", async () => {
  const services = servicesOf();
  expect(await look(services)).toBe("absent");
  store(services, { value: () => 42 });
  services.clock.advance(59_999);
  expect(await look(services)).toBe(42);
  services.clock.advance(1);
  expect(await look(services)).toBe("absent");
  expect(await look(services, { "default-value": () => 7 })).toBe(7);
  expect(await look(services, { "default-value": "" })).toBe("");
});

test("the default is asked only when nothing is cached", async () => {
  const services = servicesOf();
  store(services, { value: "there" });
  const never = (): never => {
    throw new Error("asked");
  };
  expect(await look(services, { "default-value": never })).toBe("there");
});

test.each<[string, Attributes]>([
  ["null", { value: () => null }],
  ["a duration of 0", { value: "new", duration: 0 }],
  ["a negative duration", { value: "new", duration: () => -5 }],
  ["a duration that is no number", { value: "new", duration: () => Number.NaN }],
])("%s stores nothing and keeps what was there", async (_name, attributes) => {
  const services = servicesOf();
  store(services, { value: "old" });
  store(services, attributes);
  expect(await look(services)).toBe("old");
});

test("a value that cannot be kept is an error that names its type", () => {
  const value = new NetArray(typeNamed("System.Object"), [() => 1]);
  const keep = (): void => store(servicesOf(), { value: () => value });
  expect(keep).toThrow(/^A value of type object\[\] cannot be cached/);
  expect(keep).toThrow(
    expect.objectContaining({ reason: "CacheValueNotSupported", status: 500 }) as GatewayError,
  );
});

test("removed is removed; keys differ by case", async () => {
  const services = servicesOf();
  store(services, { value: "a" });
  store(services, { key: "K", value: "b" });
  policyStep(cacheRemoveValue, { attributes: { key: () => "k" } }).run(
    exchangeOf({}, snapshotOf(), services),
    null,
  );
  expect([await look(services), await look(services, { key: "K" })]).toEqual(["absent", "b"]);
});

const CONFIGURED = [{ id: "c", location: "default", connectionString: "nowhere" }];

test.each<[string, boolean, "internal" | "external" | "neither"]>([
  ["internal", true, "internal"],
  ["external", true, "external"],
  ["prefer-external", true, "external"],
  ["internal", false, "internal"],
  ["external", false, "neither"],
  ["prefer-external", false, "internal"],
])("caching-type %s, external cache configured: %s → %s", async (type, isConfigured, where) => {
  const [internal, external] = [new MemoryCache(), new MemoryCache()];
  const services = servicesOf({
    caches: { internal, external: (configured) => (configured.length > 0 ? external : null) },
  });
  const exchange = exchangeOf({}, snapshotOf({ caches: isConfigured ? CONFIGURED : [] }), services);
  policyStep(cacheStoreValue, {
    attributes: { key: "k", value: "x", duration: 60, "caching-type": type },
  }).run(exchange, null);
  expect([internal.sizeBytes > 0, external.sizeBytes > 0]).toEqual([
    where === "internal",
    where === "external",
  ]);
  policyStep(cacheLookupValue, { attributes: { key: "k", "variable-name": "v", "caching-type": type } }).run(
    exchange,
    null,
  );
  expect(exchange.variables.has("v")).toBe(where !== "neither");
});

test("a cache that answers later, with nothing or with nonsense", async () => {
  for (const reply of [null, Buffer.from("nonsense"), new Uint8Array()]) {
    const cache = { get: () => Promise.resolve(reply), set: () => {}, delete: () => {} };
    const services = servicesOf({ caches: { internal: cache, external: () => null } });
    expect(await look(services)).toBe("absent");
    expect(await look(services, { "default-value": "d" })).toBe("d");
  }
});
