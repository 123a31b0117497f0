/** The door: results per place, bodies that are needed, constants, what is kept. */
import { beforeEach, expect, test } from "vitest";
import type { ValueType } from "../policy.ts";
import { configureBudget } from "../runtime/budget.ts";
import { NetException } from "../runtime/errors.ts";
import type { HostContext } from "../runtime/host.ts";
import { textOf } from "../runtime/values.ts";
import { compileDetailed, compileExpression } from "./compile-expression.ts";

beforeEach(() => configureBudget(() => 0));

const variables = new Map<string, unknown>([
  ["n", 7],
  ["s", "12"],
  ["nothing", null],
]);
const context = { variables } as unknown as HostContext;
const v = (name: string): string => `context.Variables["${name}"]`;

const results: [source: string, wanted: ValueType, result: unknown][] = [
  ['"a"', "string", "a"],
  ["(string)null", "string", ""],
  ["(string)null", "nullable-string", null],
  ["null", "string", ""],
  ["null", "nullable-string", null],
  ["null", "body", null],
  ["1.50m", "string", "1.50"],
  ["1.0", "string", "1"],
  ["'c'", "nullable-string", "c"],
  ["true", "string", "True"],
  ["(int?)null", "string", ""],
  [v("n"), "string", "7"],
  [v("missing"), "string", ""],
  ["new byte[] { 1 }", "string", "System.Byte[]"],
  ["new byte[] { 1 }", "body", new Uint8Array([1])],
  ["new JObject()", "body", "{}"],
  ["5 > 3", "bool", true],
  ["(bool?)true", "bool", true],
  ["(bool?)null", "bool", "!System.InvalidCastException"],
  ["(object)false", "bool", false],
  [v("n"), "bool", "!System.InvalidCastException"],
  [v("missing"), "bool", "!System.InvalidCastException"],
  ["5", "int", 5],
  ["5L", "int", 5],
  ["(byte)5", "int", 5],
  ["5.0", "int", 5],
  ["5.5", "int", "!System.InvalidCastException"],
  ["5.0m", "int", 5],
  [v("s"), "int", 12],
  ['"12"', "int", 12],
  ['"x"', "int", "!System.FormatException"],
  [v("nothing"), "int", "!System.InvalidCastException"],
  ["5.5", "number", 5.5],
  ["1.25m", "number", 1.25],
  ["1 / 0.0", "number", "!System.InvalidCastException"],
  ["5", "any", 5],
  ["(object)null", "any", null],
];

test.each(results)("%s as %s", (source, wanted, result) => {
  const { value, diagnostics } = compileExpression(source, "expression", wanted);
  expect(diagnostics).toEqual([]);
  let actual: unknown;
  try {
    actual = value!(context);
  } catch (error) {
    if (!(error instanceof NetException)) throw error;
    actual = `!${error.typeName}`;
  }
  expect(actual).toEqual(result);
});

test("values keep their type in a variable", () => {
  for (const source of ["5L", "1.5", "'c'", "(byte)1", "1.5f"]) {
    const { value, type } = compileDetailed(source, "expression", "any");
    expect((value!(context) as { type: unknown }).type).toBe(type);
  }
});

const refused: [source: string, wanted: ValueType][] = [
  ['"true"', "bool"],
  ["1", "bool"],
  ['new JObject()["a"]', "bool"],
  ["true", "int"],
  ["'5'", "int"],
  ["new JObject()", "number"],
];

test.each(refused)("%s is refused as %s when it is saved", (source, wanted) => {
  const { value, diagnostics } = compileExpression(source, "expression", wanted);
  expect(value).toBeNull();
  expect(diagnostics.map((d) => d.code)).toEqual(["HG3147"]);
});

const NOTHING = 0;
const REQUEST = 1;
const RESPONSE = 2;

const needs: [source: string, needs: number][] = [
  ["context.Request.Method", NOTHING],
  ["context.Request.Body == null", REQUEST],
  ["context.Request.Body.As<string>(true)", REQUEST],
  ['context.Request.Body?.As<JObject>(true)?["a"]', REQUEST],
  ["context.Response.StatusCode", NOTHING],
  ["context.Response == null", NOTHING],
  ["context.Response.Body.As<string>(true)", RESPONSE],
  ["context.Response?.Body?.As<string>(true)", RESPONSE],
  ['((IResponse)context.Variables["r"]).Body.As<string>(true)', NOTHING],
  ['((IResponse)context.Variables["r"])?.Body?.As<string>(true) + context.Response.StatusCode', NOTHING],
  ["new[] { context.Response }.First().Body.As<string>(true)", RESPONSE],
  ["context.Request.Body.As<string>(true) + context.Response.Body.As<string>(true)", REQUEST | RESPONSE],
  ["new[] { 1 }.Select(x => context.Request.Body.As<string>(true)).First()", REQUEST],
];

test.each(needs)("%s needs %i", (source, wanted) => {
  const { value, diagnostics } = compileExpression(source, "expression", "string");
  expect(diagnostics).toEqual([]);
  expect(value!.needs).toBe(wanted);
});

test("needs are found in blocks, local functions and locals", () => {
  const found = (source: string): number => compileExpression(source, "block", "string").value!.needs;
  expect(found("var r = context.Response; return r.Body.As<string>(true);")).toBe(RESPONSE);
  expect(found('var r = (IResponse)context.Variables["r"]; return r.Body.As<string>(true);')).toBe(NOTHING);
  expect(found("string F() => context.Request.Body.As<string>(true); return F();")).toBe(REQUEST);
});

test("constants are known when the document is saved", () => {
  const constant = (source: string): unknown => {
    const { isConstant, constant: known } = compileExpression(source, "expression", "any").value!;
    return isConstant ? known : undefined;
  };
  expect(constant("1 + 2")).toBe(3);
  expect(constant('"a" + "b"')).toBe("ab");
  expect(constant("context.Request.Method")).toBeUndefined();
});

test("the same code is compiled once", () => {
  const one = compileExpression("1 + 1 + 1", "expression", "string");
  expect(compileExpression("1 + 1 + 1", "expression", "string")).toBe(one);
  expect(compileExpression("1 + 1 + 1", "expression", "any")).not.toBe(one);
});

test("the old language refuses newer syntax", () => {
  const source = 'string s = null; s ??= "x"; return s;';
  expect(textOf(compileDetailed(source, "block", "any").value!(context))).toBe("x");
  expect(compileDetailed(source, "block", "any", { languageVersion: "7" }).value).toBeNull();
});

test("bad and big expressions end soon, with something said", () => {
  const many = (count: number, text: string): string => Array.from({ length: count }, () => text).join("");
  const sources = [
    `new object[] { ${many(2000, "x, ")} 1 }`,
    `${many(20, "new[]{1}.Sum(a => ")}foo${many(20, ")")}`,
    `new object[] { ${many(2000, "context.Foo, ")} 1 }`,
    "new byte[out var o]",
  ];
  for (const source of sources) {
    const { value, diagnostics } = compileExpression(source, "expression", "any");
    expect(value).toBeNull();
    expect(diagnostics.length).toBeGreaterThan(0);
    expect(diagnostics.length).toBeLessThanOrEqual(300);
  }
});
