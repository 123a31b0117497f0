import { describe, expect, it } from "vitest";
import { HeaderList } from "../base/headers.ts";
import { GatewayError } from "../gateway/errors.ts";
import type { BackendEntity, BreakerRule, PoolRules } from "../gateway/snapshot.ts";
import { ChunkSource, type TestServices, backendOf, servicesOf, snapshotOf } from "../gateway/testing.ts";
import { type BodySink, TransportError } from "../transport/transport.ts";
import type { Backends } from "./backends.ts";
import { backendsOf } from "./testing.ts";

const RULE: BreakerRule = {
  name: "rule",
  count: 1,
  percentage: null,
  intervalMs: 60_000,
  statusRanges: [{ min: 500, max: 599 }],
  tripMs: 10_000,
  acceptRetryAfter: true,
  maxTripMs: 3_600_000,
};
const RULES: PoolRules = {
  algorithm: "roundRobin",
  promptBytes: 1024,
  affinity: null,
  failover: null,
  hedge: null,
  outliers: null,
};

/** Ids → Single backends with a breaker, and a pool of them: fresh objects each time, as a reload makes them. */
function configured(
  ids: string,
  changed: { url?: string; rule?: Partial<BreakerRule> } = {},
): BackendEntity[] {
  const singles = ids
    .split(" ")
    .map((id) =>
      backendOf(id, changed.url ?? `http://${id}.example`, { breaker: { ...RULE, ...changed.rule } }),
    );
  const pool = singles.map((backend) => ({ backend, priority: 1, weight: 1 }));
  return [...singles, backendOf("pool", "", { type: "Pool", pool, balancing: RULES })];
}

function start(): { services: TestServices; backends: Backends } {
  const services = servicesOf();
  return { services, backends: backendsOf(services) };
}

const NO_HEADERS = new HeaderList();
const poolOf = (all: readonly BackendEntity[]): BackendEntity => all.at(-1)!;

/** Who takes the next request, or the error's status. */
function next(backends: Backends, all: readonly BackendEntity[], answer = 200): string | number {
  try {
    const { entity, lease } = backends.pick(poolOf(all), [], NO_HEADERS);
    lease.answered(answer, NO_HEADERS);
    lease.giveBack();
    return entity.id;
  } catch (error) {
    return (error as GatewayError).status;
  }
}

describe("what is remembered", () => {
  it("outlives the snapshot: turns and open breakers", () => {
    const { backends } = start();
    const first = configured("a b c");
    backends.adopt(snapshotOf({ backends: first }));
    expect([next(backends, first, 500), next(backends, first)]).toEqual(["a", "b"]);
    const second = configured("a b c");
    backends.adopt(snapshotOf({ backends: second }));
    expect([next(backends, second), next(backends, second), next(backends, first)]).toEqual(["c", "b", "c"]);
  });

  it.each([
    ["its URL", { url: "http://elsewhere.example" }],
    ["its rule", { rule: { count: 2 } }],
  ])("ends when a backend changes %s", (_what, changed) => {
    const { backends } = start();
    const first = configured("a");
    expect([next(backends, first, 500), next(backends, first)]).toEqual(["a", 503]);
    expect(next(backends, configured("a", changed))).toBe("a");
    // Who still runs on the old configuration sees the old state.
    expect(next(backends, first)).toBe(503);
  });

  it("goes with its backend", () => {
    const { backends } = start();
    backends.adopt(snapshotOf({ backends: configured("a b c") }));
    expect(backends.report().map(({ id }) => id)).toEqual(["a", "b", "c"]);
    for (let i = 0; i < 1000; i++) backends.adopt(snapshotOf({ backends: configured(`x${i} y${i}`) }));
    expect(backends.report().map(({ id }) => id)).toEqual(["x999", "y999"]);
  });

  it("is shared between a pool and the backend's own name", () => {
    const { backends } = start();
    const all = configured("a");
    backends.admit(all[0]!)!.answered(500, NO_HEADERS);
    expect(next(backends, all)).toBe(503);
    expect(() => backends.admit(all[0]!)).toThrow(GatewayError);
  });
});

