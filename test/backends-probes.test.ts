/** Active probes, draining, and `headgate backends`, through the whole gateway. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Probes } from "../src/backends/health/probes.ts";
import { backendsOf } from "../src/backends/testing.ts";
import { renderBackends } from "../src/cli/backends.ts";
import { writeLocalAccess } from "../src/base/local-access.ts";
import type { Application, BackendReport } from "../src/cli/application.ts";
import { commandLine } from "../src/cli/index.ts";
import type { BackendEntity, BreakerRule, PoolRules, ProbeRule } from "../src/gateway/snapshot.ts";
import { FakeClock, backendOf, servicesOf, snapshotOf } from "../src/gateway/testing.ts";
import { requestOnce } from "../src/main.ts";
import { readSettings } from "../src/settings.ts";
import { createClient } from "../src/transport/node/index.ts";
import type { Client } from "../src/transport/transport.ts";
import { type Files, type TestGateway, api, policy, testGateway } from "./gateway.ts";
import { until } from "./hang-up.ts";
import { type StandIn, fine, refuses, resets, stalls, standIn } from "./stand-in.ts";

let one: StandIn;
let other: StandIn;
beforeAll(async () => {
  [one, other] = await Promise.all([standIn("one"), standIn("other")]);
});
beforeEach(() => {
  for (const each of [one, other]) Object.assign(each, { seen: 0, answer: fine });
});
afterAll(() => Promise.all([one.close(), other.close()]));

const BREAKER: BreakerRule = {
  name: "rule",
  count: 2,
  percentage: null,
  intervalMs: 60_000,
  statusRanges: [{ min: 500, max: 599 }],
  tripMs: 15_000,
  acceptRetryAfter: false,
  maxTripMs: 60_000,
};
const PROBE: ProbeRule = {
  path: "/health?deep=1",
  intervalMs: 10_000,
  timeoutMs: 2000,
  statusRanges: [{ min: 200, max: 299 }],
};
const RULES: PoolRules = {
  algorithm: "roundRobin",
  promptBytes: 1024,
  affinity: null,
  failover: null,
  hedge: null,
  outliers: { consecutiveFailures: 3, ejectionMs: 30_000, maxEjectionMs: 30_000, panicPercent: 100 },
};

describe("active probes", () => {
  let client: Client;
  let probes: Probes | null = null;
  beforeAll(() => void (client = createClient()));
  afterEach(() => probes?.close());
  afterAll(() => client.close());

  function start(changed: Partial<BackendEntity> = {}) {
    const services = { ...servicesOf(), client };
    const backends = backendsOf(services);
    const entity = backendOf("one", `${one.url}/base`, { breaker: BREAKER, probe: PROBE, ...changed });
    const pool = backendOf("pool", "", {
      type: "Pool",
      pool: [{ backend: entity, priority: 1, weight: 1 }],
      balancing: RULES,
    });
    const snapshot = snapshotOf({ backends: [entity, pool] });
    backends.adopt(snapshot);
    probes = new Probes(services, backends);
    probes.use(snapshot);
    const clock = services.clock as FakeClock;
    /** Until the next probe is due, and it has been judged. */
    const next = async (): Promise<void> => {
      const before = clock.waits.length;
      expect(before).toBe(1);
      clock.advance(clock.waits[0]!);
      // The timeout's timer goes and the next one comes when the answer has been judged.
      await until(() => clock.waits.length === 1 && clock.waits[0]! > PROBE.timeoutMs);
    };
    return { services, backends, clock, next, report: () => backends.report()[0]! };
  }

  it("ask below the backend's URL, with its credentials, at jittered times", async () => {
    let target: string | undefined;
    one.answer = (request, response) => {
      target = `${request.method} ${request.url}`;
      response.end();
    };
    const { next, clock } = start({
      credentials: { headers: ["api-key", "k"], query: "code=x", authorization: null, identity: null },
    });
    // With a lot of 0.5 the first comes after half an interval, the next ones after a whole one.
    expect(clock.waits).toEqual([5000]);
    await next();
    expect([target, one.headers["api-key"], one.headers["user-agent"]]).toEqual([
      "GET /base/health?deep=1&code=x",
      "k",
      "headgate-probe",
    ]);
    expect(clock.waits).toEqual([10_000]);
    await next();
    expect(one.seen).toBe(2);
  });

  it("open a breaker as failing requests do, and close it when its time is over", async () => {
    one.answer = refuses(503);
    const { next, report, services } = start();
    await next();
    expect(report()).toMatchObject({ breaker: "closed", failures: 1, inFlight: 0 });
    await next();
    expect(report()).toMatchObject({ breaker: "open", trips: 1, lastOutcomes: ["probe 503", "probe 503"] });
    // It is left alone while its trip lasts.
    await next();
    expect(one.seen).toBe(2);
    one.answer = fine;
    await next();
    expect([one.seen, report().breaker]).toEqual([3, "closed"]);
    expect(services.logged.map(({ msg }) => msg)).toEqual([
      "circuit breaker opened",
      "circuit breaker closed",
    ]);
  });

  it("eject a member of a pool without a breaker", async () => {
    one.answer = refuses(404);
    const { next, report } = start({ breaker: null });
    for (let i = 0; i < 3; i++) await next();
    expect(report()).toMatchObject({ failures: 3, ejectedForMs: 30_000 });
  });

  it("count a connection that breaks, and an answer that does not come", async () => {
    one.answer = resets;
    const { next, report, clock } = start({ breaker: null });
    await next();
    expect(report().lastOutcomes).toEqual(["probe upstream_closed"]);
    one.answer = stalls;
    clock.advance(clock.waits[0]!);
    await until(() => one.seen === 2);
    clock.advance(PROBE.timeoutMs);
    await until(() => report().failures === 2);
    expect(report().lastOutcomes.at(-1)).toBe("probe timeout");
  });

  it("end with the configuration that wanted them, and go on over one that still does", async () => {
    const { next, clock, services, backends } = start();
    await next();
    const same = backendOf("one", `${one.url}/base`, { breaker: { ...BREAKER }, probe: { ...PROBE } });
    probes!.use(snapshotOf({ backends: [same] }));
    expect(clock.waits).toEqual([10_000]);
    probes!.use(snapshotOf({ backends: [backendOf("one", `${one.url}/base`)] }));
    expect(clock.waits).toEqual([]);
    expect([services.logged, backends.report()[0]!.breaker]).toEqual([[], "closed"]);
  });

  it("called off, leave no trace", async () => {
    one.answer = stalls;
    const { clock, report } = start();
    clock.advance(clock.waits[0]!);
    await until(() => one.seen === 1);
    probes!.close();
    await until(() => clock.waits.length === 0);
    expect(report()).toMatchObject({ failures: 0, breaker: "closed" });
  });
});

