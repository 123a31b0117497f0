/** Streams of all dialects with a forbidden string in them, split wherever a string can be split (`reliability.md` R-34). */
import { describe, expect, it } from "vitest";
import type { Guard } from "../../guards/guard.ts";
import { eventStreamMessage } from "../../llm/event-stream.ts";
import { type BodySink, type BodySource, TransportError } from "../../transport/transport.ts";
import { CutOff } from "../cut-off.ts";
import { GatewayError } from "../errors.ts";
import { AnswerTexts } from "./answer-texts.ts";
import { GuardedSource } from "./guarded-source.ts";
import { type Rules, judgeTexts } from "./judge.ts";
import { OVERLAP } from "./questions.ts";
import { SniffedUnits } from "./units.ts";

const FORBIDDEN = 'the "red" Türöffner 😀 code';
const RULES: Rules = {
  categories: [],
  blocklists: ["words"],
  outputType: "FourSeverityLevels",
  shieldsPrompt: false,
};

/** Knows one string. */
const guard = (delay: Promise<void> = Promise.resolve()): Guard & { asked: string[] } => ({
  mostCharacters: 10_000,
  asked: [],
  async analyze({ text }) {
    this.asked.push(text);
    await delay;
    const found = text.includes(FORBIDDEN);
    return { severities: [], blocklistMatches: found ? [{ blocklist: "words", item: "1" }] : [] };
  },
  shield: () => Promise.reject(new Error("completions are no prompts")),
});

// ── Streams ───────────────────────────────────────────────────────────────────────────────────────────────────────

type Frames = (pieces: readonly string[]) => Buffer[];

const sse = (values: readonly unknown[], event?: (value: any) => string): Buffer[] =>
  values.map((value) =>
    Buffer.from(`${event === undefined ? "" : `event: ${event(value)}\n`}data: ${JSON.stringify(value)}\n\n`),
  );
const chat =
  (delta: (piece: string) => object): Frames =>
  (pieces) => [
    ...sse([
      { id: "c", object: "chat.completion.chunk", choices: [{ index: 0, delta: { role: "assistant" } }] },
    ]),
    ...sse(
      pieces.map((piece) => ({
        id: "c",
        model: "gpt-4o",
        choices: [{ index: 0, delta: delta(piece) }],
        p: "xy",
      })),
    ),
    ...sse([
      { id: "c", choices: [{ index: 0, delta: {}, finish_reason: "stop" }], usage: { total_tokens: 3 } },
    ]),
    Buffer.from("data: [DONE]\n\n"),
  ];
const typed =
  (value: (piece: string) => object): Frames =>
  (pieces) =>
    sse([{ type: "begin" }, ...pieces.map(value), { type: "end" }], ({ type }) => type as string);
const message = (event: string, payload: unknown): Buffer =>
  Buffer.from(
    eventStreamMessage(
      { ":event-type": event, ":content-type": "application/json", ":message-type": "event" },
      Buffer.from(JSON.stringify(payload)),
    ),
  );
const gemini = (piece: string): object => ({
  candidates: [{ content: { parts: [{ text: piece }], role: "model" }, index: 0 }],
  modelVersion: "gemini-2.0-flash",
});

/** Gemini's Interactions API. */
const interaction =
  (delta: (piece: string) => object): Frames =>
  (pieces) => {
    const said = { id: "v1_a", object: "interaction", model: "gemini-2.5-flash" };
    const event = ({ event_type }: any): string => event_type as string;
    return [
      ...sse([{ interaction: said, event_type: "interaction.created" }], event),
      ...sse([{ index: 0, step: { type: "model_output" }, event_type: "step.start" }], event),
      ...sse(
        pieces.map((piece) => ({ index: 0, delta: delta(piece), event_type: "step.delta" })),
        event,
      ),
      ...sse([{ interaction: said, event_type: "interaction.completed" }], event),
      Buffer.from("event: done\ndata: [DONE]\n\n"),
    ];
  };

