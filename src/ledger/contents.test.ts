import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeContents, encodeContents } from "./contents.ts";
import { FIELD, decodeRecord, encodeRecord } from "./line.ts";
import type { LedgerRecord } from "./record.ts";
import { record } from "./ledger.fixture.ts";
import { newOwner, parseSegmentName, segmentName } from "./segment.ts";

const text = (octets: Uint8Array | null): string | null =>
  octets === null ? null : Buffer.from(octets).toString();

describe("an entry of contents", () => {
  test("any two in a row come back as they went in; cut at any octet the rest is awaited", () => {
    const said = fc.option(fc.string({ unit: "binary", maxLength: 40 }));
    const entry = fc.record({
      requestId: fc.string({ unit: "grapheme", maxLength: 20 }),
      part: fc.nat(1000),
      request: said,
      response: said,
      requestTruncated: fc.boolean(),
      responseTruncated: fc.boolean(),
    });
    fc.assert(
      fc.property(entry, entry, (first, second) => {
        const start = encodeContents(first).length;
        const octets = Buffer.concat([encodeContents(first), encodeContents(second)]);
        const read = decodeContents(octets, start);
        if (typeof read === "string") throw new Error(read);
        const { request, response, ...rest } = read.contents;
        expect({ ...rest, request: text(request), response: text(response) }).toEqual(second);
        expect(read.end).toBe(octets.length);
        for (let end = start; end < octets.length; end++)
          expect(decodeContents(octets.subarray(0, end), start)).toBe("more");
      }),
      { numRuns: 50 },
    );
  });

  test.each([
    ["not JSON\n", "garbage"],
    ["[1]\n", "garbage"],
    ['[2,"r",0,-1,-1,0]\n\n', "garbage"],
    ['[1,"r",0,-2,-1,0]\n\n', "garbage"],
    ['[1,"r",0,1e300,-1,0]\n\n', "garbage"],
    ['[1,"r",0,2,-1,0]\nabc\n', "garbage"],
    ["x".repeat(5000), "garbage"],
    ["", "more"],
    ['[1,"r",0,999999,-1,0]\nabc', "more"],
  ])("%j is %s", (octets, expected) => {
    expect(decodeContents(Buffer.from(octets), 0)).toBe(expected);
  });
});

test("a record's line, cut anywhere, is no record", () => {
  const line = encodeRecord(record()).trimEnd();
  const values = decodeRecord(line)!;
  for (const [name, value] of Object.entries(record()))
    expect(values[FIELD[name as keyof LedgerRecord]]).toBe(value);
  for (let end = 0; end < line.length; end++) expect(decodeRecord(line.slice(0, end))).toBeNull();
});

test.each(["null", "[]", "{}", "[1]", "[1,5]", '[2,"r"]', "1", '"x"', `[1,"r"${",[]".repeat(50)}]`])(
  "a line that is %s crashes nothing",
  (line) => {
    expect(() => decodeRecord(line)).not.toThrow();
  },
);

test("names of files say whose they are; others are left alone", () => {
  const segment = { ...newOwner(4711), kind: "records", number: 12 } as const;
  expect(parseSegmentName(segmentName(segment))).toEqual(segment);
  for (const name of [
    "",
    "records",
    "notes.txt",
    "records.zz.1.0123456789ab.00000001.v1",
    `${segmentName(segment)}.gz`,
  ])
    expect(parseSegmentName(name)).toBeNull();
});
