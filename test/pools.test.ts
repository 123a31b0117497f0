/** Pools, breakers and retries through the whole gateway, with upstreams of which some are rude. */
import { setTimeout } from "node:timers/promises";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Files, type TestGateway, api, policy, testGateway } from "./gateway.ts";
import { until } from "./hang-up.ts";
import { type Answer, type StandIn, fine, refuses, resets, stalls, standIn } from "./stand-in.ts";

let standIns: StandIn[];
let gateway: TestGateway;

beforeAll(async () => {
  standIns = await Promise.all(["a", "b", "c", "d", "e"].map((name) => standIn(name)));
});
beforeEach(() => {
  for (const one of standIns) Object.assign(one, { seen: 0, answer: fine });
});
afterEach(() => gateway.close());
afterAll(() => Promise.all(standIns.map((one) => one.close())));

const named = (name: string): StandIn => standIns.find((one) => one.name === name)!;
const seen = (): number[] => standIns.map((one) => one.seen);

/** As in the labs: one failure is enough. */
const BREAKER = {
  rules: [
    {
      name: "rule",
      failureCondition: {
        count: 1,
        interval: "PT5M",
        statusCodeRanges: [{ min: 429, max: 429 }],
        errorReasons: ["Server errors"],
      },
      tripDuration: "PT1M",
      acceptRetryAfter: true,
    },
  ],
};

/** Of the labs, word for word. */
const RETRY = (count: number): string => `
  <retry count="${count}" interval="0" first-fast-retry="true"
    condition="@(context.Response.StatusCode == 429 || (context.Response.StatusCode == 503 && !context.Response.StatusReason.Contains("Backend pool") && !context.Response.StatusReason.Contains("is temporarily unavailable")))">
    <forward-request buffer-request-body="true" />
  </retry>`;
const BARE_503 = `
  <choose><when condition="@(context.Response.StatusCode == 503)">
    <return-response><set-status code="503" reason="Service Unavailable" /></return-response>
  </when></choose>`;

interface Written {
  /** `a b@2*5`: name, priority, weight. */
  readonly members: string;
  readonly breaker?: object | null;
  readonly pool?: object;
  readonly backend?: string;
  readonly onError?: string;
}

function files({ members, breaker = BREAKER, pool = {}, backend, onError }: Written): Files {
  const services = members.split(" ").map((text) => {
    const [, name, priority, weight] = /^(\w)(?:@(\d+))?(?:\*(\d+))?$/.exec(text)!;
    return { name: name!, priority: priority && Number(priority), weight: weight && Number(weight) };
  });
  const all: Record<string, string | object> = {
    ...api("api", undefined, ["POST /*", "GET /*"], {
      policy: policy({ inbound: `<set-backend-service backend-id="pool" />`, backend, onError }),
    }),
    "backends/pool/backendInformation.json": {
      properties: {
        type: "Pool",
        pool: {
          services: services.map(({ name, ...rest }) => ({ id: `/backends/${name}`, ...rest })),
          ...pool,
        },
      },
    },
  };
  for (const { name } of services) {
    all[`backends/${name}/backendInformation.json`] = {
      properties: {
        url: named(name).url,
        protocol: "http",
        ...(breaker === null ? {} : { circuitBreaker: breaker }),
      },
    };
  }
  return all;
}

async function start(written: Written): Promise<void> {
  gateway = await testGateway(files(written));
}

interface Got {
  readonly status: number;
  readonly by: string | null;
  readonly text: string;
  readonly reply: Response;
}

async function call(headers: Record<string, string> = {}): Promise<Got> {
  const reply = await fetch(`${gateway.url}/api/x`, { method: "POST", body: "hello", headers });
  return { status: reply.status, by: reply.headers.get("x-by"), text: await reply.text(), reply };
}

