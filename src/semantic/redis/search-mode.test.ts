import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { redisMissing } from "../../../test/redis.ts";
import { type TestRediSearch, startRediSearch } from "../../../test/semantic-redisearch.ts";
import { near, semanticStoreSuite, vector } from "../semantic-store.suite.ts";
import { readSearchReply } from "./search-reply.ts";
import { one, openStore, passing } from "./store.fixture.ts";

describe.skipIf(redisMissing !== null).each(["RESP2", "RESP3"] as const)("a search module, %s", (form) => {
  let module: TestRediSearch;
  beforeAll(async () => void (module = await startRediSearch(form)));
  afterAll(() => module.close());

  semanticStoreSuite(
    `search module, ${form}`,
    () => ({ store: openStore(`127.0.0.1:${module.port}`), pass: passing(module.redis), slowness: 3 }),
    { crossings: 500, bounded: null },
  );

  test("one index per number of dimensions, made once; of the language only what all servers know", async () => {
    const store = openStore(`127.0.0.1:${module.port}`);
    expect(await store.mode()).toBe("search");
    module.commands.length = 0;
    await store.add("p", { ...one(), vector: new Float32Array(1000).fill(1) }, 60_000);
    await store.add("p", { ...one("two"), vector: new Float32Array(1000).fill(1) }, 60_000);
    await near(store, "p", new Float32Array(1000).fill(1));
    expect(module.commands.map((command) => command.join(" "))).toEqual([
      "FT.CREATE headgate:sem:i:1000 ON HASH PREFIX 1 headgate:sem:e: SCHEMA partition TAG v1000 VECTOR HNSW 6 TYPE FLOAT32 DIM 1000 DISTANCE_METRIC COSINE",
      "FT.SEARCH headgate:sem:i:1000 (@partition:{148de9c5a7a44d19e56cd9ae1a554bf67847afb0c58f6e12fa29ac7ddfca9940})=>[KNN 1 @v1000 $vector AS score] PARAMS 2 vector <4000> RETURN 1 score LIMIT 0 1 DIALECT 2",
    ]);
    await store.close();
  });

  test("one that knows no vectors is a plain Redis", async () => {
    module.knowsVectors = false;
    const store = openStore(`127.0.0.1:${module.port}`);
    expect(await store.mode()).toBe("search");
    const odd = new Float32Array(77).fill(1);
    expect(await store.add("old", { ...one(), vector: odd }, 60_000)).toBe(true);
    expect(await store.mode()).toBe("plain");
    expect(await near(store, "old", odd)).toHaveLength(1);
    module.knowsVectors = true;
    await store.close();
  });

  test("its errors are misses", async () => {
    const store = openStore(`127.0.0.1:${module.port}`);
    await store.add("errors", one(), 60_000);
    for (const error of ["Timeout limit was reached", "ERR wrong number of arguments", "OOM no room"]) {
      module.fail = error;
      expect((await store.find("errors", vector(1, 0), 1, 1)).state).toBe("unavailable");
      module.fail = null;
      expect(await near(store, "errors", vector(1, 0))).toHaveLength(1);
    }
    await store.close();
  });
});

const real = process.env["TEST_REDISEARCH_URL"];
describe.skipIf(real === undefined)("a real search module (TEST_REDISEARCH_URL)", () => {
  semanticStoreSuite(
    "real search module",
    () => ({
      store: openStore(real!),
      pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      slowness: 3,
    }),
    { crossings: 20_000, bounded: null },
  );
});

test.each<[string, unknown, unknown]>([
  ["RESP2", [1, "a", ["score", "0.25"]], [{ key: "a", score: 0.25 }]],
  ["RESP2, nothing", [0], []],
  ["RESP2, an entry that expired meanwhile", [2, "a", null, "b", ["score", "1"]], [{ key: "b", score: 1 }]],
  [
    "RESP3, as lists",
    ["attributes", [], "total_results", 1, "results", [["id", "a", "extra_attributes", ["score", "0.5"]]]],
    [{ key: "a", score: 0.5 }],
  ],
  [
    "RESP3, as objects",
    { total_results: 1, results: [{ id: "a", extra_attributes: { score: "0.5" }, values: [] }] },
    [{ key: "a", score: 0.5 }],
  ],
  ["a score that is none", [1, "a", ["score", "nan"]], []],
  ["nonsense", "OK", []],
  ["nothing", null, []],
])("reply: %s", (_name, reply, results) => {
  expect(readSearchReply(reply)).toEqual(results);
});
