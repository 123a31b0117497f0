import { describe, expect, test } from "vitest";
import { FakeClock } from "../gateway/testing.ts";
import { Delivery, type DeliveryOptions, type Sent } from "./delivery.ts";

const DONE: Sent = { kind: "done" };

/** A sink that answers when told. */
function sink(options: Partial<DeliveryOptions<string>> = {}) {
  const clock = new FakeClock();
  const batches: string[][] = [];
  const said: Readonly<Record<string, unknown>>[] = [];
  let answer: (sent: Sent) => void = () => {};
  const delivery = new Delivery<string>({
    name: "sink",
    send: (batch) => {
      batches.push([...batch]);
      return new Promise((resolve) => (answer = resolve));
    },
    clock,
    random: () => 1,
    report: (record) => void said.push(record),
    ...options,
  });
  return {
    delivery,
    clock,
    batches,
    said,
    async answers(sent: Sent): Promise<void> {
      answer(sent);
      await settled();
    },
    counts: () => [delivery.added, delivery.sent, delivery.dropped, delivery.waiting],
  };
}

/** Everything that promises had to do is done. */
async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

function add(delivery: Delivery<string>, ...records: string[]): void {
  for (const record of records) delivery.add(record, record.length);
}

test("records go out in order, one batch at a time", async () => {
  const one = sink({ batch: (waiting) => Math.min(2, waiting.length) });
  add(one.delivery, "a", "b", "c", "d");
  expect(one.batches).toEqual([["a"]]);
  await one.answers(DONE);
  await one.answers(DONE);
  await one.answers(DONE);
  expect(one.batches).toEqual([["a"], ["b", "c"], ["d"]]);
  expect(one.counts()).toEqual([4, 4, 0, 0]);
});

describe("no room", () => {
  test.each<[string, Partial<DeliveryOptions<string>>, string[], string[]]>([
    ["too many", { mostRecords: 3 }, ["a", "b", "c", "d", "e"], ["a", "d", "e"]],
    ["too large", { mostBytes: 6 }, ["aa", "bb", "cc", "dddd"], ["aa", "dddd"]],
    ["one that never fits", { mostBytes: 3 }, ["aaaa", "b"], ["b"]],
    ["nothing left to give up", { mostBytes: 3 }, ["aaa", "b"], ["aaa"]],
  ])("%s: the oldest that is not under way is given up", async (_name, options, records, kept) => {
    const one = sink(options);
    add(one.delivery, ...records);
    const dropped = records.length - kept.length;
    expect(one.counts()).toEqual([records.length, 0, dropped, kept.length]);
    for (let i = 0; i < kept.length; i++) await one.answers(DONE);
    expect(one.batches.flat()).toEqual(kept);
    expect(one.counts()).toEqual([records.length, kept.length, dropped, 0]);
  });

  test("a hundred thousand into a sink that hangs", async () => {
    const one = sink();
    for (let i = 0; i < 100_000; i++) one.delivery.add(String(i), 100);
    expect(one.counts()).toEqual([100_000, 0, 90_000, 10_000]);
    await one.answers(DONE);
    expect(one.batches.map((batch) => batch[0])).toEqual(["0", "90001"]);
  });

  test("losses are told at once and then once a minute, with exact numbers", async () => {
    const one = sink({ mostRecords: 1 });
    add(one.delivery, "a", "b", "c");
    one.clock.advance(60_000);
    add(one.delivery, "d");
    expect(one.said.map(({ msg, count, total }) => [msg, count, total])).toEqual([
      ["records dropped", 1, 1],
      ["records dropped", 2, 3],
    ]);
  });
});