/** `a b a 503 …`, one after the other. */
async function calls(count: number, headers?: Record<string, string>): Promise<string> {
  const all: (string | number)[] = [];
  for (let i = 0; i < count; i++) {
    const { status, by } = await call(headers);
    all.push(status === 200 ? by! : status);
  }
  return all.join(" ");
}

/** The n-th line of a kind, once it is written. */
async function logged(msg: string, n = 1): Promise<Record<string, unknown>> {
  const lines = (): Record<string, unknown>[] => gateway.log.filter((line) => line["msg"] === msg);
  await until(() => lines().length >= n);
  return lines()[n - 1]!;
}

const UNAVAILABLE = '{ "statusCode": 503, "message": "Service Unavailable" }';

describe("the lab backend-pool-load-balancing", () => {
  const lab = { members: "a@1*1 b@2*50 c@2*50", backend: RETRY(2), onError: BARE_503 };

  it("uses the best priority alone until it fails, then shares the rest, and no client notices", async () => {
    await start(lab);
    expect(await calls(3)).toBe("a a a");
    named("a").answer = refuses(429, { "retry-after": "30" });
    expect(await calls(4)).toBe("b c b c");
    expect(seen()).toEqual([4, 2, 2, 0, 0]);
    const { text } = await call();
    expect(text).toBe("fine hello");
  });

  it("answers a bare 503 when all are open, and asks nobody", async () => {
    await start(lab);
    for (const name of ["a", "b", "c"]) named(name).answer = refuses(429, { "retry-after": "30" });
    const first = await call();
    // Three attempts, three trips; the last answer stands.
    expect([first.status, seen()]).toEqual([429, [1, 1, 1, 0, 0]]);
    const { status, text, reply } = await call();
    expect([status, reply.statusText, text, seen()]).toEqual([
      503,
      "Service Unavailable",
      "",
      [1, 1, 1, 0, 0],
    ]);
    expect(await logged("request", 2)).toMatchObject({
      status: 503,
      code: "backend_unavailable",
      reason: "BackendUnavailable",
    });
  });
});

describe("nothing is left", () => {
  it("says so in our own words, with the time to come again", async () => {
    await start({ members: "a b" });
    named("a").answer = refuses(503, { "retry-after": "30" });
    named("b").answer = refuses(429, { "retry-after": new Date(Date.now() + 20_000).toUTCString() });
    await calls(2);
    const { status, text, reply } = await call();
    expect([status, text, reply.statusText]).toEqual([
      503,
      UNAVAILABLE,
      "Backend pool 'pool' is temporarily unavailable",
    ]);
    const seconds = Number(reply.headers.get("retry-after"));
    expect(seconds).toBeGreaterThan(10);
    expect(seconds).toBeLessThanOrEqual(20);
  });

  it("answers with the status that the pool names", async () => {
    await start({ members: "a", pool: { failureResponse: { statusCode: 429 } } });
    named("a").answer = refuses(500);
    await call();
    expect(await call()).toMatchObject({
      status: 429,
      text: '{ "statusCode": 429, "message": "Too Many Requests" }',
    });
  });

  it("logs the trip", async () => {
    await start({ members: "a" });
    named("a").answer = refuses(429, { "retry-after": "7200" });
    await call();
    expect(await logged("circuit breaker opened")).toMatchObject({
      backend: "a",
      rule: "rule",
      outcome: 429,
      tripMs: 3_600_000,
    });
  });
});

it("shows how the members are doing, and closes a breaker by command", async () => {
  await start({ members: "a b" });
  named("a").answer = refuses(429, { "retry-after": "30" });
  await calls(3);
  const [a, b] = gateway.backends();
  expect(a).toMatchObject({
    id: "a",
    breaker: "open",
    trips: 1,
    attempts: 1,
    failures: 1,
    inFlight: 0,
    lastOutcomes: [429],
  });
  expect(a!.openForMs).toBeGreaterThan(20_000);
  expect(b).toMatchObject({
    id: "b",
    breaker: "closed",
    trips: 0,
    attempts: 2,
    failures: 0,
    inFlight: 0,
    lastOutcomes: [200, 200],
  });
  named("a").answer = fine;
  expect([gateway.resetBackend("a"), gateway.resetBackend("z")]).toEqual([true, false]);
  expect((await calls(2)).split(" ").sort().join("")).toBe("ab");
});

