/** the client's hang-up is the upstream's hang-up, in every phase. How fast is for `bench/hang-ups.ts`. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TestGateway } from "./gateway.ts";
import { PHASES, Upstream, hangUp, hangUpGateway } from "./hang-up.ts";

const TIMES = 20;
let upstream: Upstream;
let gateway: TestGateway;

beforeAll(async () => {
  upstream = await Upstream.start();
  gateway = await hangUpGateway(upstream);
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});

describe.each(PHASES)("R-07 hang-up while %s", (phase) => {
  it.each(["end", "reset"] as const)(
    "by %s closes the upstream's connection and is recorded as 499",
    async (how) => {
      const before = gateway.exchanges.length;
      for (let i = 0; i < TIMES; i++) await hangUp(gateway, upstream, phase, how, () => performance.now());
      const exchanges = gateway.exchanges.slice(before);
      expect(exchanges).toHaveLength(TIMES);
      expect(exchanges.map((exchange) => exchange.abort.reason)).toEqual(Array(TIMES).fill("client"));
      if (phase === "retry pause")
        expect(exchanges.every((exchange) => exchange.attempts.length === 1)).toBe(true);
    },
  );
});
