import { expect, test } from "vitest";
import type { ForwardOptions } from "../../gateway/services.ts";
import {
  ChunkSource,
  exchangeOf,
  mistakesOf,
  policyStep,
  responseOf,
  servicesOf,
  snapshotOf,
} from "../../gateway/testing.ts";
import { forwardRequest } from "./policy.ts";

/** What the backend layer is asked for. */
async function options(attributes: Readonly<Record<string, unknown>>): Promise<ForwardOptions> {
  let asked: ForwardOptions | undefined;
  const services = servicesOf({
    forward: (_exchange, given) => ((asked = given), Promise.resolve(responseOf(200))),
  });
  await policyStep(forwardRequest, { attributes }).run(exchangeOf({}, snapshotOf(), services), null);
  return asked!;
}

test.each<[Readonly<Record<string, unknown>>, Partial<ForwardOptions>]>([
  [
    {},
    {
      timeoutMs: 300_000,
      continueTimeoutMs: null,
      httpVersion: "1",
      followRedirects: false,
      bufferRequestBody: false,
      bufferResponse: true,
    },
  ],
  [{ timeout: 5 }, { timeoutMs: 5000 }],
  [{ timeout: () => 0.25 }, { timeoutMs: 250 }],
  [{ timeout: 0 }, { timeoutMs: 0 }],
  [{ timeout: () => -1 }, { timeoutMs: 0 }],
  [{ timeout: () => 1e12 }, { timeoutMs: 0x7fffffff }],
  [{ "timeout-ms": 50 }, { timeoutMs: 50 }],
  [
    { "first-byte-timeout": 2, "chunk-timeout": 0, "total-timeout": 600 },
    { firstByteMs: 2000, chunkMs: 0, totalMs: 600_000 },
  ],
  [
    { "first-byte-timeout": 0, "total-timeout": 0 },
    { firstByteMs: undefined, totalMs: undefined },
  ],
  [{ "continue-timeout": 2 }, { continueTimeoutMs: 2000 }],
  [
    {
      "http-version": "2or1",
      "follow-redirects": () => true,
      "buffer-request-body": true,
      "buffer-response": false,
    },
    { httpVersion: "2or1", followRedirects: true, bufferRequestBody: true, bufferResponse: false },
  ],
])("%o", async (attributes, expected) => {
  expect(await options(attributes)).toMatchObject(expected);
});

test("timeout and timeout-ms exclude each other", () => {
  expect(mistakesOf(forwardRequest, { attributes: { timeout: 1, "timeout-ms": 1 } })).toEqual([
    "timeout and timeout-ms cannot stand together",
  ]);
});

test("a second execution replaces the first answer and frees it", async () => {
  const first = new ChunkSource(["x"]);
  const second = responseOf(201);
  const exchange = exchangeOf({}, snapshotOf(), servicesOf({ forward: () => Promise.resolve(second) }));
  exchange.response = responseOf(500, first);
  await policyStep(forwardRequest).run(exchange, null);
  expect(exchange.response).toBe(second);
  expect(first.cancelled).toBe(true);
});

test("after a failure there is no response", async () => {
  const exchange = exchangeOf(
    {},
    snapshotOf(),
    servicesOf({ forward: () => Promise.reject(new Error("down")) }),
  );
  exchange.response = responseOf(500);
  await expect(policyStep(forwardRequest).run(exchange, null)).rejects.toThrow("down");
  expect(exchange.response).toBeNull();
});

test.each([
  [399, true, null],
  [400, true, "BackendErrorStatusCode"],
  [599, true, "BackendErrorStatusCode"],
  [600, true, null],
  [503, false, null],
])("status %d, fail-on-error-status-code %s: %s", async (status, failOnError, reason) => {
  const exchange = exchangeOf(
    {},
    snapshotOf(),
    servicesOf({ forward: () => Promise.resolve(responseOf(status, "theirs")) }),
  );
  const step = policyStep(forwardRequest, { attributes: { "fail-on-error-status-code": failOnError } });
  const thrown = await Promise.resolve(step.run(exchange, null)).catch((error: unknown) => error);
  expect(thrown ?? null).toEqual(
    reason === null
      ? null
      : expect.objectContaining({ source: "forward-request", reason, status, keepResponse: true }),
  );
  expect(exchange.response!.statusCode).toBe(status);
});
