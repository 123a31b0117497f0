/** How long, how many, and for whom an answer that comes later is awaited. The whole road: `test/model-endings.test.ts`. */
import { expect, test } from "vitest";
import type { LedgerRecord } from "../../ledger/record.ts";
import type { Exchange } from "../exchange.ts";
import { LaterAnswers } from "./later-answers.ts";

const HOUR = 3_600_000;

function fetching(path: string, api: string | null = "ai", method = "GET"): Exchange {
  const request = { method, originalUrl: { path } };
  return { request, api: api === null ? null : { rootId: api } } as unknown as Exchange;
}

function kept(most: number): { later: LaterAnswers; keep: (id: string, atMs: number) => void } {
  let nowMs = 0;
  const later = new LaterAnswers({ clock: { now: () => nowMs }, priceOf: () => null, enter: () => {} }, most);
  const keep = (id: string, atMs: number): void => {
    nowMs = atMs;
    later.keep({ record: { api: "ai", answerId: id } as LedgerRecord, charges: [] });
  };
  return { later, keep };
}

test.each<[string, string, string | null, string | null]>([
  ["GET", "/v1/responses/resp_1", "ai", "resp_1"],
  ["GET", "/v1/Responses/resp_1/", "ai", "resp_1"],
  ["POST", "/v1/responses/resp_1/cancel", "ai", "resp_1"],
  ["GET", "/v1/responses/resp_1", "other", null],
  ["GET", "/v1/responses/resp_1", null, null],
  ["GET", "/v1/responses/resp_2", "ai", null],
  ["GET", "/v1/responses/resp_1/input_items", "ai", null],
  ["GET", "/v1/chat/resp_1", "ai", null],
  ["DELETE", "/v1/responses/resp_1", "ai", null],
])("%s %s of %s fetches %s", (method, path, api, expected) => {
  const { later, keep } = kept(10);
  expect(later.fetchedBy(fetching(path, api, method))).toBeNull();
  keep("resp_1", 0);
  expect(later.fetchedBy(fetching(path, api, method))).toBe(expected);
});

test.each<[string, readonly (readonly [string, number])[], readonly string[]]>([
  [
    "the oldest gives way",
    [
      ["a", 0],
      ["b", 1],
      ["c", 2],
    ],
    ["b", "c"],
  ],
  [
    "one that is kept again is the newest",
    [
      ["a", 0],
      ["b", 1],
      ["a", 2],
      ["c", 3],
    ],
    ["a", "c"],
  ],
  [
    "a day, and it is forgotten",
    [
      ["a", 0],
      ["b", 25 * HOUR],
    ],
    ["b"],
  ],
])("%s", (_name, keeps, expected) => {
  const { later, keep } = kept(2);
  for (const [id, atMs] of keeps) keep(id, atMs);
  expect(["a", "b", "c"].filter((id) => later.fetchedBy(fetching(`/responses/${id}`)) !== null)).toEqual(
    expected,
  );
  expect(later.size).toBe(expected.length);
});
