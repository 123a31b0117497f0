/** Whatever is masked comes back, and nothing that arrives makes either way stumble. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { PERSONAL_KINDS } from "../detectors/personal-data.ts";
import { type Masked, maskRequest } from "./mask.ts";
import { DEFAULT_FORM } from "./placeholders.ts";
import { RestoringAnswer } from "./restore-stream.ts";

const rules = { kinds: PERSONAL_KINDS, form: DEFAULT_FORM };

function restored(
  octets: Uint8Array,
  values: ReadonlyMap<string, string>,
  contentType: string,
  cut = 0,
): Buffer {
  const out: Buffer[] = [];
  const answer = new RestoringAnswer({ values, contentType, wantsJson: false, mostBytes: 1e6 }, (ready) =>
    out.push(Buffer.from(ready)),
  );
  answer.write(octets.subarray(0, cut));
  answer.write(octets.subarray(cut));
  answer.end();
  return Buffer.concat(out);
}

const personal = fc.constantFrom(
  "ann@example.com",
  "+1 415 555 2671",
  "4111 1111 1111 1111",
  "DE89 3704 0044 0532 0130 00",
  "742 Evergreen Terrace",
  "<EMAIL_1>",
  "<EMAIL_",
  "123-45-6789",
);
const text = fc
  .array(fc.oneof(personal, fc.string({ unit: "binary", maxLength: 8 }), fc.constant(" ")), { maxLength: 6 })
  .map((parts) => parts.join(" "));
const key = fc.oneof(fc.constantFrom("text", "content", "input", "args", "id", "arguments", "type"), text);
const json = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    text,
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    tie("list"),
    tie("object"),
  ),
  list: fc.array(tie("any"), { maxLength: 3 }),
  object: fc.dictionary(key, tie("any"), { maxKeys: 4 }),
})).any;

test("masked and restored is what was sent", async () => {
  await fc.assert(
    fc.asyncProperty(json, async (value) => {
      const body = JSON.stringify({ messages: value });
      const { text: sent, values } = (await maskRequest(body, rules)) as Masked;
      for (const [placeholder, original] of values) {
        expect(body).not.toContain(placeholder);
        expect(original).not.toBe("");
      }
      if (values.size === 0) {
        expect(sent).toBe(body);
        return;
      }
      const back = restored(Buffer.from(sent), values, "application/json").toString();
      expect(JSON.parse(back)).toEqual(JSON.parse(body));
    }),
    { numRuns: 400 },
  );
});

const VALUES = new Map([["<EMAIL_1>", "ann@example.com"]]);
const TYPES = [
  "text/event-stream",
  "application/json",
  "application/x-ndjson",
  "application/vnd.amazon.eventstream",
  "text/plain",
];

test("whatever arrives passes, cut or not, without a stumble", () => {
  const piece = fc.constantFrom(
    ...'data: |event: x\n|\n\n|\r\n|\r|{"choices":[{"delta":{"content":"|<EMAIL_1>|<EM|"}}]}|[|]|{|}|,|"|\\u003c|\\|\0\0|{"type":"content_block_stop"}|{"candidates":[]}'.split(
      "|",
    ),
  );
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 20 }),
      fc.constantFrom(...TYPES),
      fc.nat(100),
      (pieces, type, cut) => {
        const octets = Buffer.from(pieces.join(""));
        const whole = restored(octets, VALUES, type);
        expect(restored(octets, VALUES, type, Math.min(cut, octets.length)).equals(whole)).toBe(true);
      },
    ),
    { numRuns: 1500 },
  );
});