const PATHS = ["one", "other"] as const;

function files(properties: object = {}): Files {
  const all: Record<string, string | object> = {
    ...api("api", undefined, ["POST /*", "GET /*"], {
      policy: policy({ inbound: `<set-backend-service backend-id="pool" />` }),
    }),
    ...api("alone", undefined, ["POST /*"], { properties: { backendId: "one" } }),
    "backends/pool/backendInformation.json": {
      properties: { type: "Pool", pool: { services: PATHS.map((name) => ({ id: `/backends/${name}` })) } },
    },
  };
  for (const name of PATHS) {
    const { url } = name === "one" ? one : other;
    all[`backends/${name}/backendInformation.json`] = {
      properties: { url, protocol: "http", ...properties },
    };
  }
  return all;
}

const call = async (gateway: TestGateway, path = "/api/x"): Promise<string> => {
  const reply = await fetch(gateway.url + path, { method: "POST", body: "x" });
  await reply.text();
  return reply.status === 200 ? reply.headers.get("x-by")! : String(reply.status);
};

describe("in the whole gateway", () => {
  let gateway: TestGateway;
  afterEach(() => gateway.close());

  it("nothing is probed that does not ask for it", async () => {
    gateway = await testGateway(files());
    await call(gateway);
    expect(one.seen + other.seen).toBe(1);
  });

  it("a probe is configured on the backend", async () => {
    gateway = await testGateway(files({ probe: { path: "/health", interval: "PT1S" } }));
    await until(() => one.seen > 0 && other.seen > 0);
    expect(one.headers["user-agent"]).toBe("headgate-probe");
  });

  it.each([
    [{ probe: {} }, "path"],
    [{ probe: { path: "https://a.example/x" } }, "below the backend's URL"],
    [{ probe: { path: "/a b" } }, "below the backend's URL"],
    [{ probe: { path: "/", interval: "10 s" } }, "ISO 8601"],
    [{ probe: { path: "/", intervall: "PT1S" } }, "interval"],
  ])("%j is told from what is meant", async (properties, what) => {
    gateway = await testGateway(files());
    gateway.write(
      "backends/one/backendInformation.json",
      JSON.stringify({ properties: { url: one.url, protocol: "http", ...properties } }),
    );
    expect(JSON.stringify(await gateway.reload())).toContain(what);
  });

  it("a drained member gets no new work, what is under way finishes, and a change does not undo it", async () => {
    gateway = await testGateway(files());
    let letGo = (): void => {};
    one.answer = (_request, response) => (letGo = () => void response.end("done"));
    const underWay = fetch(`${gateway.url}/api/x`);
    await until(() => one.seen === 1);
    expect([gateway.drainBackend("ONE", true), gateway.drainBackend("nobody", true)]).toEqual([true, false]);
    expect([await call(gateway), await call(gateway), await call(gateway)]).toEqual(Array(3).fill("other"));
    expect(gateway.backends()[0]).toMatchObject({ id: "one", drained: true, inFlight: 1 });
    letGo();
    expect(await (await underWay).text()).toBe("done");
    await until(() => gateway.backends()[0]!.inFlight === 0);
    // Also where it is named alone, and after a change of the pool.
    expect(await call(gateway, "/alone/x")).toBe("503");
    gateway.write(
      "backends/pool/backendInformation.json",
      JSON.stringify({
        properties: {
          type: "Pool",
          pool: { services: PATHS.map((name) => ({ id: `/backends/${name}`, weight: 3 })) },
        },
      }),
    );
    await gateway.reload();
    expect(await call(gateway)).toBe("other");
    one.answer = fine;
    gateway.drainBackend("one", false);
    expect(new Set([await call(gateway), await call(gateway)])).toEqual(new Set(["one", "other"]));
    expect(await call(gateway, "/alone/x")).toBe("one");
  });
});

