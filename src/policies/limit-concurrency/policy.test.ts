import { expect, test } from "vitest";
import { api, policy, testGateway } from "../../../test/gateway.ts";
import { Upstream, until } from "../../../test/hang-up.ts";
import { ClientGone } from "../../gateway/errors.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import { exchangeOf, policyStep, responseOf, servicesOf, snapshotOf, stepOf } from "../../gateway/testing.ts";
import { limitConcurrency } from "./policy.ts";

const services = servicesOf();
const newExchange = (): Exchange => exchangeOf({}, snapshotOf(), services);

function limited(
  key: unknown,
  most: number,
  child: (exchange: Exchange) => unknown,
): (exchange?: Exchange) => unknown {
  const step = policyStep(limitConcurrency, {
    attributes: { key, "max-count": most },
    steps: [stepOf(child)],
  });
  return (exchange = newExchange()) => step.run(exchange, null);
}

interface Held {
  readonly resolve: (outcome?: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** A child that stays inside until it is let go. */
function holding(): { held: Held[]; child: () => Promise<unknown> } {
  const held: Held[] = [];
  return { held, child: () => new Promise((resolve, reject) => held.push({ resolve, reject })) };
}

const REFUSED = {
  source: "limit-concurrency",
  reason: "ConcurrencyLimitExceeded",
  status: 429,
  clientMessage: "Too many requests.",
  headers: [],
};

test("so many and no more, at once", () => {
  const { child } = holding();
  const enter = limited("a", 3, child);
  for (let i = 0; i < 3; i++) expect(enter()).toBeInstanceOf(Promise);
  expect(() => enter()).toThrow(expect.objectContaining(REFUSED));
});

test.each<[string, (held: Held) => void]>([
  ["success", ({ resolve }) => resolve()],
  ["a response", ({ resolve }) => resolve(responseOf(200))],
  ["an error", ({ reject }) => reject(new Error("x"))],
  ["a hang-up", ({ reject }) => reject(new ClientGone())],
])("a slot comes back after %s that was waited for", async (name, end) => {
  const { held, child } = holding();
  const enter = limited(name, 1, child);
  for (let i = 0; i < 3; i++) {
    const inside = enter() as Promise<unknown>;
    expect(() => enter()).toThrow(expect.objectContaining(REFUSED));
    end(held[i]!);
    await inside.catch(() => {});
  }
});

test.each<[string, () => unknown]>([
  ["nothing", () => undefined],
  ["a response", () => responseOf(200)],
  [
    "an error",
    () => {
      throw new Error("x");
    },
  ],
])("a slot comes back after %s at once", (name, child) => {
  const enter = limited(`sync ${name}`, 1, child);
  const attempt = (): unknown => {
    try {
      return enter();
    } catch (error) {
      return error;
    }
  };
  const first = attempt();
  for (let i = 0; i < 5; i++) expect(attempt()).toEqual(first);
});

test("policies that share a key share the count, each with its own maximum", () => {
  const { child } = holding();
  const two = limited("shared", 2, child);
  const three = limited("shared", 3, child);
  three();
  three();
  expect(() => two()).toThrow(expect.objectContaining(REFUSED));
  expect(three()).toBeInstanceOf(Promise);
  expect(() => three()).toThrow(expect.objectContaining(REFUSED));
});

test("keys are counted apart, and so are gateways", () => {
  const { child } = holding();
  const enter = limited((context: Exchange) => context.variables.get("k"), 1, child);
  const of = (key: string, exchange = newExchange()): unknown => {
    exchange.variables.set("k", key);
    return enter(exchange);
  };
  of("x");
  of("y");
  of("");
  expect(() => of("x")).toThrow(expect.objectContaining(REFUSED));
  expect(of("x", exchangeOf())).toBeInstanceOf(Promise);
});

test("one inside another of the same key needs two slots", () => {
  const enter = limited("nested", 1, (exchange) => limited("nested", 1, () => undefined)(exchange));
  expect(() => enter()).toThrow(expect.objectContaining(REFUSED));
  expect(() => enter()).toThrow(expect.objectContaining(REFUSED));
});

test("over the wire: a hang-up gives the slot back, and a stream holds none once its head is here", async () => {
  const upstream = await Upstream.start();
  const backend = `<limit-concurrency key="k" max-count="1"><forward-request /></limit-concurrency>`;
  const gateway = await testGateway(
    api("a", `http://127.0.0.1:${upstream.port}`, ["GET /wait", "GET /stream"], {
      policy: policy({ backend }),
    }),
  );
  const call = (path: string, signal?: AbortSignal): Promise<Response> =>
    fetch(`${gateway.url}/a/${path}`, { signal });

  for (let i = 0; i < 5; i++) {
    const before = upstream.seen;
    const leaving = new AbortController();
    const waiting = call("wait", leaving.signal).catch(() => null);
    await upstream.until(() => upstream.seen > before);
    expect((await call("wait")).status).toBe(429);
    leaving.abort();
    await waiting;
    await until(() => gateway.inFlight === 0);
  }

  const leaving = new AbortController();
  const first = await call("stream", leaving.signal);
  const second = await call("stream", leaving.signal);
  expect([first.status, second.status, gateway.inFlight]).toEqual([200, 200, 2]);
  leaving.abort();
  await until(() => gateway.inFlight === 0);
  await gateway.close();
  await upstream.close();
});

test("of a thousand at once, exactly as many as may are inside", async () => {
  const { held, child } = holding();
  const enter = limited("thousand", 100, child);
  const results = await Promise.all(
    Array.from({ length: 1_000 }, async () => {
      await Promise.resolve();
      try {
        return enter();
      } catch {
        return "refused";
      } finally {
        if (held.length === 100) for (const one of held) setImmediate(one.resolve);
      }
    }),
  );
  expect(results.filter((result) => result === "refused")).toHaveLength(900);
});
