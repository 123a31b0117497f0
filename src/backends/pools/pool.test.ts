/** R-13, as far as it is arithmetic. */
import { describe, expect, it, test } from "vitest";
import { HeaderList } from "../../base/headers.ts";
import type { BreakerRule } from "../../gateway/snapshot.ts";
import { CircuitBreaker } from "../health/circuit-breaker.ts";
import { Allowance } from "../health/allowance.ts";
import { Load } from "../health/load.ts";
import { Outlier } from "../health/outliers.ts";
import { type Algorithm, type Member, NOBODY, Pool } from "./pool.ts";

const RULE: BreakerRule = {
  name: "",
  count: 1,
  percentage: null,
  intervalMs: 1000,
  statusRanges: [],
  tripMs: 1000,
  acceptRetryAfter: false,
  maxTripMs: 1000,
};
const OUTLIERS = { consecutiveFailures: 2, ejectionMs: 1000, maxEjectionMs: 3000, panicPercent: 50 };

/** `weight@priority`, both 1 unless said. */
function poolOf(
  written: string,
  algorithm: Algorithm = "roundRobin",
): { pool: Pool; members: readonly Member[] } {
  const members = written.split(" ").map((text): Member => {
    const [weight, priority] = text.split("@");
    return {
      weight: Number(weight),
      priority: Number(priority ?? 1),
      breaker: new CircuitBreaker(RULE),
      outlier: new Outlier(OUTLIERS),
      load: new Load(),
    };
  });
  return { pool: new Pool(members, algorithm, OUTLIERS.panicPercent), members };
}

const trip = ({ breaker }: Member, now = 0): void => void breaker!.record(breaker!.admit(now), true, now);
const eject = ({ outlier }: Member, now = 0): void => {
  outlier!.record(true, now);
  outlier!.record(true, now);
};
const noLot = (): number => 0.5;

function picks(pool: Pool, count: number, now = 0, tried = 0, last = 0): string {
  let text = "";
  for (let i = 0; i < count; i++) {
    const index = pool.pick(now, tried, last, noLot);
    text += index === NOBODY ? "-" : "abcdefgh"[index]!;
  }
  return text;
}

describe("R-13 round robin", () => {
  it.each([
    ["1 1 1", 6, "abcabc"],
    ["5 1 1", 7, "aabacaa"],
    ["1 0", 3, "aaa"],
    ["0 0", 4, "abab"],
    ["1@1 1@2", 3, "aaa"],
    ["1@2 1@1 1@1", 4, "bcbc"],
    ["1@0 1@1", 2, "aa"],
    ["1", 2, "aa"],
  ])("%s: %i picks are %s", (written, count, expected) => {
    expect(picks(poolOf(written).pool, count)).toBe(expected);
  });

  it("keeps weights 1, 2 and 7 exactly over 10,000 picks", () => {
    const all = picks(poolOf("1 2 7").pool, 10_000);
    expect(["a", "b", "c"].map((name) => all.split(name).length - 1)).toEqual([1000, 2000, 7000]);
  });

  it("keeps the weights of those who are left", () => {
    const { pool, members } = poolOf("1 2 7");
    picks(pool, 3);
    trip(members[2]!);
    // What was owed before is still paid: one turn.
    const all = picks(pool, 3000);
    expect(["a", "b", "c"].map((name) => all.split(name).length - 1)).toEqual([1001, 1999, 0]);
  });

  it("falls over to the next group only when every member of the better ones is open, and back", () => {
    const { pool, members } = poolOf("1@1 1@1 1@2 1@3");
    trip(members[0]!);
    expect(picks(pool, 2)).toBe("bb");
    trip(members[1]!);
    expect(picks(pool, 2)).toBe("cc");
    trip(members[2]!);
    expect(picks(pool, 2)).toBe("dd");
    trip(members[3]!);
    expect(picks(pool, 2, 999)).toBe("--");
    expect([pool.readyAt(0), picks(pool, 2, 1000)]).toEqual([1000, "ab"]);
  });

  it("does not give way to a lesser group while a member without weight is there", () => {
    const { pool, members } = poolOf("1@1 0@1 1@2");
    trip(members[0]!);
    expect(picks(pool, 2)).toBe("bb");
  });
});