describe("headgate backends", () => {
  let gateway: TestGateway;
  let dataDir: string;
  afterEach(async () => {
    await gateway.close();
    rmSync(dataDir, { recursive: true });
  });

  async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    const text = { out: "", err: "" };
    const sink = (key: "out" | "err") => ({ write: (chunk: string) => ((text[key] += chunk), true) });
    const application = {
      environment: {},
      stdout: sink("out"),
      stderr: sink("err"),
      readSettings,
      request: requestOnce,
      onSignal: (listener: () => void) => void setImmediate(listener),
    } as unknown as Application;
    const code = await commandLine(application, ["backends", ...args]);
    return { code, ...text };
  }

  it("lists, resets, drains and undrains through the local listener", async () => {
    dataDir = mkdtempSync(join(tmpdir(), "headgate-data-"));
    const rules = [{ failureCondition: { count: 1 }, tripDuration: "PT1M" }];
    gateway = await testGateway(files({ circuitBreaker: { rules } }), { dataDir });
    one.answer = refuses(500);
    expect([await call(gateway), await call(gateway)]).toEqual(["500", "other"]);
    const at = ["--data-dir", dataDir];
    const listed = await run(...at);
    expect(listed.code).toBe(0);
    expect(listed.out).toMatch(
      /^BACKEND +STATE +IN FLIGHT +P50 +P95 +ATTEMPTS +FAILED +TRIPS +LAST OUTCOMES\n/,
    );
    expect(listed.out).toMatch(/^one +open for \d+ s +0 +[\d.]+ ms +[\d.]+ ms +1 +1 +1 +500$/m);
    expect(listed.out).toMatch(/^other +well +0 +[\d.]+ ms +[\d.]+ ms +1 +0 +0 +200$/m);
    expect(await run("reset", "one", ...at)).toMatchObject({ code: 0, out: "one is reset\n" });
    expect(await run("drain", "other", ...at)).toMatchObject({ code: 0, out: "other is drained\n" });
    const json = JSON.parse((await run("--json", ...at)).out) as BackendReport[];
    expect(json.map(({ id, breaker, drained }) => [id, breaker, drained])).toEqual([
      ["one", "closed", false],
      ["other", "closed", true],
    ]);
    await run("undrain", "other", ...at);
    expect((await run("--watch", ...at)).out).toMatch(/^other +well/m);
    expect(await run("drain", "tree", ...at)).toEqual({
      code: 1,
      out: "",
      err: 'error: there is no backend "tree"; there are: one, other\n',
    });
    expect(await run("drain", "pool", ...at)).toEqual({
      code: 1,
      out: "",
      err: 'error: "pool" is a pool; name one of its members: one, other\n',
    });
  });

  it("says when nobody runs, and refuses who does not know the secret", async () => {
    dataDir = mkdtempSync(join(tmpdir(), "headgate-data-"));
    gateway = await testGateway(files());
    const { code, err } = await run("--data-dir", dataDir);
    expect([code, err]).toEqual([69, expect.stringContaining("no gateway runs on the data folder")]);
    expect((await run("reset")).code).toBe(64);
    // Left behind by one that was killed; nobody listens on port 1.
    writeLocalAccess(dataDir, { gateway: "http://g", local: "http://127.0.0.1:1", secret: "s", pid: 7 });
    expect(await run("--data-dir", dataDir)).toMatchObject({
      code: 69,
      err: expect.stringMatching(
        /^error: the gateway http:\/\/g \(process 7\) does not answer: .+; start one with `headgate up`\n$/,
      ),
    });
  });
});

const REPORT: BackendReport = {
  id: "east",
  breaker: "closed",
  openForMs: 0,
  trips: 0,
  transitions: null,
  drained: false,
  ejectedForMs: 0,
  inFlight: 3,
  attempts: 120,
  failures: 2,
  latencyMs: 20,
  p50Ms: 8.25,
  p95Ms: 12_300,
  remainingTokens: null,
  pools: ["pool"],
  lastOutcomes: [200, 429],
};