it("a single backend's breaker answers for it", async () => {
  gateway = await testGateway({
    ...api("api", undefined, ["POST /*"], { properties: { backendId: "a" } }),
    "backends/a/backendInformation.json": {
      properties: { url: named("a").url, protocol: "http", circuitBreaker: BREAKER },
    },
  });
  named("a").answer = refuses(500);
  expect(await call()).toMatchObject({ status: 500, text: "no" });
  const { status, reply, text } = await call();
  expect([status, reply.statusText, text]).toEqual([
    503,
    "Backend 'a' is temporarily unavailable",
    UNAVAILABLE,
  ]);
  expect(reply.headers.get("retry-after")).toBe("60");
  expect(named("a").seen).toBe(1);
});

const headOnly: Answer = (_request, response) => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.flushHeaders();
};

describe("what a member does instead of answering", () => {
  const onAnyError = (timeout: string): string => `
    <retry count="2" interval="0" first-fast-retry="true" condition="@(context.LastError != null || context.Response.StatusCode >= 500)">
      <forward-request buffer-request-body="true" ${timeout} />
    </retry>`;

  it.each<[string, Answer, string]>([
    ["reset", resets, ""],
    ["stall", stalls, 'timeout-ms="40"'],
    ["a head and then nothing", headOnly, 'first-byte-timeout="0.04"'],
    ["500", refuses(500), ""],
  ])(
    "%s: another one gets the request with its body, and it is left alone",
    async (_name, answer, timeout) => {
      await start({ members: "a b", backend: onAnyError(timeout) });
      named("a").answer = answer;
      expect((await call()).text).toBe("fine hello");
      expect(await calls(3)).toBe("b b b");
      expect(seen()).toEqual([1, 4, 0, 0, 0]);
    },
  );

  it("a retry never goes back to the member that just failed while another is there, breaker or not", async () => {
    await start({
      members: "a*100 b*1 c*1",
      breaker: null,
      pool: { outlierDetection: { enabled: false } },
      backend: onAnyError(""),
    });
    named("a").answer = refuses(500);
    expect(await calls(4)).toMatch(/^[bc] [bc] [bc] [bc]$/);
    expect(seen()[0]).toBe(4);
  });
});

it.each<[string, Partial<Written>]>([
  [
    "retry",
    {
      backend: `
        <retry count="1" interval="0" condition="@(context.LastError != null)">
          <forward-request buffer-request-body="true" />
        </retry>`,
    },
  ],
  ["failover", { pool: { failover: {} } }],
])("a member whose credential cannot be had is not asked, and %s goes on to another", async (_how, more) => {
  const certificate = "A".repeat(40);
  gateway = await testGateway({
    ...files({ members: "a@1 b@2", ...more }),
    "backends/a/backendInformation.json": {
      properties: { url: named("a").url, protocol: "http", credentials: { certificate: [certificate] } },
    },
  });
  expect([await calls(2), seen()]).toEqual(["b b", [0, 2, 0, 0, 0]]);
});

