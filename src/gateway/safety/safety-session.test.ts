/** Sessions of all dialects with a forbidden string in them, split wherever a string, a message or a frame can be split. */
import { setImmediate } from "node:timers/promises";
import { deflateRawSync, constants } from "node:zlib";
import { describe, expect, test } from "vitest";
import { HeaderList } from "../../base/headers.ts";
import { type Guard, GuardUnavailable } from "../../guards/guard.ts";
import { FrameReader, textFrame } from "../../llm/websocket-frames.ts";
import { type BodySink, type BodySource, TransportError, type Tunnel } from "../../transport/transport.ts";
import { ResponseMessage } from "../message.ts";
import { modelCallOf } from "../models/find-model-call.ts";
import {
  FakeClock,
  type Written,
  apiOf,
  exchangeOf,
  policyStep,
  servicesOf,
  snapshotOf,
} from "../testing.ts";
import { proxyWebSocket } from "../websocket.ts";
import { realtimeWords } from "../../llm/providers/openai/session-words.ts";
import { AnswerTexts } from "./answer-texts.ts";
import { piecesOf } from "./completions.ts";
import { contentSafety } from "./policy.ts";
import { SessionUnits } from "./session-units.ts";

const FORBIDDEN = 'the "red" Türöffner 😀 code';
const REFUSED = "Request failed content safety check.";

// ── The two ends, and who judges ──────────────────────────────────────────────────────────────────────────────────

/** One end of a raw connection: what the test lets it say, and what it was told. */
class End implements Tunnel {
  heard: Buffer = Buffer.alloc(0);
  ended = false;
  closed = false;
  slow = false;
  drained: () => void = () => {};
  resumed = 0;
  #sink: BodySink | null = null;

  readonly source: BodySource = {
    length: undefined,
    start: (sink) => void (this.#sink = sink),
    resume: () => void this.resumed++,
    cancel: () => {},
  };

  sink(onDrain: () => void): BodySink {
    this.drained = onDrain;
    return {
      borrows: true,
      write: (chunk) => {
        if (!this.ended && !this.closed) this.heard = Buffer.concat([this.heard, chunk]);
        return !this.slow;
      },
      end: () => void (this.ended = true),
      fail: () => this.close(),
    };
  }

  close(): void {
    this.closed = true;
  }

  /** As from a socket: the memory is used again. */
  say(octets: Uint8Array): boolean {
    const lent = Buffer.from(octets);
    const room = this.#sink!.write(this.#sink!.borrows === true ? lent : Buffer.from(octets));
    lent.fill(0xaa);
    return room;
  }
  end(): void {
    this.#sink!.end();
  }
  fail(): void {
    this.#sink!.fail(new TransportError("upstream_closed", "gone"));
  }

  /** Messages that it was told, and the code of the close frame. */
  get told(): { readonly messages: string[]; readonly code: number | null } {
    const messages: string[] = [];
    const reader = new FrameReader((text) => messages.push(text), {
      deflate: false,
      noContext: false,
      binary: true,
      mostBytes: 16 * 1024 * 1024,
    });
    let code: number | null = null;
    for (let at = 0; at < this.heard.length && !reader.broken;) {
      const end = reader.readFrame(this.heard, at);
      if ((this.heard[at]! & 0x0f) === 8) code = this.heard.readUInt16BE(at + 2);
      at = end;
    }
    return { messages, code };
  }
}

/** Knows one string, and attacks by one word. */
class OneString implements Guard {
  readonly mostCharacters = 10_000;
  readonly asked: string[] = [];
  readonly shielded: string[] = [];
  until: Promise<void> = Promise.resolve();
  broken = false;