const STREAMS: Readonly<Record<string, Frames>> = {
  "chat, content": chat((content) => ({ content })),
  "chat, refusal": chat((refusal) => ({ refusal })),
  "chat, reasoning": chat((reasoning_content) => ({ reasoning_content })),
  "chat, arguments of a tool call": chat((piece) => ({
    tool_calls: [{ index: 0, id: "call_1", type: "function", function: { arguments: piece } }],
  })),
  "chat, two tool calls at a time": chat((piece) => ({
    tool_calls: [
      { index: 0, function: { arguments: "x1" } },
      { index: 1, function: { arguments: piece } },
    ],
  })),
  "chat, two choices at a time": (pieces) =>
    sse(
      pieces.flatMap((content) => [
        { choices: [{ index: 0, delta: { content } }] },
        { choices: [{ index: 1, delta: { content: "Something else." } }] },
      ]),
    ),
  "chat, lines that end in CR LF": (pieces) =>
    chat((content) => ({ content }))(pieces).map((frame) =>
      Buffer.from(frame.toString().replaceAll("\n", "\r\n")),
    ),
  "chat, comments between": (pieces) =>
    chat((content) => ({ content }))(pieces).flatMap((frame) => [frame, Buffer.from(": ping\n\n")]),
  "chat, escaped": (pieces) =>
    chat((content) => ({ content }))(pieces).map((frame) =>
      Buffer.from(
        frame
          .toString()
          .replace(/[^\x20-\x7e\n]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`),
      ),
    ),
  completions: (pieces) =>
    sse(pieces.map((text) => ({ object: "text_completion", choices: [{ index: 0, text }] }))),
  "responses, text": typed((delta) => ({
    type: "response.output_text.delta",
    item_id: "msg_1",
    output_index: 0,
    content_index: 0,
    delta,
  })),
  "responses, arguments": typed((delta) => ({
    type: "response.function_call_arguments.delta",
    item_id: "fc_1",
    output_index: 1,
    delta,
  })),
  "messages, text": typed((text) => ({
    type: "content_block_delta",
    index: 0,
    delta: { type: "text_delta", text },
  })),
  "messages, a block for each piece": (pieces) =>
    sse(
      pieces.map((text, index) => ({
        type: "content_block_delta",
        index,
        delta: { type: "text_delta", text },
      })),
    ),
  "messages, arguments": typed((partial_json) => ({
    type: "content_block_delta",
    index: 1,
    delta: { type: "input_json_delta", partial_json },
  })),
  "messages, thinking": typed((thinking) => ({
    type: "content_block_delta",
    index: 0,
    delta: { type: "thinking_delta", thinking },
  })),
  "gemini, SSE": (pieces) => sse(pieces.map(gemini)),
  "gemini, parts of one value": (pieces) =>
    sse([{ candidates: [{ content: { parts: pieces.map((text) => ({ text })) }, index: 0 }] }]),
  "gemini, array": (pieces) =>
    pieces.map((piece, i) =>
      Buffer.from(
        `${i === 0 ? "[" : ",\r\n"}${JSON.stringify(gemini(piece), null, 1)}${i === pieces.length - 1 ? "]" : ""}`,
      ),
    ),
  "interactions, text": interaction((piece) => ({ type: "text", text: piece })),
  "interactions, thoughts": interaction((text) => ({
    type: "thought_summary",
    content: { type: "text", text },
  })),
  "interactions, arguments": interaction((piece) => ({ type: "arguments_delta", arguments: piece })),
  "interactions, a step for each piece": (pieces) =>
    sse(
      pieces.map((text, index) => ({ index, delta: { type: "text", text }, event_type: "step.delta" })),
      ({ event_type }) => event_type as string,
    ),
  "interactions, first revision": (pieces) =>
    sse(pieces.map((text) => ({ index: 0, delta: { type: "text", text }, event_type: "content.delta" }))),
  "converse, text": (pieces) =>
    pieces.map((text) =>
      message("contentBlockDelta", { contentBlockIndex: 0, delta: { text }, p: "abcdefgh" }),
    ),
  "converse, arguments": (pieces) =>
    pieces.map((input) =>
      message("contentBlockDelta", { contentBlockIndex: 1, delta: { toolUse: { input } } }),
    ),
  "invoke, Anthropic": (pieces) =>
    pieces.map((text) =>
      message("chunk", {
        bytes: Buffer.from(
          JSON.stringify({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } }),
        ).toString("base64"),
        p: "abc",
      }),
    ),
  "invoke, Llama": (pieces) =>
    pieces.map((generation) =>
      message("chunk", { bytes: Buffer.from(JSON.stringify({ generation })).toString("base64") }),
    ),
  "lines of JSON": (pieces) =>
    pieces.map((content) => Buffer.from(`${JSON.stringify({ message: { role: "assistant", content } })}\n`)),
  "MCP, a result": (pieces) =>
    sse([
      {
        jsonrpc: "2.0",
        id: 1,
        result: { content: pieces.map((text) => ({ type: "text", text })), isError: false },
      },
    ]),
  "A2A, artifacts": (pieces) =>
    sse(
      pieces.map((text) => ({
        jsonrpc: "2.0",
        id: 1,
        result: {
          kind: "artifact-update",
          taskId: "t",
          append: true,
          artifact: { artifactId: "a", parts: [{ kind: "text", text }] },
        },
      })),
    ),
  "plain text": (pieces) => pieces.map((piece) => Buffer.from(piece)),
};
/** What comes there comes as one unit. */
const CONTENT_TYPES: Readonly<Record<string, string>> = { "lines of JSON": "application/x-ndjson" };

// ── The way to the client ─────────────────────────────────────────────────────────────────────────────────────────

interface Result {
  readonly out: Buffer;
  readonly ended: "whole" | "cut" | "broken";
  readonly asked: readonly string[];
}

function run(
  chunks: readonly Buffer[],
  windowSize: number,
  contentType: string | null = null,
  ending: TransportError | null = null,
): Promise<Result> {
  const judge = guard();
  const texts = new AnswerTexts(OVERLAP, false);
  return new Promise((resolve) => {
    const out: Uint8Array[] = [];
    const done = (ended: Result["ended"]): void =>
      resolve({ out: Buffer.concat(out), ended, asked: judge.asked });
    let at = 0;
    let sink: BodySink;
    const push = (): void => {
      while (at < chunks.length) if (!sink.write(chunks[at++]!)) return;
      if (ending === null) sink.end();
      else sink.fail(ending);
    };
    const source: BodySource = {
      length: undefined,
      start: (into) => {
        sink = into;
        push();
      },
      resume: push,
      cancel: () => (at = Infinity),
    };
    new GuardedSource(source, {
      texts,
      units: new SniffedUnits(texts, contentType),
      windowSize,
      mostUnitBytes: 1024 * 1024,
      check: async (found) =>
        (await judgeTexts(judge, RULES, found, { most: windowSize + OVERLAP, overlap: OVERLAP }, false)) ===
        null
          ? null
          : refused,
      tooLarge: () => refused,
      cut: () => null,
    }).start({
      write: (chunk) => out.push(chunk.slice()) > 0,
      end: () => done("whole"),
      fail: (error) => done(error instanceof CutOff ? "cut" : "broken"),
    });
  });
}

const refused = new GatewayError({ source: "llm-content-safety", reason: "x", message: "no", status: 403 });

/** The same octets in other chunks. */
function cut(octets: Buffer, size: number): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < octets.length; at += size) chunks.push(octets.subarray(at, at + size));
  return chunks;
}

const WINDOWS = [1, 30, 9800];

describe.each(Object.entries(STREAMS))("%s", (name, frames) => {
  const contentType = CONTENT_TYPES[name] ?? null;

  it("what is harmless goes out octet for octet, however it comes", async () => {
    const stream = Buffer.concat(frames(["Hello", ", here is ", "something harmless 😀", " for you."]));
    for (const windowSize of WINDOWS)
      for (const size of [1, 7, 100, stream.length]) {
        const { out, ended } = await run(cut(stream, size), windowSize, contentType);
        expect(ended).toBe("whole");
        expect(out.equals(stream)).toBe(true);
      }
  });

  it("the forbidden is caught before its last part leaves, split anywhere over pieces", async () => {
    for (let at = 1; at < FORBIDDEN.length; at++) {
      // No encoding can carry half a character but JSON's escapes.
      if (/[\udc00-\udfff]/.test(FORBIDDEN[at]!) && name !== "chat, escaped") continue;
      const pieces = ["Here is ", `well, ${FORBIDDEN.slice(0, at)}`, `${FORBIDDEN.slice(at)} and`, " more"];
      const all = frames(pieces);
      const last = offsetOf(all, frames([pieces[0]!, pieces[1]!, "X", pieces[3]!]));
      for (const windowSize of WINDOWS) {
        const { out, ended } = await run(all, windowSize, contentType);
        expect([name, at, windowSize, ended]).toEqual([name, at, windowSize, "cut"]);
        expect(out.length).toBeLessThanOrEqual(last);
      }
    }
  });

  it("the forbidden is caught in pieces of one character, in chunks of any size", async () => {
    const all = Buffer.concat(frames(["So: ", ...FORBIDDEN, " is it. ", "Bye."]));
    const chunked = [1, 2, 3, 5, 11, 64, 1000];
    for (const windowSize of WINDOWS)
      for (const size of chunked) {
        const { out, ended } = await run(cut(all, size), windowSize, contentType);
        expect([size, windowSize, ended]).toEqual([size, windowSize, "cut"]);
        expect(out.length).toBeLessThan(all.length - 10);
      }
  });

  it("the forbidden is caught at every place where octets can be cut in two", async () => {
    const all = Buffer.concat(frames(["Here is ", FORBIDDEN, " and more"]));
    for (let at = 1; at < all.length; at++) {
      const { ended, out } = await run([all.subarray(0, at), all.subarray(at)], 30, contentType);
      expect(ended).toBe("cut");
      expect(out.includes("Türöffner")).toBe(false);
    }
  });

  it("an answer that breaks off is judged as far as it came", async () => {
    const all = Buffer.concat(frames(["Here is ", FORBIDDEN]));
    const reset = new TransportError("upstream_closed", "gone");
    for (let at = all.length - 1; at > all.length - 200 && at > 0; at -= 3) {
      const { ended, out } = await run([all.subarray(0, at)], 10_000, contentType, reset);
      expect(ended === "cut" || (ended === "broken" && !out.includes("😀 code"))).toBe(true);
    }
  });
});

/** Octets before the frame that brings the rest of the string. */
function offsetOf(all: readonly Buffer[], others: readonly Buffer[]): number {
  let size = 0;
  for (let i = 0; all[i]!.equals(others[i]!); i++) size += all[i]!.length;
  return size;
}

describe("windows", () => {
  const words = (count: number): string[] => Array.from({ length: count }, (_, i) => `word${i} `);
  const frames = STREAMS["chat, content"]!;

  it("texts are judged a window at a time, each with the end of the one before", async () => {
    const { asked } = await run(frames(words(400)), 1000);
    expect(asked.length).toBeGreaterThan(2);
    for (const [i, text] of asked.entries()) {
      expect(text.length).toBeLessThan(1000 + OVERLAP + 20);
      if (i > 0) expect(text.slice(0, 100)).toBe(asked[i - 1]!.slice(-OVERLAP).slice(0, 100));
    }
  });

  it("what a stream says again at its end is not judged again", async () => {
    const text = words(20);
    const deltas = text.map((delta) => ({ type: "response.output_text.delta", item_id: "m", delta }));
    const whole = text.join("");
    const { asked, ended } = await run(
      sse([
        ...deltas,
        { type: "response.output_text.done", item_id: "m", text: whole },
        {
          type: "response.completed",
          response: {
            object: "response",
            instructions: "Be nice to everybody who comes here.",
            output: [{ type: "message", content: [{ type: "output_text", text: whole }] }],
          },
        },
      ]),
      10_000,
    );
    expect(ended).toBe("whole");
    expect(asked).toEqual([whole]);
  });

  it("nothing is read on while much is held", async () => {
    let paused = 0;
    const chunks = frames(words(40_000));
    const texts = new AnswerTexts(OVERLAP, false);
    let release = (): void => {};
    let held = 0;
    let out = 0;
    let most = 0;
    await new Promise<void>((resolve, reject) => {
      let at = 0;
      let sink: BodySink;
      const push = (): void => {
        while (at < chunks.length) {
          held += chunks[at]!.length;
          most = Math.max(most, held - out);
          if (sink.write(chunks[at++]!)) continue;
          paused++;
          return void setImmediate(() => release());
        }
        sink.end();
        setImmediate(() => release());
      };
      new GuardedSource(
        {
          length: undefined,
          start: (into) => {
            sink = into;
            push();
          },
          resume: push,
          cancel: () => {},
        },
        {
          texts,
          units: new SniffedUnits(texts, null),
          windowSize: 9800,
          mostUnitBytes: 1024 * 1024,
          check: () =>
            new Promise((done) => {
              release = () => done(null);
              if (at >= chunks.length) setImmediate(release);
            }),
          tooLarge: () => refused,
          cut: () => null,
        },
      ).start({
        write: (chunk) => {
          out += chunk.length;
          return true;
        },
        end: () => resolve(),
        fail: reject,
      });
    });
    expect(paused).toBeGreaterThan(1);
    expect(out).toBe(chunks.reduce((size, chunk) => size + chunk.length, 0));
    expect(most).toBeLessThan(2.5 * 1024 * 1024);
  });

  it("an answer in octets one by one is no more to hold than its octets", async () => {
    const all = Buffer.concat(frames(words(3000)));
    const { out, ended } = await run(cut(all, 1), 9800);
    expect(ended).toBe("whole");
    expect(out.equals(all)).toBe(true);
  });

  it("a unit without an end is not held for ever", async () => {
    const { ended } = await run(
      Array.from({ length: 3000 }, () => Buffer.from(`data: ${"x".repeat(1000)}`)),
      100,
    );
    expect(ended).toBe("cut");
  });
});
