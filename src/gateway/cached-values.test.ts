import { expect, test } from "vitest";
import "../compiler/runtime/library/index.ts";
import { DateTime } from "../compiler/runtime/library/datetime.ts";
import { DateTimeOffset } from "../compiler/runtime/library/datetimeoffset.ts";
import { parseDecimal } from "../compiler/runtime/library/decimal.ts";
import { Guid } from "../compiler/runtime/library/guid.ts";
import { readJson } from "../compiler/runtime/library/json/reader.ts";
import { JObject, JProperty, type JToken, tokenOf } from "../compiler/runtime/library/json/token.ts";
import { timeSpan } from "../compiler/runtime/library/timespan.ts";
import { parseUri } from "../compiler/runtime/library/uri.ts";
import { Box, NetArray, equal, textOf, typeNamed, typeOf } from "../compiler/runtime/values.ts";
import { decodeValue, encodeValue } from "./cached-values.ts";

const boxed = (type: string, value: number | bigint): Box => new Box(typeNamed(`System.${type}`), value);
const json = (text: string): JToken => tokenOf(readJson(text, "JToken"));
const around = (value: {}): unknown => decodeValue(encodeValue(value)!);

test.each<[string, {}]>([
  ["a text", "text"],
  ["the empty text", ""],
  ["any character", "\u0000 ü 𝄞 \ufeff \ud800 lone"],
  ["true", true],
  ["false", false],
  ["an int", -2_147_483_648],
  ["a long", boxed("Int64", 9_223_372_036_854_775_807n)],
  ["a ulong", boxed("UInt64", 18_446_744_073_709_551_615n)],
  ["a double", boxed("Double", 0.1)],
  ["a large double", boxed("Double", 1.7e308)],
  ["infinity", boxed("Double", -Infinity)],
  ["a float", boxed("Single", Math.fround(0.1))],
  ["a char", boxed("Char", 0x41)],
  ["a byte", boxed("Byte", 255)],
  ["a decimal", parseDecimal("79228162514264337593543950335")],
  ["a decimal with its zeros", parseDecimal("1.500")],
  ["a date", new DateTime(638_000_000_000_000_001n, 1)],
  ["a date with offset", new DateTimeOffset(638_000_000_000_000_001n, -90)],
  ["a time span", timeSpan(-12_345_678_901n)],
  ["a GUID", new Guid("01234567-89ab-cdef-0123-456789abcdef")],
  ["a URI", parseUri("https://u:p@host.example:8443/a%20b?c=d#e")],
])("%s comes back as it was", (_name, value) => {
  const back = around(value) as {};
  expect(typeOf(back)).toEqual(typeOf(value));
  expect(textOf(back)).toBe(textOf(value));
  expect(equal(back, value)).toBe(true);
});

test("negative zero and NaN", () => {
  expect(Object.is((around(boxed("Double", -0)) as Box).value, -0)).toBe(true);
  expect((around(boxed("Double", Number.NaN)) as Box).value).toBeNaN();
});

test("octets are copies", () => {
  const bytes = Uint8Array.of(1, 2, 255);
  const stored = encodeValue(bytes)!;
  bytes[0] = 9;
  const first = decodeValue(stored) as Uint8Array;
  first[1] = 9;
  expect(Array.from(decodeValue(stored) as Uint8Array)).toEqual([1, 2, 255]);
});

test.each([
  '{"a":[1,2.50,"x",null,true,{"b":"2024-01-31T12:00:00+02:00"}]}',
  "[]",
  '"text"',
  "12",
  "null",
  "1.0",
])("JSON %s", (text) => {
  const token = json(text);
  const stored = encodeValue(token)!;
  const [first, second] = [decodeValue(stored) as JToken, decodeValue(stored) as JToken];
  expect(first).not.toBe(second);
  expect(first.kind).toBe(token.kind);
  expect(first.sameAs(token)).toBe(true);
  expect(Buffer.from(encodeValue(first)!).equals(stored)).toBe(true);
});

test("a changed look-up changes nothing for others", () => {
  const stored = encodeValue(json('{"a":1}'))!;
  (decodeValue(stored) as JObject).removeAll();
  expect((decodeValue(stored) as JObject).hasValues).toBe(true);
});

test.each<[string, {}]>([
  ["an array", new NetArray(typeNamed("System.String"), ["a"])],
  ["a property", new JProperty("a", json("1"))],
  ["a function", { call: () => 1 }],
  ["a relative URI", parseUri("/a", 2)],
])("%s is not kept", (_name, value) => {
  expect(encodeValue(value)).toBe(null);
});

test.each([
  "",
  "z",
  "i",
  "i1e9",
  "i99999999999",
  "j{",
  "j{}}",
  "bSystem.Nothing 1",
  "bSystem.Int64 x",
  "d1",
  "dx 1",
  "mone",
  "gx y",
  "\u0000",
])("%j, which nobody of ours wrote, is nothing", (text) => {
  const value = decodeValue(Buffer.from(text));
  expect(value === undefined || value instanceof Guid || value instanceof DateTime).toBe(true);
});
