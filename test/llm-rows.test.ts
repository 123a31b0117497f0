/** Rows of `ApiManagementGatewayLlmLog` as a sink gets them: their sizes, what is cut, what must never be in them. */
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestGateway, api, policy, testGateway } from "./gateway.ts";
import { until } from "./hang-up.ts";
import { type StandIn, standIn } from "./stand-in.ts";

const SECRET = "sk-0123456789abcdef";
const ANSWER = {
  id: "chatcmpl-1",
  object: "chat.completion",
  model: "gpt-4o",
  choices: [{ index: 0, message: { role: "assistant", content: "b".repeat(70) }, finish_reason: "stop" }],
  usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 },
};
const VECTOR = { data: [{ embedding: [1, 0, 0] }] };
const dataDir = mkdtempSync(join(tmpdir(), "headgate-rows-"));
let upstream: StandIn;
let gateway: TestGateway;

beforeAll(async () => {
  upstream = await standIn(
    "model",
    (request, response) =>
      void response
        .writeHead(200, { "content-type": "application/json" })
        .end(JSON.stringify(request.url!.startsWith("/embeddings") ? VECTOR : ANSWER)),
  );
  gateway = await testGateway(
    {
      ...api("ai", upstream.url, ["POST /chat/completions"], {
        policy: policy({
          inbound: `<llm-semantic-cache-lookup score-threshold="0" embeddings-backend-id="vectors" />`,
          outbound: `<llm-semantic-cache-store duration="60" />`,
        }),
      }),
      "backends/vectors/backendInformation.json": {
        properties: { url: `${upstream.url}/embeddings`, protocol: "http" },
      },
      "loggers/rows/loggerInformation.json": {
        properties: { loggerType: "file", credentials: { path: "rows" } },
      },
      "namedValues/key/namedValueInformation.json": {
        properties: { displayName: "key", secret: true, value: SECRET },
      },
      "apis/ai/diagnostics/azuremonitor/diagnosticInformation.json": {
        properties: {
          loggerId: "/loggers/rows",
          sampling: { samplingType: "fixed", percentage: 100 },
          largeLanguageModel: {
            logs: "enabled",
            requests: { messages: "all", maxSizeInBytes: 40_000 },
            responses: { messages: "all", maxSizeInBytes: 64 },
          },
        },
      },
    },
    { dataDir },
  );
});
afterAll(async () => {
  await gateway?.close();
  await upstream?.close();
  rmSync(dataDir, { recursive: true, force: true });
});

/** The rows of one request, in their order. */
async function rows(content: string, count: number): Promise<Record<string, unknown>[]> {
  const before = gateway.exchanges.length;
  const reply = await fetch(`${gateway.url}/ai/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "gpt-4o", messages: [{ role: "user", content }] }),
  });
  await reply.arrayBuffer();
  await until(() => gateway.exchanges.length > before);
  const id = gateway.exchanges.at(-1)!.requestId;
  const folder = join(dataDir, "rows");
  let found: Record<string, unknown>[] = [];
  await until(() => {
    found = (existsSync(folder) ? readdirSync(folder) : [])
      // The last line may be on its way.
      .flatMap((name) => readFileSync(join(folder, name), "utf8").split("\n").slice(0, -1))
      .filter((line) => line.includes(id) && line.includes("GatewayLlmLogs"))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    return found.length >= count;
  });
  return found;
}

test("messages are in pieces, cut to their size, and the last row of what was cut says so", async () => {
  // The configured size ends within the secret.
  const content = `${"a".repeat(39_960)}${SECRET}${"c".repeat(100)}`;
  const [head, ...pieces] = await rows(content, 4);
  expect(head).toMatchObject({
    SequenceNumber: 0,
    DeploymentName: "gpt-4o",
    ModelName: "gpt-4o",
    RequestId: "chatcmpl-1",
    PromptTokens: 11,
    CompletionTokens: 7,
    TotalTokens: 18,
    IsStreamCompletion: false,
  });
  expect(head).not.toHaveProperty("Cache");
  const sizes = pieces.map(({ SequenceNumber, RequestMessages, ResponseMessages, Truncated }) => [
    SequenceNumber,
    (RequestMessages as string | undefined)?.length,
    (ResponseMessages as string | undefined)?.length,
    Truncated,
  ]);
  expect(sizes).toEqual([
    [1, 32_768, undefined, undefined],
    [2, 40_000 - 32_768, undefined, true],
    [3, undefined, 64, true],
  ]);
  for (const piece of pieces) {
    expect(piece).not.toHaveProperty("PromptTokens");
    expect(piece).not.toHaveProperty("DeploymentName");
    expect(JSON.stringify(piece)).not.toContain(SECRET.slice(0, 8));
  }
});

test("what the semantic cache answered says so, and counts nothing", async () => {
  const [head] = await rows("again", 1);
  expect(head).toMatchObject({ Cache: "hit", PromptTokens: 0, CompletionTokens: 0, TotalTokens: 0 });
});