describe("failover without a policy", () => {
  const written = { members: "a b c", pool: { failover: {} } };

  it.each<[string, Answer]>([
    ["429", refuses(429)],
    ["503", refuses(503)],
  ])("%s: another member gets the request with its body", async (_name, answer) => {
    await start(written);
    named("a").answer = answer;
    expect((await call()).text).toBe("fine hello");
    expect(seen()).toEqual([1, 1, 0, 0, 0]);
  });

  it("what it does not name is passed on", async () => {
    await start(written);
    named("a").answer = refuses(500);
    named("b").answer = resets;
    expect(await calls(2)).toBe("500 500");
    expect(seen()).toEqual([1, 1, 0, 0, 0]);
  });

  it.each([
    [{ on: [500] }, refuses(500)],
    [{ on: ["reset"] }, resets],
    [{ on: ["timeout"] }, stalls],
  ])("what it names: %o", async (failover, answer) => {
    await start({ members: "a b", pool: { failover }, backend: '<forward-request timeout-ms="40" />' });
    named("a").answer = answer;
    expect((await call()).text).toBe("fine hello");
  });

  it("when nobody is left the last answer stands, and nobody is asked twice", async () => {
    await start(written);
    for (const name of ["a", "b", "c"]) named(name).answer = refuses(429);
    expect(await call()).toMatchObject({ status: 429, text: "no", by: "c" });
    expect(seen()).toEqual([1, 1, 1, 0, 0]);
    expect(await call()).toMatchObject({ status: 503, text: UNAVAILABLE });
  });

  it("so many attempts and no more", async () => {
    await start({ members: "a b c", pool: { failover: { maxAttempts: 2 } } });
    for (const name of ["a", "b", "c"]) named(name).answer = refuses(429);
    await call();
    expect(seen()).toEqual([1, 1, 0, 0, 0]);
  });
});

describe("R-10 retry storm", () => {
  it("retries are a fifth of the traffic and ten a second, whatever the policy wants", async () => {
    await start({
      members: "a b c",
      breaker: null,
      pool: { outlierDetection: { enabled: false } },
      backend: RETRY(5),
    });
    for (const one of standIns) one.answer = refuses(503);
    const requests = 400;
    for (let i = 0; i < requests; i += 50) {
      const some = await Promise.all(Array.from({ length: 50 }, () => call()));
      expect(some.every(({ status }) => status === 503)).toBe(true);
    }
    const attempts = named("a").seen + named("b").seen + named("c").seen;
    expect(attempts).toBeGreaterThan(requests + 90);
    // Ten a second over ten seconds are a hundred; were the machine very slow, there would be more seconds.
    const seconds = (gateway.exchanges.at(-1)!.timestampMs - gateway.exchanges[0]!.timestampMs) / 1000;
    expect(attempts).toBeLessThanOrEqual(requests * 1.2 + 100 + 10 * seconds);
  });
});

describe("R-11 half-open", () => {
  /** Opens for a moment only, unless it is told how long. */
  const brief = {
    members: "a",
    breaker: { rules: [{ ...BREAKER.rules[0], tripDuration: "PT0.02S" }] },
  };
  const tripped = async (): Promise<void> => {
    await start(brief);
    named("a").answer = refuses(503);
    await call();
    await setTimeout(40);
  };

  it("sends exactly one probe among 1,000 callers, and closes on its success", async () => {
    await tripped();
    let letGo = (): void => {};
    named("a").answer = (_request, response) => (letGo = () => void response.end("well again"));
    const probe = call();
    await until(() => named("a").seen === 2);
    for (let i = 0; i < 1000; i += 100) {
      const others = await Promise.all(Array.from({ length: 100 }, () => call()));
      expect(others.every(({ status }) => status === 503)).toBe(true);
    }
    expect(named("a").seen).toBe(2);
    letGo();
    expect((await probe).text).toBe("well again");
    named("a").answer = fine;
    expect(await calls(2)).toBe("a a");
  });

  it("a failing probe opens it again", async () => {
    await tripped();
    named("a").answer = refuses(500, { "retry-after": "60" });
    expect(await calls(3)).toBe("500 503 503");
  });

  it("a probe whose client hangs up makes room for another", async () => {
    await tripped();
    named("a").answer = stalls;
    const hangUp = new AbortController();
    const probe = fetch(`${gateway.url}/api/x`, { signal: hangUp.signal }).catch(() => null);
    await until(() => named("a").seen === 2);
    hangUp.abort();
    await probe;
    await until(() => gateway.inFlight === 0);
    named("a").answer = fine;
    expect(await calls(2)).toBe("a a");
  });
});

