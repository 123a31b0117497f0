/** `@google/genai`, live: sessions through the gateway to a WebSocket server that speaks the documented messages. */
import { GoogleGenAI, type LiveServerMessage, type Session } from "@google/genai";
import { type AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { WebSocketServer } from "ws";
import type { Exchange } from "../../src/gateway/exchange.ts";
import type { Settlement } from "../../src/llm/settlement.ts";
import { type TestGateway, policy, subscription, testGateway } from "../gateway.ts";

const METHOD = "ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent";
const SLOW = { timeout: 20_000 };

const limit = (key: string): string =>
  `<llm-token-limit counter-key="${key}" tokens-per-minute="40" estimate-prompt-tokens="false" />`;

let server: WebSocketServer;
let gateway: TestGateway;
/** What reached the backend, by the name of its field. */
let heard: string[] = [];
let handshakes: string[] = [];
/** The server says its messages in these frames. */
let binary = true;

beforeAll(async () => {
  server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  server.on("connection", (socket, request) => {
    handshakes.push(request.url!);
    const say = (message: object): void => socket.send(Buffer.from(JSON.stringify(message)), { binary });
    let turn = 0;
    const answer = (): void => {
      turn++;
      const sound = { inlineData: { mimeType: "audio/pcm;rate=24000", data: "A".repeat(4000) } };
      say({ serverContent: { modelTurn: { parts: [sound] } } });
      say({ serverContent: { outputTranscription: { text: `answer ` } } });
      say({ serverContent: { outputTranscription: { text: `${turn}` } } });
      say({ serverContent: { generationComplete: true } });
      say({
        serverContent: { turnComplete: true },
        usageMetadata: {
          promptTokenCount: 10 * turn,
          responseTokenCount: 5 * turn,
          totalTokenCount: 15 * turn,
          responseTokensDetails: [{ modality: "AUDIO", tokenCount: 5 * turn }],
        },
      });
    };
    socket.on("message", (data) => {
      const message = JSON.parse(String(data)) as Record<string, any>;
      heard.push(Object.keys(message)[0]!);
      if ("setup" in message) say({ setupComplete: {} });
      else if ("clientContent" in message) answer();
      else if ("audio" in message["realtimeInput"]) {
        // Voice activity: the server hears that the caller has ended.
        say({ serverContent: { inputTranscription: { text: "How " } } });
        say({ serverContent: { inputTranscription: { text: "far?" } } });
        answer();
      }
    });
  });
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  const live = (name: string, inbound: string): Record<string, object | string> => ({
    [`apis/${name}/apiInformation.json`]: {
      properties: {
        displayName: name,
        path: `${name}/${METHOD}`,
        type: "websocket",
        protocols: ["ws", "wss"],
        serviceUrl: `ws://127.0.0.1:${port}/${METHOD}`,
        subscriptionRequired: true,
        subscriptionKeyParameterNames: { header: "x-goog-api-key", query: "key" },
      },
    },
    [`apis/${name}/policy.xml`]: policy({ inbound }),
  });
  gateway = await testGateway(
    {
      ...live(
        "metered",
        `<llm-emit-token-metric namespace="live"><dimension name="API ID" /></llm-emit-token-metric>`,
      ),
      ...live("limited", limit("limited")),
      ...live("heard", limit("heard")),
      "subscriptions/me/subscriptionInformation.json": subscription("/apis", "my-key"),
    },
    { admin: { host: "127.0.0.1", port: 0, portIsDefault: false, token: null } },
  );
});
afterAll(async () => {
  await gateway.close();
  for (const socket of server.clients) socket.terminate();
  await new Promise((resolve) => server.close(resolve));
});

interface Talk {
  readonly session: Session;
  readonly messages: LiveServerMessage[];
  readonly closed: Promise<number>;
  /** Until so many turns have ended. */
  turns(count: number): Promise<void>;
}

async function talk(api: string): Promise<Talk> {
  heard = [];
  handshakes = [];
  const messages: LiveServerMessage[] = [];
  let closed = (_code: number): void => {};
  const closing = new Promise<number>((resolve) => (closed = resolve));
  const client = new GoogleGenAI({
    apiKey: "my-key",
    httpOptions: { baseUrl: `${gateway.url}/${api}`, apiVersion: "v1beta" },
  });
  const session = await client.live.connect({
    model: "gemini-live-2.5-flash-preview",
    callbacks: {
      onmessage: (message) => void messages.push(message),
      onclose: (event) => closed(event.code),
      onerror: () => {},
    },
  });
  const turns = (count: number): Promise<void> =>
    vi.waitFor(
      () => expect(messages.filter((one) => one.serverContent?.turnComplete)).toHaveLength(count),
      SLOW,
    );
  return { session, messages, closed: closing, turns };
}

async function ended(api: string): Promise<Exchange> {
  await vi.waitFor(() => expect(gateway.exchanges.at(-1)?.api?.id).toBe(api), SLOW);
  return gateway.exchanges.at(-1)!;
}

test.each([
  ["binary", true],
  ["text", false],
])("each turn is counted by itself, in %s frames", async (_what, inBinary) => {
  binary = inBinary;
  const before = gateway.exchanges.length;
  const { session, messages, turns } = await talk("metered");
  session.sendClientContent({ turns: [{ role: "user", parts: [{ text: "How long is the canal?" }] }] });
  await turns(1);
  session.sendRealtimeInput({ audio: { mimeType: "audio/pcm", data: "A".repeat(4000) } });
  await turns(2);
  session.close();
  await vi.waitFor(() => expect(gateway.exchanges.length).toBeGreaterThan(before), SLOW);
  const { modelCall } = await ended("metered");
  expect(heard).toEqual(["setup", "clientContent", "realtimeInput"]);
  expect(handshakes[0]).toMatch(/^\/ws\/google\.ai\.generativelanguage\.v1beta\./);
  expect(messages.at(-1)!.usageMetadata!.totalTokenCount).toBe(30);
  expect(modelCall).toMatchObject({
    part: 2,
    ending: "finished",
    partText: "answer 2",
    partMessages: [{ role: "user", content: "How far?" }],
    request: { model: "gemini-live-2.5-flash-preview" },
    found: { responses: 2, finishReason: "turnComplete" },
  });
  const { prompt, completion, evidence, usage } = modelCall!.settlement as Settlement;
  expect([prompt, completion, evidence, usage.completionAudio]).toEqual([20, 10, "reported", 10]);
});

test("a scrape says the sum of the turns", async () => {
  const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  expect(text).toContain('live_total_tokens_sum{api_id="metered"} 90');
  expect(text).toContain('live_total_tokens_count{api_id="metered"} 4');
});

test.each<[string, string, (session: Session) => void, number]>([
  ["asked for", "limited", (session) => session.sendClientContent({ turns: "more" }), 2],
  [
    "begun by the server",
    "heard",
    (session) => session.sendRealtimeInput({ audio: { mimeType: "audio/pcm", data: "AA" } }),
    3,
  ],
])("a limit ends a session: a further turn, %s", async (_what, api, ask, most) => {
  const before = gateway.exchanges.length;
  const { session, messages, turns, closed } = await talk(api);
  // 15 + 30 tokens are used; 40 were allowed.
  session.sendClientContent({ turns: "Hello" });
  await turns(1);
  session.sendClientContent({ turns: "Hello" });
  await turns(2);
  ask(session);
  expect(await closed).toBe(1008);
  expect(messages.filter((one) => one.serverContent?.turnComplete)).toHaveLength(most);
  await vi.waitFor(() => expect(gateway.exchanges.length).toBeGreaterThan(before), SLOW);
  expect(gateway.exchanges.at(-1)!.modelCall).toMatchObject({ part: most });
  // Nor is another session let in.
  await expect(talk(api)).rejects.toThrow("429");
});
