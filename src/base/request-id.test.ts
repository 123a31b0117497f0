import { expect, test } from "vitest";
import { newRequestId } from "./request-id.ts";

test("a UUID of version 7 that begins with the time, never the same twice", () => {
  const now = Date.UTC(2026, 1, 25, 10, 38, 27, 123);
  const ids = Array.from({ length: 2000 }, () => newRequestId(now));
  for (const id of ids) {
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(parseInt(id.slice(0, 13).replace("-", ""), 16)).toBe(now);
  }
  expect(new Set(ids).size).toBe(ids.length);
});

test("ids of later requests are greater", () => {
  expect(newRequestId(1_000_000_000_000) < newRequestId(1_000_000_000_001)).toBe(true);
});
