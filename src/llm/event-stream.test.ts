import fc from "fast-check";
import { expect, test } from "vitest";
import { crc32 } from "node:zlib";
import { EventStreamReader, eventStreamMessage } from "./event-stream.ts";

type Seen = [event: string | null, payload: string, messageType: string | null];

/** Reads `bytes` in pieces of at most `size`, each in a buffer that is overwritten afterwards. */
function read(bytes: Uint8Array, size = Infinity): Seen[] {
  const seen: Seen[] = [];
  const reader = new EventStreamReader((event, payload, messageType) => {
    seen.push([event, Buffer.from(payload).toString("utf8"), messageType]);
  });
  for (let at = 0; at < bytes.length; at += size) {
    const piece = Uint8Array.from(bytes.subarray(at, Math.min(bytes.length, at + size)));
    reader.write(piece);
    piece.fill(0xff);
  }
  reader.end();
  return seen;
}

function event(type: string, payload: string): Uint8Array {
  return eventStreamMessage({ ":event-type": type, ":message-type": "event" }, Buffer.from(payload));
}

/** A message with these octets as headers, whose CRCs are right. */
function raw(headers: Uint8Array, payload: Uint8Array = Buffer.from("{}")): Buffer {
  const message = Buffer.alloc(16 + headers.length + payload.length);
  message.writeUInt32BE(message.length, 0);
  message.writeUInt32BE(headers.length, 4);
  message.writeUInt32BE(crc32(message.subarray(0, 8)), 8);
  message.set(headers, 12);
  message.set(payload, 12 + headers.length);
  message.writeUInt32BE(crc32(message.subarray(0, message.length - 4)), message.length - 4);
  return message;
}

function header(name: string, type: number, value: readonly number[]): number[] {
  return [name.length, ...Buffer.from(name), type, ...value];
}

function prelude(length: number, headersLength = 0): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32BE(length, 0);
  bytes.writeUInt32BE(headersLength, 4);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 8)), 8);
  return bytes;
}

function flipped(bytes: Uint8Array, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at]! ^= 1;
  return copy;
}

/** Known octets of the format, as its other implementations test them too. */
test.each<[string, string, Seen[]]>([
  ["an empty message", "000000100000000005c248eb7d98c8ff", [[null, "", null]]],
  [
    "a payload without headers",
    "0000001d00000000fd528c5a7b27666f6f273a27626172277dc3653936",
    [[null, "{'foo':'bar'}", null]],
  ],
  [
    "an integer header",
    "0000002d0000001041c424b80a6576656e742d74797065040000a00c7b27666f6f273a27626172277d36f480a0",
    [[null, "{'foo':'bar'}", null]],
  ],
])("reads %s", (_, hex, seen) => {
  expect(read(Buffer.from(hex, "hex"))).toEqual(seen);
});

const A = event("messageStart", '{"role":"assistant"}');
const B = event("contentBlockDelta", '{"delta":{"text":"é😀"}}');
const C = eventStreamMessage(
  { ":exception-type": "throttlingException", ":message-type": "exception" },
  Buffer.from('{"message":"slow down"}'),
);
const SEEN_A: Seen = ["messageStart", '{"role":"assistant"}', "event"];
const SEEN_B: Seen = ["contentBlockDelta", '{"delta":{"text":"é😀"}}', "event"];
const SEEN_C: Seen = ["throttlingException", '{"message":"slow down"}', "exception"];

