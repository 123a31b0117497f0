import { assert, array, constantFrom, nat, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { LARGE_LINE_BYTES, MOST_EVENT_BYTES, SseReader } from "./sse.ts";

type Event = readonly [event: string | null, data: string];

function readCut(octets: Uint8Array, ...ends: readonly number[]): Event[] {
  const events: Event[] = [];
  const reader = new SseReader((event, data) => events.push([event, data]));
  let from = 0;
  for (const end of [...ends, octets.length]) {
    reader.write(Uint8Array.from(octets.subarray(from, end)));
    from = end;
  }
  reader.end();
  return events;
}

const TABLE: readonly (readonly [text: string, events: readonly Event[]])[] = [
  ["data: a\n\n", [[null, "a"]]],
  ["data: a\r\n\r\n", [[null, "a"]]],
  ["data: a\r\r", [[null, "a"]]],
  ["data: a\r\n\rdata: b\n\r\n", [[null, "a"], [null, "b"]]], // prettier-ignore
  ["data:a\n\n", [[null, "a"]]],
  ["data:  a \n\n", [[null, " a "]]],
  ["data\n\n", [[null, ""]]],
  ["data:\n\n", [[null, ""]]],
  ["data: \n\n", [[null, ""]]],
  ["data: a\ndata\ndata: b\n\n", [[null, "a\n\nb"]]],
  ["event: e\ndata: a\n\n", [["e", "a"]]],
  ["data: a\nevent: e\n\n", [["e", "a"]]],
  [
    "event: e\nevent: f\ndata: a\n\ndata: b\n\n",
    [
      ["f", "a"],
      [null, "b"],
    ],
  ],
  ["event:\ndata: a\n\n", [[null, "a"]]],
  ["event: e\n\ndata: a\n\n", [[null, "a"]]],
  [": ping\n\n:\n\ndata: a\n: in between\ndata: b\n\n", [[null, "a\nb"]]],
  ["id: 1\nretry: 10\nfoo: bar\nfoo\ndata: a\n\n", [[null, "a"]]],
  ["Data: no\ndatax: no\n data: no\ndata: a\n\n", [[null, "a"]]],
  ["\ufeffdata: a\n\n", [[null, "a"]]],
  ["\ufeff\ufeffdata: no\n\ndata: a\n\n", [[null, "a"]]],
  ["data: a\n\n\ufeffdata: no\n\n", [[null, "a"]]],
  ["\n\n\r\n\rdata: a\n\n", [[null, "a"]]],
  ["data: a: b\n\n", [[null, "a: b"]]],
  ["data: é世😀\n\n", [[null, "é世😀"]]],
  ["data: a\u2028b\u0085c\u000bd\n\n", [[null, "a\u2028b\u0085c\u000bd"]]],
  // Unlike a browser: what is unfinished at the end counts.
  ["data: a\n", [[null, "a"]]],
  ["data: a", [[null, "a"]]],
  ["event: e\ndata: a", [["e", "a"]]],
  ["event: e", []],
  ["", []],
];

describe("SSE, cut at every octet", () => {
  for (const [text, events] of TABLE) {
    it(JSON.stringify(text), () => {
      const octets = Buffer.from(text);
      for (let at = 0; at <= octets.length; at++) expect(readCut(octets, at)).toEqual(events);
      expect(readCut(octets, ...octets.keys())).toEqual(events);
    });
  }
});

/** The rules, as the standard words them, for text that is there whole. */
function byTheBook(text: string): Event[] {
  const events: Event[] = [];
  let data: string[] = [];
  let event = "";
  const lines = text.replace(/^\ufeff/, "").split(/\r\n|\r|\n/);
  if (lines.at(-1) !== "") lines.push("");
  for (const line of [...lines, ""]) {
    if (line === "") {
      if (data.length > 0) events.push([event === "" ? null : event, data.join("\n")]);
      data = [];
      event = "";
      continue;
    }
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") data.push(value);
    if (name === "event") event = value;
  }
  return events;
}

it("reads what the standard reads, however it is cut", () => {
  const pieces = constantFrom(
    "data",
    "event",
    "id",
    ":",
    " ",
    "\n",
    "\r",
    "\r\n",
    "x",
    "é",
    "😀",
    "\ufeff",
    "{}",
  );
  assert(
    property(array(pieces, { maxLength: 40 }), array(nat(80), { maxLength: 6 }), (some, cuts) => {
      const text = some.join("");
      const octets = Buffer.from(text);
      const ends = cuts.map((end) => Math.min(end, octets.length)).sort((a, b) => a - b);
      expect(readCut(octets, ...ends)).toEqual(byTheBook(text));
    }),
    { seed: 5, numRuns: 3000 },
  );
});

it.each(["\n", "\r", "\r\n", ":\r", "data\r\r", "data:\n"])("a megabyte of %j takes linear time", (piece) => {
  const octets = Buffer.from(piece.repeat(1024 * 1024));
  let events = 0;
  const reader = new SseReader(() => events++);
  reader.write(octets);
  reader.end();
  expect(events).toBe(piece === "data\r\r" ? 1024 * 1024 : 0);
});

describe("events that are too large", () => {
  const big = "x".repeat(MOST_EVENT_BYTES);

  it.each([
    ["one line", `data: ${big}\n\n`],
    ["many lines", `data: ${big.slice(0, 4096)}\n`.repeat(300) + "\n"],
    ["with an end that never comes", `data: ${big}${big}`],
  ])("%s: read over and counted, and the next one is read", (_, text) => {
    for (const size of [100, 4096, 70_000, 1e7]) {
      const events: Event[] = [];
      const reader = new SseReader((event, data) => events.push([event, data]));
      const octets = Buffer.from(`data: before\n\n${text}${text.endsWith("\n") ? "data: after\n\n" : ""}`);
      for (let at = 0; at < octets.length; at += size) reader.write(octets.subarray(at, at + size));
      reader.end();
      expect(reader.skipped).toBe(1);
      expect(events).toEqual(
        text.endsWith("\n")
          ? [
              [null, "before"],
              [null, "after"],
            ]
          : [[null, "before"]],
      );
    }
  });

  it("go, piece by piece, to whoever reads large ones", () => {
    const line = "y".repeat(LARGE_LINE_BYTES * 6);
    const octets = Buffer.from(`event: e\ndata: ${line}\nid: 1\n\n: ${line}\ndata: small\n\n`);
    for (const size of [1000, 65_536, 300_000, 1e7]) {
      const events: unknown[] = [];
      let length = 0;
      const reader = new SseReader((event, data) => events.push([event, data]), {
        write: (piece) => void (length += piece.length),
        end: (event) => events.push([event, length]),
      });
      for (let at = 0; at < octets.length; at += size) reader.write(octets.subarray(at, at + size));
      reader.end();
      expect(events).toEqual([
        ["e", line.length],
        [null, "small"],
      ]);
      expect(reader.skipped).toBe(0);
    }
  });
});