describe("a trip", () => {
  it("ends after its time, with one probe", () => {
    const { backends, services } = start();
    const all = configured("a");
    next(backends, all, 500);
    services.clock.advance(9999);
    expect(next(backends, all)).toBe(503);
    services.clock.advance(1);
    const { lease } = backends.pick(poolOf(all), [], NO_HEADERS);
    expect(next(backends, all)).toBe(503);
    lease.answered(200, NO_HEADERS);
    expect(next(backends, all)).toBe("a");
    expect(services.logged.map(({ msg }) => msg)).toEqual([
      "circuit breaker opened",
      "circuit breaker closed",
    ]);
  });

  it.each([
    [["Retry-After", "3"], "3"],
    [["Retry-After", "0.2"], "1"],
    [["retry-after-ms", "2500"], "3"],
    [["Retry-After", "86400"], "3600"],
    [[], "10"],
  ])("after %o tells callers to come again in %s s", (raw, seconds) => {
    const { backends } = start();
    const all = configured("a");
    backends.admit(all[0]!)!.answered(503, new HeaderList(raw));
    try {
      backends.admit(all[0]!);
      expect.unreachable();
    } catch (error) {
      expect((error as GatewayError).headers).toEqual(["Retry-After", seconds]);
    }
  });

  it("is undone by command", () => {
    const { backends } = start();
    const all = configured("a");
    next(backends, all, 500);
    expect([backends.reset("A"), backends.reset("nobody"), next(backends, all)]).toEqual([true, false, "a"]);
  });
});

const failure = (code: TransportError["code"]): TransportError => new TransportError(code, code);

it.each<[TransportError["code"], boolean]>([
  ["connect_failed", true],
  ["connect_timeout", true],
  ["dns_failed", true],
  ["tls_failed", true],
  ["headers_timeout", true],
  ["upstream_closed", true],
  ["upstream_protocol", true],
  ["aborted", false],
  ["client_disconnected", false],
  ["client_body_timeout", false],
  ["body_too_large", false],
  ["invalid_message", false],
])("%s counts against the backend: %s", (code, counts) => {
  const { backends } = start();
  const all = configured("a");
  backends.admit(all[0]!)!.failed(failure(code));
  expect(next(backends, all)).toBe(counts ? 503 : "a");
  expect(backends.report()[0]!.inFlight).toBe(0);
});

it("an idle connection that closes as the request goes out counts for nothing", () => {
  const { backends } = start();
  const all = configured("a");
  backends.admit(all[0]!)!.failed(new TransportError("upstream_closed", "closed", { stale: true }));
  expect(next(backends, all)).toBe("a");
});

describe("an answer's body", () => {
  const sinkOf = (): BodySink & { got: string[] } => {
    const got: string[] = [];
    return {
      got,
      write: (chunk) => (got.push(Buffer.from(chunk).toString()), true),
      end: () => void got.push("end"),
      fail: ({ code }) => void got.push(code),
    };
  };

  it.each<[string, TransportError | undefined, string[], string | number]>([
    ["whole", undefined, ["one", "two", "end"], "a"],
    ["broken off by the backend", failure("upstream_closed"), ["one", "two", "upstream_closed"], 503],
    ["broken off by us", failure("aborted"), ["one", "two", "aborted"], "a"],
  ])("%s", (_name, broken, expected, then) => {
    const { backends } = start();
    const all = configured("a");
    const lease = backends.admit(all[0]!)!;
    const body = lease.watch(new ChunkSource(["one", "two"], { failure: broken }));
    lease.answered(200, NO_HEADERS);
    expect(backends.report()[0]!.inFlight).toBe(1);
    const sink = sinkOf();
    body.start(sink);
    expect([sink.got, backends.report()[0]!.inFlight, next(backends, all)]).toEqual([expected, 0, then]);
  });

  it("that nobody wants is no failure", () => {
    const { backends } = start();
    const all = configured("a");
    const lease = backends.admit(all[0]!)!;
    const source = new ChunkSource(["one"]);
    lease.watch(source).cancel();
    expect([source.cancelled, backends.report()[0]!.inFlight, next(backends, all)]).toEqual([true, 0, "a"]);
  });
});

it("an empty pool has nobody, and does not say when to come again", () => {
  const { backends } = start();
  const empty = backendOf("pool", "", { type: "Pool", balancing: RULES });
  expect(() => backends.pick(empty, [], NO_HEADERS)).toThrow("temporarily unavailable");
});

it.each<[string, number | null, number, string]>([
  ["one", null, 503, "Backend 'one' is temporarily unavailable"],
  ["one", 429, 429, "Backend 'one' is temporarily unavailable"],
  ["one", 100, 503, "Backend 'one' is temporarily unavailable"],
  ["zürich\r\n東京", null, 503, "Backend 'z?rich????' is temporarily unavailable"],
])("%s with failureResponse %s answers %i %s", (id, failureStatus, status, statusReason) => {
  const { backends } = start();
  const entity = backendOf(id, "http://a.example", { breaker: RULE, failureStatus });
  backends.admit(entity)!.answered(500, NO_HEADERS);
  try {
    backends.admit(entity);
    expect.unreachable();
  } catch (error) {
    expect(error).toMatchObject({ status, statusReason, reason: "BackendUnavailable" });
  }
});

it("a backend without a breaker is not watched", () => {
  const { backends } = start();
  expect(backends.admit(backendOf("a", "http://a.example"))).toBeNull();
});
