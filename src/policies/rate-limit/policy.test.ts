import { expect, test } from "vitest";
import type { GatewayError } from "../../gateway/errors.ts";
import {
  type Written,
  apiOf,
  exchangeOf,
  mistakesOf,
  operationOf,
  policyStep,
  responseOf,
  servicesOf,
  snapshotOf,
  subscriptionOf,
} from "../../gateway/testing.ts";
import { rateLimit } from "./policy.ts";

const services = servicesOf();
const silver = { ...subscriptionOf("silver", { kind: "all" }), key: "silver-1" };
const gold = { ...subscriptionOf("gold", { kind: "all" }), key: "gold-1" };
const pets = apiOf({ path: "pets", name: "Pet shop" });
const cars = apiOf({ path: "cars" });
const list = operationOf({ id: "list", template: "/" });
const buy = operationOf({ id: "buy", template: "/" });

interface Call {
  readonly by?: typeof gold | null;
  readonly api?: typeof pets;
  readonly operation?: typeof list;
}

/** One call at the clock's moment: `ok`, or status, body text and Retry-After; then variables and headers. */
function call(
  step: ReturnType<typeof policyStep>,
  { by = gold, api = pets, operation = list }: Call = {},
): string {
  const exchange = exchangeOf({}, snapshotOf(), services);
  exchange.subscription = by;
  exchange.api = api;
  exchange.operation = operation;
  let said = "ok";
  try {
    step.run(exchange, null);
  } catch (error) {
    const { status, reason, clientMessage, headers } = error as GatewayError;
    said = `${status} ${reason}: ${clientMessage} ${headers.join("=")}`;
  }
  exchange.response = responseOf(200);
  for (const { run } of exchange.takeReplyListeners() ?? []) run();
  const variables = [...exchange.variables].map(([name, value]) => ` ${name}=${String(value)}`).join("");
  const headers =
    exchange.response.headers.raw.length === 0 ? "" : ` | ${exchange.response.headers.raw.join(" ")}`;
  return said + variables + headers;
}

let scopes = 0;
const limit = (
  attributes: Record<string, unknown>,
  children: Written["children"] = {},
): ReturnType<typeof policyStep> =>
  policyStep(
    rateLimit,
    { attributes: { "renewal-period": 60, ...attributes }, children },
    { scope: "product", scopeId: `/products/${scopes++}` },
  );
const exceeded = (seconds: number, header = "Retry-After"): string =>
  `429 RateLimitExceeded: Rate limit is exceeded. Try again in ${seconds} seconds. ${header}=${seconds}`;

test("each subscription has its calls, and none without a key", () => {
  const step = limit({ calls: 2 });
  const calls: [Call, string][] = [
    [{}, "ok"],
    [{}, "ok"],
    [{}, exceeded(60)],
    [{ by: silver }, "ok"],
    [{ api: cars }, exceeded(60)],
    [{ by: null }, "ok"],
    [{ by: null }, "ok"],
    [{ by: null }, "ok"],
  ];
  expect(calls.map(([given]) => call(step, given))).toEqual(calls.map(([, expected]) => expected));
  services.clock.advance(3000);
  expect(call(step)).toBe(exceeded(57));
  services.clock.advance(57_000);
  expect(call(step)).toBe("ok");
});

test("names for headers and variables", () => {
  const step = limit({
    calls: 1,
    "retry-after-header-name": "X-Wait",
    "retry-after-variable-name": "wait",
    "remaining-calls-header-name": "X-Left",
    "remaining-calls-variable-name": "left",
    "total-calls-header-name": "X-Total",
  });
  expect(call(step)).toBe("ok left=0 | X-Left 0 X-Total 1");
  expect(call(step)).toBe(`${exceeded(60, "X-Wait")} wait=60 left=0 | X-Left 0 X-Total 1`);
});

test("APIs and operations have limits of their own; the tightest says what remains", () => {
  const operation = { attributes: { name: "LIST", calls: 1, "renewal-period": 10 } };
  const step = limit(
    { calls: 5, "remaining-calls-variable-name": "left" },
    {
      api: [
        {
          attributes: { name: "pet SHOP", calls: 3, "renewal-period": 60 },
          children: { operation: [operation] },
        },
        { attributes: { id: "CARS", name: "pet shop", calls: 1, "renewal-period": 300 } },
      ],
    },
  );
  const calls: [Call, string][] = [
    [{}, "ok left=0"],
    [{}, `${exceeded(10)} left=0`],
    [{ operation: buy }, "ok left=1"],
    [{ operation: buy }, "ok left=0"],
    // What the operation refused was counted nowhere.
    [{ operation: buy }, `${exceeded(60)} left=0`],
    [{ api: cars }, "ok left=0"],
    [{ api: cars }, `${exceeded(300)} left=0`],
  ];
  expect(calls.map(([given]) => call(step, given))).toEqual(calls.map(([, expected]) => expected));
});

test("windows of different lengths, as in branches of one choose, do not disturb each other", () => {
  const scopeId = `/products/${scopes++}`;
  const of = (calls: number, period: number): ReturnType<typeof policyStep> =>
    policyStep(rateLimit, { attributes: { calls, "renewal-period": period } }, { scope: "product", scopeId });
  const [slow, fast] = [of(2, 60), of(3, 10)];
  expect([slow, fast, slow, fast, slow, fast, fast].map((step) => call(step))).toEqual([
    "ok",
    "ok",
    "ok",
    "ok",
    exceeded(60),
    "ok",
    exceeded(10),
  ]);
});

test("the same subscription is counted per place of the policy", () => {
  const [one, other] = [limit({ calls: 1 }), limit({ calls: 1 })];
  expect([call(one), call(other), call(one)]).toEqual(["ok", "ok", exceeded(60)]);
});

test.each<[Written, string[]]>([
  [
    { children: { api: [{ attributes: { calls: 1, "renewal-period": 1 } }] } },
    ["<api> needs an id or a name"],
  ],
  [
    {
      children: {
        api: [
          {
            attributes: { id: "a", calls: 1, "renewal-period": 1 },
            children: { operation: [{ attributes: {} }] },
          },
        ],
      },
    },
    ["<operation> needs an id or a name"],
  ],
])("mistakes %#", (written, expected) => {
  expect(mistakesOf(rateLimit, written)).toEqual(expected);
});
