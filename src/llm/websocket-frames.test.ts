import { deflateRawSync, constants } from "node:zlib";
import { array, assert, nat, property, uint8Array } from "fast-check";
import { describe, expect, it } from "vitest";
import * as ws from "ws";
import {
  FrameReader,
  MOST_MESSAGE_BYTES,
  closeFrame,
  compressionOf,
  textFrame,
  type FrameReaderOptions,
} from "./websocket-frames.ts";

/** Not in the types; a part of the package all the same. */
const { Receiver } = ws as unknown as {
  Receiver: new (options: { isServer: boolean }) => import("node:stream").Writable;
};

const MASK = Buffer.from([0x12, 0x34, 0xab, 0xcd]);

/** A frame byte by byte, as RFC 6455 §5.2 draws it. */
function raw(
  first: number,
  payload: string | readonly number[] | Uint8Array,
  mask: Uint8Array | null = null,
): Buffer {
  const octets = Buffer.from(payload as string);
  const length = octets.length;
  const head =
    length < 126
      ? [first, length]
      : length < 65_536
        ? [first, 126, length >> 8, length & 255]
        : [first, 127, 0, 0, 0, 0, ...[24, 16, 8, 0].map((shift) => (length >>> shift) & 255)];
  if (mask === null) return Buffer.concat([Buffer.from(head), octets]);
  head[1]! |= 0x80;
  return Buffer.concat([Buffer.from(head), mask, octets.map((octet, i) => octet ^ mask[i & 3]!)]);
}

function readCut(octets: Uint8Array, ends: readonly number[], options?: FrameReaderOptions) {
  const texts: string[] = [];
  const reader = new FrameReader((text) => texts.push(text), options);
  let from = 0;
  for (const end of [...ends, octets.length]) {
    reader.write(Uint8Array.from(octets.subarray(from, end)));
    from = end;
  }
  const { skipped, broken, closed, atBoundary } = reader;
  return { texts, skipped, broken, closed, atBoundary };
}

const QUIET = { skipped: 0, broken: false, closed: false, atBoundary: true };

describe("frames, cut at every octet", () => {
  it.each([
    ["a text", [raw(0x81, "héllo")], { texts: ["héllo"] }],
    ["an empty text", [raw(0x81, "")], { texts: [""] }],
    ["masked", [raw(0x81, "héllo", MASK), raw(0x81, "b", MASK)], { texts: ["héllo", "b"] }],
    ["16-bit length", [raw(0x81, "x".repeat(300))], { texts: ["x".repeat(300)] }],
    ["fragments", [raw(0x01, "a"), raw(0x00, "b"), raw(0x80, "c")], { texts: ["abc"] }],
    ["a character across fragments", [raw(0x01, [0xc3]), raw(0x80, [0xa9])], { texts: ["é"] }],
    [
      "control frames in between",
      [raw(0x01, "a", MASK), raw(0x89, "ping", MASK), raw(0x8a, ""), raw(0x80, "b", MASK)],
      { texts: ["ab"] },
    ],
    ["binary in between", [raw(0x82, "\x81\x05"), raw(0x81, "a")], { texts: ["a"] }],
    ["close", [raw(0x81, "a"), raw(0x88, "\x03\xe8")], { texts: ["a"], closed: true }],
    [
      "half a frame",
      [raw(0x81, "a"), raw(0x81, "hello").subarray(0, 4)],
      { texts: ["a"], atBoundary: false },
    ],
    ["half a head", [raw(0x81, "a"), Buffer.from([0x81])], { texts: ["a"], atBoundary: false }],
    ["half a message", [raw(0x01, "a"), raw(0x00, "b")], { texts: [], atBoundary: false }],
    ["ping inside a message", [raw(0x01, "a"), raw(0x89, "")], { texts: [], atBoundary: false }],
    ["no frames: reserved opcode", [raw(0x83, "a"), raw(0x81, "b")], { texts: [], broken: true }],
    ["no frames: reserved bits", [raw(0x91, "a")], { texts: [], broken: true }],
    ["no frames: compressed, not negotiated", [raw(0xc1, "a")], { texts: [], broken: true }],
    ["no frames: a long ping", [raw(0x89, "x".repeat(126))], { texts: [], broken: true }],
    ["no frames: a text inside a text", [raw(0x01, "a"), raw(0x81, "b")], { texts: [], broken: true }],
    ["no frames: a continuation of nothing", [raw(0x80, "a")], { texts: [], broken: true }],
  ] as const)("%s", (_, frames, said) => {
    const octets = Buffer.concat(frames);
    const wanted = { ...QUIET, ...said };
    if (wanted.broken) Object.assign(wanted, { atBoundary: expect.anything() });
    for (let at = 0; at <= octets.length; at++) expect(readCut(octets, [at])).toEqual(wanted);
    expect(readCut(octets, [...octets.keys()])).toEqual(wanted);
  });

  it("messages over 1 MiB are read over and counted", () => {
    const long = "x".repeat(MOST_MESSAGE_BYTES + 1);
    const half = "x".repeat(MOST_MESSAGE_BYTES / 2 + 1);
    const frames = Buffer.concat([
      raw(0x81, long),
      raw(0x01, half),
      raw(0x80, half),
      ...Array.from({ length: 1100 }, (_, i) => raw(i === 0 ? 0x01 : i === 1099 ? 0x80 : 0, "y")),
      raw(0x81, "next", MASK),
    ]);
    for (const size of [4096, 65_536, 1e7]) {
      const ends = Array.from({ length: Math.floor(frames.length / size) }, (_, i) => (i + 1) * size);
      expect(readCut(frames, ends)).toEqual({ ...QUIET, texts: ["next"], skipped: 3 });
    }
  });

  it("never throws, and reads the same however it is cut", () => {
    assert(
      property(uint8Array({ maxLength: 60 }), array(nat(60), { maxLength: 4 }), (octets, cuts) => {
        octets[0] = [0x81, 0x01, 0x82, 0xc1][octets[0]! & 3] ?? 0;
        const ends = cuts.map((end) => Math.min(end, octets.length)).sort((a, b) => a - b);
        const options = { deflate: true, noContext: false };
        expect(readCut(octets, ends, options)).toEqual(readCut(octets, [], options));
      }),
      { seed: 8, numRuns: 3000 },
    );
  });
});

