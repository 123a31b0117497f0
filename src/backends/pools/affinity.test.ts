import { describe, expect, it, test } from "vitest";
import { HeaderList } from "../../base/headers.ts";
import { Affinity, NO_MEMBER, cookieOf, withoutCookie } from "./affinity.ts";
import { Load } from "../health/load.ts";
import { Outlier } from "../health/outliers.ts";
import { type Member, Pool } from "./pool.ts";

const headers = (...raw: string[]): HeaderList => new HeaderList(raw);

test.each<[string[], string | null]>([
  [[], null],
  [["Cookie", "a=1; s=2; b=3"], "2"],
  [["Cookie", "s=2"], "2"],
  [["cookie", "a=1", "Cookie", "s=2"], "2"],
  [["Cookie", "S=2"], null],
  [["Cookie", "xs=2; sx=3; =s; s"], null],
  [["Cookie", "s=a=b"], "a=b"],
  [["Cookie", ";;;s=;"], ""],
])("the cookie s of %o is %s", (raw, value) => {
  expect(cookieOf(headers(...raw), "s")).toBe(value);
});

test.each<[string[], string[]]>([
  [["Cookie", "s=1"], []],
  [
    ["A", "1", "Cookie", "s=1; b=2", "B", "2"],
    ["A", "1", "Cookie", "b=2", "B", "2"],
  ],
  [
    ["Cookie", "a=1; s=1; b=2; s=3"],
    ["Cookie", "a=1; b=2"],
  ],
  [
    ["Cookie", "a=s; xs=1"],
    ["Cookie", "a=s; xs=1"],
  ],
  [
    ["X", "s=1"],
    ["X", "s=1"],
  ],
])("%o without it is %o", (raw, left) => {
  withoutCookie(raw, "s");
  expect(raw).toEqual(left);
});

const OUTLIERS = { consecutiveFailures: 1, ejectionMs: 1000, maxEjectionMs: 1000, panicPercent: 50 };
const IDS = ["a", "b", "c", "d"];

function poolOf(priorities: readonly number[] = [1, 1, 1, 1]): Pool {
  const members = priorities.map((priority): Member => ({
    priority,
    weight: 1,
    breaker: null,
    outlier: new Outlier(OUTLIERS),
    load: new Load(),
  }));
  return new Pool(members, "roundRobin", 50);
}

describe("a cookie", () => {
  const rule = { source: "cookie", name: "s" } as const;
  const affinity = new Affinity(rule, "secret", "pool", IDS);

  function given(index: number, by = affinity): string {
    const answer = headers();
    by.keep(index, headers(), answer, false);
    return answer.get("set-cookie")!.split(";")[0]!;
  }

  it("leads back to its member as long as that is well and was not tried", () => {
    const pool = poolOf();
    for (const [i] of IDS.entries())
      expect(affinity.memberOf(headers("Cookie", given(i)), pool, 0, 0)).toBe(i);
    expect(affinity.memberOf(headers("Cookie", given(2)), pool, 0, 0b100)).toBe(NO_MEMBER);
    pool.members[2]!.outlier!.record(true, 0);
    expect(affinity.memberOf(headers("Cookie", given(2)), pool, 0, 0)).toBe(NO_MEMBER);
    expect(affinity.memberOf(headers("Cookie", given(2)), pool, 1000, 0)).toBe(2);
  });

  it("means the same to every gateway with the secret, whatever the order, and nothing to others", () => {
    const reordered = new Affinity(rule, "secret", "POOL", ["d", "c", "b", "a"]);
    expect(reordered.memberOf(headers("Cookie", given(0)), poolOf(), 0, 0)).toBe(3);
    const other = [new Affinity(rule, "another", "pool", IDS), new Affinity(rule, "secret", "another", IDS)];
    for (const one of other)
      expect(one.memberOf(headers("Cookie", given(0)), poolOf(), 0, 0)).toBe(NO_MEMBER);
  });

  it("is Secure where the client came by TLS, and not sent again to who has it", () => {
    const answer = headers();
    affinity.keep(0, headers(), answer, true);
    expect(answer.get("set-cookie")).toMatch(/; Secure$/);
    const second = headers();
    affinity.keep(0, headers("Cookie", given(0)), second, true);
    expect(second.raw).toEqual([]);
  });
});

describe("a header", () => {
  const affinity = new Affinity({ source: "header", name: "Session" }, "secret", "pool", IDS);
  const ask = (name: string, pool = poolOf()): number =>
    affinity.memberOf(headers("session", name), pool, 0, 0);

  it("leads to the same member each time, and only few sessions move when one goes", () => {
    const names = Array.from({ length: 400 }, (_none, i) => `session ${i}`);
    const before = names.map((name) => ask(name));
    expect(new Set(before).size).toBe(4);
    expect(names.map((name) => ask(name))).toEqual(before);
    const pool = poolOf();
    pool.members[3]!.outlier!.record(true, 0);
    const after = names.map((name) => ask(name, pool));
    expect(after.filter((member, i) => member !== before[i] && before[i] !== 3)).toEqual([]);
    expect(after).not.toContain(3);
  });

  it("leads to the best group", () => {
    const pool = poolOf([2, 2, 1, 2]);
    expect(Array.from({ length: 20 }, (_none, i) => ask(`x${i}`, pool))).toEqual(Array(20).fill(2));
  });

  it("leads where the member said that the session is", () => {
    for (const [i, id] of IDS.entries()) {
      affinity.keep(i, headers(), headers("SESSION", `of ${id}`), false);
      expect(ask(`of ${id}`)).toBe(i);
    }
    expect(ask("")).toBe(NO_MEMBER);
    expect(ask("x".repeat(1000))).toBe(NO_MEMBER);
  });
});
