import { describe, expect, test } from "vitest";
import { defaultHints } from "../messages.ts";
import { parseJson } from "./json.ts";
import type { ParsedFile } from "./source.ts";
import { parseYaml } from "./yaml.ts";

/** `code@line:column message (hint)` */
function told(file: ParsedFile): string[] {
  return file.problems.map(({ code, range, message, hint }) => {
    const at = range ? `${range.start.line}:${range.start.column}` : "-";
    return `${code}@${at} ${message}${hint && hint !== (defaultHints as Record<string, string>)[code] ? ` (${hint})` : ""}`;
  });
}

describe("JSON", () => {
  test.each<[string, string, string[]]>([
    ["nothing", "", ["HG5105@1:1 the file is empty (write `{}`, or the resource)"]],
    ["spaces", " \n ", ["HG5105@1:1 the file is empty (write `{}`, or the resource)"]],
    ["an object", '{"a": [1, "x", null, true, -1.5e3]}', []],
    ["a trailing comma", '{\n  "a": 1,\n}', ["HG5101@2:9 JSON has no trailing commas (remove the comma)"]],
    [
      "several slips at once",
      "{\n  // why\n  a: 'x'\n  \"b\": True\n}",
      [
        "HG5101@2:3 JSON has no comments (remove it)",
        'HG5101@3:3 names must be in double quotes (write `"a"`)',
        "HG5101@3:6 JSON texts are in double quotes (write `\"` instead of `'`)",
        "HG5101@4:3 a comma is missing before this (write `,` after the value before)",
        "HG5101@4:8 `True` is not a JSON value (write `true`)",
      ],
    ],
    [
      "a cut file",
      '{"a": {"b": 1',
      ["HG5101@1:14 the file ends before the `{` of line 1 is closed (add the closing `}`)"],
    ],
    ["a cut text", '{"a": "b', ['HG5101@1:7 this text is never closed (add the closing `"`)']],
    [
      "a line break in a text",
      '{"a": "b\nc"}',
      ["HG5101@1:9 a line break inside a text (close the quote, or write `\\n`)"],
    ],
    [
      "a bad escape",
      '{"a": "C:\\dir"}',
      ["HG5101@1:10 `\\d` is not an escape (write `\\\\` for a backslash)"],
    ],
    ["wrong bracket", '{"a": [1}', ["HG5101@1:9 expected `,` or `]`, but found `}`"]],
    ["no colon", '{"a" 1}', ["HG5101@1:6 expected `:` after the name `a`, but found `1`"]],
    ["no value", '{"a": , "b": 1}', ["HG5101@1:7 expected a value, but found `,`"]],
    ["leading zero", '{"a": 01}', ["HG5101@1:7 `01` is not a JSON value (texts need double quotes)"]],
    ["more after the end", "{} {}", ["HG5101@1:4 nothing may follow the end of the value"]],
    [
      "twice the same name",
      '{"a": 1,\n "a": 2}',
      ["HG5103@2:2 `a` is written twice in the same object (remove one of the two)"],
    ],
    ["junk", "\u0001\u0002", ["HG5101@1:1 `\u0001\u0002` is not a JSON value (texts need double quotes)"]],
    ["deep", "[".repeat(300) + "]".repeat(300), ["HG5104@1:202 values are nested deeper than 200 levels"]],
    ["deep and huge", "[".repeat(300_000), ["HG5104@1:202 values are nested deeper than 200 levels"]],
    [
      "deep, huge and valid",
      "[".repeat(150_000) + "]".repeat(150_000),
      ["HG5104@- values are nested deeper than 200 levels"],
    ],
  ])("%s", (_, text, expected) => {
    expect(told(parseJson("f.json", text))).toEqual(expected);
  });

  test("knows where values and names stand", () => {
    const file = parseJson("f.json", '{\n  "properties": {\n    "pool": [{ "id": "b" }]\n  }\n}');
    expect(file.locate(["properties", "pool", 0, "id"]).range).toEqual({
      start: { line: 3, column: 22 },
      end: { line: 3, column: 25 },
    });
    expect(file.locate(["properties", "pool"], { key: true }).range!.start).toEqual({ line: 3, column: 5 });
    expect(file.locate(["properties", "missing"]).range!.start).toEqual({ line: 2, column: 17 });
  });

  test("`__proto__` is a name like any other", () => {
    const { value } = parseJson("f.json", '{"__proto__": {"x": 1}}');
    expect(Object.keys(value as object)).toEqual(["__proto__"]);
  });
});