describe("a sink that is down", () => {
  test("is asked later and later, with the same batch, and told of once", async () => {
    const one = sink();
    add(one.delivery, "a", "b");
    const waits: number[] = [];
    for (let i = 0; i < 9; i++) {
      await one.answers({ kind: "retry", why: "it answered 503" });
      waits.push(one.clock.waits[0]!);
      one.clock.advance(waits.at(-1)!);
      await settled();
    }
    expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    expect(new Set(one.batches.map((batch) => batch[0]))).toEqual(new Set(["a"]));
    expect(one.delivery.isFailing).toBe(true);
    await one.answers(DONE);
    await one.answers(DONE);
    expect(one.counts()).toEqual([2, 2, 0, 0]);
    expect(one.said.map(({ msg }) => msg)).toEqual(["sink cannot be reached", "sink works again"]);
  });

  test("a rejection counts as one more try", async () => {
    let tries = 0;
    const one = sink({
      send: () => (++tries === 1 ? Promise.reject(new Error("refused")) : Promise.resolve(DONE)),
    });
    add(one.delivery, "a");
    await settled();
    one.clock.advance(250);
    await settled();
    expect(one.counts()).toEqual([1, 1, 0, 0]);
  });

  test("what it will never take is given up, and the next goes on", async () => {
    const one = sink();
    add(one.delivery, "bad", "good");
    await one.answers({ kind: "refused", why: "it answered 400" });
    await one.answers(DONE);
    expect(one.counts()).toEqual([2, 1, 1, 0]);
    expect(one.said[0]).toMatchObject({ msg: "records dropped", error: "it answered 400" });
  });
});

describe("the end", () => {
  test("flush resolves when all is out", async () => {
    const one = sink();
    let out = false;
    add(one.delivery, "a", "b");
    void one.delivery.flush().then(() => (out = true));
    await one.answers(DONE);
    expect(out).toBe(false);
    await one.answers(DONE);
    expect(out).toBe(true);
    await one.delivery.flush();
  });

  test("flush cuts a pause short", async () => {
    const one = sink();
    add(one.delivery, "a");
    await one.answers({ kind: "retry", why: "down" });
    const flushed = one.delivery.flush();
    await one.answers(DONE);
    await flushed;
    expect(one.counts()).toEqual([1, 1, 0, 0]);
    expect(one.clock.waits).toEqual([]);
  });

  test.each<[string, Sent, number[]]>([
    ["arrived", DONE, [3, 1, 2, 0]],
    ["did not arrive", { kind: "retry", why: "down" }, [3, 0, 3, 0]],
  ])("close gives up what is waiting; what was under way %s", async (_name, sent, counts) => {
    const one = sink();
    add(one.delivery, "a", "b");
    one.delivery.close();
    add(one.delivery, "late");
    await one.answers(sent);
    expect(one.counts()).toEqual(counts);
    expect(one.clock.waits).toEqual([]);
  });
});

test.each<[string, Sent, number[], string[]]>([
  ["some are refused", { kind: "partial", why: "bad", again: [], refused: 1 }, [5, 2, 1], ["d e"]],
  [
    "some go again, in their order",
    { kind: "partial", why: "busy", again: [0, 2], refused: 0 },
    [5, 1, 0],
    ["a c d"],
  ],
  ["each its own way", { kind: "partial", why: "both", again: [1], refused: 1 }, [5, 1, 1], ["b d e"]],
])("a batch that is taken in part: %s", async (_name, sent, counts, next) => {
  const one = sink({ batch: (waiting) => Math.min(3, waiting.length) });
  add(one.delivery, "x");
  add(one.delivery, "a", "b", "c", "d");
  await one.answers(DONE);
  one.delivery.add("e", 1);
  expect(one.batches.at(-1)).toEqual(["a", "b", "c"]);
  await one.answers(sent);
  expect([one.delivery.added - 1, one.delivery.sent - 1, one.delivery.dropped]).toEqual(counts.slice(0, 3));
  expect(one.delivery.added).toBe(one.delivery.sent + one.delivery.dropped + one.delivery.waiting);
  void one.delivery.flush();
  await settled();
  expect(one.batches.at(-1)!.join(" ")).toBe(next[0]);
});

test("a sink that asks to be left alone is, but not for ever", async () => {
  const one = sink();
  add(one.delivery, "a");
  await one.answers({ kind: "retry", why: "busy", afterMs: 5_000 });
  one.clock.advance(4_999);
  expect(one.batches.length).toBe(1);
  one.clock.advance(1);
  expect(one.batches.length).toBe(2);
  await one.answers({ kind: "retry", why: "busy", afterMs: 1e12 });
  one.clock.advance(600_000);
  expect(one.batches.length).toBe(3);
});