describe("permessage-deflate", () => {
  const messages = Array.from({ length: 8 }, (_, i) => `{"type":"response.text.delta","n":${i}}`.repeat(900));

  /** Each message with the dictionary of those before it, as a sender with context takeover does. */
  function compressed(noContext: boolean): Buffer[] {
    let before = Buffer.alloc(0);
    return messages.map((message) => {
      const octets = deflateRawSync(Buffer.from(message), {
        finishFlush: constants.Z_SYNC_FLUSH,
        ...(noContext || before.length === 0 ? null : { dictionary: before.subarray(-32_768) }),
      });
      before = Buffer.concat([before, Buffer.from(message)]);
      return octets.subarray(0, -4);
    });
  }

  it.each([
    ["with context", false],
    ["without context", true],
  ])("%s", (_, noContext) => {
    const frames = Buffer.concat(compressed(noContext).map((payload) => raw(0xc1, payload, MASK)));
    const options = { deflate: true, noContext };
    for (const size of [1, 7, 1e6]) {
      const ends = Array.from({ length: Math.floor(frames.length / size) }, (_, i) => i * size);
      expect(readCut(frames, ends, options)).toEqual({ ...QUIET, texts: messages });
    }
  });

  it("one that cannot be decoded is skipped; with a shared context nothing can be read after it", () => {
    const [first, second] = compressed(true) as [Buffer, Buffer];
    const frames = Buffer.concat([raw(0xc1, first), raw(0xc1, [0x07, 0xff]), raw(0xc1, second)]);
    expect(readCut(frames, [], { deflate: true, noContext: true })).toEqual({
      ...QUIET,
      texts: [messages[0], messages[1]],
      skipped: 1,
    });
    expect(readCut(frames, [], { deflate: true, noContext: false })).toMatchObject({
      texts: [messages[0]],
      skipped: 1,
      broken: true,
    });
  });

  it("a bomb is no message", () => {
    const bomb = deflateRawSync(Buffer.alloc(50e6), { finishFlush: constants.Z_SYNC_FLUSH });
    const options = { deflate: true, noContext: true };
    expect(readCut(raw(0xc1, bomb.subarray(0, -4)), [], options)).toEqual({
      ...QUIET,
      texts: [],
      skipped: 1,
    });
  });

  it.each([
    [null, false, false, false],
    ["", false, false, false],
    ["x-webkit-deflate-frame", false, false, false],
    ["permessage-deflate", true, false, false],
    ["permessage-deflate; server_no_context_takeover", true, false, true],
    ["foo, permessage-deflate; client_no_context_takeover; client_max_window_bits=10", true, true, false],
  ])("as negotiated: %s", (header, deflate, client, server) => {
    expect(compressionOf(header)).toEqual({
      client: { deflate, noContext: client },
      server: { deflate, noContext: server },
    });
  });
});

describe("frames of our own", () => {
  /** What another implementation makes of it. */
  async function received(octets: Buffer, isServer: boolean): Promise<unknown> {
    const receiver = new Receiver({ isServer });
    return new Promise((resolve, reject) => {
      receiver.on("message", (data: Buffer) => resolve(data.toString()));
      receiver.on("conclude", (code: number, reason: Buffer) => resolve([code, reason.toString()]));
      receiver.on("error", reject);
      receiver.write(octets);
    });
  }

  it.each(["", "héllo", "x".repeat(125), "x".repeat(126), "x".repeat(65_535), "x".repeat(70_000)])(
    "a text (%#)",
    async (text) => {
      expect(await received(textFrame(text, null), false)).toBe(text);
      expect(await received(textFrame(text, MASK), true)).toBe(text);
      expect(readCut(textFrame(text, MASK), [3])).toEqual({ ...QUIET, texts: [text] });
    },
  );

  it("a close, its reason cut to what fits", async () => {
    expect(await received(closeFrame(1008, "token limit", null), false)).toEqual([1008, "token limit"]);
    expect(await received(closeFrame(1008, "é".repeat(200), MASK), true)).toEqual([1008, "é".repeat(61)]);
    expect(readCut(closeFrame(1000, "", null), [1])).toEqual({ ...QUIET, texts: [], closed: true });
  });
});
