import { Socket } from "node:net";
import { afterAll, describe, expect, test } from "vitest";
import { systemClock } from "../../base/system-clock.ts";
import { distanceOf } from "../unit-vector.ts";
import { EmbeddedModel, LONGEST_TEXT } from "./embedder.ts";
import { loadModel } from "./model.ts";
import { piecesOf } from "./pieces.ts";

const clock = systemClock(
  () => 0,
  () => performance.now(),
);

/** Timers that fire when they are told to. */
function manualClock() {
  const timers = new Map<() => void, number>();
  return {
    now: () => 0,
    monotonic: () => 0,
    after: (ms: number, callback: () => void) => {
      timers.set(callback, ms);
      return () => void timers.delete(callback);
    },
    fire: (ms: number) => {
      for (const [callback, after] of timers) {
        if (after !== ms) continue;
        timers.delete(callback);
        callback();
      }
    },
  };
}

describe("the model", () => {
  const model = new EmbeddedModel({ clock, timeoutMs: 60_000 });
  afterAll(() => model.close());

  test("is not loaded before it is needed", () => {
    expect(model.running).toBe(false);
  });

  test("says what is alike", async () => {
    const texts = [
      "How do I reset my password?",
      "I forgot my password, how can I set a new one?",
      "What is the capital of France?",
    ];
    const [one, alike, other] = await Promise.all(texts.map((text) => model.embed(text)));
    expect(one!.length).toBe(512);
    expect(distanceOf(one!, alike!)).toBeLessThan(0.3);
    expect(distanceOf(one!, other!)).toBeGreaterThan(0.7);
  });

  test("gives the same vector for the same text, alone or in company, of one piece or many", async () => {
    for (const text of ["a", "How do I reset my password?", "why ".repeat(1000)]) {
      const [first] = await Promise.all([model.embed(text), model.embed("something else")]);
      expect(await model.embed(text)).toEqual(first);
    }
  });

  test.each<[string, string]>([
    ["astral signs", "😀😀 𝔘𝔫𝔦𝔠𝔬𝔡𝔢"],
    ["half a surrogate pair", "a\ud800b"],
    ["controls", "\0\x01\x02"],
    ["another script", "パスワードをリセットするにはどうすればよいですか"],
    ["names of JavaScript's own", "constructor __proto__ toString"],
    ["a word without end", "x".repeat(3000)],
  ])("takes %s", async (_name, text) => {
    const vector = await model.embed(text);
    expect(vector.every(Number.isFinite)).toBe(true);
    expect(Math.hypot(...vector)).toBeCloseTo(1, 4);
  });

  test.each<[string, string, RegExp]>([
    ["nothing", "", /nothing to embed/],
    ["blanks", " \n\t", /nothing to embed/],
    ["too much", "x".repeat(LONGEST_TEXT + 1), /at most 20000/],
  ])("refuses %s", async (_name, text, error) => {
    await expect(model.embed(text)).rejects.toThrow(error);
  });
});

test("nothing is asked of the network", async () => {
  const connects: unknown[] = [];
  const { connect } = Socket.prototype;
  const fetched = globalThis.fetch;
  Socket.prototype.connect = function (this: Socket, ...args: unknown[]) {
    connects.push(args);
    return this;
  } as typeof connect;
  globalThis.fetch = (input) => Promise.reject(new Error(`asked for ${String(input)}`));
  try {
    const embed = await loadModel();
    expect((await embed("a text")).length).toBe(512);
  } finally {
    Socket.prototype.connect = connect;
    globalThis.fetch = fetched;
  }
  expect(connects).toEqual([]);
});

describe("its thread", () => {
  test("ends when nobody has asked for a while, and comes back", async () => {
    const manual = manualClock();
    const model = new EmbeddedModel({ clock: manual, idleMs: 7 });
    await model.embed("one");
    expect(model.running).toBe(true);
    manual.fire(7);
    expect(model.running).toBe(false);
    await model.embed("two");
    expect(model.running).toBe(true);
    await model.close();
    expect(model.running).toBe(false);
    await expect(model.embed("three")).rejects.toThrow("closed");
  });

  test("is given up with a text that takes too long; who waited is served by the next one", async () => {
    const manual = manualClock();
    const model = new EmbeddedModel({ clock: manual, timeoutMs: 5 });
    const late = model.embed("late");
    manual.fire(5);
    await expect(late).rejects.toThrow("within 5 ms");
    expect((await model.embed("next")).length).toBe(512);
    await model.close();
  });

  test("a queue has an end", async () => {
    const model = new EmbeddedModel({ clock });
    const all = Array.from({ length: 300 }, (_, i) => model.embed(`${i}`.padEnd(1000, ".")));
    const errors = all.map((one) => one.then(String, (error: Error) => error.message));
    await model.close();
    expect((await Promise.all(errors)).filter((error) => error.startsWith("too many"))).toHaveLength(99);
  });

  test("closing tells those who wait", async () => {
    const model = new EmbeddedModel({ clock });
    const waiting = [model.embed("one"), model.embed("two")].map((one) =>
      one.catch((error: Error) => error.message),
    );
    await model.close();
    expect(await Promise.all(waiting)).toEqual(Array(2).fill("the embedded model is closed"));
  });
});

test.each<[string, number[]]>([
  ["", []],
  ["short", [5]],
  ["x".repeat(1200), [1200]],
  ["x".repeat(1201), [1200, 1]],
  [`${"x".repeat(1000)} ${"y".repeat(1000)}`, [1000, 1001]],
  ["word ".repeat(600), [1199, 1200, 601]],
  [`a${"😀".repeat(700)}`, [1199, 202]],
])("pieces of %j", (text, lengths) => {
  const pieces = piecesOf(text);
  expect(pieces.map(({ length }) => length)).toEqual(lengths);
  expect(pieces.every((piece) => piece.isWellFormed())).toBe(true);
});
