import { array, assert, constantFrom, jsonValue, nat, property, string, tuple } from "fast-check";
import { describe, expect, it } from "vitest";
import { JsonStream, type JsonStreamOptions } from "./json-stream.ts";

const ALL: JsonStreamOptions = { drop: new Set(), keepBytes: 1e7, whole: new Set() };

function readCut(
  octets: Uint8Array,
  options: JsonStreamOptions,
  ends: readonly number[],
): [unknown, boolean][] {
  const taken: [unknown, boolean][] = [];
  const stream = new JsonStream((value, whole) => taken.push([value, whole]), options);
  let from = 0;
  for (const end of [...ends, octets.length]) {
    stream.write(Uint8Array.from(octets.subarray(from, end)));
    from = end;
  }
  stream.end();
  return taken;
}

function readAll(text: string, options = ALL): [unknown, boolean][] {
  const octets = Buffer.from(text);
  const taken = readCut(octets, options, []);
  for (let at = 1; at < octets.length; at++) {
    expect(readCut(octets, options, [at]), `cut at ${at}`).toEqual(taken);
  }
  expect(readCut(octets, options, [...octets.keys()]), "octet by octet").toEqual(taken);
  return taken;
}

it("cuts strings under brief keys, and nothing else", () => {
  const options: JsonStreamOptions = { ...ALL, brief: new Set(["result"]) };
  const long = `${"é".repeat(511)}x${"é".repeat(2000)}`;
  const value = { result: long, args: { result: 7 }, list: [{ result: "yes" }], a: long };
  const octets = Buffer.from(JSON.stringify(value));
  const kept = { ...value, result: `${"é".repeat(511)}x` };
  for (const size of [1, 7, 1000, octets.length]) {
    const ends = Array.from({ length: Math.ceil(octets.length / size) - 1 }, (_, i) => (i + 1) * size);
    expect(readCut(octets, options, ends)).toEqual([[kept, true]]);
  }
});

describe("JSON, cut at every octet", () => {
  it.each([
    ['{"a":1}', [{ a: 1 }]],
    [' \r\n\t{ "a" : [ 1 , -2.5e+3 , true , false , null , "x" ] , "b" : { } }\n', [{ a: [1, -2500, true, false, null, "x"], b: {} }]], // prettier-ignore
    ['{"é\\n":"\\u00e9\\ud83d\\ude00\\"\\\\\\/ü"}', [{ "é\n": 'é😀"\\/ü' }]],
    ['{"a":1,"a":2}', [{ a: 2 }]],
    ['{"a":{"b":{"c":[[[]]]}}}', [{ a: { b: { c: [[[]]] } } }]],
    ["12", [12]],
    ['"x"', ["x"]],
    // Several documents, and the elements of one array.
    ['{"a":1}\n{"a":2}\r\n{"a":3}', [{ a: 1 }, { a: 2 }, { a: 3 }]],
    ['[{"a":1},\n{"a":2}]', [{ a: 1 }, { a: 2 }]],
    ["[]", []],
    ["[[1],[2]]", [[1], [2]]],
    ["", []],
    ["  \n", []],
  ])("%s", (text, values) => {
    expect(readAll(text)).toEqual(values.map((value) => [value, true]));
  });

  it.each([
    // Broken off.
    ['{"a":1,"b":{"c":"hel', { a: 1, b: { c: "hel" } }],
    ['{"a":[1,2', { a: [1] }],
    ['{"a":12', {}],
    ['{"a":"é\\u00', { a: "é" }],
    ['{"a":"x\\', { a: "x" }],
    ['{"a', {}],
    ["{", {}],
    // Wrong.
    ['{"a":1 "b":2}', { a: 1 }],
    ['{"a":1,}', { a: 1 }],
    ['{"a":tru}', {}],
    ['{"a":01}', {}],
    ['{"a":[1,2}', { a: [1, 2] }],
    ['{"a":"\\x"}', {}],
    ['{"a":1]', { a: 1 }],
  ])("%s is read as far as it goes", (text, value) => {
    expect(readAll(text)).toEqual([[value, false]]);
  });

  it("hands out whole documents before a mistake, and nothing after it", () => {
    expect(readAll('{"a":1} x {"a":2}')).toEqual([[{ a: 1 }, true]]);
    expect(readAll('[{"a":1}{"a":2}]')).toEqual([[{ a: 1 }, true]]);
  });

  it("keeps __proto__ as a key like any other", () => {
    const [[value]] = readAll('{"__proto__":{"usage":1}}') as [[Record<string, unknown>, boolean]];
    expect(value["usage"]).toBeUndefined();
    expect(Object.keys(value)).toEqual(["__proto__"]);
  });
});

