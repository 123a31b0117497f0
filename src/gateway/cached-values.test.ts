import { expect, test } from "vitest";
import "../compiler/runtime/library/index.ts";
import { DateTime } from "../compiler/runtime/library/datetime.ts";
import { DateTimeOffset } from "../compiler/runtime/library/datetimeoffset.ts";
import { parseDecimal } from "../compiler/runtime/library/decimal.ts";
import { Guid } from "../compiler/runtime/library/guid.ts";
import { serialize } from "../compiler/runtime/library/json/json-convert.ts";
import { readJson } from "../compiler/runtime/library/json/reader.ts";
import { beginEvaluation } from "../compiler/runtime/budget.ts";
import { lookupType } from "../compiler/runtime/define.ts";
import { NetDictionary } from "../compiler/runtime/library/collections-dictionary.ts";
import { NetList } from "../compiler/runtime/library/collections-list.ts";
import { stringComparerNamed } from "../compiler/runtime/library/comparers.ts";
import { type Jwt, parseJwt } from "../compiler/runtime/library/credentials.ts";
import type { XDocument } from "../compiler/runtime/library/xml/nodes.ts";
import { parseXml } from "../compiler/runtime/library/xml/parser.ts";
import { TupleValue } from "../compiler/runtime/tuple.ts";
import { arrayOf, instantiate } from "../compiler/runtime/type.ts";
import { HeaderList } from "../base/headers.ts";
import { Body } from "./body.ts";
import { ResponseMessage } from "./message.ts";
import { ChunkSource } from "./testing.ts";
import { JObject, JProperty, type JToken, tokenOf } from "../compiler/runtime/library/json/token.ts";
import { timeSpan } from "../compiler/runtime/library/timespan.ts";
import { parseUri } from "../compiler/runtime/library/uri.ts";
import { Box, NetArray, enumValue, equal, textOf, typeNamed, typeOf } from "../compiler/runtime/values.ts";
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

const texts = typeNamed("System.String");
const ownComparer = { same: Object.is, hash: () => 0 };

function holdingItself(): NetList {
  const list = new NetList(typeNamed("System.Object"));
  list.add(list);
  return list;
}

function xml(text: string): XDocument {
  beginEvaluation();
  return parseXml(text);
}

function doubled(): NetList {
  let list = new NetList(typeNamed("System.Object"), ["text"]);
  for (let i = 0; i < 30; i++) list = new NetList(typeNamed("System.Object"), [list, list]);
  return list;
}

/** With this text as its body; null: with one that has not come yet. */
function response(text: string | null): ResponseMessage {
  const headers = new HeaderList(["Content-Type", "text/plain", "Set-Cookie", "a=b"]);
  const body =
    text === null ? Body.streaming("response", new ChunkSource(["x"]), headers) : Body.text("response", text);
  return new ResponseMessage(404, "Gone", headers, body);
}

test.each<[string, {}, string]>([
  ["string[]", new NetArray(texts, ["a", null, "\ud800"]), '["a",null,"\ud800"]'],
  ["List<long>", new NetList(typeNamed("System.Int64"), [5n, -1n]), "[5,-1]"],
  [
    "List<object>",
    new NetList(typeNamed("System.Object"), [1, boxed("Int64", 2n), "x", true]),
    '[1,2,"x",true]',
  ],
  ["byte[][]", new NetArray(arrayOf(typeNamed("System.Byte")), [Uint8Array.of(1, 255)]), '["Af8="]'],
  [
    "a list of lists",
    new NetList(arrayOf(typeNamed("System.Int32")), [new NetArray(typeNamed("System.Int32"), [1, 2])]),
    "[[1,2]]",
  ],
  ["an enum's value", enumValue(lookupType("System.DayOfWeek"), 3), "3"],
  ["a property", new JProperty("a", json("[1]")), '"a":[1]'],
  [
    "an element",
    xml('<p:a xmlns:p="urn:p" b="1"> <p:c/> x</p:a>').root!,
    '{"p:a":{"@xmlns:p":"urn:p","@b":"1","p:c":null,"#text":" x"}}',
  ],
  [
    "a document",
    xml('<?xml version="1.0" encoding="utf-8"?><a>1</a>'),
    '{"?xml":{"@version":"1.0","@encoding":"utf-8"},"a":"1"}',
  ],
  [
    "a tuple",
    new TupleValue(instantiate(lookupType("System.ValueTuple", 2), [typeNamed("System.Double"), texts]), [
      0.5,
      "x",
    ]),
    '{"Item1":0.5,"Item2":"x"}',
  ],
])("%s comes back with its type", (_name, value, expected) => {
  const back = around(value) as {};
  expect(typeOf(back)).toBe(typeOf(value));
  expect(serialize(back, false)).toBe(expected);
});

test("a dictionary keeps its way of comparing", () => {
  const value = new NetDictionary(texts, typeNamed("System.Int32"), stringComparerNamed("OrdinalIgnoreCase"));
  value.set("Key", 1);
  const back = around(value) as NetDictionary;
  expect([typeOf(back), back.find("KEY")]).toEqual([typeOf(value), 1]);
});

test("a token", () => {
  const token = parseJwt("eyJhbGciOiJub25lIn0.eyJzdWIiOiJqb2UifQ.")!;
  expect((around(token) as Jwt).first("sub")).toBe("joe");
});

test("a response, with its headers and with the body that it still has", () => {
  const back = around(response("not here")) as ResponseMessage;
  expect([back.statusCode, back.statusReason, back.headers.get("set-cookie")]).toEqual([404, "Gone", "a=b"]);
  expect(Buffer.from(back.body!.bytes()).toString()).toBe("not here");
  const read = response("read");
  read.body!.consume();
  expect((around(read) as ResponseMessage).body).toBe(null);
});

test.each<[string, {}]>([
  ["a function", { call: () => 1 }],
  ["a list with one in it", new NetList(typeNamed("System.Object"), [{ call: () => 1 }])],
  ["a list that holds itself", holdingItself()],
  ["lists that are endless to write", doubled()],
  ["a dictionary that compares in its own way", new NetDictionary(texts, texts, ownComparer)],
  ["a response that is still on its way", response(null)],
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
  "c",
  "c[]",
  'c["list",["System.Nothing"],[]]',
  'c["list",["System.Int32"],["z"]]',
  'c["element","<a"]',
  'c["jwt","x"]',
  'c["dictionary",[],[],null]',
  "\u0000",
])("%j, which nobody of ours wrote, is nothing", (text) => {
  const value = decodeValue(Buffer.from(text));
  expect(value === undefined || value instanceof Guid || value instanceof DateTime).toBe(true);
});
