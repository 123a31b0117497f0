import { expect, test } from "vitest";
import "../../compiler/runtime/library/index.ts";
import { NetArray, typeNamed } from "../../compiler/runtime/values.ts";
import type { GatewayError } from "../../gateway/errors.ts";
import {
  type TestServices,
  exchangeOf,
  policyStep,
  servicesOf,
  snapshotOf,
  stepOf,
} from "../../gateway/testing.ts";
import { cacheValue } from "./policy.ts";

/** A policy whose block makes `made 1`, `made 2`, … unless told otherwise. */
function setting(attributes: Record<string, unknown> = {}, make?: (turn: number) => unknown) {
  const services = servicesOf();
  let turn = 0;
  const block = stepOf(async (exchange) => {
    turn++;
    const value = make === undefined ? `made ${turn}` : await make(turn);
    if (value !== undefined) exchange.variables.set("v", value);
  });
  const step = policyStep(cacheValue, {
    attributes: { key: "k", "variable-name": "v", ...attributes },
    children: { value: [{ steps: [block] }] },
  });
  return {
    services,
    get turns() {
      return turn;
    },
    call: async (before?: unknown, own: TestServices = services): Promise<unknown> => {
      const exchange = exchangeOf({}, snapshotOf(), own);
      if (before !== undefined) exchange.variables.set("v", before);
      await step.run(exchange, null);
      return exchange.variables.has("v") ? exchange.variables.get("v") : "absent";
    },
  };
}

test("made once, used until it expires", async () => {
  const { call, services } = setting({ "expires-after": 60 });
  expect([await call(), await call("mine")]).toEqual(["made 1", "made 1"]);
  services.clock.advance(60_000);
  expect(await call()).toBe("made 2");
});

test("kept for eight hours unless told otherwise", async () => {
  const { call, services } = setting();
  await call();
  services.clock.advance(28_799_999);
  expect(await call()).toBe("made 1");
  services.clock.advance(1);
  expect(await call()).toBe("made 2");
});

test("due for refreshing: made anew; the old one stands in when that fails", async () => {
  const { call, services } = setting({ "refresh-after": 10, "expires-after": 60 }, (turn) => {
    if (turn === 2) throw new Error("no");
    return turn === 3 ? undefined : turn;
  });
  expect(await call()).toBe(1);
  services.clock.advance(10_000);
  expect([await call(), await call(), await call()]).toEqual([1, 1, 4]);
  expect(await call()).toBe(4);
});

test("refresh-after 0 makes it each time", async () => {
  const { call } = setting({ "refresh-after": 0 });
  expect([await call(), await call()]).toEqual(["made 1", "made 2"]);
});

test("a block that makes nothing: the default, or no variable, whatever was in it before", async () => {
  expect(await setting({}, () => undefined).call("before")).toBe("absent");
  expect(await setting({}, () => null).call()).toBe(null);
  expect(await setting({ "default-value": () => 7 }, () => undefined).call("before")).toBe(7);
});

test("a block that fails with nothing to stand in fails the call", async () => {
  const { call } = setting({ "default-value": "d" }, () => {
    throw new Error("no");
  });
  await expect(call()).rejects.toThrow("no");
});

test("a hundred misses together: one makes it", async () => {
  let finish = (): void => {};
  const wait = new Promise<void>((resolve) => (finish = resolve));
  const made = setting({}, async (turn) => {
    await wait;
    return turn;
  });
  const calls = Array.from({ length: 100 }, () => made.call());
  finish();
  expect(new Set(await Promise.all(calls))).toEqual(new Set([1]));
  expect(made.turns).toBe(1);
});

test("while one refreshes, the others go on with the old one", async () => {
  let finish = (): void => {};
  const wait = new Promise<void>((resolve) => (finish = resolve));
  const made = setting({ "refresh-after": 10 }, async (turn) => {
    if (turn > 1) await wait;
    return turn;
  });
  await made.call();
  made.services.clock.advance(10_000);
  const first = made.call();
  expect(await made.call()).toBe(1);
  finish();
  expect([await first, await made.call()]).toEqual([2, 2]);
});

test("those who waited for one that failed make it themselves", async () => {
  const made = setting({}, async (turn) => {
    await Promise.resolve();
    if (turn === 1) throw new Error("no");
    return "made";
  });
  const [first, second] = await Promise.allSettled([made.call(), made.call()]);
  expect([first!.status, second]).toEqual(["rejected", { status: "fulfilled", value: "made" }]);
});

test("a value that cannot be kept is an error", async () => {
  const { call } = setting({}, () => new NetArray(typeNamed("System.Object"), [() => 1]));
  await expect(call()).rejects.toThrow(
    expect.objectContaining({ reason: "CacheValueNotSupported" }) as GatewayError,
  );
});

test("without a cache it is made each time", async () => {
  const { call } = setting({ "caching-type": "external" });
  expect([await call(), await call()]).toEqual(["made 1", "made 2"]);
});
