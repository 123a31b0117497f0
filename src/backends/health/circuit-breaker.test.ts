/** */
import { describe, expect, it, test } from "vitest";
import type { BreakerRule } from "../../gateway/snapshot.ts";
import { CircuitBreaker, REFUSED } from "./circuit-breaker.ts";

function rule(changed: Partial<BreakerRule>): BreakerRule {
  return {
    name: "rule",
    count: null,
    percentage: null,
    intervalMs: 10_000,
    statusRanges: [],
    tripMs: 5000,
    acceptRetryAfter: true,
    maxTripMs: 20_000,
    ...changed,
  };
}

/** What the breaker should be, told as plainly as possible: it keeps everything and looks at all of it each time. */
class Model {
  readonly rule: BreakerRule;
  state: "closed" | "open" | "half-open" = "closed";
  openUntil = 0;
  /** Since the last change of state. */
  samples: { failed: boolean; at: number }[] = [];
  /** Requests under way that still count. */
  valid = new Set<number>();
  next = 0;

  constructor(given: BreakerRule) {
    this.rule = given;
  }

  admit(now: number): number | null {
    if (this.state === "half-open" || (this.state === "open" && now < this.openUntil)) return null;
    if (this.state === "open") this.state = "half-open";
    this.valid.add(++this.next);
    return this.next;
  }

  record(request: number, failed: boolean, now: number, retryAfter: number | null): void {
    if (!this.valid.delete(request)) return;
    if (this.state === "half-open") return failed ? this.trip(now, retryAfter) : this.become("closed");
    this.sample(failed, now, retryAfter);
  }

  release(request: number): void {
    if (this.valid.delete(request) && this.state === "half-open") this.become("open");
  }

  brokeOff(now: number): void {
    if (this.state === "closed") this.sample(true, now, null);
  }

  sample(failed: boolean, now: number, retryAfter: number | null): void {
    this.samples.push({ failed, at: now });
    if (!failed) return;
    const { count, percentage, intervalMs } = this.rule;
    const width = intervalMs / 100;
    const slots = percentage !== null;
    const young = this.samples.filter(({ at }) =>
      slots ? Math.floor(at / width) > Math.floor(now / width) - 100 : now - at < intervalMs,
    );
    const failures = young.filter((sample) => sample.failed).length;
    const byCount = count !== null && failures >= count;
    const byShare = percentage !== null && young.length >= 10 && failures / young.length >= percentage / 100;
    if (byCount || byShare) this.trip(now, retryAfter);
  }

  trip(now: number, retryAfter: number | null): void {
    const { tripMs, acceptRetryAfter, maxTripMs } = this.rule;
    this.openUntil =
      now +
      (acceptRetryAfter && retryAfter !== null && retryAfter > 0 ? Math.min(retryAfter, maxTripMs) : tripMs);
    this.become("open");
  }

  become(state: "closed" | "open"): void {
    this.state = state;
    this.samples = [];
    this.valid.clear();
  }
}

/** Numbers that are the same in every run. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const RULES: readonly Partial<BreakerRule>[] = [
  { count: 1 },
  { count: 3 },
  { count: 7, intervalMs: 2000, acceptRetryAfter: false },
  { percentage: 50 },
  { percentage: 20, intervalMs: 3000 },
  { count: 4, percentage: 30 },
];

/** One sequence of events; both sides must agree on every admission and every state. */
function sequence(seed: number): void {
  const random = randomFrom(seed);
  const given = rule(RULES[seed % RULES.length]!);
  const breaker = new CircuitBreaker(given);
  const model = new Model(given);
  const underWay: { permit: number; request: number }[] = [];
  let now = Math.floor(random() * 1e6);
  for (let i = 0; i < 12; i++) {
    now += Math.floor(random() ** 3 * 4000);
    const event = random();
    if (event < 0.45 || underWay.length === 0) {
      const ready = breaker.ready(now);
      const permit = breaker.admit(now);
      const request = model.admit(now);
      if (ready !== (permit !== REFUSED) || (permit === REFUSED) !== (request === null))
        throw new Error(`seed ${seed}: admission ${i}`);
      if (request !== null) underWay.push({ permit, request });
    } else {
      const [one] = underWay.splice(Math.floor(random() * underWay.length), 1);
      const { permit, request } = one!;
      if (event < 0.9) {
        const failed = random() < 0.5;
        const retryAfter = random() < 0.3 ? Math.floor(random() * 40_000) : null;
        breaker.record(permit, failed, now, retryAfter);
        model.record(request, failed, now, retryAfter);
      } else if (event < 0.96) {
        breaker.release(permit);
        model.release(request);
      } else {
        breaker.brokeOff(now);
        model.brokeOff(now);
      }
    }
    if (breaker.state !== model.state)
      throw new Error(`seed ${seed}: ${breaker.state}, not ${model.state}, after ${i}`);
    if (breaker.state === "open" && breaker.openUntil !== model.openUntil)
      throw new Error(`seed ${seed}: trip's end`);
  }
}

