/** `openai` with the Responses API over a WebSocket: each response is limited and settled by itself, as over HTTP. */
import OpenAI from "openai";
import { ResponsesWS } from "openai/resources/responses/ws";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { WebSocketServer } from "ws";
import { type TestGateway, policy, subscription, testGateway } from "../gateway.ts";

const POLL = { timeout: 20_000 };
let model: WebSocketServer;
let gateway: TestGateway;
const asked: { readonly authorization: string; readonly type: string }[] = [];

beforeAll(async () => {
  model = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  model.on("connection", (socket, request) => {
    const authorization = request.headers["authorization"] ?? "";
    let n = 0;
    socket.on("message", (data) => {
      const { type } = JSON.parse(String(data)) as { type: string };
      asked.push({ authorization, type });
      if (type !== "response.create") return;
      n++;
      const base = { id: `resp_${n}`, object: "response", model: "gpt-4o-2024-08-06", output: [] };
      const usage = { input_tokens: 10 * n, output_tokens: 5 * n, total_tokens: 15 * n };
      const cut = { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } };
      const events: { type: string; [field: string]: unknown }[] = [
        { type: "response.created", response: { ...base, status: "in_progress", usage: null } },
        {
          type: "response.output_text.delta",
          output_index: 0,
          content_index: 0,
          item_id: "m",
          delta: `answer ${n}`,
        },
        n === 1
          ? { type: "response.completed", response: { ...base, status: "completed", usage } }
          : { type: "response.incomplete", response: { ...base, ...cut, usage } },
      ];
      events.forEach((event, sequence_number) => socket.send(JSON.stringify({ ...event, sequence_number })));
    });
  });
  await new Promise((resolve) => model.once("listening", resolve));
  const { port } = model.address() as AddressInfo;
  gateway = await testGateway({
    "apis/socket/apiInformation.json": {
      properties: {
        displayName: "socket",
        path: "openai/v1/responses",
        type: "websocket",
        protocols: ["ws"],
        serviceUrl: `ws://127.0.0.1:${port}/v1/responses`,
        subscriptionRequired: true,
        subscriptionKeyParameterNames: { header: "api-key", query: "api-key", bearer: "enabled" },
      },
    },
    "apis/socket/policy.xml": policy({
      inbound: `<llm-token-limit counter-key="@(context.Subscription.Id)" tokens-per-minute="40" estimate-prompt-tokens="false" /><set-header name="Authorization" exists-action="override"><value>Bearer of-the-gateway</value></set-header>`,
    }),
    "subscriptions/me/subscriptionInformation.json": subscription("/apis", "my-key"),
  });
});
afterAll(async () => {
  await gateway.close();
  for (const socket of model.clients) socket.terminate();
  await new Promise((resolve) => model.close(resolve));
});

test("responses of a session are settled one by one, and none begins when nothing is left", async () => {
  const client = new OpenAI({ apiKey: "my-key", baseURL: `${gateway.url}/openai/v1`, maxRetries: 0 });
  const talk = new ResponsesWS(client);
  const events: { readonly type: string; readonly [field: string]: unknown }[] = [];
  talk.on("event", (event) => events.push(event as never));
  talk.on("error", () => {});
  const closed = new Promise<number>((resolve) => talk.socket.on("close", (code: number) => resolve(code)));
  const says = (type: string): Promise<void> =>
    vi.waitFor(() => expect(events.map((event) => event.type)).toContain(type), POLL);
  const create = (): void => talk.send({ type: "response.create", model: "gpt-4o", input: "Hi" });

  create();
  await says("response.completed");
  create();
  await says("response.incomplete");
  // 15 + 30 tokens are used; 40 were allowed.
  create();
  expect(await closed).toBe(1008);
  expect(events.at(-1)).toMatchObject({ type: "error", error: { code: "token_limit_exceeded" } });
  expect(asked).toEqual(
    [1, 2].map(() => ({ authorization: "Bearer of-the-gateway", type: "response.create" })),
  );
  await vi.waitFor(() => expect(gateway.exchanges).toHaveLength(1), POLL);
  const { modelCall } = gateway.exchanges[0]!;
  expect(modelCall).toMatchObject({ part: 2, partText: "answer 2" });
  expect(modelCall!.settlement).toMatchObject({ prompt: 20, completion: 10, evidence: "reported" });
  expect(modelCall!.found).toMatchObject({
    model: "gpt-4o-2024-08-06",
    finishReason: "max_output_tokens",
    responses: 2,
    usage: { prompt: 30, completion: 15 },
  });
});
