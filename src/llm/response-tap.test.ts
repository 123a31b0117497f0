import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { array, assert, constantFrom, nat, property, uint8Array } from "fast-check";
import { describe, expect, it } from "vitest";
import type { DialectName } from "./dialect.ts";
import { DIALECTS } from "./providers/index.ts";
import { dialectNamed } from "./recognise.ts";
import { tapAnswer, type TapOptions } from "./response-tap.ts";

const PLAIN: TapOptions = { contentType: null, contentEncoding: null, keepText: 1e6 };

async function read(
  octets: Uint8Array,
  size: number,
  { name = "openai-chat" as DialectName, ...options }: Partial<TapOptions> & { name?: DialectName } = {},
) {
  const tap = tapAnswer(dialectNamed(name)!, { ...PLAIN, ...options });
  for (let at = 0; at < octets.length; at += size) tap.write(octets.subarray(at, at + size));
  await tap.end();
  await tap.end();
  const { text, ...rest } = tap.found;
  return { ...rest, text: text.read(null), truncated: text.truncated };
}

const usage = { prompt_tokens: 19, completion_tokens: 10, total_tokens: 29 };
const document = (content: string): Buffer =>
  Buffer.from(
    JSON.stringify({
      id: "c",
      model: "m",
      choices: [{ message: { content }, finish_reason: "stop" }],
      usage,
    }),
  );
const stream = (pieces: number): Buffer =>
  Buffer.from(
    `${'data: {"model":"m","choices":[{"index":0,"delta":{"content":"word"}}]}\n\n'.repeat(pieces)}data: ${JSON.stringify({ choices: [], usage })}\n\ndata: [DONE]\n\n`,
  );

describe("content codings", () => {
  const codings: readonly (readonly [string, (octets: Buffer) => Buffer])[] = [
    ["gzip", gzipSync],
    ["x-gzip", gzipSync],
    ["GZip, identity", gzipSync],
    ["deflate", deflateSync],
    ["deflate", deflateRawSync],
    ["br", brotliCompressSync],
    ["zstd", zstdCompressSync],
    ["gzip, br", (octets) => brotliCompressSync(gzipSync(octets))],
  ];
  // Small ones are decoded at once, large ones aside.
  const noise = Array.from({ length: 60_000 }, (_, i) => String.fromCharCode(48 + ((i * i * 31) % 74))).join(
    "",
  );

  it.each(codings)("%s", async (contentEncoding, encode) => {
    for (const octets of [document("Hello"), stream(100), document(noise), stream(30_000)]) {
      const wanted = await read(octets, 1e9);
      expect(wanted.usage?.total).toBe(29);
      for (const size of [1000, 1e9])
        expect(await read(encode(octets), size, { contentEncoding })).toEqual(wanted);
    }
  });

  it.each(codings)("%s, broken off: what is there is read", async (contentEncoding, encode) => {
    const text = Array.from({ length: 400 }, (_, i) => (i * 7919 * i).toString(36)).join(" ");
    const pieces = text.match(/.{1,9}/gs)!;
    const octets = Buffer.from(
      pieces
        .map(
          (content) =>
            `data: ${JSON.stringify({ model: "m", choices: [{ index: 0, delta: { content } }] })}\n\n`,
        )
        .join(""),
    );
    const encoded = encode(octets);
    const found = await read(encoded.subarray(0, encoded.length - 12), 100, { contentEncoding });
    expect(found.complete).toBe(false);
    // A block coding gives out whole blocks only.
    if (!/zstd|br/.test(contentEncoding)) expect(found.textLength).toBeGreaterThan(text.length / 2);
    expect(text.startsWith(found.text)).toBe(true);
  });

  it.each([
    ["an unknown coding", "snappy", document("Hello")],
    ["no such octets", "gzip", document("Hello")],
    ["damaged", "gzip", gzipSync(document("Hello")).fill(0xff, 12, 30)],
    ["too many codings", "gzip,gzip,gzip,gzip,gzip,gzip", gzipSync(document("Hello"))],
    ["nothing", "gzip", Buffer.alloc(0)],
    ["constructor", "constructor", document("Hello")],
  ])("%s says nothing and harms nobody", async (_, contentEncoding, octets) => {
    expect(await read(octets, 7, { contentEncoding })).toMatchObject({ usage: null, textLength: 0 });
  });

  it("a bomb is read up to the bound", async () => {
    const bomb = gzipSync(stream(2_000_000));
    const found = await read(bomb, 65_536, { contentEncoding: "gzip" });
    expect(found.textLength).toBeLessThan(4 * 2_000_000);
    expect(found.complete).toBe(false);
  });

  it("more encoded octets than are kept say nothing", async () => {
    const octets = Buffer.alloc(9 * 1024 * 1024, 1);
    expect(await read(octets, 1e6, { contentEncoding: "gzip" })).toMatchObject({ usage: null });
  });
});