describe("R-11 circuit breaker", () => {
  it("agrees with the reference model in 100,000 random sequences", () => {
    for (let seed = 0; seed < 100_000; seed++) sequence(seed);
  });

  it("agrees with it in one long life", () => {
    const random = randomFrom(7);
    for (const changed of RULES) {
      const breaker = new CircuitBreaker(rule(changed));
      const model = new Model(rule(changed));
      let now = 0;
      for (let i = 0; i < 20_000; i++) {
        now += random() * 300;
        const permit = breaker.admit(now);
        const request = model.admit(now);
        expect(permit === REFUSED).toBe(request === null);
        if (request === null) continue;
        const failed = random() < (i % 1000 < 500 ? 0.1 : 0.7);
        breaker.record(permit, failed, now);
        model.record(request, failed, now, null);
        // The model forgets nothing by itself.
        model.samples = model.samples.filter(({ at }) => now - at < 11_000);
      }
      expect(breaker.trips).toBeGreaterThan(10);
    }
  });

  it("sends exactly one probe, however many ask at half-open", () => {
    const breaker = new CircuitBreaker(rule({ count: 1 }));
    breaker.record(breaker.admit(0), true, 0);
    expect(breaker.admit(4999)).toBe(REFUSED);
    const permits = Array.from({ length: 1000 }, () => breaker.admit(5000));
    expect(permits.filter((permit) => permit !== REFUSED)).toHaveLength(1);
    expect(breaker.state).toBe("half-open");
    expect(breaker.record(permits[0]!, false, 5001)).toBe("closed");
    expect(breaker.admit(5001)).not.toBe(REFUSED);
  });

  it("lets another probe through when the first ended without an outcome", () => {
    const breaker = new CircuitBreaker(rule({ count: 1 }));
    breaker.record(breaker.admit(0), true, 0);
    const probe = breaker.admit(5000);
    breaker.release(probe);
    expect(breaker.record(probe, false, 5000)).toBeNull();
    expect(breaker.admit(5000)).not.toBe(REFUSED);
    expect(breaker.admit(5000)).toBe(REFUSED);
  });

  it("does not listen to answers from before the trip", () => {
    const breaker = new CircuitBreaker(rule({ count: 1 }));
    const [first, second, third] = [breaker.admit(0), breaker.admit(0), breaker.admit(0)];
    breaker.record(first!, true, 0);
    const until = breaker.openUntil;
    expect([breaker.record(second!, true, 1000), breaker.openUntil]).toEqual([null, until]);
    breaker.admit(5000);
    expect([breaker.record(third!, false, 5000), breaker.state]).toEqual([null, "half-open"]);
  });
});

test.each<[string, Partial<BreakerRule>, number | null, number]>([
  ["its own length without Retry-After", {}, null, 5000],
  ["as long as the backend asks", {}, 7000, 7000],
  ["also when that is shorter", {}, 100, 100],
  ["at most so long", {}, 86_400_000, 20_000],
  ["its own length when the backend is not believed", { acceptRetryAfter: false }, 7000, 5000],
  ["its own length when the backend asks for no time, or for one that has passed", {}, 0, 5000],
])("a trip lasts %s", (_name, changed, retryAfter, lasts) => {
  const breaker = new CircuitBreaker(rule({ count: 1, ...changed }));
  breaker.record(breaker.admit(100), true, 100, retryAfter);
  expect(breaker.openUntil - 100).toBe(lasts);
});

test("failures count for exactly the interval", () => {
  const breaker = new CircuitBreaker(rule({ count: 2 }));
  for (const at of [0, 10_000, 20_000, 30_000])
    expect(breaker.record(breaker.admit(at), true, at)).toBeNull();
  expect(breaker.record(breaker.admit(39_999), true, 39_999)).toBe("tripped");
});

test("a huge threshold costs no memory to speak of", () => {
  const breaker = new CircuitBreaker(rule({ count: 1_000_000, intervalMs: 3_600_000 }));
  for (let i = 1; i < 1_000_000; i++) breaker.record(0, true, i / 1000);
  expect(breaker.state).toBe("closed");
  expect(breaker.record(0, true, 1000)).toBe("tripped");
});

it("with fullReset there is no probe: everybody goes when the trip is over", () => {
  const breaker = new CircuitBreaker({ ...FULL_RESET_RULE }, true);
  breaker.record(breaker.admit(0), true, 0);
  expect([breaker.state, breaker.ready(999), breaker.admit(999)]).toEqual(["open", false, REFUSED]);
  const permits = [breaker.admit(1000), breaker.admit(1000), breaker.admit(1000)];
  expect([breaker.state, new Set(permits).size, permits.includes(REFUSED)]).toEqual(["closed", 1, false]);
  expect(breaker.record(permits[0]!, true, 1001)).toBe("tripped");
});

const FULL_RESET_RULE: BreakerRule = {
  name: "",
  count: 1,
  percentage: null,
  intervalMs: 1000,
  statusRanges: [],
  tripMs: 1000,
  acceptRetryAfter: false,
  maxTripMs: 1000,
};
