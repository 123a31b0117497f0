import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ANTHROPIC } from "../../llm/corpus/anthropic.fixture.ts";
import { BEDROCK } from "../../llm/corpus/bedrock.fixture.ts";
import { GEMINI } from "../../llm/corpus/gemini.fixture.ts";
import { OPENAI } from "../../llm/corpus/openai.fixture.ts";
import { AnswerTexts } from "./answer-texts.ts";
import { SniffedUnits } from "./units.ts";

const corpus = (family: string, file: string): Buffer =>
  readFileSync(new URL(`../../llm/corpus/${family}/${file}`, import.meta.url));

/** All words of an answer that came in these chunks, as a stream is read. */
function read(chunks: readonly Buffer[], contentType: string | null = null): string[] {
  const texts = new AnswerTexts(0, false);
  const units = new SniffedUnits(texts, contentType);
  let begun: Buffer[] = [];
  for (const chunk of chunks) {
    const end = units.read(chunk, begun);
    if (end > 0) begun = [];
    if (end < chunk.length) begun.push(chunk.subarray(end));
  }
  units.end(begun);
  return texts.take();
}

const FAMILIES = { openai: OPENAI, anthropic: ANTHROPIC, gemini: GEMINI, bedrock: BEDROCK };

describe.each(Object.entries(FAMILIES))(
  "what a model of %s wrote is among what is judged",
  (family, cases) => {
    const told = cases.filter(
      ({ file, said, contentEncoding, dialect }) =>
        (said.text ?? "") !== "" &&
        contentEncoding === undefined &&
        !file.endsWith(".frames") &&
        dialect !== "openai-realtime",
    );
    it.each(told.map((one) => [one.file, one] as const))("%s", (file, { said, contentType }) => {
      const octets = corpus(family, file);
      const whole = read([octets], contentType ?? null);
      // What the dialect's own reader puts in one line comes from several paths now and then.
      const all = letters(whole.join("\n"));
      for (const piece of said.text!.match(/[\p{L}\p{N}]+/gu) ?? [])
        if (file !== "thinking.sse") expect(all).toContain(piece);
      const single = read(
        Array.from(octets, (_, i) => octets.subarray(i, i + 1)),
        contentType ?? null,
      );
      // What is no event has its own order.
      if (file === "chat-non-json-lines.sse") expect(single).toHaveLength(whole.length);
      else expect(single).toEqual(whole);
    });
  },
);

function letters(text: string): string {
  return text.replace(/[^\p{L}\p{N}\n]/gu, "");
}

describe("structure is not among it", () => {
  it.each([
    ["openai", "chat-usage.sse"],
    ["openai", "responses-function-call.sse"],
    ["anthropic", "stream.sse"],
    ["gemini", "stream.sse"],
    ["gemini", "interaction.sse"],
    ["gemini", "interaction.body"],
    ["gemini", "interaction-first-revision.sse"],
    ["bedrock", "converse.eventstream"],
    ["bedrock", "invoke-anthropic.eventstream"],
  ])("%s/%s", (family, file) => {
    const texts = read([corpus(family, file)]);
    expect(texts.join("\n")).not.toMatch(
      /chatcmpl|msg_|resp_|assistant|text_delta|end_turn|STOP|gpt-4o|v1_|step\.|content\.|interaction|gemini-2/,
    );
  });
});

it.each<[string, unknown, string[]]>([
  [
    "an interaction",
    {
      object: "interaction",
      system_instruction: "Be nice.",
      steps: [
        { type: "user_input", content: [{ type: "text", text: "Hi" }] },
        { type: "model_output", content: [{ type: "text", text: "Hello" }] },
      ],
    },
    ["Hello"],
  ],
  ["a step", { event_type: "step.start", index: 0, step: { type: "user_input", content: "Hi" } }, []],
  ["no step", { arguments: { step: { type: "user_input", q: "Hi" } } }, ["\nstep:\ntype:user_input\nq:Hi"]],
])("what the caller has said himself is not judged again: %s", (_, value, words) => {
  const texts = new AnswerTexts(0, false);
  texts.value(value);
  expect(texts.take()).toEqual(words);
});

describe("what is no event", () => {
  it.each([
    ["a line of its own", "data: {}\n\nbomb\n\n", true],
    ["a line within", "data: {}\nbomb\ndata: 1\n\n", true],
    ["an unknown field", "datum: bomb\n\n", true],
    ["HTML", "<html>bomb</html>\n", true],
    ["a field without a value", "data\n\nevent\n\n", false],
    ["comments and fields", "\ufeff: ping\r\nevent: x\r\nid: 1\r\nretry: 3\r\ndata: {}\r\n\r\n", false],
    ["CR alone", "event: x\rdata: {}\r\r", false],
    ["the beginning of a field", "data: {}\n\nda", true],
  ])("%s", (_, text, judged) => {
    const octets = Buffer.from(text);
    const whole = read([octets], "text/event-stream");
    expect(whole.length > 0).toBe(judged);
    expect(
      read(
        Array.from(octets, (octet) => Buffer.from([octet])),
        "text/event-stream",
      ).length > 0,
    ).toBe(judged);
  });
});