  async analyze({ text }: { readonly text: string }) {
    this.asked.push(text);
    await this.until;
    if (this.broken) throw new GuardUnavailable("gone");
    const found = text.includes(FORBIDDEN);
    return { severities: [], blocklistMatches: found ? [{ blocklist: "words", item: "1" }] : [] };
  }
  async shield({ userPrompt, documents }: { userPrompt: string; documents: readonly string[] }) {
    this.shielded.push(userPrompt, ...documents);
    return {
      userPromptAttack: /jailbreak/.test(userPrompt),
      documentAttacks: documents.map((one) => /jailbreak/.test(one)),
    };
  }
}

const POLICY = contentSafety("llm-content-safety");
const OPENAI = "/realtime?model=gpt-realtime";
const GEMINI = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent";

interface Options {
  readonly target?: string;
  readonly attributes?: Written["attributes"];
  readonly section?: "inbound" | "outbound";
  readonly extensions?: string;
  readonly bufferLimitBytes?: number;
  /** Policies of the same kind. */
  readonly count?: number;
}

async function session(options: Options = {}) {
  const { target = OPENAI, section = "inbound", count = 1 } = options;
  const guard = new OneString();
  const counted: string[] = [];
  const clock = new FakeClock();
  const services = servicesOf({
    clock,
    guardFor: () => guard,
    countSafety: (action, category) => void counted.push(`${action} ${category}`.trim()),
  });
  const snapshot = snapshotOf();
  const { bufferLimitBytes = snapshot.options.bufferLimitBytes } = options;
  const exchange = exchangeOf(
    { target, upgrade: true, headers: ["Sec-WebSocket-Extensions", "permessage-deflate"] },
    { ...snapshot, options: { ...snapshot.options, bufferLimitBytes } },
    services,
  );
  const client = new End();
  const backend = new End();
  exchange.incoming.reply.upgrade = () => client;
  exchange.api = apiOf({ path: "", type: "websocket" });
  const step = policyStep(
    POLICY,
    {
      attributes: { "backend-id": "safety", ...options.attributes },
      children: { blocklists: [{ children: { id: [{ text: "words" }] } }] },
    },
    { section },
  );
  const headers = options.extensions === undefined ? [] : ["Sec-WebSocket-Extensions", options.extensions];
  const answered = (): void => {
    exchange.tunnel = backend;
    exchange.response = new ResponseMessage(101, "", new HeaderList(headers));
  };
  if (section === "outbound") answered();
  for (let i = 0; i < count; i++) await step.run(exchange, null);
  answered();
  proxyWebSocket(exchange, () => {});
  return { exchange, guard, counted, client, backend, clock };
}

/** Until nobody is asked any more. */
const calm = async (): Promise<void> => {
  for (let i = 0; i < 4; i++) await setImmediate();
};

// ── Messages ──────────────────────────────────────────────────────────────────────────────────────────────────────

const MASK = Uint8Array.of(1, 2, 3, 250);
const said = (message: unknown): Buffer => textFrame(JSON.stringify(message), MASK);
const told = (message: unknown): Buffer => textFrame(JSON.stringify(message), null);

function frame(first: number, payload: Uint8Array, masked: boolean): Buffer {
  const whole = Buffer.from(textFrame("x".repeat(payload.length), masked ? MASK : null));
  whole[0] = first;
  const start = whole.length - payload.length;
  for (let i = 0; i < payload.length; i++)
    whole[start + i] = payload[i]! ^ (masked ? (MASK[i & 3] as number) : 0);
  return whole;
}

/** A message in frames of `size` octets, a ping after each. */
function frames(message: unknown, size: number, opcode: number, masked: boolean): Buffer {
  const octets = Buffer.from(JSON.stringify(message));
  const all: Buffer[] = [];
  for (let at = 0; at < octets.length; at += size) {
    const isLast = at + size >= octets.length;
    all.push(
      frame((isLast ? 0x80 : 0) | (at === 0 ? opcode : 0), octets.subarray(at, at + size), masked),
      frame(0x89, Buffer.from("ping"), masked),
    );
  }
  return Buffer.concat(all);
}

const item = (text: string): object => ({
  event_id: "event_1",
  type: "conversation.item.create",
  item: { type: "message", role: "user", content: [{ type: "input_text", text }] },
});
const append = { type: "input_audio_buffer.append", audio: "gICA".repeat(900) };

interface Dialect {
  readonly target: string;
  /** What a caller can say with words in it. */
  readonly says: Readonly<Record<string, (text: string) => object>>;
  /** What a caller says without words. */
  readonly wordless: readonly object[];
  /** Pieces of words of the server, and what ends them. */
  readonly writes: Readonly<Record<string, (text: string) => object>>;
  readonly ends: object;
  readonly sound: object;
  readonly error: boolean;
}

const DIALECTS: Readonly<Record<string, Dialect>> = {
  "OpenAI Realtime": {
    target: OPENAI,
    says: {
      "input_text of an item": item,
      "the output of a function": (output) => ({
        type: "conversation.item.create",
        item: { type: "function_call_output", call_id: "call_1", output },
      }),
      "text of the assistant": (text) => ({
        type: "conversation.item.create",
        item: { type: "message", role: "assistant", content: [{ type: "text", text }] },
      }),
      "instructions of a response": (instructions) => ({
        type: "response.create",
        response: { instructions },
      }),
      "input of a response": (text) => ({
        type: "response.create",
        response: {
          conversation: "none",
          input: [
            { type: "message", role: "user", content: [{ type: "input_text", text: "Hi." }] },
            { type: "message", role: "user", content: [{ type: "input_text", text }] },
          ],
        },
      }),
      "input of a response of the Responses API": (text) => ({
        type: "response.create",
        model: "gpt-4o",
        input: [{ role: "user", content: [{ type: "input_text", text }] }],
      }),
      "instructions of the session": (instructions) => ({
        type: "session.update",
        session: { type: "realtime", instructions },
      }),
      "a tool's description": (description) => ({
        type: "session.update",
        session: { tools: [{ type: "function", name: "f", description, parameters: {} }] },
      }),
      "the name of a tool's parameter": (name) => ({
        type: "session.update",
        session: { tools: [{ type: "function", name: "f", parameters: { properties: { [name]: {} } } }] },
      }),
      "a prompt for the transcription": (prompt) => ({
        type: "session.update",
        session: { audio: { input: { transcription: { model: "whisper-1", prompt } } } },
      }),
      "a name that stands twice": (text) => ({ rawText: `{"a":${JSON.stringify(text)},"a":"b"}` }),
      "a member that nobody knows": (text) => ({ type: "novelty", inside: { of: [text] } }),
    },
    wordless: [append, { type: "input_audio_buffer.commit" }, { type: "response.create" }],
    writes: {
      text: (delta) => ({
        type: "response.output_text.delta",
        event_id: "event_9",
        response_id: "resp_1",
        item_id: "item_1",
        output_index: 0,
        content_index: 0,
        delta,
      }),
      "a transcript": (delta) => ({
        type: "response.output_audio_transcript.delta",
        item_id: "item_1",
        output_index: 0,
        content_index: 0,
        delta,
      }),
      "a transcript, by its old name": (delta) => ({
        type: "response.audio_transcript.delta",
        item_id: "item_1",
        delta,
      }),
      arguments: (delta) => ({
        type: "response.function_call_arguments.delta",
        item_id: "item_2",
        call_id: "call_1",
        output_index: 1,
        delta,
      }),
    },
    ends: { type: "response.done", response: { id: "resp_1", status: "completed", output: [] } },
    sound: { type: "response.output_audio.delta", item_id: "item_1", delta: "AAAA".repeat(300) },
    error: true,
  },
  "Gemini Live": {
    target: GEMINI,
    says: {
      "the system's instruction": (text) => ({
        setup: { model: "models/gemini-live", systemInstruction: { parts: [{ text }] } },
      }),
      "a tool's description": (description) => ({
        setup: { tools: [{ functionDeclarations: [{ name: "f", description }] }] },
      }),
      "a turn": (text) => ({
        clientContent: { turns: [{ role: "user", parts: [{ text: "Hi." }, { text }] }], turnComplete: true },
      }),
      "a turn, in snake case": (text) => ({ client_content: { turns: [{ parts: [{ text }] }] } }),
      "text in real time": (text) => ({ realtimeInput: { text } }),
      "the result of a tool": (text) => ({
        toolResponse: { functionResponses: [{ id: "1", name: "f", response: { deep: [text] } }] },
      }),
      "text in base64": (text) => ({
        realtimeInput: { audio: { mimeType: "audio/pcm", data: Buffer.from(text).toString("base64") } },
      }),
    },
    wordless: [
      { setup: { model: "models/gemini-live", generationConfig: { responseModalities: ["AUDIO"] } } },
      { realtimeInput: { audio: { mimeType: "audio/pcm;rate=16000", data: "gICA".repeat(900) } } },
      { realtimeInput: { activityEnd: {} } },
    ],
    writes: {
      text: (text) => ({ serverContent: { modelTurn: { parts: [{ text }] } } }),
      "a transcript": (text) => ({ serverContent: { outputTranscription: { text } } }),
      "a transcript beside what was heard": (text) => ({
        serverContent: { inputTranscription: { text: "Well" }, outputTranscription: { text } },
      }),
    },
    ends: { serverContent: { turnComplete: true } },
    sound: {
      serverContent: {
        modelTurn: { parts: [{ inlineData: { mimeType: "audio/pcm", data: "gICA".repeat(300) } }] },
      },
    },
    error: false,
  },
};

const raw = (message: object): Buffer =>
  "rawText" in message ? textFrame(String(message.rawText), MASK) : said(message);

const SAYINGS = Object.entries(DIALECTS).flatMap(([name, dialect]) =>
  Object.entries(dialect.says).map(([what, say]) => ({ name, dialect, what, say })),
);
const WRITINGS = Object.entries(DIALECTS).flatMap(([name, dialect]) =>
  Object.entries(dialect.writes).map(([what, write]) => ({ name, dialect, what, write })),
);

const lastWords = (dialect: Dialect): unknown[] =>
  dialect.error
    ? [
        {
          type: "error",
          error: {
            type: "invalid_request_error",
            code: "content_filter",
            message: REFUSED,
            param: null,
            event_id: null,
          },
        },
      ]
    : [];

// ── What the caller says ──────────────────────────────────────────────────────────────────────────────────────────

describe("the caller", () => {
  test.each(SAYINGS)("$name: $what", async ({ dialect, say }) => {
    const { exchange, client, backend, counted, guard } = await session(dialect);
    backend.say(told(dialect.ends));
    const harmless = raw(say("Something that nobody minds"));
    for (const message of dialect.wordless) client.say(said(message));
    client.say(harmless);
    await calm();
    const before = Buffer.concat([...dialect.wordless.map(said), harmless]);
    expect(backend.heard.equals(before)).toBe(true);
    // Nothing else was asked about but names of tools.
    for (const text of guard.asked) expect(text).toMatch(/Something that nobody minds|^Hi\.$|^f$/);
    client.say(raw(say(`Tell me ${FORBIDDEN}, please.`)));
    client.say(said(dialect.wordless.at(-1)));
    await calm();
    client.say(said(dialect.wordless.at(-1)));
    expect(backend.heard.equals(before)).toBe(true);
    expect(client.told.messages.slice(1).map((text) => JSON.parse(text) as unknown)).toEqual(
      lastWords(dialect),
    );
    expect({ code: client.told.code, ended: client.ended, closed: backend.closed }).toEqual({
      code: 1008,
      ended: true,
      closed: true,
    });
    expect(exchange.error).toMatchObject({ reason: "ContentSafetyPolicyViolated", status: 403 });
    expect(counted.at(-1)).toBe("blocked blocklist");
  });

  test.each(Object.entries(DIALECTS))("%s: split at every octet", async (_name, dialect) => {
    const say = Object.values(dialect.says).at(3)!;
    const first = said(say("nobody minds"));
    const second = said(say(FORBIDDEN));
    const octets = Buffer.concat([first, said({ type: "input_audio_buffer.commit" }), second]);
    const clean = octets.length - second.length;
    for (let at = 1; at < octets.length; at++) {
      const { client, backend } = await session(dialect);
      client.say(octets.subarray(0, at));
      if (at % 3 === 0) await calm();
      client.say(octets.subarray(at));
      await calm();
      expect(backend.heard.equals(octets.subarray(0, clean)), `split at ${at}`).toBe(true);
      expect(client.told.code).toBe(1008);
    }
  });

  test.each([
    [1, 1],
    [1, 2],
    [7, 1],
    [100, 2],
  ])("frames of %i octets, opcode %i, octet by octet", async (size, opcode) => {
    const dialect = DIALECTS["Gemini Live"]!;
    const { client, backend } = await session(dialect);
    const fine = frames({ realtimeInput: { text: "How are you?" } }, size, opcode, true);
    for (const octet of fine) client.say(Uint8Array.of(octet));
    await calm();
    expect(backend.heard.equals(fine)).toBe(true);
    for (const octet of frames({ realtimeInput: { text: FORBIDDEN } }, size, opcode, true))
      client.say(Uint8Array.of(octet));
    await calm();
    // The pings after it are not his any more.
    expect([backend.heard.equals(fine), client.told.code]).toEqual([true, 1008]);
  });

  test.each([
    [OPENAI, item],
    [GEMINI, (text: string) => ({ realtimeInput: { text } })],
    [GEMINI, (text: string) => ({ clientContent: { turns: [{ role: "user", parts: [{ text }] }] } })],
  ])("%s: cut in two between two messages, anywhere", async (target, say) => {
    for (let at = 1; at < FORBIDDEN.length; at++) {
      const { client, backend } = await session({ target });
      client.say(said(say(`Listen: ${FORBIDDEN.slice(0, at)}`)));
      client.say(said(append));
      client.say(said(say(FORBIDDEN.slice(at))));
      await calm();
      expect([client.told.code, backend.told.messages.length <= 2], `cut at ${at}`).toEqual([1008, true]);
    }
  });

  test("a message for each character", async () => {
    const { client, backend } = await session({ target: GEMINI });
    for (const text of FORBIDDEN) {
      client.say(said({ realtimeInput: { text } }));
      await calm();
    }
    expect(client.told.code).toBe(1008);
    expect(wordsOf(backend.told.messages)).toBe(FORBIDDEN.slice(0, -1));
  });

  test("what is said while the guard thinks waits in its order, and then the caller does", async () => {
    const { client, backend, guard } = await session();
    let go = (): void => {};
    guard.until = new Promise((resolve) => (go = resolve));
    const words = ["one", "two", "three", "four", "five", "six"].map((text) => said(item(text)));
    const sounds = Array.from({ length: 400 }, () => said(append));
    const all = [words[0]!, ...sounds, ...words.slice(1)];
    const room = all.map((octets) => client.say(octets));
    expect([room[0], room.at(-1), backend.heard.length]).toEqual([true, false, 0]);
    await calm();
    expect(guard.asked).toHaveLength(4 + 3);
    go();
    guard.until = Promise.resolve();
    await calm();
    await calm();
    expect(backend.heard.equals(Buffer.concat(all))).toBe(true);
    expect(client.resumed).toBeGreaterThan(0);
  });

  test("a slow backend is waited for", async () => {
    const { client, backend } = await session();
    backend.slow = true;
    expect(client.say(said(append))).toBe(false);
    client.say(said(item("Hello")));
    await calm();
    expect(backend.heard.length).toBe(said(append).length);
    backend.slow = false;
    backend.drained();
    expect([backend.heard.length, client.resumed]).toEqual([
      said(append).length + said(item("Hello")).length,
      1,
    ]);
  });

  test("the end of the caller comes after his last words", async () => {
    const { client, backend } = await session();
    client.say(said(item("Bye.")));
    client.end();
    expect(backend.ended).toBe(false);
    await calm();
    expect([backend.heard.equals(said(item("Bye."))), backend.ended]).toEqual([true, true]);
  });

  test("prompts are shielded as over HTTP: turns are prompts, results are documents", async () => {
    const { client, guard } = await session({ attributes: { "shield-prompt": true } });
    client.say(said(item("Hello")));
    client.say(said(DIALECTS["OpenAI Realtime"]!.says["the output of a function"]!("a jailbreak")));
    await calm();
    expect([guard.shielded, client.told.code]).toEqual([["Hello", "", "a jailbreak"], 1008]);
  });

  test.each([
    ["a text longer than max-size", { attributes: { "max-size": 50 } }, said(item("x".repeat(51)))],
    [
      "a message longer than what is held",
      { bufferLimitBytes: 2000 },
      said({ ...append, audio: "A".repeat(3000) }),
    ],
  ])("%s is no verdict: 1009", async (_what, options, octets) => {
    const { exchange, client, backend } = await session(options);
    client.say(octets.subarray(0, 2500));
    client.say(octets.subarray(2500));
    await calm();
    expect([client.told.code, backend.heard.length]).toEqual([1009, 0]);
    expect(exchange.error).toMatchObject({ reason: "ContentSafetyTextTooLarge" });
  });

  test("several policies all have to agree", async () => {
    const { client, backend, guard } = await session({
      count: 2,
      attributes: { "enforce-on-completions": true },
    });
    client.say(said(item("Hello")));
    await calm();
    expect([guard.asked, backend.told.messages.length]).toEqual([["Hello", "Hello"], 1]);
    backend.say(told(DIALECTS["OpenAI Realtime"]!.writes["text"]!("Good day")));
    backend.say(told(DIALECTS["OpenAI Realtime"]!.ends));
    await calm();
    expect([guard.asked.length, client.told.messages.length]).toEqual([4, 2]);
  });

  test.each([
    ["deny", 1008, 0],
    ["allow", null, 2],
  ])("when nobody judges, on-error=%s", async (onError, code, passed) => {
    const { exchange, client, backend, guard, counted } = await session({
      attributes: { "on-error": onError },
    });
    guard.broken = true;
    client.say(said(item("Hello")));
    client.say(said(item("Again")));
    await calm();
    expect([client.told.code, backend.told.messages.length]).toEqual([code, passed]);
    expect(exchange.error?.reason).toBe(onError === "deny" ? "ContentSafetyUnavailable" : undefined);
    expect(counted[0]).toBe(onError === "deny" ? "unavailable_blocked" : "unavailable_allowed");
  });

  test("the caller is told between two messages, not within one", async () => {
    const { client, backend, clock } = await session();
    const message = told({ type: "session.created", session: { voice: "alloy" } });
    backend.say(message.subarray(0, 20));
    client.say(said(item(FORBIDDEN)));
    await calm();
    expect(client.heard.length).toBe(20);
    backend.say(Buffer.concat([message.subarray(20), told({ type: "more" })]));
    expect([client.told.code, client.closed]).toEqual([1008, false]);
    // He does not go by himself.
    clock.advance(5000);
    expect(client.closed).toBe(true);
    expect(client.told.messages.map((text) => (JSON.parse(text) as { type: string }).type)).toEqual([
      "session.created",
      "error",
    ]);
  });
});

describe("what is compressed", () => {
  const compressed = (message: unknown, context: Buffer): Buffer => {
    const octets = deflateRawSync(Buffer.from(JSON.stringify(message)), {
      finishFlush: constants.Z_SYNC_FLUSH,
      ...(context.length > 0 ? { dictionary: context } : null),
    });
    return frame(0xc1, octets.subarray(0, octets.length - 4), true);
  };

  test("is judged, with the context of what came before", async () => {
    const { exchange, client, backend } = await session({ extensions: "permessage-deflate" });
    expect(exchange.request.headers.get("sec-websocket-extensions")).toBeNull();
    const first = item("Something of the same form");
    const passes = compressed(first, Buffer.alloc(0));
    client.say(passes);
    client.say(compressed(item(FORBIDDEN), Buffer.from(JSON.stringify(first))));
    await calm();
    expect([backend.heard.equals(passes), client.told.code]).toEqual([true, 1008]);
  });

  test("is judged in outbound, where it was agreed on before anybody could object", async () => {
    const { client, backend } = await session({
      section: "outbound",
      extensions: "permessage-deflate; server_no_context_takeover",
    });
    const octets = compressed(DIALECTS["OpenAI Realtime"]!.writes["text"]!(FORBIDDEN), Buffer.alloc(0));
    backend.say(octets);
    backend.say(told(DIALECTS["OpenAI Realtime"]!.ends));
    await calm();
    expect(client.told.code).toBe(1008);
  });

  test.each([
    ["no deflate", undefined, frame(0xc1, Buffer.from("garbage"), true)],
    ["deflate that is none", "permessage-deflate", frame(0xc1, Buffer.from("\u0007garbage"), true)],
    ["no frames at all", undefined, Buffer.from("GET / HTTP/1.1\r\n\r\n")],
  ])("what cannot be read goes nowhere: %s", async (_what, extensions, octets) => {
    for (const onError of ["deny", "allow"]) {
      const { client, backend } = await session({
        attributes: { "on-error": onError },
        ...(extensions === undefined ? {} : { extensions }),
      });
      client.say(octets);
      client.say(octets);
      await calm();
      expect([client.told.code, backend.heard.length], onError).toEqual(
        onError === "deny" ? [1008, 0] : [null, octets.length * 2],
      );
    }
  });
});

// ── What the model says ───────────────────────────────────────────────────────────────────────────────────────────

const enforced = (size?: number): Written["attributes"] => ({
  "enforce-on-completions": true,
  ...(size === undefined ? {} : { "window-size": size }),
});
const wordsOf = (messages: readonly string[]): string => messages.map((text) => stringsOf(text)).join("");
const stringsOf = (text: string): string => {
  const all: string[] = [];
  JSON.parse(text, (key, value: unknown) => {
    if (typeof value === "string" && (key === "delta" || key === "text")) all.push(value);
    return value;
  });
  return all.join("");
};

describe("the model", () => {
  test.each(WRITINGS)("$name: $what, cut anywhere", async ({ dialect, write }) => {
    for (const size of [1, 20, 1000])
      for (let at = 0; at < FORBIDDEN.length; at++) {
        const { exchange, client, backend } = await session({ ...dialect, attributes: enforced(size) });
        for (const text of ["It is ", FORBIDDEN.slice(0, at), FORBIDDEN.slice(at), ", of course."]) {
          backend.say(told(write(text)));
          if (at % 2 === 0) await calm();
        }
        backend.say(told(dialect.ends));
        await calm();
        const { messages, code } = client.told;
        expect(wordsOf(messages).includes(FORBIDDEN), `cut at ${at}, windows of ${size}`).toBe(false);
        expect(code).toBe(1008);
        expect(exchange.error).toMatchObject({ reason: "ContentSafetyPolicyViolated" });
        if (dialect.error) expect(JSON.parse(messages.at(-1)!)).toEqual(lastWords(dialect)[0]);
      }
  });

  test.each(WRITINGS)("$name: $what, harmless, split at every octet", async ({ dialect, write }) => {
    const octets = Buffer.concat(
      [dialect.sound, write("Nothing "), dialect.sound, write("to see"), dialect.ends].map(told),
    );
    for (let at = 1; at < octets.length; at += at < 100 ? 1 : 37) {
      const { client, backend } = await session({ ...dialect, attributes: enforced(10) });
      backend.say(octets.subarray(0, at));
      if (at % 3 === 0) await calm();
      backend.say(octets.subarray(at));
      await calm();
      expect(client.heard.equals(octets), `split at ${at}`).toBe(true);
    }
  });

  test("without window-size, windows are those of a stream over HTTP", async () => {
    const { guard, client, backend, exchange } = await session({ attributes: enforced() });
    const write = DIALECTS["OpenAI Realtime"]!.writes["text"]!;
    const check = exchange.sessionChecks![0]!;
    const { most, overlap } = piecesOf(check.check, { size: null, overlap: 0, notifies: false });
    expect([check.windows!.size, most, overlap]).toEqual([null, 10_000, 200]);
    // As many as the guard takes, less those that two windows share.
    for (let i = 0; i < 97; i++) backend.say(told(write(`${i}`.padEnd(100, "x"))));
    await calm();
    expect([guard.asked, client.told.messages]).toEqual([[], []]);
    backend.say(told(write("y".repeat(100))));
    await calm();
    expect(guard.asked.map((text) => text.length)).toEqual([most - overlap]);
    expect(client.told.messages).toHaveLength(98);
  });

  test.each(Object.entries(DIALECTS))(
    "%s: sounds wait behind words, nothing passes anything",
    async (_name, dialect) => {
      const { client, backend } = await session({ ...dialect, attributes: enforced(50) });
      const write = Object.values(dialect.writes)[1]!;
      const sound = told(dialect.sound);
      backend.say(sound);
      await calm();
      expect(client.heard.length).toBe(sound.length);
      backend.say(told(write("Half of it")));
      backend.say(sound);
      await calm();
      expect(client.heard.length).toBe(sound.length);
      backend.say(told(dialect.ends));
      await calm();
      expect(
        client.heard.equals(Buffer.concat([sound, told(write("Half of it")), sound, told(dialect.ends)])),
      ).toBe(true);
    },
  );

  test.each([
    ["a tool is called, and the server waits", GEMINI, { toolCall: { functionCalls: [{ name: "f" }] } }],
    ["the model is interrupted", GEMINI, { serverContent: { interrupted: true } }],
    ["an item is whole", OPENAI, { type: "response.output_item.done", item: { type: "message" } }],
    ["an error", OPENAI, { type: "error", error: { message: "Something is wrong." } }],
  ])("a window ends early when %s", async (_what, target, message) => {
    const dialect = Object.values(DIALECTS).find((one) => one.target === target)!;
    const { client, backend } = await session({ target, attributes: enforced() });
    backend.say(told(dialect.writes["text"]!("Wait.")));
    await calm();
    expect(client.heard.length).toBe(0);
    backend.say(told(message));
    await calm();
    expect(client.told.messages).toHaveLength(2);
  });

  test("a ping lets nobody wait for further words", async () => {
    const { client, backend } = await session({ attributes: enforced() });
    const octets = Buffer.concat([
      told(DIALECTS["OpenAI Realtime"]!.writes["text"]!("Wait.")),
      frame(0x89, Buffer.from("ping"), false),
    ]);
    backend.say(octets);
    await calm();
    expect(client.heard.equals(octets)).toBe(true);
  });

  test("a long session does not grow", () => {
    const texts = new AnswerTexts(200, false);
    const units = new SessionUnits(texts, realtimeWords, { deflate: false, noContext: false }, () => {});
    let most = 0;
    for (let n = 0; n < 500; n++) {
      const delta = { type: "response.output_text.delta", item_id: `item_${n}`, delta: `Answer ${n}.` };
      units.read(Buffer.concat([told(delta), told(DIALECTS["OpenAI Realtime"]!.ends)]));
      texts.take();
      units.read(told({ type: "response.created", response: { id: `resp_${n}` } }));
      most = Math.max(most, texts.paths);
    }
    expect(most).toBeLessThanOrEqual(65);
  });

  test("what is repeated, echoed or no word of the model's is not asked about again", async () => {
    const { client, backend, guard } = await session({ attributes: enforced(1000) });
    const words = "A sentence that is longer than some.";
    for (const message of [
      { type: "session.created", session: { object: "realtime.session", instructions: "Be kind to all." } },
      {
        type: "conversation.item.added",
        item: { role: "user", content: [{ text: "What the caller said" }] },
      },
      {
        type: "response.created",
        response: { object: "realtime.response", status: "in_progress", output: [] },
      },
      DIALECTS["OpenAI Realtime"]!.writes["text"]!(words),
      { type: "response.output_text.done", item_id: "item_1", text: words },
      { type: "rate_limits.updated", rate_limits: [{ name: "requests", limit: 5 }] },
    ])
      backend.say(told(message));
    await calm();
    expect([client.told.messages.length, guard.asked]).toEqual([6, [words]]);
  });

  test("when the backend ends or breaks off, what was judged still goes out first", async () => {
    for (const how of ["end", "fail"] as const) {
      const { client, backend } = await session({ attributes: enforced() });
      const words = told(DIALECTS["OpenAI Realtime"]!.writes["text"]!("Half a sen"));
      backend.say(words);
      backend[how]();
      expect([client.heard.length, client.ended, client.closed]).toEqual([0, false, false]);
      await calm();
      expect([client.heard.equals(words), client.ended || client.closed], how).toEqual([true, true]);
    }
  });

  test("what is held is bounded: then the backend waits", async () => {
    const { client, backend, guard } = await session({ attributes: enforced(1) });
    let go = (): void => {};
    guard.until = new Promise((resolve) => (go = resolve));
    backend.say(told(DIALECTS["OpenAI Realtime"]!.writes["text"]!("Well")));
    const sound = told({ ...DIALECTS["OpenAI Realtime"]!.sound, delta: "A".repeat(300_000) });
    expect([1, 2, 3, 4].map(() => backend.say(sound))).toEqual([true, true, true, false]);
    go();
    await calm();
    expect([backend.resumed, client.told.messages.length]).toEqual([1, 5]);
  });

  test("in outbound, the caller is not judged", async () => {
    const { client, backend, guard } = await session({
      section: "outbound",
      attributes: { "window-size": 10 },
    });
    client.say(said(item(FORBIDDEN)));
    expect([backend.told.messages.length, guard.asked]).toEqual([1, []]);
    backend.say(told(DIALECTS["OpenAI Realtime"]!.writes["text"]!(FORBIDDEN)));
    await calm();
    expect([client.told.code, guard.asked.length]).toEqual([1008, 1]);
  });

  test("judged in inbound alone, what the model says passes at once", async () => {
    const { client, backend, guard } = await session();
    const octets = told(DIALECTS["OpenAI Realtime"]!.writes["text"]!(FORBIDDEN));
    for (const octet of octets) backend.say(Uint8Array.of(octet));
    expect([client.heard.equals(octets), guard.asked]).toEqual([true, []]);
  });

  test("what the model wrote is settled when it may not go out", async () => {
    const { exchange, backend, client } = await session({ attributes: enforced(1) });
    const settled: (number | null)[] = [];
    const call = await modelCallOf(exchange);
    call!.onSettled(({ completion }) => settled.push(completion));
    backend.say(told({ type: "response.created", response: { id: "resp_1" } }));
    backend.say(told(DIALECTS["OpenAI Realtime"]!.writes["text"]!(FORBIDDEN)));
    await calm();
    client.end();
    for (const run of exchange.takeEndListeners() ?? []) run();
    await calm();
    expect(settled).toHaveLength(1);
  });
});

// ── What was heard ────────────────────────────────────────────────────────────────────────────────────────────────

describe("what the server has heard", () => {
  const heard = (type: string, rest: object): object => ({
    type: `conversation.item.input_audio_transcription.${type}`,
    item_id: "item_7",
    ...rest,
  });
  const piece = (text: string): object => ({ serverContent: { inputTranscription: { text } } });

  test.each<[string, string, object[]]>([
    ["a transcript", OPENAI, [heard("completed", { transcript: `Say ${FORBIDDEN}` })]],
    ["a segment", OPENAI, [heard("segment", { text: `Say ${FORBIDDEN}`, id: "s", start: 0, end: 1 })]],
    [
      "pieces of a long one",
      OPENAI,
      [
        heard("delta", { delta: FORBIDDEN.slice(0, 9) }),
        heard("delta", { delta: FORBIDDEN.slice(9).padEnd(300) }),
      ],
    ],
    [
      "pieces, when the model begins",
      GEMINI,
      [piece(FORBIDDEN.slice(0, 9)), piece(FORBIDDEN.slice(9)), DIALECTS["Gemini Live"]!.sound],
    ],
    [
      "pieces on both sides of a question",
      GEMINI,
      [piece(`${"x".repeat(250)}${FORBIDDEN.slice(0, 9)}`), piece(FORBIDDEN.slice(9)), { toolCall: {} }],
    ],
  ])("%s ends the session", async (_what, target, messages) => {
    for (const attributes of [{}, enforced(10)]) {
      const { exchange, client, backend } = await session({ target, ...(attributes && { attributes }) });
      for (const message of messages) backend.say(told(message));
      await calm();
      expect([client.told.code, backend.closed, exchange.error?.reason]).toEqual([
        1008,
        true,
        "ContentSafetyPolicyViolated",
      ]);
    }
  });

  test("harmless, it is asked about once", async () => {
    const { client, backend, guard } = await session();
    for (const delta of ["How ", "far ", "is it?"]) backend.say(told(heard("delta", { delta })));
    backend.say(told(heard("completed", { transcript: "How far is it?" })));
    await calm();
    expect([guard.asked, client.told.messages.length]).toEqual([["How far is it?"], 4]);
  });
});

// ── Sessions that nobody knows ────────────────────────────────────────────────────────────────────────────────────

describe("a session in no known dialect", () => {
  const rpc = (text: string): object => ({
    jsonrpc: "2.0",
    id: 1,
    method: "tools/call",
    params: { name: "f", arguments: { text } },
  });
  test.each<[string, Buffer]>([
    ["plain text", textFrame(`Say ${FORBIDDEN}`, MASK)],
    ["JSON", said({ deep: [{ model: FORBIDDEN }] })],
    ["a name", said({ [FORBIDDEN]: 1 })],
    ["JSON-RPC", said(rpc(FORBIDDEN))],
    ["text in a binary frame", frame(0x82, Buffer.from(FORBIDDEN), true)],
    ["UTF-16 in a binary frame", frame(0x82, Buffer.from(JSON.stringify({ a: FORBIDDEN }), "utf16le"), true)],
    ["what is no text", frame(0x82, Uint8Array.of(0, 1, 2, 3), true)],
  ])("is judged: %s", async (_what, octets) => {
    const { client, backend } = await session({ target: "/chat" });
    const fine = said(rpc("Hello"));
    client.say(fine);
    await calm();
    client.say(octets);
    await calm();
    // There is no form for errors.
    expect([backend.heard.equals(fine), client.told]).toEqual([true, { messages: [], code: 1008 }]);
  });

  test.each<[string, Buffer[]]>([
    ["plain text", [textFrame(FORBIDDEN, null)]],
    ["in two messages", [textFrame(FORBIDDEN.slice(0, 7), null), textFrame(FORBIDDEN.slice(7), null)]],
    ["JSON-RPC", [told({ jsonrpc: "2.0", id: 1, result: { content: [{ type: "text", text: FORBIDDEN }] } })]],
    ["what is no text", [frame(0x82, Uint8Array.of(0, 1, 2, 3), false)]],
  ])("and so is what comes back: %s", async (_what, all) => {
    const { client, backend } = await session({ target: "/chat", attributes: enforced() });
    const fine = textFrame("Hello", null);
    backend.say(fine);
    await calm();
    expect(client.heard.equals(fine)).toBe(true);
    for (const octets of all) backend.say(octets);
    await calm();
    expect([client.told.messages.length < 1 + all.length, client.told.code]).toEqual([true, 1008]);
  });

  test("what is no text passes where the author lets pass what cannot be judged; it is said once", async () => {
    const { client, backend, counted } = await session({
      target: "/chat",
      attributes: { "on-error": "allow" },
    });
    for (let i = 0; i < 3; i++) client.say(frame(0x82, Uint8Array.of(0, 1, 2, 3), true));
    await calm();
    expect([backend.told.messages.length, counted]).toEqual([3, ["unavailable_allowed"]]);
  });
});

// ── All of it at random ───────────────────────────────────────────────────────────────────────────────────────────

describe("whatever is said, however it is cut, whenever it is judged", () => {
  const next = (seed: { n: number }, most: number): number => {
    seed.n = (Math.imul(seed.n, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed.n / 2 ** 32) * most);
  };

  test.each(Array.from({ length: 60 }, (_, seed) => seed))(
    "nothing is lost and nothing changes places: %i",
    async (n) => {
      const seed = { n: n * 7919 + 1 };
      const dialect = Object.values(DIALECTS)[n % 2]!;
      const { client, backend, guard } = await session({
        ...dialect,
        attributes: enforced(1 + next(seed, 60)),
        count: 1 + (n % 3),
      });
      const says = Object.values(dialect.says).filter((say) => !("rawText" in say("")));
      const writes = Object.values(dialect.writes);
      const random = (masked: boolean): Buffer => {
        const kind = next(seed, 5);
        const words = "lorem ipsum ".repeat(next(seed, 12));
        const make = masked ? says[next(seed, says.length)]! : writes[next(seed, writes.length)]!;
        if (kind === 0)
          return frame(next(seed, 2) === 0 ? 0x89 : 0x8a, Buffer.from("x".repeat(next(seed, 30))), masked);
        if (kind === 1) return frames(make(words), 1 + next(seed, 90), 1 + next(seed, 2), masked);
        if (kind === 2) {
          const message = masked ? dialect.wordless[next(seed, dialect.wordless.length)] : dialect.sound;
          return masked ? said(message) : told(message);
        }
        return textFrame(JSON.stringify(make(words)), masked ? MASK : null);
      };
      const pending: (() => void)[] = [];
      const hold = (): void => {
        guard.until =
          next(seed, 3) === 0 ? Promise.resolve() : new Promise((resolve) => pending.push(resolve));
      };
      const sides = [
        {
          end: client,
          other: backend,
          octets: Buffer.concat(Array.from({ length: 25 }, () => random(true))),
        },
        {
          end: backend,
          other: client,
          octets: Buffer.concat([...Array.from({ length: 25 }, () => random(false)), told(dialect.ends)]),
        },
      ];
      const at = [0, 0];
      while (sides.some(({ octets }, i) => at[i]! < octets.length)) {
        const i = next(seed, 2);
        const { end, other, octets } = sides[i]!;
        hold();
        const to = Math.min(octets.length, at[i]! + 1 + next(seed, 400));
        other.slow = next(seed, 4) === 0;
        if (to > at[i]!) end.say(octets.subarray(at[i], to));
        at[i] = to;
        if (next(seed, 3) === 0) pending.splice(next(seed, pending.length || 1), 1)[0]?.();
        if (next(seed, 4) === 0) await setImmediate();
        if (next(seed, 3) === 0) other.drained();
      }
      guard.until = Promise.resolve();
      for (const { other } of sides) other.slow = false;
      for (let turn = 0; turn < 60; turn++) {
        for (const go of pending.splice(0)) go();
        for (const { other } of sides) other.drained();
        await setImmediate();
      }
      expect([client.told.code, backend.told.code]).toEqual([null, null]);
      for (const { other, octets } of sides) expect(other.heard.equals(octets)).toBe(true);
    },
  );
});
