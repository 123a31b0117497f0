/** Hedged requests, a deadline over all attempts, and whom pools choose beyond turns, through the whole gateway. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Files, type TestGateway, api, policy, testGateway } from "./gateway.ts";
import { until } from "./hang-up.ts";
import { type Answer, type StandIn, fine, refuses, resets, stalls, standIn } from "./stand-in.ts";

let standIns: StandIn[];
let gateway: TestGateway;

beforeAll(async () => {
  standIns = await Promise.all(["a", "b", "c"].map((name) => standIn(name)));
});
beforeEach(() => {
  for (const one of standIns) Object.assign(one, { seen: 0, answer: fine });
});
afterEach(() => gateway.close());
afterAll(() => Promise.all(standIns.map((one) => one.close())));

const named = (name: string): StandIn => standIns.find((one) => one.name === name)!;
const seen = (): number[] => standIns.map((one) => one.seen);

function files(pool: object, backend?: string, members = "abc"): Files {
  const all: Record<string, string | object> = {
    ...api("api", undefined, ["POST /*", "GET /*"], {
      policy: policy({ inbound: `<set-backend-service backend-id="pool" />`, backend }),
    }),
    "backends/pool/backendInformation.json": {
      properties: {
        type: "Pool",
        pool: { services: [...members].map((name) => ({ id: `/backends/${name}` })), ...pool },
      },
    },
  };
  for (const name of members)
    all[`backends/${name}/backendInformation.json`] = {
      properties: { url: named(name).url, protocol: "http" },
    };
  return all;
}

interface Got {
  readonly status: number;
  readonly by: string | null;
  readonly text: string;
}

async function call(body = "hello"): Promise<Got> {
  const reply = await fetch(`${gateway.url}/api/x`, { method: "POST", body });
  return { status: reply.status, by: reply.headers.get("x-by"), text: await reply.text() };
}

const attempts = (): [string | null, number | string | null][] =>
  gateway.exchanges.at(-1)!.attempts.map(({ backendId, status, error }) => [backendId, error ?? status]);
const inFlight = (): number => gateway.backends().reduce((sum, { inFlight: count }) => sum + count, 0);

const headOnly: Answer = (_request, response) => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.flushHeaders();
};

describe("a hedged request", () => {
  const hedge = { afterMs: 30 };

  it.each<[string, Answer]>([
    ["says nothing", stalls],
    ["sends a head and no byte of a body", headOnly],
  ])("is answered by a second member when the first %s", async (_name, answer) => {
    gateway = await testGateway(files({ hedge }));
    let hungUp = false;
    named("a").answer = (request, response, body) => {
      request.socket.once("close", () => (hungUp = true));
      answer(request, response, body);
    };
    expect(await call()).toEqual({ status: 200, by: "b", text: "fine hello" });
    // The loser's connection is closed and its place given back; the record ends with the one that stands.
    await until(() => hungUp && gateway.exchanges.length === 1);
    expect(attempts()).toEqual([
      ["a", "hedge_lost"],
      ["b", 200],
    ]);
    await until(() => inFlight() === 0);
    expect(gateway.backends().map(({ failures }) => failures)).toEqual([0, 0, 0]);
  });

  it("costs nothing when the first byte comes in time", async () => {
    gateway = await testGateway(files({ hedge: { afterMs: 60_000 } }));
    expect([(await call()).by, (await call()).by, (await call()).by]).toEqual(["a", "b", "c"]);
    expect(seen()).toEqual([1, 1, 1]);
  });

  it("is the first one's answer when that is quicker after all", async () => {
    gateway = await testGateway(files({ hedge }));
    let letGo = (): void => {};
    named("a").answer = (_request, response) => (letGo = () => void response.end("late"));
    named("b").answer = () => letGo();
    expect(await call()).toMatchObject({ by: "a", text: "late" });
    await until(() => gateway.exchanges.length === 1);
    expect(attempts()).toEqual([
      ["b", "hedge_lost"],
      ["a", 200],
    ]);
    expect(inFlight()).toBe(0);
  });

  it.each<[string, Answer]>([
    ["refuses", refuses(429)],
    ["breaks off", resets],
  ])("waits for the first when the second %s", async (_name, answer) => {
    gateway = await testGateway(files({ hedge }));
    let letGo = (): void => {};
    named("a").answer = (_request, response) => (letGo = () => void response.end("late"));
    named("b").answer = (request, response, body) => {
      response.on("close", () => setImmediate(letGo));
      answer(request, response, body);
    };
    expect(await call()).toMatchObject({ status: 200, by: "a", text: "late" });
  });

  it("fails over when both refuse", async () => {
    gateway = await testGateway(files({ hedge, failover: {} }));
    let letGo = (): void => {};
    named("a").answer = (_request, response) => (letGo = () => void response.writeHead(503).end());
    named("b").answer = (_request, response) => {
      response.writeHead(429).end();
      letGo();
    };
    expect(await call()).toEqual({ status: 200, by: "c", text: "fine hello" });
    expect(seen()).toEqual([1, 1, 1]);
  });

  it("does not wait to fail over", async () => {
    gateway = await testGateway(files({ hedge: { afterMs: 60_000 }, failover: {} }));
    named("a").answer = refuses(503);
    expect(await call()).toMatchObject({ by: "b" });
  });

  it("ends with its client, both attempts of it", async () => {
    gateway = await testGateway(files({ hedge }));
    let gone = 0;
    for (const name of ["a", "b"])
      named(name).answer = (request) => void request.socket.once("close", () => gone++);
    const hangUp = new AbortController();
    const calling = fetch(`${gateway.url}/api/x`, { signal: hangUp.signal }).catch(() => null);
    await until(() => named("a").seen + named("b").seen === 2);
    hangUp.abort();
    await calling;
    await until(() => gone === 2 && inFlight() === 0);
    expect(seen()).toEqual([1, 1, 0]);
  });

  it("streams on after the first byte, however long that takes", async () => {
    gateway = await testGateway(files({ hedge }));
    let socketOpen = true;
    named("a").answer = (request, response) => {
      request.socket.once("close", () => (socketOpen = false));
      response.write("data: 1\n\n");
      // Longer than the hedge would wait.
      setTimeout(() => response.end("data: 2\n\n"), 60);
    };
    expect(await call()).toMatchObject({ by: "a", text: "data: 1\n\ndata: 2\n\n" });
    expect([seen(), socketOpen]).toEqual([[1, 0, 0], true]);
  });

  it("takes from the retry budget, and stops when that is used up", async () => {
    gateway = await testGateway(files({ hedge: { afterMs: 1 }, outlierDetection: { enabled: false } }));
    for (const one of standIns)
      one.answer = (_request, response) => void setTimeout(() => response.end("slow"), 20);
    const requests = 300;
    for (let i = 0; i < requests; i += 100) await Promise.all(Array.from({ length: 100 }, () => call()));
    const all = seen().reduce((sum, count) => sum + count, 0);
    const seconds = (gateway.exchanges.at(-1)!.timestampMs - gateway.exchanges[0]!.timestampMs) / 1000;
    expect(all).toBeGreaterThan(requests);
    expect(all).toBeLessThanOrEqual(requests * 1.2 + 100 + 10 * seconds);
  });
});

describe("a deadline over all attempts", () => {
  const retrying = (attributes: string, interval = 0): string => `
    <retry count="5" interval="${interval}" condition="@(context.LastError != null || context.Response.StatusCode >= 500)">
      <forward-request buffer-request-body="true" ${attributes} />
    </retry>`;
  const calm = { outlierDetection: { enabled: false } };

  it("ends an attempt that nobody answers, and nothing is tried after it", async () => {
    gateway = await testGateway(files(calm, retrying('deadline="0.08"')));
    for (const one of standIns) one.answer = stalls;
    expect(await call()).toMatchObject({ status: 500 });
    await until(() => gateway.exchanges.length === 1);
    expect(seen()).toEqual([1, 0, 0]);
    expect(gateway.exchanges[0]!.error).toMatchObject({
      code: "deadline_exceeded",
      reason: "Timeout",
      message: "There was no answer within 0.08 s of the request's beginning, over all attempts.",
    });
    // It was the request's own limit: no word on the backend.
    expect(gateway.backends().map(({ failures }) => failures)).toEqual([0, 0, 0]);
    expect(inFlight()).toBe(0);
  });

  it("covers attempts before it: the second has only what is left", async () => {
    gateway = await testGateway(files(calm, retrying('deadline="0.15" timeout="0.1"')));
    for (const one of standIns) one.answer = stalls;
    expect(await call()).toMatchObject({ status: 500 });
    await until(() => gateway.exchanges.length === 1);
    expect(attempts()).toEqual([
      ["a", "headers_timeout"],
      ["b", "deadline_exceeded"],
    ]);
  });

  it("is not waited through: a retry that would come too late is none", async () => {
    gateway = await testGateway(files(calm, retrying('deadline="20"', 30)));
    named("a").answer = refuses(503);
    expect(await call()).toMatchObject({ status: 503, text: "no" });
    expect(seen()).toEqual([1, 0, 0]);
  });

  it("does not touch what is answered in time, nor the rest of its stream", async () => {
    gateway = await testGateway(files(calm, '<forward-request deadline="0.05" />'));
    named("a").answer = (_request, response) => {
      response.write("data: 1\n\n");
      setTimeout(() => response.end("data: 2\n\n"), 100);
    };
    expect(await call()).toMatchObject({ status: 200, text: "data: 1\n\ndata: 2\n\n" });
  });

  it("ends both attempts of a hedge", async () => {
    gateway = await testGateway(
      files({ ...calm, hedge: { afterMs: 20 } }, '<forward-request deadline="0.1" />'),
    );
    for (const one of standIns) one.answer = stalls;
    expect(await call()).toMatchObject({ status: 500 });
    await until(() => gateway.exchanges.length === 1 && inFlight() === 0);
    expect(attempts().map(([, what]) => what)).toEqual(["deadline_exceeded", "deadline_exceeded"]);
  });
});

describe("R-13 whom a pool chooses", () => {
  it("remainingTokens: who has most left, as its answers say", async () => {
    gateway = await testGateway(files({ algorithm: "remainingTokens" }));
    const left: Record<string, number> = { a: 3000, b: 10_000, c: 500 };
    for (const one of standIns)
      one.answer = (_request, response) =>
        void response
          .writeHead(200, {
            "x-ratelimit-remaining-tokens": String((left[one.name]! -= 1000)),
            "x-ratelimit-reset-tokens": "1m0s",
          })
          .end("ok");
    const order: (string | null)[] = [];
    for (let i = 0; i < 9; i++) order.push((await call()).by);
    // First one word from each, then the one with most.
    expect(order.join("")).toBe("abcbbbbbb");
    expect(gateway.backends().map(({ remainingTokens }) => remainingTokens)).toEqual([2000, 3000, 0]);
  });

  it("promptPrefix: a conversation stays where its beginning is known, whoever else talks", async () => {
    gateway = await testGateway(files({ algorithm: "promptPrefix", promptPrefix: { bytes: 200 } }));
    const system = (i: number): string => `You are assistant number ${i}. ${"Rules. ".repeat(40)}`;
    const turn = (i: number, turns: number): string =>
      JSON.stringify({
        model: "m",
        messages: [
          { role: "system", content: system(i) },
          ...Array.from({ length: turns }, (_none, n) => ({ role: "user", content: `turn ${n}` })),
        ],
      });
    const homes = new Set<string | null>();
    for (let i = 0; i < 12; i++) {
      const by: (string | null)[] = [];
      for (let turns = 1; turns <= 4; turns++) by.push((await call(turn(i, turns))).by);
      expect(new Set(by).size).toBe(1);
      homes.add(by[0]!);
    }
    expect(homes.size).toBe(3);
    // The body, which was held for the choice, goes out whole.
    expect((await call("no JSON at all")).text).toBe("fine no JSON at all");
  });

  it.each([
    [{ algorithm: "promptPrefx" }, "pool.algorithm", "promptPrefix"],
    [{ algorithm: "remaining-tokens" }, "pool.algorithm", "remainingTokens"],
    [{ hedge: { after: 5 } }, "after", "afterMs"],
    [{ hedge: {} }, "afterMs", ""],
    [{ promptPrefix: { bytes: 0 } }, "bytes", ""],
  ])("%j is told from what is meant", async (pool, what, suggestion) => {
    gateway = await testGateway(files({}));
    for (const [path, content] of Object.entries(files(pool)))
      gateway.write(path, typeof content === "string" ? content : JSON.stringify(content));
    const problems = await gateway.reload();
    const text = JSON.stringify(problems);
    expect(problems.length).toBeGreaterThan(0);
    expect(text).toContain(what.split(".").at(-1));
    expect(text).toContain(suggestion);
  });
});
