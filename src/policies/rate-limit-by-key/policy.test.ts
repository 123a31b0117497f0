import { expect, test } from "vitest";
import { countersAlone } from "../../counters/index.ts";
import type { GatewayError } from "../../gateway/errors.ts";
import {
  type TestExchange,
  exchangeOf,
  policyStep,
  responseOf,
  servicesOf,
  snapshotOf,
} from "../../gateway/testing.ts";
import { rateLimitByKey } from "./policy.ts";

let services = servicesOf();
/** A gateway that has counted nothing yet. */
const anew = (): void => void (services = servicesOf());

function begin(
  attributes: Record<string, unknown>,
  exchange = exchangeOf({}, snapshotOf(), services),
): [string, TestExchange] {
  const step = policyStep(rateLimitByKey, {
    attributes: { calls: 2, "renewal-period": 60, "counter-key": "k", ...attributes },
  });
  try {
    step.run(exchange, null);
    return ["ok", exchange];
  } catch (error) {
    const { status, reason, headers } = error as GatewayError;
    return [[status, reason, ...headers].join(" "), exchange];
  }
}

function end(exchange: TestExchange, status: number | null): void {
  exchange.response = status === null ? null : responseOf(status);
  for (const { run } of exchange.takeReplyListeners() ?? []) run();
}

/** A whole call with its status. */
function call(attributes: Record<string, unknown>, status: number | null = 200): string {
  const [said, exchange] = begin(attributes);
  end(exchange, status);
  return said;
}

const over = (seconds: number): string => `429 RateLimitExceeded Retry-After ${seconds}`;

test("calls with one key share a counter, wherever the policy stands", () => {
  anew();
  expect([call({}), call({}), call({}), call({ "counter-key": "other" })]).toEqual([
    "ok",
    "ok",
    over(60),
    "ok",
  ]);
});

test.each<[unknown, string]>([
  [null, "500 CounterKeyEmpty"],
  ["", "500 CounterKeyEmpty"],
])("the key %j is an error", (key, expected) => {
  expect(call({ "counter-key": () => key })).toBe(expected);
});

test("long keys differ where they differ", () => {
  anew();
  const long = "x".repeat(10_000);
  const keys = [`${long}a`, `${long}a`, `${long}a`, `${long}b`];
  expect(keys.map((key) => call({ "counter-key": key }))).toEqual(["ok", "ok", over(60), "ok"]);
});

test("calls and renewal-period may be expressions; a period beyond 300 s is an error", () => {
  anew();
  expect(call({ calls: () => 1, "renewal-period": () => 300 })).toBe("ok");
  expect(call({ calls: () => 1, "renewal-period": () => 300 })).toBe(over(300));
  expect(call({ "renewal-period": () => 301 })).toBe("500 RenewalPeriodInvalid");
  expect(call({ "renewal-period": () => 0 })).toBe("500 RenewalPeriodInvalid");
});

test("a condition is asked when the response exists", () => {
  anew();
  const exchanges: TestExchange[] = [];
  // Both are under way before either is counted.
  for (let i = 0; i < 3; i++) {
    const exchange = exchangeOf({}, snapshotOf(), services);
    const [said] = begin({ "increment-condition": () => exchange.response!.statusCode === 200 }, exchange);
    expect(said).toBe("ok");
    exchanges.push(exchange);
  }
  end(exchanges[0]!, 200);
  end(exchanges[1]!, 500);
  // A condition that looks at a response that never came counts nothing.
  end(exchanges[2]!, null);
  expect(begin({ "remaining-calls-variable-name": "left" })[1].variables.get("left")).toBe(0);
  expect(call({})).toBe(over(60));
});

test.each<[string, Record<string, unknown>, number]>([
  ["a count", { "increment-count": () => 7 }, 7],
  ["a count of 0", { "increment-count": () => 0 }, 0],
  [
    "a count that fails",
    {
      "increment-count": () => {
        throw new Error("no usage");
      },
    },
    1,
  ],
  [
    "a condition that fails",
    {
      "increment-condition": () => {
        throw new Error("no response");
      },
    },
    0,
  ],
  [
    "a condition that is false, and a count",
    { "increment-condition": () => false, "increment-count": () => 7 },
    0,
  ],
  ["increment-after-response", { "increment-after-response": true }, 1],
  ["nothing said", {}, 1],
])("%s", (_name, attributes, counted) => {
  anew();
  call({ calls: 100, ...attributes });
  const [, exchange] = begin({
    calls: 100,
    "increment-after-response": true,
    "remaining-calls-variable-name": "left",
  });
  expect(exchange.variables.get("left")).toBe(100 - counted);
});

test("a key counts once in a request, and is not in its own way", () => {
  anew();
  const exchange = exchangeOf({}, snapshotOf(), services);
  const said = [1, 1, 1].map(
    (calls) => begin({ calls, "remaining-calls-variable-name": "left" }, exchange)[0],
  );
  expect(said).toEqual(["ok", "ok", "ok"]);
  expect(exchange.variables.get("left")).toBe(0);
  const later = exchangeOf({}, snapshotOf(), services);
  begin({ calls: 9, "increment-after-response": true }, later);
  begin({ calls: 9, "increment-count": () => 5 }, later);
  end(later, 200);
  expect(begin({ calls: 3 })[0]).toBe("ok");
  expect(begin({ calls: 3 })[0]).toBe(over(60));
});

const silent = { take: () => ({ state: "unknown" }) as const, add: () => {} };
const later = { take: () => Promise.resolve({ state: "unknown" } as const), add: () => {} };

test.each<[string, string[]]>([
  ["local", ["ok", "ok", over(60)]],
  ["deny", ["503 CounterStoreUnavailable Retry-After 1"]],
  ["allow", ["ok", "ok", "ok", "ok"]],
])("a silent store: %s", async (onFailure, expected) => {
  const alone = countersAlone();
  const attributes = { calls: 2, "renewal-period": 60, "counter-key": "k", "on-store-failure": onFailure };
  for (const windows of [silent, later]) {
    const deaf = servicesOf({ counters: { ...alone, windows, alone: countersAlone().alone } });
    const step = policyStep(rateLimitByKey, { attributes });
    for (const one of expected) {
      const run = async (): Promise<string> => {
        await step.run(exchangeOf({}, snapshotOf(), deaf), null);
        return "ok";
      };
      const said = await run().catch(({ status, reason, headers }: GatewayError) =>
        [status, reason, ...headers].join(" "),
      );
      expect(said).toBe(one);
    }
  }
});
