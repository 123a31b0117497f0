import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Abort } from "../src/base/abort.ts";
import { createClient } from "../src/transport/node/index.ts";
import { type TestGateway, api, policy, testGateway } from "./gateway.ts";
import { redisMissing, startRedis } from "./redis.ts";

/** A thousand calls at once against a limit of a hundred, with a new key for every round. LIMIT_ROUNDS=50 for a release. */
const ROUNDS = Number(process.env["LIMIT_ROUNDS"] ?? 10);
const CALLS = 1000;

const client = createClient();
let gateway: TestGateway;
const answer = '<return-response><set-status code="200" /></return-response>';

beforeAll(async () => {
  const limited = (name: string, xml: string) =>
    api(name, undefined, ["GET /"], { policy: policy({ inbound: `${xml}${answer}` }) });
  const key = 'counter-key="@(context.Request.Headers.GetValueOrDefault(&quot;X-Key&quot;, &quot;&quot;))"';
  gateway = await testGateway({
    ...limited("rate", `<rate-limit-by-key calls="100" renewal-period="300" ${key} />`),
    ...limited("quota", `<quota-by-key calls="100" renewal-period="300" ${key} />`),
  });
});
afterAll(async () => {
  await client.close();
  await gateway.close();
});

/** Statuses of a round, counted. */
async function round(
  path: string,
  key: string,
  of: readonly TestGateway[] = [gateway],
): Promise<Record<number, number>> {
  const statuses = await Promise.all(
    Array.from({ length: CALLS }, (_, i) => call(of[i % of.length]!, path, key)),
  );
  const counted: Record<number, number> = {};
  for (const status of statuses) counted[status] = (counted[status] ?? 0) + 1;
  return counted;
}

/** Over our own client: it takes half the time. */
async function call({ port }: TestGateway, path: string, key: string): Promise<number> {
  const rawHeaders = ["Host", "gateway.example", "X-Key", key];
  const request = {
    method: "GET",
    scheme: "http" as const,
    host: "127.0.0.1",
    port,
    target: `/${path}`,
    rawHeaders,
    body: null,
    abort: new Abort(),
  };
  const { status, body } = await client.send(request);
  await new Promise<void>(
    (resolve, reject) => body?.start({ write: () => true, end: () => resolve(), fail: reject }) ?? resolve(),
  );
  return status;
}

test(`${CALLS} calls at once against 100: exactly 100 pass, ${ROUNDS} times in ${ROUNDS}`, async () => {
  const rounds = [];
  for (let i = 0; i < ROUNDS; i++) rounds.push(await round("rate", `round ${i}`));
  expect(rounds).toEqual(rounds.map(() => ({ 200: 100, 429: CALLS - 100 })));
}, 60_000);

test("the same for quotas", async () => {
  expect(await round("quota", "one")).toEqual({ 200: 100, 403: CALLS - 100 });
});

// ── What outlives a gateway, and what two of them share ───────────────────────────────────────────────────────────

const status = async (of: TestGateway, path: string): Promise<number> =>
  (await fetch(`${of.url}/${path}`)).status;

test("a quota is still used up after a restart, a rate limit is not", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "headgate-data-"));
  const files = {
    ...api("quota", undefined, ["GET /"], {
      policy: policy({ inbound: `<quota-by-key calls="1" renewal-period="0" counter-key="k" />${answer}` }),
    }),
    ...api("rate", undefined, ["GET /"], {
      policy: policy({
        inbound: `<rate-limit-by-key calls="1" renewal-period="300" counter-key="k" />${answer}`,
      }),
    }),
  };
  const seen: number[][] = [];
  for (let i = 0; i < 2; i++) {
    const one = await testGateway(files, { dataDir });
    seen.push([
      await status(one, "quota"),
      await status(one, "quota"),
      await status(one, "rate"),
      await status(one, "rate"),
    ]);
    await one.close();
  }
  rmSync(dataDir, { recursive: true, force: true });
  expect(seen).toEqual([
    [200, 403, 200, 429],
    [403, 403, 200, 429],
  ]);
});

test.skipIf(redisMissing !== null)(
  "two gateways on one Redis count together and share a cache; without it they go on",
  async () => {
    const redis = await startRedis();
    const address = `127.0.0.1:${redis.port},abortConnect=False`;
    const cached =
      '<cache-lookup-value key="k" variable-name="v" caching-type="external" default-value="nothing" />';
    const say = '<return-response><set-body>@((string)context.Variables["v"])</set-body></return-response>';
    const files = {
      "caches/default/cacheInformation.json": {
        properties: { connectionString: "{{redis}}", useFromLocation: "default" },
      },
      "namedValues/redis/namedValueInformation.json": {
        properties: { displayName: "redis", value: address, secret: true },
      },
      ...api("rate", undefined, ["GET /"], {
        policy: policy({
          inbound: `<rate-limit-by-key calls="4" renewal-period="300" counter-key="k" />${answer}`,
        }),
      }),
      ...api("flood", undefined, ["GET /"], {
        policy: policy({
          inbound: `<rate-limit-by-key calls="100" renewal-period="300" counter-key="f" />${answer}`,
        }),
      }),
      ...api("put", undefined, ["GET /"], {
        policy: policy({
          inbound: `<cache-store-value key="k" value="shared" duration="60" caching-type="external" />${answer}`,
        }),
      }),
      ...api("get", undefined, ["GET /"], { policy: policy({ inbound: cached + say }) }),
    };
    const gateways = await Promise.all([
      testGateway(files, { redis: address }),
      testGateway(files, { redis: address }),
    ]);
    const [one, other] = gateways as [TestGateway, TestGateway];
    const ready = async (of: TestGateway): Promise<string> => (await fetch(`${of.url}/readyz`)).text();
    // What is shared answers before the first caller does.
    for (const of of gateways) expect(await ready(of)).not.toContain('degraded":["');

    expect([await status(one, "rate"), await status(other, "rate"), await status(one, "rate")]).toEqual([
      200, 200, 200,
    ]);
    expect(await round("flood", "k", gateways)).toEqual({ 200: 100, 429: CALLS - 100 });
    expect(await status(one, "put")).toBe(200);
    expect(await (await fetch(`${other.url}/get`)).text()).toBe("shared");

    await redis.kill();
    for (const of of gateways) {
      // Its share is 4 or 2, whether it has heard of the other yet; what it let in before counts.
      const statuses = [];
      for (let i = 0; i < 5; i++) statuses.push(await status(of, "rate"));
      expect(statuses.filter((code) => code === 200).length).toBeLessThanOrEqual(3);
      expect(statuses.at(-1)).toBe(429);
    }
    expect(await (await fetch(`${other.url}/get`)).text()).toBe("nothing");
    expect(await ready(one)).toContain("counter_store");
    await Promise.all(gateways.map((of) => of.close()));
    expect(JSON.stringify(one.log)).toContain("counter store is down");
    await redis.close();
  },
);
