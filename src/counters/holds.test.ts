import { expect, test } from "vitest";
import { boundariesAround, calendarPeriodAt } from "./calendar-period.ts";
import { at, claimOf, holdsSuite, newStory, saidOf } from "./holds.suite.ts";
import { MemoryHolds } from "./memory-holds.ts";
import { MemoryQuotas } from "./memory-quotas.ts";
import { OutputSizes } from "./output-sizes.ts";

holdsSuite("memory", () => ({ holds: new MemoryHolds(new MemoryQuotas()) }));

test("settling says what is used and held afterwards", () => {
  newStory();
  const holds = new MemoryHolds(new MemoryQuotas());
  const reserve = (cost: number) =>
    holds.reserve([claimOf(["hour", "q", 1000, cost, cost]), claimOf(["w", "k", 100, cost, cost])], at(0));
  const [one, other] = [reserve(20), reserve(30)];
  if (one.state !== "taken" || other.state !== "taken") throw new Error(saidOf(one));
  expect([holds.underWay, holds.heldTokens]).toEqual([2, 100]);
  expect(one.hold.settle(7, at(0))).toEqual([37, 37]);
  expect(other.hold.settle(8, at(0))).toEqual([15, 15]);
  expect(other.hold.settle(8, at(0))).toBeNull();
  expect([holds.underWay, holds.heldTokens]).toEqual([0, 0]);
});

test("idle keys are forgotten as others come, and keys have an end; those that are held stay", () => {
  newStory();
  const holds = new MemoryHolds(new MemoryQuotas(), 100);
  const kept = holds.reserve([claimOf(["w", "held", 10, 10, 10])], at(0));
  for (let i = 0; i < 1000; i++) {
    const answer = holds.reserve([claimOf(["w", `k ${i}`, 10, 1, 1])], at(1));
    if (answer.state === "taken") answer.hold.settle(1, at(1));
  }
  expect(holds.size).toBe(100);
  expect(saidOf(holds.reserve([claimOf(["w", "held", 10, 1, 1])], at(2)))).toBe("refused 0 1");
  if (kept.state === "taken") kept.hold.settle(0, at(2));
  for (let i = 0; i < 300; i++) holds.reserve([claimOf(["w", "new", 10, 1, 0])], at(300));
  expect(holds.size).toBe(1);
});

const utc = (text: string): number => Date.parse(`${text}Z`);

test.each<[Parameters<typeof calendarPeriodAt>[0], number, string, string, string]>([
  ["hour", 1, "2026-03-01T10:59:59.999", "2026-03-01T10:00", "2026-03-01T11:00"],
  ["day", 1, "2026-03-01T00:00", "2026-03-01T00:00", "2026-03-02T00:00"],
  ["week", 1, "2026-03-01T12:00", "2026-02-23T00:00", "2026-03-02T00:00"],
  ["week", 1, "2026-03-02T00:00", "2026-03-02T00:00", "2026-03-09T00:00"],
  ["week", 0, "2026-03-01T12:00", "2026-03-01T00:00", "2026-03-08T00:00"],
  ["week", 6, "2026-03-06T23:59", "2026-02-28T00:00", "2026-03-07T00:00"],
  ["month", 1, "2024-02-29T23:59", "2024-02-01T00:00", "2024-03-01T00:00"],
  ["month", 1, "2025-12-31T23:59", "2025-12-01T00:00", "2026-01-01T00:00"],
  ["year", 1, "2024-12-31T23:59", "2024-01-01T00:00", "2025-01-01T00:00"],
  ["hour", 1, "1969-12-31T23:30", "1969-12-31T23:00", "1970-01-01T00:00"],
  ["week", 1, "1969-12-28T23:30", "1969-12-22T00:00", "1969-12-29T00:00"],
])("the %s (weeks from day %d) of %s", (unit, weekStart, now, start, end) => {
  expect(calendarPeriodAt(unit, weekStart, utc(now))).toEqual({ startMs: utc(start), endMs: utc(end) });
  const bounds = boundariesAround(unit, weekStart, utc(now));
  expect(bounds.slice(1, 3)).toEqual([utc(start), utc(end)]);
  expect(calendarPeriodAt(unit, weekStart, bounds[0])).toEqual({ startMs: bounds[0], endMs: bounds[1] });
  expect(calendarPeriodAt(unit, weekStart, bounds[2])).toEqual({ startMs: bounds[2], endMs: bounds[3] });
});

test("what models write is learned: mean and one deviation", () => {
  const outputs = new OutputSizes();
  expect(outputs.usual("m")).toBe(1024);
  expect(outputs.most("m")).toBe(4096);
  outputs.learn("m", 100);
  expect(outputs.usual("m")).toBe(100);
  outputs.learn("m", 300);
  expect(outputs.usual("m")).toBe(300);
  for (let i = 0; i < 200; i++) outputs.learn("m", i % 2 === 0 ? 100 : 300);
  expect(outputs.usual("m")).toBeGreaterThan(290);
  expect(outputs.usual("m")).toBeLessThan(310);
  expect(outputs.most("m")).toBeGreaterThan(490);
  // It follows.
  for (let i = 0; i < 400; i++) outputs.learn("m", 50);
  expect(outputs.usual("m")).toBeLessThan(60);
  for (let i = 0; i < 2000; i++) outputs.learn(`other ${i}`, 1);
  expect(outputs.size).toBe(1000);
});
