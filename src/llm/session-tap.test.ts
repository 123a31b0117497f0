import { array, assert, constantFrom, dictionary, letrec, oneof, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { DIALECTS } from "./providers/index.ts";
import { dialectNamed } from "./recognise.ts";
import { type SessionOptions, tapSession } from "./session-tap.ts";
import { textFrame } from "./websocket-frames.ts";

const realtime = dialectNamed("openai-realtime")!;
const line = { method: "GET", path: "/", query: "", header: () => null };
const MASK = Uint8Array.from([1, 2, 3, 4]);
const fromServer = (event: object): Buffer => textFrame(JSON.stringify(event), null);
const fromClient = (event: object): Buffer => textFrame(JSON.stringify(event), MASK);

function tap(options: Partial<SessionOptions> = {}) {
  const events: string[] = [];
  const said: string[] = [];
  const session = tapSession(realtime, {
    extensions: null,
    keepText: 1000,
    onEvent: (from, event) => events.push(`${from} ${String(event["type"])} ${session.found.responses}`),
    onTranscript: ({ role, text }) => said.push(`${role}: ${text}`),
    ...options,
  });
  return { session, events, said };
}

const done = (input: number, output: number): object => ({
  type: "response.done",
  response: {
    status: "completed",
    usage: { input_tokens: input, output_tokens: output, total_tokens: input + output },
  },
});

describe("a session", () => {
  it("sums its responses and tells each event when it is counted", () => {
    const { session, events } = tap();
    session.fromClient(fromClient({ type: "response.create" }));
    session.fromServer(fromServer({ type: "response.created", response: {} }));
    expect(session.found.complete).toBe(false);
    session.fromServer(fromServer(done(10, 5)));
    session.fromClient(fromClient({ type: "response.create" }));
    session.fromServer(Buffer.concat([fromServer({ type: "response.created" }), fromServer(done(20, 7))]));
    expect(session.found).toMatchObject({
      responses: 2,
      complete: true,
      usage: { prompt: 30, completion: 12, total: 42 },
    });
    expect(events).toEqual([
      "client response.create 0",
      "server response.created 0",
      "server response.done 1",
      "client response.create 1",
      "server response.created 1",
      "server response.done 2",
    ]);
  });

  it("what the client says is no answer", () => {
    const { session } = tap();
    session.fromClient(fromClient(done(10, 5)));
    expect(session.found.usage).toBeNull();
  });

  it("notes what is said, not what is heard", () => {
    const { session, said, events } = tap();
    const sound = "A".repeat(5000);
    session.fromClient(fromClient({ type: "input_audio_buffer.append", audio: sound }));
    session.fromClient(
      fromClient({
        type: "conversation.item.create",
        item: { role: "user", content: [{ type: "input_text", text: "Hi" }] },
      }),
    );
    session.fromServer(
      fromServer({ type: "conversation.item.input_audio_transcription.completed", transcript: "What?" }),
    );
    session.fromServer(fromServer({ type: "response.output_audio.delta", delta: sound }));
    session.fromServer(fromServer({ type: "response.output_audio.delta", delta: "AAAA" }));
    session.fromServer(fromServer({ type: "response.output_audio_transcript.delta", delta: "Hel" }));
    session.fromServer(fromServer({ type: "response.output_audio_transcript.done", transcript: "Hello" }));
    expect(said).toEqual(["user: Hi", "user: What?", "assistant: Hello"]);
    expect(session.found.text.read(null)).toBe("Hel");
    expect(events).not.toContain("client input_audio_buffer.append 0");
  });

  it("a response without deltas has its text in the end", () => {
    const { session } = tap();
    const item = { type: "message", content: [{ type: "output_text", text: "Hi" }] };
    session.fromServer(fromServer({ type: "response.done", response: { output: [item] } }));
    session.fromServer(fromServer({ type: "response.output_text.delta", delta: "Yo" }));
    session.fromServer(
      fromServer({ type: "response.done", response: { output: [{ ...item, content: [{ text: "Yo" }] }] } }),
    );
    expect(session.found.text.read(null)).toBe("HiYo");
  });

  it("says where a frame of one's own may go", () => {
    const { session } = tap();
    const frame = fromServer(done(1, 1));
    session.fromServer(frame.subarray(0, 5));
    expect(session.server.atBoundary).toBe(false);
    expect(session.client.atBoundary).toBe(true);
    session.fromServer(frame.subarray(5));
    expect(session.server.atBoundary).toBe(true);
  });

  it.each(["", "null", "5", "[1]", "{", '"x"', '{"type":5}', '{"type":"error"}'])(
    "%j harms nobody",
    (text) => {
      const { session } = tap();
      session.fromServer(textFrame(text, null));
      session.fromClient(textFrame(text, MASK));
      expect(session.found.usage).toBeNull();
    },
  );
});

describe("words of sessions", () => {
  const SESSIONS = DIALECTS.filter(({ session }) => session !== undefined);
  const names = constantFrom(
    "type",
    "item",
    "content",
    "setup",
    "model",
    "serverContent",
    "modelTurn",
    "parts",
    "turns",
    "text",
    "inputTranscription",
    "outputTranscription",
    "clientContent",
    "toolCall",
    "functionCalls",
    "args",
    "usageMetadata",
    "promptTokensDetails",
    "response",
    "usage",
    "conversation.item.create",
  );
  const leaves = oneof(constantFrom(null, true, 7, -1, "conversation.item.create", "response.done"), names);
  const { value } = letrec((tie) => ({
    value: oneof(
      { depthSize: "small" },
      leaves,
      array(tie("value"), { maxLength: 3 }),
      dictionary(names, tie("value"), { maxKeys: 4 }),
    ),
  }));

  it.each(SESSIONS.map((dialect) => [dialect.name, dialect] as const))(
    "%s: nothing throws",
    (_name, dialect) => {
      assert(
        property(value, (event) => {
          const session = tapSession(dialect, {
            extensions: null,
            keepText: 10,
            onEvent: (_from, message) => {
              dialect.session!.asks(message);
              dialect.session!.begins(message, false);
              if (dialect.session!.setsUp(message)) dialect.readRequest(message, line);
            },
            onTranscript: ({ text }) => void expect(text).not.toBe(""),
          });
          const frame = textFrame(JSON.stringify(event), null);
          session.fromServer(frame);
          session.fromClient(frame);
        }),
        { numRuns: 2000 },
      );
    },
  );
});
