/** What versions before have written is read by this one. */
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { afterEach, expect, test } from "vitest";
import { NOON, type TestLedger, record, testLedger } from "../ledger.fixture.ts";
import { PLACES, migrate } from "./schema.ts";

let one: TestLedger;
afterEach(() => one.close());

const ZERO =
  "part operation product workspace backend dialect provider model_operation deployment api_version stream ending attempts \
prompt_tokens completion_tokens total_tokens cached_tokens cache_write_tokens reasoning_tokens prompt_audio_tokens \
completion_audio_tokens cached_inside charged_tokens evidence price duration_us".split(" ");

/** A database as the second version left it: six indexes, messages in pieces. */
function writtenBefore(file: string): void {
  const database = new DatabaseSync(file);
  database.exec("PRAGMA journal_mode = WAL");
  migrate(database, 2);
  for (const [i, name] of ["openai", "team-a", "ada", "bob", "o3", "o3-2026"].entries())
    database.prepare("INSERT INTO names VALUES (?, ?, 0)").run(i + 1, name);
  const insert = (requestId: string, ms: number, user: number, status: number): number => {
    const at = (NOON + ms) * PLACES;
    const row: Record<string, SQLInputValue> = {
      at,
      request_id: requestId,
      time_ms: NOON + ms,
      api: 1,
      subscription: 2,
      user,
      model: 6,
      asked: 5,
      model_asked: 5,
      model_served: 6,
      status,
      ...Object.fromEntries(ZERO.map((name) => [name, 0])),
    };
    const names = Object.keys(row);
    database
      .prepare(`INSERT INTO calls (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`)
      .run(...Object.values(row));
    return at;
  };
  const at = insert("old-1", 0, 3, 200);
  insert("old-2", 90_000, 4, 429);
  const piece = database.prepare(
    "INSERT INTO messages (at, direction, piece, truncated, text) VALUES (?, ?, ?, ?, ?)",
  );
  piece.run(at, 0, 0, 0, "the first ");
  piece.run(at, 0, 1, 1, "and the second piece");
  piece.run(at, 1, 0, 0, "an answer");
  database
    .prepare("INSERT INTO texts (rowid, request, response) VALUES (?, ?, ?)")
    .run(at, "the first and the second piece", "an answer");
  database.close();
}

test("a database of an earlier version: found, read, added to, let go of", async () => {
  one = testLedger({ keepDays: 30 });
  writtenBefore(join(one.folder, "ledger.db"));
  one.ledger.append(record({ requestId: "new", timeMs: NOON + 200_000, user: "ada" }));
  one.ledger.addContents({
    requestId: "new",
    part: 0,
    request: '[{"role":"user","content":"the second question"}]',
    response: null,
    requestTruncated: false,
    responseTruncated: false,
  });
  const find = async (query: Parameters<TestLedger["ledger"]["search"]>[0]): Promise<string> =>
    (await one.ledger.search(query)).rows.map(({ requestId }) => requestId).join(" ");
  expect(await find({})).toBe("new old-2 old-1");
  expect(await find({ user: "ada" })).toBe("new old-1");
  expect(await find({ user: "bob", status: "4xx" })).toBe("old-2");
  expect(await find({ model: "o3" })).toBe("old-2 old-1");
  expect(await find({ model: "o3-*", subscription: "team-a", api: "openai" })).toBe("old-2 old-1");
  expect(await find({ status: 200 })).toBe("new old-1");
  expect(await find({ text: "second*" })).toBe("new old-1");
  expect(await find({ text: "second piece" })).toBe("old-1");
  expect(await one.ledger.contents("old-1")).toEqual([
    {
      part: 0,
      request: { text: "the first and the second piece", truncated: true },
      response: { text: "an answer", truncated: false },
    },
  ]);
  const { rows } = await one.ledger.search({});
  expect(rows.map(({ hasContents }) => hasContents)).toEqual([true, false, true]);
  await one.ledger.close();

  const later = one.again({
    clock: { now: () => NOON + 40 * 86_400_000, monotonic: () => 0, after: () => () => {} },
  });
  await later.retain();
  expect((await later.search({})).rows).toEqual([]);
  expect((await later.search({ text: "second" })).rows).toEqual([]);
  expect(await later.contents("old-1")).toEqual([]);
});
