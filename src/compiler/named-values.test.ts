import { expect, test } from "vitest";
import { DiagnosticList } from "./diagnostics.ts";
import { hasReference, substituteNamedValues } from "./named-values.ts";
import type { NamedValue } from "./named-values.ts";
import { MappedText, SourceText } from "./source.ts";

const values = new Map<string, NamedValue>([
  ["host", { value: "example.org", secret: false }],
  ["api-key", { value: "s3cr3t", secret: true }],
  ["code", { value: "@(1 + 1)", secret: false }],
  ["nested", { value: "{{host}}", secret: false }],
  ["empty", { value: "", secret: false }],
  ["v1.2_x", { value: "dots", secret: false }],
]);
const lookup = { find: (name: string) => values.get(name), names: () => values.keys() };

function substitute(
  text: string,
  undefinedNames: "error" | "warning" | "ignore" = "error",
): [string, ...string[]] {
  const source = new SourceText(text);
  const list = new DiagnosticList(source);
  const { value } = substituteNamedValues(new MappedText(text, 0, text.length), lookup, undefinedNames, list);
  return [
    value.text,
    ...list.items.map((d) => `${d.severity} ${d.code}@${d.range.start.column} ${d.hint ?? ""}`.trim()),
  ];
}

test.each([
  ["no reference", "no reference"],
  ["https://{{host}}/x", "https://example.org/x"],
  ["{{host}}{{host}}", "example.orgexample.org"],
  ["{{code}}", "@(1 + 1)"],
  ["{{nested}}", "{{host}}"],
  ["a{{empty}}b", "ab"],
  ["{{v1.2_x}}", "dots"],
  ['@($"https://{{host}}/{id}")', '@($"https://example.org/{id}")'],
  ['{"a":{"b":{{host}}}}', '{"a":{"b":example.org}}'],
  ["{backend-id}", "{backend-id}"],
  ["{{ host }}", "{{ host }}"],
  ["{{a b}}", "{{a b}}"],
  ['@($"{{{x}}}")', '@($"{{{x}}}")'],
])("%s", (text, expected) => {
  expect(substitute(text)).toEqual([expected]);
});

test("an undefined name is an error with a hint, a warning, or Liquid's", () => {
  expect(substitute("a {{hots}}")).toEqual(["a {{hots}}", "error HG4001@3 did you mean `{{host}}`?"]);
  expect(substitute("a {{hots}}", "warning")).toEqual([
    "a {{hots}}",
    "warning HG4001@3 did you mean `{{host}}`?",
  ]);
  expect(substitute("{{body.x}} {{host}}", "ignore")).toEqual(["{{body.x}} example.org"]);
  expect(substitute("{{zzzzzzzzz}} {{host}}")[0]).toBe("{{zzzzzzzzz}} example.org");
});

test("what a name became leads back to the reference, and a secret is marked", () => {
  const text = "a{{api-key}}b";
  const list = new DiagnosticList(new SourceText(text));
  const { value } = substituteNamedValues(new MappedText(text, 0, text.length), lookup, "error", list);
  expect(value.text).toBe("as3cr3tb");
  expect([value.startOf(3), value.endOf(4), value.startOf(7)]).toEqual([1, 12, 12]);
  expect(value.hasSecret).toBe(true);
  expect(value.slice(7, 8).hasSecret).toBe(false);
});

test("asking whether there is a reference does not change what is replaced next", () => {
  expect(hasReference("{{host}}-{{host}}")).toBe(true);
  expect(substitute("{{host}}-{{host}}")).toEqual(["example.org-example.org"]);
});