describe("R-12 outliers and panic", () => {
  const five = { members: "a b c d e", breaker: null };

  it("one bad member of five costs at most six errors, then none", async () => {
    await start(five);
    named("c").answer = refuses(502);
    const all = (await calls(100)).split(" ");
    expect(all.filter((one) => one === "502")).toHaveLength(5);
    expect(all.slice(50)).not.toContain("502");
    expect(await logged("pool member ejected")).toMatchObject({
      backend: "c",
      outcome: 502,
      ejectedMs: 30_000,
    });
  });

  it("a member that resets connections is one, too", async () => {
    await start(five);
    named("c").answer = resets;
    const all = (await calls(60)).split(" ");
    expect(all.filter((one) => one === "500").length).toBeLessThanOrEqual(6);
    expect(all.slice(40)).not.toContain("500");
  });

  it("and so is one that had many connections idle when it began to", async () => {
    await start(five);
    for (const one of standIns) one.answer = (_request, response) => void setImmediate(() => response.end());
    await Promise.all(Array.from({ length: 50 }, () => call()));
    for (const one of standIns) one.answer = fine;
    named("c").answer = resets;
    const all = (await calls(60)).split(" ");
    expect(all.filter((one) => one === "500").length).toBeLessThanOrEqual(6);
    expect(all.slice(40)).not.toContain("500");
  });

  it("with four bad ones nobody is ejected any more", async () => {
    await start(five);
    for (const name of ["a", "b", "c", "d"]) named(name).answer = refuses(502);
    await calls(50);
    const before = seen();
    await calls(20);
    expect(seen().map((count, i) => count - before[i]!)).toEqual([4, 4, 4, 4, 4]);
  });

  it("with all bad and their breakers open, 503 without asking anybody", async () => {
    await start({ members: "a b c d e" });
    for (const one of standIns) one.answer = refuses(502);
    expect(await calls(8)).toBe("502 502 502 502 502 503 503 503");
    expect(seen()).toEqual([1, 1, 1, 1, 1]);
  });
});

describe("R-13 balance", () => {
  it("weights 1, 2 and 7 within 2 % under concurrency and while the configuration changes", async () => {
    await start({ members: "a*1 b*2 c*7" });
    for (let i = 0; i < 1000; i += 50) {
      await Promise.all(Array.from({ length: 50 }, () => call()));
      gateway.write("apis/api/apiInformation.json", apiInformation(`turn ${i}`));
      await gateway.reload();
    }
    expect(gateway.version).toBe(21);
    const [a, b, c] = seen();
    expect(Math.abs(a! - 100)).toBeLessThanOrEqual(20);
    expect(Math.abs(b! - 200)).toBeLessThanOrEqual(20);
    expect(Math.abs(c! - 700)).toBeLessThanOrEqual(20);
  });

  it("an open breaker stays open over a change, and is forgotten with its backend's old self", async () => {
    await start({ members: "a b" });
    named("a").answer = refuses(500, { "retry-after": "60" });
    await calls(2);
    gateway.write("apis/api/apiInformation.json", apiInformation("new"));
    await gateway.reload();
    named("a").answer = fine;
    expect(await calls(3)).toBe("b b b");
    const moved = {
      properties: { url: `${named("a").url}/elsewhere`, protocol: "http", circuitBreaker: BREAKER },
    };
    gateway.write("backends/a/backendInformation.json", JSON.stringify(moved));
    await gateway.reload();
    expect((await calls(4)).split(" ").sort().join("")).toBe("aabb");
  });

  it("a member that joins takes its share at once", async () => {
    await start({ members: "a b" });
    await calls(4);
    for (const [path, content] of Object.entries(files({ members: "a b c" }))) {
      gateway.write(path, typeof content === "string" ? content : JSON.stringify(content));
    }
    await gateway.reload();
    expect((await calls(6)).split(" ").sort().join("")).toBe("aabbcc");
  });

  it.each(["leastBusy", "latency"])("%s keeps off a member that is busy", async (algorithm) => {
    await start({ members: "a b", pool: { algorithm } });
    named("a").answer = stalls;
    const hangUp = new AbortController();
    const slow: Promise<unknown>[] = [];
    while (named("a").seen === 0) {
      const before = named("b").seen;
      slow.push(fetch(`${gateway.url}/api/x`, { signal: hangUp.signal }).catch(() => null));
      await until(() => named("a").seen > 0 || named("b").seen > before);
    }
    expect(await calls(5)).toBe("b b b b b");
    hangUp.abort();
    await Promise.all(slow);
  });
});

