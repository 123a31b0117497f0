/** Realtime sessions: the official client through the gateway to a WebSocket server that speaks the documented events. */
import OpenAI from "openai";
import { OpenAIRealtimeWS } from "openai/realtime/ws";
import { type AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { WebSocketServer } from "ws";
import type { Exchange } from "../src/gateway/exchange.ts";
import { makeIdentity } from "../src/transport/suite/certificates.ts";
import { type TestGateway, policy, subscription, testGateway } from "./gateway.ts";

const certificate = makeIdentity({ name: "localhost", addresses: ["127.0.0.1"] });
let server: WebSocketServer;
let gateway: TestGateway;
/** What the server takes for speech, for the end of it, and for something that was said and that it does not understand. */
const SPEECH = "c3BlZWNo";
const SILENCE = "c2lsZW5jZQ==";
const NOISE = "bm9pc2U=";
/** Types of the events that reached the backend. */
let heard: string[] = [];
let handshakes: string[] = [];

interface Limited {
  readonly what: string;
  readonly api: string;
  readonly model: string;
  /** What the client says for one response, and what tells that it is over. */
  readonly asks: readonly object[];
  readonly ends: string;
  /** What it says when nothing is left, what of that reaches the backend, and how many responses end all the same. */
  readonly more: readonly object[];
  readonly last: { readonly heard: readonly string[]; readonly ended: number };
}

const APPEND = "input_audio_buffer.append";
const append = (audio: string): object => ({ type: APPEND, audio });
const commit = { type: "input_audio_buffer.commit" };
const TRANSCRIBED = {
  model: "gpt-4o-transcribe",
  ends: "conversation.item.input_audio_transcription.completed",
};
const LIMITED: readonly Limited[] = [
  {
    what: "a further response is not begun",
    api: "limited",
    model: "gpt-realtime",
    asks: [{ type: "response.create" }],
    ends: "response.done",
    more: [{ type: "response.create" }],
    last: { heard: [], ended: 0 },
  },
  {
    what: "a further utterance is not committed",
    api: "limited-commits",
    ...TRANSCRIBED,
    asks: [append("AAAA"), commit],
    more: [append("AAAA"), commit],
    last: { heard: [APPEND], ended: 0 },
  },
  {
    what: "a further utterance that the server hears is not waited for",
    api: "limited-voices",
    ...TRANSCRIBED,
    asks: [append(NOISE), append(SPEECH), append(SILENCE)],
    more: [append(SPEECH)],
    last: { heard: [APPEND], ended: 0 },
  },
  {
    what: "an utterance that the server has committed is the last",
    api: "limited-late",
    ...TRANSCRIBED,
    asks: [append(SILENCE)],
    more: [append(SILENCE)],
    last: { heard: [APPEND], ended: 1 },
  },
];

const usage = (input: number, output: number): object => ({
  total_tokens: input + output,
  input_tokens: input,
  output_tokens: output,
  input_token_details: { text_tokens: input - 2, audio_tokens: 2, cached_tokens: 0 },
  output_token_details: { text_tokens: output - 3, audio_tokens: 3 },
});

beforeAll(async () => {
  server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  server.on("connection", (socket, request) => {
    handshakes.push(`${request.url} ${request.headers["authorization"]}`);
    const say = (event: object): void => socket.send(JSON.stringify(event));
    let n = 0;
    const type = "conversation.item.input_audio_transcription";
    const committed = (item_id: string): void =>
      say({ type: "input_audio_buffer.committed", item_id, previous_item_id: null });
    const notTranscribed = (): void => {
      committed("item");
      say({ type: `${type}.failed`, item_id: "item", error: { code: "audio_unintelligible" } });
    };
    const transcribed = (): void => {
      const item_id = `item_${++n}`;
      committed(item_id);
      say({ type: `${type}.delta`, item_id, content_index: 0, delta: `said ${n}` });
      const reported = { type: "tokens", ...usage(10 * n, 5 * n) };
      say({ type: `${type}.completed`, item_id, content_index: 0, transcript: `said ${n}`, usage: reported });
    };
    const transcribes = request.url!.includes("transcribe");
    const transcription = { model: "gpt-4o-transcribe", language: "en" };
    say({
      type: "session.created",
      session: transcribes
        ? { type: "transcription", audio: { input: { transcription } } }
        : { type: "realtime", model: "gpt-realtime-2025-08-28" },
    });
    socket.on("message", (data) => {
      const event = JSON.parse(String(data)) as { type: string; audio?: string };
      heard.push(event.type);
      if (transcribes) {
        if (event.audio === SPEECH) say({ type: "input_audio_buffer.speech_started", item_id: "item" });
        if (event.audio === NOISE) notTranscribed();
        if (event.audio === SILENCE || event.type === "input_audio_buffer.commit") transcribed();
        return;
      }
      if (event.type !== "response.create") return;
      n++;
      say({ type: "response.created", response: { id: `resp_${n}` } });
      say({ type: "response.output_audio.delta", response_id: `resp_${n}`, delta: "A".repeat(4000) });
      say({ type: "response.output_audio_transcript.delta", response_id: `resp_${n}`, delta: `answer ${n}` });
      say({
        type: "response.done",
        response: { id: `resp_${n}`, status: "completed", usage: usage(10 * n, 5 * n), output: [] },
      });
    });
  });
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  const realtime = (name: string, inbound: string): Record<string, object | string> => ({
    [`apis/${name}/apiInformation.json`]: {
      properties: {
        displayName: name,
        path: `${name}/openai/realtime`,
        type: "websocket",
        protocols: ["ws", "wss"],
        serviceUrl: `ws://127.0.0.1:${port}/openai/realtime`,
        subscriptionRequired: true,
        subscriptionKeyParameterNames: { header: "api-key", query: "api-key", bearer: "enabled" },
      },
    },
    [`apis/${name}/policy.xml`]: policy({ inbound }),
  });
  gateway = await testGateway(
    {
      ...realtime(
        "metered",
        `<llm-emit-token-metric namespace="rt"><dimension name="API ID" /></llm-emit-token-metric><set-header name="Authorization" exists-action="override"><value>Bearer of-the-gateway</value></set-header>`,
      ),
      ...Object.assign(
        {},
        ...LIMITED.map(({ api }) =>
          realtime(
            api,
            `<llm-token-limit counter-key="${api}" tokens-per-minute="40" estimate-prompt-tokens="false" />`,
          ),
        ),
      ),
      "subscriptions/me/subscriptionInformation.json": subscription("/apis", "my-key"),
    },
    {
      tls: { key: certificate.key, cert: certificate.cert },
      admin: { host: "127.0.0.1", port: 0, portIsDefault: false, token: null },
    },
  );
});
afterAll(async () => {
  await gateway.close();
  for (const socket of server.clients) socket.terminate();
  await new Promise((resolve) => server.close(resolve));
});

interface Session {
  readonly events: any[];
  readonly closed: Promise<number>;
  send(event: object): void;
  close(): void;
  /** Until so many events of this type have come. */
  seen(type: string, count?: number): Promise<void>;
}

function session(api: string, model = "gpt-realtime"): Session {
  const client = new OpenAI({
    apiKey: "my-key",
    baseURL: `${gateway.url}/${api}/openai`,
  });
  const socket = new OpenAIRealtimeWS({ model, options: { rejectUnauthorized: false } }, client);
  const events: any[] = [];
  socket.on("event", (event) => events.push(event));
  socket.on("error", () => {});
  return {
    events,
    closed: new Promise((resolve) => socket.socket.on("close", (code: number) => resolve(code))),
    send: (event) => socket.send(event as never),
    close: () => socket.close(),
    seen: (type, count = 1) =>
      vi.waitFor(
        () => expect(events.filter((event) => event.type === type).length).toBeGreaterThanOrEqual(count),
        { timeout: 20_000 },
      ),
  };
}

const done = async (api: string): Promise<Exchange> => {
  await vi.waitFor(() => expect(gateway.exchanges.at(-1)?.api?.id).toBe(api), { timeout: 20_000 });
  return gateway.exchanges.at(-1)!;
};

test("the official client talks through; each response is counted by itself", async () => {
  const talk = session("metered");
  await talk.seen("session.created");
  talk.send({
    type: "conversation.item.create",
    item: {
      type: "message",
      role: "user",
      content: [{ type: "input_text", text: "How long is the canal?" }],
    },
  });
  talk.send({ type: "response.create" });
  await talk.seen("response.done");
  talk.send({ type: "response.create" });
  await talk.seen("response.done", 2);
  talk.close();
  const exchange = await done("metered");
  expect(exchange.modelCall).toMatchObject({ part: 2, ending: "finished" });
  expect(exchange.modelCall!.settlement).toMatchObject({ prompt: 20, completion: 10, evidence: "reported" });
  expect(exchange.modelCall).toMatchObject({ partText: "answer 2", partMessages: [] });
  expect(exchange.modelCall!.found).toMatchObject({ model: "gpt-realtime-2025-08-28", responses: 2 });
  expect(handshakes.at(-1)).toBe("/openai/realtime?model=gpt-realtime Bearer of-the-gateway");
  const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  expect(text).toContain('rt_total_tokens_sum{api_id="metered"} 45');
  expect(text).toContain('rt_total_tokens_count{api_id="metered"} 2');
  expect(text).toContain('rt_completion_audio_tokens_sum{api_id="metered"} 6');
});

test("a session that transcribes is counted by its utterances", async () => {
  const talk = session("metered", "gpt-4o-transcribe");
  await talk.seen("session.created");
  for (let n = 1; n <= 2; n++) {
    talk.send({ type: "input_audio_buffer.append", audio: SILENCE });
    await talk.seen("conversation.item.input_audio_transcription.completed", n);
  }
  const before = gateway.exchanges.length;
  talk.close();
  await vi.waitFor(() => expect(gateway.exchanges.length).toBeGreaterThan(before), { timeout: 20_000 });
  const { modelCall } = await done("metered");
  expect(modelCall).toMatchObject({ part: 2, ending: "finished", partText: "said 2" });
  expect(modelCall!.settlement).toMatchObject({ prompt: 20, completion: 10, evidence: "reported" });
});

test.each(LIMITED)(
  "a limit ends a session: $what, the client is told why and closed with 1008",
  async ({ api, model, asks, ends, more, last }) => {
    heard = [];
    const talk = session(api, model);
    await talk.seen("session.created");
    for (let n = 1; n <= 2; n++) {
      for (const event of asks) talk.send(event);
      await talk.seen(ends, n);
    }
    const before = heard.length;
    // 15 + 30 tokens are used; 40 were allowed.
    for (const event of more) talk.send(event);
    expect(await talk.closed).toBe(1008);
    expect(heard.slice(before)).toEqual(last.heard);
    expect(talk.events.filter(({ type }) => type === ends)).toHaveLength(2 + last.ended);
    expect(talk.events.at(-1)).toMatchObject({
      type: "error",
      error: { type: "rate_limit_exceeded", code: "token_limit_exceeded" },
    });
    // Nor is another session let in.
    const refused = session(api, model);
    await vi.waitFor(() => expect(gateway.exchanges.at(-1)?.response?.statusCode).toBe(429), {
      timeout: 20_000,
    });
    refused.close();
  },
);
