import { expect, test } from "vitest";
import type { GatewayError } from "../../gateway/errors.ts";
import {
  type Written,
  apiOf,
  exchangeOf,
  mistakesOf,
  policyStep,
  servicesOf,
  snapshotOf,
  subscriptionOf,
} from "../../gateway/testing.ts";
import { quota } from "./policy.ts";

const services = servicesOf();
const START = services.clock.ms;
const gold = { ...subscriptionOf("gold", { kind: "all" }, { startMs: START - 1000 }), key: "gold-1" };
const pets = apiOf({ path: "pets" });

/** One call that sends `octets` of body and is answered with as many. */
function call(
  step: ReturnType<typeof policyStep>,
  octets = 0,
  by: typeof gold | null = gold,
  api = pets,
): string {
  const exchange = exchangeOf(
    { body: octets === 0 ? undefined : "x".repeat(octets) },
    snapshotOf(),
    services,
  );
  exchange.subscription = by;
  exchange.api = api;
  let said = "ok";
  try {
    step.run(exchange, null);
  } catch (error) {
    const { status, reason, clientMessage, headers } = error as GatewayError;
    said = `${status} ${reason}: ${clientMessage} ${headers.join("=")}`.trimEnd();
  }
  exchange.bytesSent = octets;
  for (const run of exchange.takeEndListeners() ?? []) run();
  return said;
}

let scopes = 0;
const limit = (
  attributes: Record<string, unknown>,
  children: Written["children"] = {},
): ReturnType<typeof policyStep> =>
  policyStep(quota, { attributes, children }, { scope: "product", scopeId: `/products/${scopes++}` });
const out = (what: string, seconds: number, span: string): string =>
  `403 QuotaExceeded: Out of ${what} quota. Quota will be replenished in ${span}. Retry-After=${seconds}`;

test("calls, in periods that begin with the subscription", () => {
  const step = limit({ calls: 2, "renewal-period": "3600" });
  expect([call(step), call(step), call(step)]).toEqual(["ok", "ok", out("call volume", 3599, "00:59:59")]);
  services.clock.advance(3_599_000);
  expect(call(step)).toBe("ok");
});

test("no key, no quota", () => {
  const step = limit({ calls: 0, "renewal-period": "3600" });
  expect(call(step, 0, null)).toBe("ok");
});

test("days are written out; a month is 30 days", () => {
  const step = limit({ calls: 0, "renewal-period": "P1M" });
  expect(call(step)).toMatch(/replenished in 29\.\d\d:\d\d:\d\d\./);
});

test("a period of 0 never ends", () => {
  const step = limit({ calls: 1, "renewal-period": "0" });
  expect([call(step), call(step)]).toEqual(["ok", "403 QuotaExceeded: Out of call volume quota."]);
});

test("bandwidth: the call that crosses the limit completes, the next is refused", () => {
  const step = limit({ bandwidth: 2, "renewal-period": "3600" });
  expect([call(step, 1000), call(step, 1000)]).toEqual(["ok", "ok"]);
  expect(call(step, 0)).toContain("Out of bandwidth quota.");
});

test("an API's own quota, its period inherited", () => {
  const step = limit(
    { calls: 5, "renewal-period": "3600" },
    { api: [{ attributes: { id: "pets", calls: 1 } }, { attributes: { name: "other", calls: 0 } }] },
  );
  expect([call(step), call(step).slice(0, 17), call(step, 0, gold, apiOf({ path: "cars" }))]).toEqual([
    "ok",
    "403 QuotaExceeded",
    "ok",
  ]);
});

test.each<[Written, string[]]>([
  [{ attributes: { "renewal-period": "60" } }, ["calls or bandwidth must be given"]],
  [{ attributes: { calls: 1, "renewal-period": "a day" } }, ['"a day" is no renewal-period']],
  [{ attributes: { calls: 1, "renewal-period": "PT90M" } }, []],
  [{ attributes: { calls: 1, "renewal-period": "PT" } }, ['"PT" is no renewal-period']],
  [
    { attributes: { calls: 1, "renewal-period": "60" }, children: { api: [{ attributes: { calls: 1 } }] } },
    ["<api> needs an id or a name"],
  ],
])("mistakes %#", (written, expected) => {
  expect(mistakesOf(quota, written)).toEqual(expected);
});
