import { array, assert, constantFrom, nat, property, tuple } from "fast-check";
import { expect, test } from "vitest";
import { FormFields, formBoundary } from "./form-fields.ts";

test.each<[string | null, string | null]>([
  ["multipart/form-data; boundary=abc", "abc"],
  ['Multipart/Form-Data; charset=utf-8; Boundary="a b;c"', "a b;c"],
  ["multipart/form-data;boundary=----WebKit7MA4YWxk; x=y", "----WebKit7MA4YWxk"],
  ["multipart/form-data", null],
  ["multipart/mixed; boundary=abc", null],
  ["application/json; boundary=abc", null],
  [`multipart/form-data; boundary=${"a".repeat(201)}`, null],
  [null, null],
])("the boundary of %s", (contentType, boundary) => {
  expect(formBoundary(contentType)).toBe(boundary);
});

const part = (disposition: string, value: string | Buffer): Buffer =>
  Buffer.concat([
    Buffer.from(`--B\r\nContent-Disposition: ${disposition}\r\n\r\n`),
    Buffer.from(value),
    Buffer.from("\r\n"),
  ]);
const field = (name: string, value: string): Buffer => part(`form-data; name="${name}"`, value);
const file = (octets: string | Buffer): Buffer =>
  part('form-data; name="file"; filename="a.mp3"\r\nContent-Type: audio/mpeg', octets);
const form = (...parts: Buffer[]): Buffer => Buffer.concat([...parts, Buffer.from("--B--\r\n")]);

function read(octets: Buffer, size: number): FormFields {
  const fields = new FormFields("B");
  for (let at = 0; at < octets.length; at += size) {
    const chunk = Buffer.from(octets.subarray(at, at + size));
    fields.write(chunk);
    chunk.fill(0x2d);
  }
  return fields;
}

const MODEL = { model: "whisper-1" };
const almost = Buffer.from("\r\n--\r\n-\r\r\n--A\r\n\r\n--b\r\n".repeat(40));

test.each<[string, Buffer, Record<string, unknown>, over?: false]>([
  [
    "fields before the file",
    form(field("model", "whisper-1"), field("stream", "true"), file("ID3")),
    { ...MODEL, stream: true },
  ],
  [
    "fields after the file",
    form(file(almost), field("model", "whisper-1"), field("n", "2")),
    { ...MODEL, n: 2 },
  ],
  ["a name without quotes", form(part("form-data; name=model", "whisper-1")), MODEL],
  [
    "other headers, other case",
    form(
      part('form-data; name="model"\r\nContent-Type: text/plain', "whisper-1"),
      part('FORM-DATA; Name="language"', "sv"),
    ),
    { ...MODEL, language: "sv" },
  ],
  [
    "more than ASCII, empty, over several lines",
    form(field("prompt", "å\r\n\r\n😀"), field("user", "")),
    { prompt: "å\r\n\r\n😀", user: "" },
  ],
  [
    "not a flag, not a number",
    form(field("stream", "no"), field("n", "many"), field("temperature", "0.5")),
    { stream: false, n: "many", temperature: 0.5 },
  ],
  ["the first of two", form(field("model", "whisper-1"), field("model", "other")), MODEL],
  [
    "a file in the model's name",
    form(part('form-data; name="model"; filename="x"', "evil"), field("model", "whisper-1")),
    MODEL,
  ],
  ["a preamble", Buffer.concat([Buffer.from("hello\r\n"), form(field("model", "whisper-1"))]), MODEL],
  ["another part within", form(part("attachment; name=x", "y"), field("model", "whisper-1")), MODEL],
  [
    "names of the language",
    form(field("__proto__", "x"), field("model", "whisper-1")),
    JSON.parse('{"__proto__":"x","model":"whisper-1"}') as object as Record<string, unknown>,
  ],
  [
    "it breaks off in a field",
    form(field("model", "whisper-1"), field("prompt", "abc")).subarray(0, -9),
    MODEL,
    false,
  ],
  ["it breaks off in a file", form(field("model", "whisper-1"), file("ID3")).subarray(0, -10), MODEL, false],
  ["no form at all", Buffer.from('{"model":"x"}'), {}, false],
  ["a head without an end", Buffer.from(`--B\r\n${"x".repeat(5000)}`), {}],
  ["nothing", form(), {}],
])("%s", (_name, octets, expected, over) => {
  for (const size of [1, 2, 3, 5, 7, 64, 1000, 1e9]) {
    const found = read(octets, size);
    expect([size, { ...found.fields }]).toEqual([size, expected]);
    expect(found.over).toBe(over ?? true);
  }
});

test("what is kept is bounded", () => {
  const long = read(form(field("prompt", "x".repeat(1e6)), field("model", "m")), 8192).fields;
  expect([(long["prompt"] as string).length, long["model"]]).toEqual([65_536, "m"]);
  const many = read(form(...Array.from({ length: 3000 }, (_, i) => field(`f${i}`, "x".repeat(500)))), 8192);
  expect(many.over).toBe(true);
  expect(JSON.stringify(many.fields).length).toBeLessThan(300_000);
});

test("wherever it is cut, it says the same", () => {
  const pieces = constantFrom(
    field("model", "m"),
    file(almost),
    file("\r\n--"),
    Buffer.from("--B\r\n"),
    Buffer.from("\r\n\r\n"),
    Buffer.from("--B--"),
  );
  assert(
    property(tuple(array(pieces, { maxLength: 6 }), nat(40)), ([parts, size]) => {
      const octets = Buffer.concat(parts);
      expect(read(octets, size + 1).fields).toEqual(read(octets, 1e9).fields);
    }),
    { numRuns: 500 },
  );
});
