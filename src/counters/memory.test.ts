import { expect, test } from "vitest";
import { quotasSuite, windowsSuite } from "./counters.suite.ts";
import { MemoryQuotas } from "./memory-quotas.ts";
import { MemoryWindows } from "./memory-windows.ts";

windowsSuite("memory", () => ({ counters: new MemoryWindows(), at: (ms) => ms }));
quotasSuite("memory", () => ({ counters: new MemoryQuotas(), at: (ms) => ms }));

test("idle keys are forgotten as others come", () => {
  const windows = new MemoryWindows();
  const take = (key: string, now: number): unknown =>
    windows.take([{ key, limit: 1, cost: 1, windowMs: 1000 }], now);
  for (let i = 0; i < 1000; i++) take(`old ${i}`, 0);
  expect(windows.size).toBe(1000);
  for (let i = 0; i < 600; i++) take(`new ${i % 3}`, 5000);
  expect(windows.size).toBe(3);
});

test("periods that are over are forgotten as others come", () => {
  const quotas = new MemoryQuotas();
  const take = (key: string, now: number): unknown =>
    quotas.take([{ key, limit: 1, cost: 1, anchorMs: 0, periodMs: 1000 }], now);
  for (let i = 0; i < 1000; i++) take(`old ${i}`, 0);
  for (let i = 0; i < 600; i++) take(`new ${i % 3}`, 5000);
  expect(quotas.size).toBe(3);
});

test("the number of keys has an end", () => {
  const windows = new MemoryWindows(100);
  for (let i = 0; i < 1000; i++) windows.take([{ key: `k${i}`, limit: 1, cost: 1, windowMs: 1000 }], 0);
  expect(windows.size).toBe(100);
});