describe("what is read over", () => {
  const options: JsonStreamOptions = {
    drop: new Set(["embedding", "audio.data"]),
    keepBytes: 12,
    whole: new Set(["usage"]),
  };
  it.each([
    ['{"embedding":[1,[2],{"a":"]}\\""}],"b":1}', { embedding: null, b: 1 }],
    ['{"embedding":"]}\\"","b":1}', { embedding: null, b: 1 }],
    ['{"embedding" : null , "b":1}', { embedding: null, b: 1 }],
    ['{"b":1,"embedding":-1.5}', { embedding: null, b: 1 }],
    ['{"b":1,"embedding":{}}', { embedding: null, b: 1 }],
    ['{"audio":{"data":"AAAA","id":"x"},"data":"kept"}', { audio: { data: null, id: "x" }, data: "kept" }],
    ['{"a":"1234567890","b":"1234567890","c":1}', { a: "1234567890", b: "12", c: 1 }],
    ['{"a":"12345678901\\u00e9","c":1}', { a: "12345678901", c: 1 }],
    ['{"a":"12345678901é","c":1}', { a: "12345678901", c: 1 }],
  ])("%s", (text, value) => expect(readAll(text, options)).toEqual([[value, true]]));

  it.each([
    ['{"a":1,"usage":{"prompt":5,', { a: 1 }],
    ['{"usage":{"prompt":5},"b":[{"usage":{"x":1', { usage: { prompt: 5 }, b: [{}] }],
    ['{"usage":"abc', {}],
  ])("half of what counts only when whole: %s", (text, value) => {
    expect(readAll(text, options)).toEqual([[value, false]]);
  });

  it("goes 128 deep and no deeper", () => {
    const nested = (depth: number): string => '{"a":'.repeat(depth) + "1" + "}".repeat(depth);
    expect(readCut(Buffer.from(nested(128)), ALL, [])[0]![1]).toBe(true);
    expect(readCut(Buffer.from(nested(129)), ALL, [])[0]![1]).toBe(false);
    expect(readCut(Buffer.from("[".repeat(1e6)), ALL, [])).toEqual([[expect.anything(), false]]);
  });
});

describe("bounds", () => {
  const usage = { prompt_tokens: 5 };
  const numbers = `[${"0.123456,".repeat(100_000)}1]`;

  it.each([
    ["an array", `{"x":${numbers},"usage":{"prompt_tokens":5}}`],
    [
      "arrays of arrays",
      `{"x":[${`${numbers.slice(0, 9000)}0],`.repeat(200)}[]],"usage":{"prompt_tokens":5}}`,
    ],
    ["arrays of objects", `{"x":[${'{"a":{"b":[1,2]}},'.repeat(60_000)}{}],"usage":{"prompt_tokens":5}}`],
    ["keys", `{"x":[{${Array.from({ length: 60_000 }, (_, i) => `"k${i}":${i}`).join()}}],"usage":{"prompt_tokens":5}}`], // prettier-ignore
  ])("usage is read behind %s of any length, and little is built", (_, text) => {
    const octets = Buffer.from(text);
    for (const size of [997, 65_536, 1e8]) {
      const taken: unknown[] = [];
      const stream = new JsonStream((value) => taken.push(value), ALL);
      for (let at = 0; at < octets.length; at += size) stream.write(octets.subarray(at, at + size));
      stream.end();
      const value = taken[0] as { usage: unknown };
      expect(value.usage).toEqual(usage);
      expect(JSON.stringify(value).length).toBeLessThan(1.2e6);
    }
  });

  it("usage is read behind 10 MB of embeddings", () => {
    const vector = `[${"-0.0123456789,".repeat(1535)}1]`;
    const item = Buffer.from(`{"object":"embedding","embedding":${vector}},`);
    const taken: unknown[] = [];
    const stream = new JsonStream((value) => taken.push(value), { ...ALL, drop: new Set(["embedding"]) });
    stream.write(Buffer.from('{"data":['));
    for (let i = 0; i < 10e6 / item.length; i++) stream.write(item);
    stream.write(Buffer.from('{}],"usage":{"prompt_tokens":5}}'));
    expect(JSON.stringify(taken[0]).length).toBeLessThan(30_000);
    expect((taken[0] as { usage: unknown }).usage).toEqual(usage);
  });
});

describe("whatever the octets", () => {
  it("reads what JSON.parse reads", () => {
    assert(
      property(
        jsonValue({ maxDepth: 5 }),
        nat(3),
        array(nat(200), { maxLength: 5 }),
        (value, indent, cuts) => {
          const octets = Buffer.from(JSON.stringify({ value }, null, indent));
          const ends = cuts.map((end) => Math.min(end, octets.length)).sort((a, b) => a - b);
          const [[read, whole]] = readCut(octets, ALL, ends) as [[unknown, boolean]];
          expect(whole).toBe(true);
          expect(JSON.parse(JSON.stringify(read))).toEqual(JSON.parse(octets.toString()));
        },
      ),
      { seed: 6, numRuns: 1500 },
    );
  });

  it("never throws, and reads the same however it is cut", () => {
    const token = constantFrom(
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"',
      "\\",
      "\\u12",
      "true",
      "nul",
      "1",
      "-",
      "e5",
      " ",
      "\n",
      '"a"',
      '"usage":',
      '"embedding":',
      "é",
      "\x00", // prettier-ignore
    );
    const options = { drop: new Set(["embedding"]), keepBytes: 6, whole: new Set(["usage"]) };
    assert(
      property(
        array(token, { maxLength: 30 }),
        tuple(nat(60), nat(60), string()),
        (tokens, [a, b, extra]) => {
          const octets = Buffer.from(tokens.join("") + extra);
          const ends = [a, b].map((end) => Math.min(end, octets.length)).sort((x, y) => x - y);
          const whole = readCut(octets, options, []);
          expect(readCut(octets, options, ends)).toEqual(whole);
          expect(readCut(octets, options, [...octets.keys()])).toEqual(whole);
        },
      ),
      { seed: 7, numRuns: 4000 },
    );
  });
});