test.each<[string, Uint8Array[], Seen[]]>([
  ["messages in a row", [A, B, C], [SEEN_A, SEEN_B, SEEN_C]],
  ["nothing", [], []],
  ["a message that is cut off", [A, B.subarray(0, B.length - 1)], [SEEN_A]],
  ["a prelude that is cut off", [A, B.subarray(0, 11)], [SEEN_A]],
  ["a payload octet that is wrong: that message is lost", [A, flipped(B, B.length - 6), C], [SEEN_A, SEEN_C]],
  ["a message CRC that is wrong: that message is lost", [flipped(A, A.length - 1), C], [SEEN_C]],
  ["a header octet that is wrong: that message is lost", [flipped(A, 20), C], [SEEN_C]],
  ["a prelude CRC that is wrong: reading ends", [A, flipped(B, 9), C], [SEEN_A]],
  ["a length that is wrong: reading ends", [A, flipped(B, 2), C], [SEEN_A]],
  ["a length below the least", [prelude(15), A], []],
  ["a length above the most", [prelude(16 * 1024 * 1024 + 1), A], []],
  ["headers longer than the message", [prelude(100, 85), A], []],
  [
    "an error without a payload",
    [
      eventStreamMessage(
        { ":message-type": "error", ":error-code": "InternalFailure", ":error-message": 'a "bad" day' },
        new Uint8Array(0),
      ),
    ],
    [["InternalFailure", '{"message":"a \\"bad\\" day"}', "error"]],
  ],
  [
    "headers of every type",
    [
      raw(
        Buffer.from([
          ...header("true", 0, []),
          ...header("false", 1, []),
          ...header("byte", 2, [1]),
          ...header("short", 3, [0, 1]),
          ...header("integer", 4, [0, 0, 0, 1]),
          ...header("long", 5, [0, 0, 0, 0, 0, 0, 0, 1]),
          ...header("binary", 6, [0, 3, 1, 2, 3]),
          ...header("string", 7, [0, 2, 104, 105]),
          ...header("timestamp", 8, [0, 0, 0, 0, 0, 0, 0, 1]),
          ...header("uuid", 9, Array<number>(16).fill(7)),
          ...header(":event-type", 7, [0, 1, 120]),
        ]),
      ),
    ],
    [["x", "{}", null]],
  ],
  [
    "a name in a header of another type is no name",
    [raw(Buffer.from(header(":event-type", 6, [0, 1, 120])))],
    [[null, "{}", null]],
  ],
  ["a header of an unknown type: that message is lost", [raw(Buffer.from(header("x", 10, []))), A], [SEEN_A]],
  ["a header that runs over its room", [raw(Buffer.from(header("x", 7, [0, 9, 1]))), A], [SEEN_A]],
  ["a header name that runs over its room", [raw(Buffer.from([200, 1, 2])), A], [SEEN_A]],
  ["a header without a value's length", [raw(Buffer.from(header("x", 7, [0]))), A], [SEEN_A]],
])("reads %s", (_, messages, seen) => {
  const bytes = Buffer.concat(messages);
  for (const size of [Infinity, 1, 2, 3, 7, 11, 12, 13, 64]) expect(read(bytes, size)).toEqual(seen);
});

test("a message may be split anywhere", () => {
  const bytes = Buffer.concat([A, B, C]);
  for (let at = 1; at < bytes.length; at++) {
    const seen: Seen[] = [];
    const reader = new EventStreamReader((name, payload, type) =>
      seen.push([name, Buffer.from(payload).toString("utf8"), type]),
    );
    reader.write(bytes.subarray(0, at));
    reader.write(bytes.subarray(at));
    expect(seen).toEqual([SEEN_A, SEEN_B, SEEN_C]);
  }
});

test("messages beyond 1 MiB pass unread, those up to it are read", () => {
  const large = event("large", "x".repeat(1024 * 1024));
  const around = event("largest", "").length;
  const largest = event("largest", "y".repeat(1024 * 1024 - around));
  for (const size of [Infinity, 65_536, 1000]) {
    const seen = read(Buffer.concat([A, large, largest, B]), size);
    expect(seen.map(([name]) => name)).toEqual(["messageStart", "largest", "contentBlockDelta"]);
  }
});

test("arbitrary octets never throw, and chunks make no difference", () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.constantFrom(A, B, C),
    fc.tuple(fc.constantFrom(A, B, C), fc.nat(60)).map(([message, at]) => flipped(message, at)),
    fc.uint8Array({ maxLength: 40 }).map((headers) => raw(headers)),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), fc.integer({ min: 1, max: 50 }), (pieces, size) => {
      const bytes = Buffer.concat(pieces);
      expect(read(bytes, size)).toEqual(read(bytes));
    }),
    { seed: 5, numRuns: 500 },
  );
});