it("a list that a person reads", () => {
  const open: BackendReport = { ...REPORT, id: "west-2", breaker: "open", openForMs: 4100, trips: 2 };
  const gone: BackendReport = { ...REPORT, id: "c", breaker: null, drained: true, ejectedForMs: 900 };
  const alone: BackendReport = { ...REPORT, id: "alone", breaker: null, pools: [] };
  const none: BackendReport = { ...REPORT, id: "new", p50Ms: null, p95Ms: null, lastOutcomes: [] };
  expect(renderBackends([REPORT, open, gone, alone, none], false)).toBe(`\
BACKEND  STATE                     IN FLIGHT     P50   P95  ATTEMPTS  FAILED  TRIPS  LAST OUTCOMES
east     well                              3  8.3 ms  13 s       120       2      0  200 429
west-2   open for 5 s                      3  8.3 ms  13 s       120       2      2  200 429
c        drained, ejected for 1 s          3  8.3 ms  13 s       120       2      -  200 429
alone    not watched                       -       -     -         -       -      -
new      well                              3       -     -       120       2      0
`);
  expect(renderBackends([open], true)).toContain("\x1b[31mopen for 5 s\x1b[0m");
  expect(renderBackends([], false)).toBe("There are no backends.\n");
});

describe("a session secret that nodes share", () => {
  it("from a variable or a file; a short one is refused", () => {
    const folder = mkdtempSync(join(tmpdir(), "headgate-secret-"));
    const file = join(folder, "secret");
    writeFileSync(file, "0123456789abcdef\n");
    expect(readSettings({}, { HEADGATE_SESSION_SECRET: "0123456789abcdef" }).sessionSecret).toBe(
      "0123456789abcdef",
    );
    expect(readSettings({}, { HEADGATE_SESSION_SECRET_FILE: file }).sessionSecret).toBe("0123456789abcdef");
    expect(readSettings({}, {}).sessionSecret).toBeNull();
    expect(() => readSettings({}, { HEADGATE_SESSION_SECRET: "short" })).toThrow(
      "at least 16 characters, not 5",
    );
    expect(() => readSettings({}, { HEADGATE_SESSION_SECRET_FILE: `${file}x` })).toThrow("cannot be read");
    rmSync(folder, { recursive: true });
  });

  it("makes a session go to the same member on another node", async () => {
    const sessionAffinity = { sessionId: { source: "Cookie", name: "S" } };
    const sticky = {
      ...files(),
      "backends/pool/backendInformation.json": {
        properties: {
          type: "Pool",
          pool: { services: PATHS.map((name) => ({ id: `/backends/${name}` })), sessionAffinity },
        },
      },
    };
    const nodes = await Promise.all(
      ["same secret, same", "same secret, same", "another secret!!"].map((sessionSecret) =>
        testGateway(sticky, { sessionSecret }),
      ),
    );
    const [first] = nodes;
    await call(first!);
    const reply = await fetch(`${first!.url}/api/x`);
    expect(reply.headers.get("x-by")).toBe("other");
    const cookie = reply.headers.get("set-cookie")!.split(";")[0]!;
    const by = await Promise.all(
      nodes.map(async ({ url }) =>
        (await fetch(`${url}/api/x`, { headers: { cookie } })).headers.get("x-by"),
      ),
    );
    expect(by).toEqual(["other", "other", "one"]);
    await Promise.all(nodes.map((node) => node.close()));
  });
});

describe("compat.breakerFullReset", () => {
  it.each([
    [undefined, "503"],
    [{ breakerFullReset: true }, "one"],
  ])("%j: while the first request after a trip is under way the next gets %s", async (compat, expected) => {
    const rules = [{ failureCondition: { count: 1 }, tripDuration: "PT0S" }];
    const gateway = await testGateway(files({ circuitBreaker: { rules } }), { compat });
    one.answer = refuses(500);
    await call(gateway, "/alone/x");
    let letGo = (): void => {};
    one.answer = (_request, response) => (letGo = () => void response.end());
    const first = fetch(`${gateway.url}/alone/x`, { method: "POST" });
    await until(() => one.seen === 2);
    one.answer = fine;
    expect(await call(gateway, "/alone/x")).toBe(expected);
    letGo();
    await first;
    await gateway.close();
  });

  it("is a name that is known", () => {
    expect(readSettings({}, { HEADGATE_COMPAT: "breakerFullReset" }).compat).toEqual({
      breakerFullReset: true,
      tlsHostnameValidation: false,
    });
    expect(() => readSettings({}, { HEADGATE_COMPAT: "breakerFullRest" })).toThrow("HEADGATE_COMPAT knows");
  });
});
