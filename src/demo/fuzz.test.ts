/**
 * Whatever JSON stands in whichever field: an answer or a refusal, never an exception, never an unfinished
 * stream.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { HeaderList } from "../base/headers.ts";
import { DEFAULT_CONTROL } from "./control.ts";
import { answerRequest } from "./model.ts";
import { exampleFor } from "../base/schema-example.ts";
import { toBytes, type Step } from "./steps.ts";

const settings = {
  defaults: DEFAULT_CONTROL,
  models: [],
  onlyListed: false,
  apiKeys: null,
  contextTokens: 1000,
};

const json = fc.jsonValue({ maxDepth: 3 });
const words = fc
  .constantFrom(
    "role user assistant tool system content type text function name arguments parameters tool_calls tool_call_id id".split(
      " ",
    ),
  )
  .chain((list) => fc.constantFrom(...list));
/** Objects whose keys mean something, so that the readers get past their first check. */
const likely = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    words,
    fc.integer({ min: -1, max: 3 }),
    fc.boolean(),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(words, tie("value"), { maxKeys: 4 }),
  ),
})).value;

const valid: Record<string, object> = {
  "/v1/chat/completions": { model: "m", messages: [{ role: "user", content: "f" }] },
  "/v1/responses": { model: "m", input: "f" },
  "/v1/embeddings": { model: "m", input: "f" },
};
const names =
  "messages input n stream stream_options stop seed tools tool_choice response_format text max_tokens dimensions " +
  "instructions parallel_tool_calls encoding_format metadata max_output_tokens";

test.each(Object.keys(valid))("%s", (target) => {
  const body = fc.tuple(fc.constantFrom(...names.split(" ")), fc.oneof(json, likely), fc.boolean());
  fc.assert(
    fc.property(body, ([name, value, stream]) => {
      const text = JSON.stringify({ ...valid[target], stream, [name]: value });
      const request = { method: "POST", target, headers: new HeaderList(), body: toBytes(text) };
      const answer = answerRequest(request, settings, { id: "x", created: 0 });
      if (typeof answer.body === "string") JSON.parse(answer.body);
      else expect([...(answer.body as Iterable<Step>)].length).toBeGreaterThan(2);
      expect([200, 400]).toContain(answer.status);
    }),
    { numRuns: 500, seed: 1 },
  );
});

const keywords = (
  "type properties required items anyOf allOf oneOf $ref enum const default examples minimum maximum multipleOf " +
  "minItems maxItems prefixItems minLength maxLength pattern format additionalProperties minProperties"
).split(" ");

test("any schema has an example that JSON can hold", () => {
  const schema = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom("object", "array", "string", "integer", "number", "#", "#/properties/type", "[a-z]+"),
      fc.double(),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...keywords), tie("value"), { maxKeys: 5 }),
    ),
  })).value;
  fc.assert(
    fc.property(schema, (value) => {
      expect(typeof (JSON.stringify(exampleFor(value, "type=2 items=x")) ?? "none")).toBe("string");
    }),
    { numRuns: 1000, seed: 1 },
  );
});
