import { describe, expect, test } from "vitest";
import { diagnose, explain, messages, restMessage } from "./diagnostics.ts";
import { SourceText } from "./source.ts";

describe("every message", () => {
  test.each(Object.entries(messages))("%s has a page and follows the form", (code, message) => {
    expect(code).toMatch(/^HG[1-6]\d{3}$/);
    expect(message.text).not.toBe("");
    expect(message.text).not.toMatch(/\s$|\n/);
    for (const part of Object.values(message.explain)) expect(part.trim()).not.toBe("");
    // Warnings have their own range; expressions keep theirs together.
    if (!code.startsWith("HG3")) expect(code.startsWith("HG6")).toBe(message.severity === "warning");
    expect(explain(code)).toContain(code);
    expect(explain(code.toLowerCase())).toBe(explain(code));
  });
});

test("unknown codes have no page", () => {
  expect(explain("HG9999")).toBeNull();
  expect(explain("constructor")).toBeNull();
  expect(explain("")).toBeNull();
});

test("values go into text and hint, long ones are cut, line breaks vanish", () => {
  const source = new SourceText("<a/>", "p.xml");
  const values = { element: "x".repeat(300), attribute: "a\nb" };
  const { message, file } = diagnose("HG2107", source, 0, 4, values);
  expect(message).toBe(`<${"x".repeat(120)}…> has no attribute \`a b\``);
  expect(file).toBe("p.xml");
});

test("a value that looks like a placeholder is not filled again", () => {
  const source = new SourceText("");
  expect(diagnose("HG2107", source, 0, 0, { element: "{attribute}", attribute: "b" }).message).toContain(
    "<{attribute}>",
  );
});

const source = new SourceText("<a>\n <b/>\n</a>");

test.each([
  [
    diagnose(
      "HG2115",
      source,
      5,
      7,
      { element: "b", section: "outbound", allowed: "inbound" },
      { element: "b" },
    ),
    "Error in element 'b' on line 2, column 2: Policy section is not allowed in the specified scope",
  ],
  [
    diagnose("HG2118", source, 5, 7, { element: "set-header", allowed: "value" }, { element: "set-header" }),
    "Error in element 'set-header' on line 2, column 2: The element 'set-header' cannot contain text. " +
      "List of possible elements expected: 'value'.",
  ],
  [
    diagnose("HG4002", source, 5, 7, { name: "X" }, { element: "include-fragment" }),
    "Error in element 'include-fragment' on line 2, column 2: Policy fragment with id 'X' could not be found.",
  ],
  [
    diagnose("HG4001", source, 5, 7, { name: "X" }, { element: "value" }),
    "Error in element 'value' on line 2, column 2: Cannot find a property 'X'.",
  ],
])("what the management REST says", (diagnostic, expected) => {
  expect(restMessage(diagnostic)).toBe(expected);
});