describe("YAML", () => {
  const bomb = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    .concat(
      Array.from(
        { length: 9 },
        (_, i) =>
          `a${i + 1}: &a${i + 1} [${Array(10)
            .fill("*a" + i)
            .join(", ")}]`,
      ),
    )
    .join("\n");

  test.each<[string, string, string[]]>([
    ["nothing", "# only a comment\n", ["HG5105@1:1 the file is empty"]],
    ["a map", "a: 1\nb: [x, y]", []],
    ["tabs", "a:\n\tb: 1", ["HG5102@2:1 tabs are not allowed as indentation (indent with spaces)"]],
    [
      "twice the same name",
      "a: 1\na: 2",
      ["HG5103@2:1 `a` is written twice in the same object (remove one of the two)"],
    ],
    ["an alias bomb", bomb, ["HG5107@- aliases multiply this YAML file beyond reason"]],
    ["a value inside itself", "a: &x\n  b: *x", ["HG5104@- values are nested deeper than 200 levels"]],
    [
      "an alias to nothing",
      "a: *x",
      ["HG5102@- unresolved alias (the anchor must be set before the alias): x"],
    ],
    [
      "a name twice in thousands",
      Array.from({ length: 30_000 }, (_, i) => `k${i % 29_999}: 1`).join("\n"),
      ["HG5103@30000:1 `k0` is written twice in the same object (remove one of the two)"],
    ],
    [
      "aliases beyond reason",
      Array.from({ length: 9_000 }, (_, i) => `k${i}: &a${i} 1\nl${i}: *a${i}`).join("\n"),
      ["HG5107@- aliases multiply this YAML file beyond reason"],
    ],
    [
      "one anchor used often",
      "a: &x { b: 1 }\n" + Array.from({ length: 500 }, (_, i) => `k${i}: *x`).join("\n"),
      [],
    ],
    [
      "too large",
      "# " + "x".repeat(7 * 1024 * 1024),
      ["HG5002@- the file is larger than 6 MB (JSON may be larger)"],
    ],
  ])("%s", (_, text, expected) => {
    expect(told(parseYaml("f.yaml", text))).toEqual(expected);
  });

  test.each([1_000, 20_000])("brackets %s deep are refused", (depth) => {
    expect(parseYaml("f.yaml", "[".repeat(depth) + "]".repeat(depth)).problems[0]!.severity).toBe("error");
    expect(parseYaml("f.yaml", "- ".repeat(depth) + "a").problems[0]!.severity).toBe("error");
    expect(parseYaml("f.yaml", "[".repeat(depth)).problems[0]!.severity).toBe("error");
  });

  test("numbers whose text matters keep it", () => {
    const text = "a: 1.0\nb: 2\nc: 0x10\n";
    const asWritten = parseYaml("f.yaml", text, { numbersAsWritten: true });
    expect(asWritten.value).toEqual({ a: "1.0", b: 2, c: "0x10" });
    expect(parseYaml("f.yaml", text).value).toEqual({ a: 1, b: 2, c: 16 });
  });

  test("merge keys and aliases work, and positions lead to what was written", () => {
    const file = parseYaml("f.yaml", "base: &base { x: 1 }\napis:\n  - <<: *base\n    name: demo\n");
    expect(file.value).toMatchObject({ apis: [{ x: 1, name: "demo" }] });
    expect(file.locate(["apis", 0, "name"]).range!.start).toEqual({ line: 4, column: 11 });
    expect(file.locate(["apis", 0, "name"], { key: true }).range!.start).toEqual({ line: 4, column: 5 });
  });
});