describe("R-13 session affinity (the lab session-awareness)", () => {
  const sticky = {
    members: "a b c",
    backend: RETRY(2),
    pool: { sessionAffinity: { sessionId: { source: "Cookie", name: "SessionId" } } },
  };
  const cookieOf = ({ reply }: Got): string => reply.headers.get("set-cookie")!.split(";")[0]!;

  it("who brings the cookie comes to the same member, every time", async () => {
    await start(sticky);
    const first = await call();
    expect(first.reply.headers.get("set-cookie")).toMatch(
      /^SessionId=[\w-]{22}; Path=\/; HttpOnly; SameSite=Lax$/,
    );
    const second = await call();
    expect([first.by, second.by]).toEqual(["a", "b"]);
    const again = await call({ cookie: `theme=dark; ${cookieOf(first)}; lang=en` });
    expect([again.by, again.reply.headers.get("set-cookie")]).toEqual(["a", null]);
    expect(named("a").headers.cookie).toBe("theme=dark; lang=en");
    expect(await calls(5, { cookie: cookieOf(second) })).toBe("b b b b b");
    expect(named("b").headers.cookie).toBeUndefined();
  });

  it("a value that is not ours is a new session", async () => {
    await start(sticky);
    const { by, reply } = await call({ cookie: "SessionId=forged" });
    expect([by, reply.headers.get("set-cookie") === null]).toEqual(["a", false]);
  });

  it("leaves a member that is tripped, and says so to the client", async () => {
    await start(sticky);
    const first = await call();
    named("a").answer = refuses(429, { "retry-after": "60" });
    const moved = await call({ cookie: cookieOf(first) });
    expect([moved.status, moved.by]).toEqual([200, "b"]);
    expect(cookieOf(moved)).not.toBe(cookieOf(first));
    named("a").answer = fine;
    expect(await calls(3, { cookie: cookieOf(moved) })).toBe("b b b");
  });

  it("holds over a change of the configuration", async () => {
    await start(sticky);
    await call();
    const second = await call();
    gateway.write(
      "backends/d/backendInformation.json",
      JSON.stringify({ properties: { url: named("d").url, protocol: "http" } }),
    );
    await gateway.reload();
    expect(await calls(3, { cookie: cookieOf(second) })).toBe("b b b");
  });

  it("by a header that the members name sessions with, or the clients", async () => {
    await start({
      ...sticky,
      pool: { sessionAffinity: { sessionId: { source: "Header", name: "Mcp-Session-Id" } } },
    });
    for (const one of standIns)
      one.answer = (_request, response) => void response.setHeader("mcp-session-id", `by ${one.name}`).end();
    expect(await calls(3)).toBe("a b c");
    expect(await calls(3, { "mcp-session-id": "by c" })).toBe("c c c");
    const theirs = await calls(4, { "mcp-session-id": "a client's own" });
    expect(new Set(theirs.split(" ")).size).toBe(1);
  });
});

function apiInformation(displayName: string): string {
  const properties = { displayName, path: "api", protocols: ["http", "https"], subscriptionRequired: false };
  return JSON.stringify({ properties });
}