describe("a retry", () => {
  it.each([
    ["1 1 1", 0b001, 0b001, "bcb"],
    ["1 1 1", 0b011, 0b010, "ccc"],
    // All were tried: anyone but the last.
    ["1 1 1", 0b111, 0b100, "aba"],
    // A lesser group is better than the member that just failed.
    ["1@1 1@2", 0b01, 0b01, "bbb"],
    ["1", 0b1, 0b1, "aaa"],
  ])("in %s after %i, the last being %i, goes to %s", (written, tried, last, expected) => {
    expect(picks(poolOf(written).pool, 3, 0, tried, last)).toBe(expected);
  });

  it("goes back to the last one rather than nowhere", () => {
    const { pool, members } = poolOf("1 1");
    trip(members[0]!);
    expect(picks(pool, 1, 0, 0b10, 0b10)).toBe("b");
  });
});

describe("R-12 ejections", () => {
  it("passes over who is ejected, until the time is over", () => {
    const { pool, members } = poolOf("1 1 1");
    eject(members[0]!);
    expect([picks(pool, 4), picks(pool, 3, 1000)]).toEqual(["bcbc", "abc"]);
  });

  it("takes an ejected member rather than a lesser group", () => {
    const { pool, members } = poolOf("1@1 1@2 1@2");
    eject(members[0]!);
    expect(picks(pool, 2)).toBe("aa");
  });

  it("ignores ejections when they take more than half of the pool, but no open breaker", () => {
    const { pool, members } = poolOf("1 1 1 1");
    eject(members[0]!);
    eject(members[1]!);
    expect(picks(pool, 4)).toBe("cdcd");
    eject(members[2]!);
    trip(members[3]!);
    expect(picks(pool, 4).split("").sort().join("")).toMatch(/^a+b+c+$/);
    expect(pool.panics).toBe(1);
  });
});

test.each([
  [[0, 0, 0], "abcabc"],
  [[2, 0, 1], "bbb"],
  [[1, 1, 0], "ccc"],
])("least busy, with %s under way, goes to %s", (busy, expected) => {
  const { pool, members } = poolOf("1 1 1", "leastBusy");
  members.forEach(({ load }, i) => (load.inFlight = busy[i]!));
  expect(picks(pool, expected.length)).toBe(expected);
});

test("least busy counts a member of twice the weight as half as busy", () => {
  const { pool, members } = poolOf("1 4", "leastBusy");
  members[0]!.load.inFlight = 1;
  members[1]!.load.inFlight = 5;
  expect(picks(pool, 1)).toBe("b");
});

describe("latency", () => {
  it("prefers the quicker of any two", () => {
    const { pool, members } = poolOf("1 1", "latency");
    members[0]!.load.observe(100, false, 0);
    members[1]!.load.observe(10, false, 0);
    expect(picks(pool, 3)).toBe("bbb");
    members[1]!.load.inFlight = 20;
    expect(picks(pool, 3)).toBe("aaa");
  });

  it("does not take a quick refusal for quickness", () => {
    const { pool, members } = poolOf("1 1", "latency");
    members[0]!.load.observe(100, false, 0);
    members[1]!.load.observe(1, true, 0);
    expect(picks(pool, 3)).toBe("aaa");
  });

  it("sees a stall at once and forgets it slowly", () => {
    const load = new Load();
    load.observe(10, false, 0);
    load.observe(2000, false, 0);
    load.observe(10, false, 100);
    expect(load.latencyMs(100)).toBeGreaterThan(1900);
    expect(load.latencyMs(60_000)).toBeLessThan(10);
  });

  it("gives everybody a turn", () => {
    const { pool } = poolOf("1 1 1 1 1", "latency");
    const seen = new Set<number>();
    for (let i = 0; i < 100; i++) seen.add(pool.pick(0, 0, 0, () => (i * 0.37) % 1));
    expect(seen.size).toBe(5);
  });
});

