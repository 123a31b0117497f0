import { expect, test } from "vitest";
import type { GatewayError } from "../../gateway/errors.ts";
import {
  ChunkSource,
  type TestExchange,
  type Written,
  exchangeOf,
  mistakesOf,
  policyStep,
  responseOf,
  servicesOf,
  snapshotOf,
} from "../../gateway/testing.ts";
import { quotaByKey } from "./policy.ts";

let services = servicesOf();
const anew = (moment: string): void => {
  services = servicesOf();
  services.clock.ms = Date.parse(moment);
};

function begin(
  attributes: Record<string, unknown>,
  exchange = exchangeOf({}, snapshotOf(), services),
): [string, TestExchange] {
  const step = policyStep(quotaByKey, {
    attributes: { "renewal-period": "86400", "counter-key": "k", ...attributes },
  });
  try {
    step.run(exchange, null);
    return ["ok", exchange];
  } catch (error) {
    const { status, clientMessage, headers } = error as GatewayError;
    return [`${status} ${clientMessage} ${headers.join("=")}`.trimEnd(), exchange];
  }
}

function end(exchange: TestExchange, status: number | null, octets = 0): void {
  exchange.response = status === null ? null : responseOf(status);
  exchange.bytesSent = octets;
  for (const { run } of exchange.takeReplyListeners() ?? []) run();
  for (const run of exchange.takeEndListeners() ?? []) run();
}

function call(attributes: Record<string, unknown>, status: number | null = 200, octets = 0): string {
  const [said, exchange] = begin(attributes);
  end(exchange, status, octets);
  return said;
}

const out = (span: string, seconds: number, what = "call volume"): string =>
  `403 Out of ${what} quota. Quota will be replenished in ${span}. Retry-After=${seconds}`;

test.each<[string, Record<string, unknown>, string]>([
  ["the default start: days begin at midnight", {}, out("09:59:50", 35_990)],
  ["a start of one's own", { "first-period-start": "2025-03-01T12:00:00Z" }, out("21:59:50", 79_190)],
  ["a start that lies ahead", { "first-period-start": "2030-01-01T15:00:00Z" }, out("00:59:50", 3590)],
  [
    "a week",
    { "renewal-period": "604800", "first-period-start": "2025-01-06T00:00:00Z" },
    out("4.09:59:50", 381_590),
  ],
  ["never", { "renewal-period": "0" }, "403 Out of call volume quota."],
])("%s", (_name, attributes, expected) => {
  anew("2025-06-04T14:00:10Z");
  expect(call({ calls: 1, ...attributes })).toBe("ok");
  expect(call({ calls: 1, ...attributes })).toBe(expected);
});

test("a condition and a count are asked when the response exists", () => {
  anew("2025-06-04T14:00:10Z");
  const [, failed] = begin({ calls: 3, "increment-condition": () => failed.response!.statusCode === 200 });
  end(failed, 500);
  const [, dear] = begin({
    calls: 3,
    "increment-condition": () => dear.response!.statusCode === 200,
    "increment-count": () => 3,
  });
  end(dear, 200);
  expect(call({ calls: 4 })).toBe("ok");
  expect(call({ calls: 4 })).toBe(out("09:59:50", 35_990));
});

test("octets of request and response, the streamed too; only where the condition holds", () => {
  anew("2025-06-04T14:00:10Z");
  const source = new ChunkSource(["x".repeat(600), "x".repeat(400)]);
  const exchange = exchangeOf({ body: source }, snapshotOf(), services);
  begin({ bandwidth: 2 }, exchange);
  const taken = exchange.request.body!.take();
  if (taken !== null && !(taken instanceof Uint8Array))
    taken.start({ write: () => true, end: () => {}, fail: () => {} });
  end(exchange, 200, 1047);
  call({ bandwidth: 2, "increment-condition": () => false }, 200, 5000);
  expect(call({ bandwidth: 2 }, 200, 1)).toBe("ok");
  expect(call({ bandwidth: 2 })).toBe(out("09:59:50", 35_990, "bandwidth"));
});

test("a key counts once in a request", () => {
  anew("2025-06-04T14:00:10Z");
  const [, exchange] = begin({ calls: 2 });
  expect(begin({ calls: 2 }, exchange)[0]).toBe("ok");
  expect([call({ calls: 2 }), call({ calls: 2 })]).toEqual(["ok", out("09:59:50", 35_990)]);
});

test.each<[Record<string, unknown>, string[]]>([
  [{}, ["calls or bandwidth must be given"]],
  [{ calls: 1, "renewal-period": "299" }, ['"299" is no renewal-period']],
  [{ calls: 1, "renewal-period": "0" }, []],
  [{ calls: 1, "renewal-period": "P1D" }, []],
  [{ calls: 1, "first-period-start": "yesterday" }, ['"yesterday" is no moment']],
  [{ calls: 1, "first-period-start": "2025-02-01T00:00:00Z" }, []],
])("mistakes %#", (attributes, expected) => {
  const written: Written = { attributes: { "renewal-period": "300", "counter-key": "k", ...attributes } };
  expect(mistakesOf(quotaByKey, written)).toEqual(expected);
});
