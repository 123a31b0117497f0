/** Whatever stands in a file: problems with positions inside it, never an exception, never endless. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { checkProperties } from "../check-resource.ts";
import { kinds } from "../kinds/index.ts";
import { importOpenApi } from "./openapi/import.ts";
import { readOverrides } from "./overrides.ts";
import { parseStructured } from "./read.ts";

const JSON_SEED = JSON.stringify(
  { properties: { path: "a", pool: { services: [{ id: "/backends/b", weight: 1 }] } } },
  null,
  1,
);
const YAML_SEED = `openapi: 3.0.1
servers: [{ url: "https://x" }]
paths:
  /a/{id}: &shared
    parameters: [{ $ref: "#/components/parameters/P" }]
    get: { operationId: g, responses: { "200": { content: { a/b: { example: { x: 1 } } } } } }
  /b: *shared
components: { parameters: { P: { name: p, in: query, required: true, schema: { type: [string, "null"] } } } }
`;
const OVERRIDES_SEED =
  'apis:\n  - name: a\n    properties: { url: "{#x#}", y: {#[Z]#} }\n    operations: [{ name: o }]\n';

/** A seed with pieces cut out, doubled and replaced by characters that mean something. */
function mutated(seed: string) {
  const piece = fc.record({
    at: fc.nat(seed.length),
    cut: fc.nat(12),
    put: fc.oneof(
      fc.constantFrom(
        "{",
        "}",
        "[",
        "]",
        '"',
        "'",
        ":",
        ",",
        "\n",
        "\t",
        "  ",
        "&",
        "*",
        "#",
        "|",
        "\\",
        "\u0000",
        "$ref",
        "null",
        "~",
      ),
      fc.string({ maxLength: 4 }),
    ),
  });
  return fc
    .array(piece, { maxLength: 6 })
    .map((pieces) =>
      pieces.reduce((text, { at, cut, put }) => text.slice(0, at) + put + text.slice(at + cut), seed),
    );
}

const RUNS = { numRuns: 400, seed: 20_251 };

test.each([
  ["f.json", JSON_SEED],
  ["f.yaml", YAML_SEED],
])("%s", (file, seed) => {
  fc.assert(
    fc.property(mutated(seed), (text) => {
      const parsed = parseStructured(file, text);
      const lines = text.split(/\r\n|\r|\n/).length;
      for (const { range } of parsed.problems) {
        if (!range) continue;
        expect(range.start.line).toBeGreaterThan(0);
        expect(range.start.column).toBeGreaterThan(0);
        expect(range.end.line).toBeLessThanOrEqual(lines);
      }
      if (parsed.value !== undefined)
        importOpenApi(parsed, { requiredQueryParameters: "template", schemaName: "s" });
    }),
    RUNS,
  );
});

test("overrides", () => {
  fc.assert(
    fc.property(mutated(OVERRIDES_SEED), (text) => {
      readOverrides("configuration.x.yaml", text, (name) => (name === "x" ? "1" : undefined));
    }),
    RUNS,
  );
});

test("properties of every kind", () => {
  fc.assert(
    fc.property(fc.constantFrom(...kinds), fc.json(), fc.nat(), (kind, text, pick) => {
      const names = Object.keys(kind.shape.properties);
      const value: unknown = JSON.parse(text);
      const properties = names.length > 0 ? { [names[pick % names.length]!]: value } : value;
      const once = checkProperties(kind, "x", properties, () => undefined);
      // What was normalised is normal.
      expect(checkProperties(kind, "x", once.properties, () => undefined).properties).toEqual(
        once.properties,
      );
    }),
    RUNS,
  );
});