describe("R-13 remaining tokens", () => {
  const withTokens = (...remaining: (number | null)[]): { pool: Pool; members: Member[] } => {
    const members = remaining.map((tokens): Member => {
      const allowance = new Allowance();
      const raw = tokens === null ? [] : ["x-ratelimit-remaining-tokens", String(tokens)];
      allowance.read(new HeaderList(raw), 0, 0);
      return { weight: 1, priority: 1, breaker: null, outlier: null, load: new Load(), allowance };
    });
    return { pool: new Pool(members, "remainingTokens", 50), members };
  };

  it.each<[string, (number | null)[], string]>([
    ["the one that has most", [100, 300, 200], "bbb"],
    ["nobody knows anything: in turn", [null, null, null], "abc"],
    ["one of which nothing is known is fresh", [900, null, 900], "bbb"],
    ["equals: in turn", [500, 500, 1], "aba"],
  ])("%s", (_name, remaining, expected) => {
    expect(picks(withTokens(...remaining).pool, 3)).toBe(expected);
  });

  it("one whose minute is over is fresh again", () => {
    const { pool } = withTokens(1, 1000);
    expect([picks(pool, 2, 59_999), picks(pool, 2, 60_000)]).toEqual(["bb", "ab"]);
  });
});

describe("R-13 prompt prefix", () => {
  const prompts = Array.from({ length: 600 }, (_none, i) => Math.imul(i + 1, 0x9e3779b1) >>> 0);
  const byPrompt = (written: string) => poolOf(written, "promptPrefix");
  const who = (pool: Pool, prompt: number | null): number => pool.pick(0, 0, 0, noLot, prompt);

  it("sends a prompt to the same member every time, and prompts to all of them", () => {
    const { pool } = byPrompt("1 1 1");
    const first = prompts.map((prompt) => who(pool, prompt));
    expect(prompts.map((prompt) => who(pool, prompt))).toEqual(first);
    for (const index of [0, 1, 2]) expect(first.filter((one) => one === index).length).toBeGreaterThan(150);
  });

  it("moves only the prompts of a member that is open", () => {
    const { pool, members } = byPrompt("1 1 1");
    const before = prompts.map((prompt) => who(pool, prompt));
    trip(members[1]!);
    const after = prompts.map((prompt) => who(pool, prompt));
    expect(after.every((index, i) => (before[i] === 1 ? index !== 1 : index === before[i]))).toBe(true);
  });

  it("gives nobody more than a quarter above the mean of what is under way", () => {
    const { pool, members } = byPrompt("1 1 1 1");
    for (let i = 0; i < 1000; i++) {
      const index = who(pool, 42);
      members[index]!.load.inFlight++;
      const most = Math.max(...members.map(({ load }) => load.inFlight));
      expect(most).toBeLessThanOrEqual(Math.ceil((1.25 * (i + 1)) / 4));
    }
    expect(Math.min(...members.map(({ load }) => load.inFlight))).toBeGreaterThan(0);
  });

  it("takes turns for requests without a prompt", () => {
    const { pool } = byPrompt("1 1 1");
    expect([null, null, null].map((none) => who(pool, none))).toEqual([0, 1, 2]);
  });
});

describe("drained members", () => {
  it("get nothing, and give way to a lesser group", () => {
    const { pool } = poolOf("1@1 1@1 1@2");
    pool.drained = 0b001;
    expect([picks(pool, 2), pool.healthy(0, 0), pool.healthy(1, 0)]).toEqual(["bb", false, true]);
    pool.drained = 0b011;
    expect([picks(pool, 2), pool.candidates(0, 0)]).toEqual(["cc", 0b100]);
    pool.drained = 0b111;
    expect([picks(pool, 2), pool.readyAt(0)]).toEqual(["--", Infinity]);
    pool.drained = 0;
    expect(picks(pool, 1)).toMatch(/[ab]/);
  });

  it("are not gone back to by a retry", () => {
    const { pool } = poolOf("1 1");
    pool.drained = 0b01;
    expect(picks(pool, 2, 0, 0b10, 0b10)).toBe("bb");
  });
});