describe("large answers", () => {
  it("a text of megabytes is counted whole, kept up to the bound", async () => {
    for (const size of [65_536, 1e9]) {
      const found = await read(document("é".repeat(3_000_000)), size, { keepText: 1000 });
      expect(found).toMatchObject({ textLength: 3_000_000, truncated: true, complete: true, responses: 1 });
      expect(found.text).toBe("é".repeat(1000));
      expect(found.usage?.total).toBe(29);
    }
  });

  it("usage is read behind megabytes of embeddings", async () => {
    const vector = Array.from({ length: 1536 }, (_, i) => i / 1000);
    const data = Array.from({ length: 300 }, (_, index) => ({
      object: "embedding",
      index,
      embedding: vector,
    }));
    const octets = Buffer.from(
      JSON.stringify({ data, model: "e", usage: { prompt_tokens: 8, total_tokens: 8 } }),
    );
    const found = await read(octets, 65_536, { name: "openai-embeddings" });
    expect(found).toMatchObject({ model: "e", complete: true, usage: { prompt: 8, total: 8 } });
  });

  it("tokens that are counted beside each vector are all read", async () => {
    const values = Array.from({ length: 768 }, (_, i) => i / 1000);
    const predictions = Array.from({ length: 200 }, () => ({
      embeddings: { values, statistics: { truncated: false, token_count: 7 } },
    }));
    const octets = Buffer.from(JSON.stringify({ predictions }));
    const found = await read(octets, 65_536, { name: "gemini" });
    expect(found).toMatchObject({ complete: true, usage: { prompt: 1400 } });
  });

  it("usage is read from an event with a picture of megabytes in it", async () => {
    const event = {
      type: "image_generation.completed",
      b64_json: "iVBO".repeat(700_000),
      usage: { input_tokens: 5, output_tokens: 7 },
    };
    const octets = Buffer.from(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    for (const size of [4096, 1e9]) {
      expect(await read(octets, size, { name: "openai-images" })).toMatchObject({
        complete: true,
        usage: { prompt: 5, completion: 7, total: 12 },
      });
    }
  });
});

describe("what is no answer of a model", () => {
  it.each([
    ["audio", "audio/mpeg", '{"usage":{"prompt_tokens":1}}'],
    ["a picture", "image/png", "data: {}\n\n"],
    ["HTML", "text/html", "<html>data: {}</html>"],
    ["blanks", null, " \n\r\t ".repeat(100)],
    ["a mark", null, "\ufeff"],
    ["a number", "application/json", "12"],
    ["null", "application/json", "null"],
    ["half a mark", null, "\u00ef"],
  ])("%s", async (_, contentType, text) => {
    for (const size of [1, 1e9]) {
      expect(await read(Buffer.from(text), size, { contentType })).toMatchObject({
        usage: null,
        textLength: 0,
      });
    }
  });
});

describe("whatever the octets", () => {
  const names = [...new Set(DIALECTS.map(({ name }) => name))];
  const pieces = constantFrom(
    "data: ", "event: ", "\n", "\r\n", "\n\n", "{", "}", "[", "]", ",", '"', ":", "null", "1", "true", "\\", "é",
    '"usage":', '"choices":', '"delta":', '"message":', '"content":', '"response":', '"type":', '"response.done"', '"output":',
    '"message_delta"', '"contents":', '"usageMetadata":', '"candidates":', '"bytes":', '"text"', "[DONE]", "\u0000\u0000\u0000", "\ufeff",
  ); // prettier-ignore

  it.each(names)("%s: never throws, and reads the same however it is cut", (name) => {
    const dialect = dialectNamed(name)!;
    const readCut = (octets: Uint8Array, ends: readonly number[]): string => {
      const tap = tapAnswer(dialect, PLAIN);
      let from = 0;
      for (const end of [...ends, octets.length]) {
        tap.write(octets.subarray(from, end));
        from = end;
      }
      void tap.end();
      return JSON.stringify([tap.found, tap.found.text.read(null)]);
    };
    const check = (octets: Uint8Array, cuts: readonly number[]): void => {
      const ends = cuts.map((end) => Math.min(end, octets.length)).sort((a, b) => a - b);
      expect(readCut(octets, ends)).toBe(readCut(octets, []));
    };
    const cuts = array(nat(100), { maxLength: 5 });
    assert(
      property(array(pieces, { maxLength: 30 }), cuts, (some, at) => check(Buffer.from(some.join("")), at)),
      { seed: 9, numRuns: 600 },
    );
    assert(property(uint8Array({ maxLength: 80 }), cuts, check), { seed: 10, numRuns: 300 });
  });

  it.each(names)("%s: values of every wrong type are read over", (name) => {
    const wrong = [
      null,
      0,
      -1,
      1e300,
      "",
      "x",
      true,
      [],
      [null],
      ["x"],
      [[]],
      {},
      { type: 1 },
      { index: "0" },
    ];
    const keys = [
      "choices", "usage", "delta", "message", "content", "error", "response", "output", "item", "type", "session", "tool_calls",
      "candidates", "usageMetadata", "parts", "contentBlockDelta", "metadata", "bytes", "object", "status", "model", "x_groq", "data",
    ]; // prettier-ignore
    const reader = dialectNamed(name)!.readAnswer(100);
    for (const key of keys) {
      for (const value of wrong) {
        reader.take(null, { [key]: value });
        reader.take(key, { type: "response.completed", [key]: { [key]: value } });
        reader.take(null, {
          choices: [{ [key]: value, delta: { [key]: value } }],
          response: { [key]: [value] },
        });
      }
    }
    for (const value of wrong) reader.take("error", value);
    expect(reader.found.textLength).toBeGreaterThanOrEqual(0);
  });
});
