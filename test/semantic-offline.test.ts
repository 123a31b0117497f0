/** The semantic cache with nothing but the gateway: the embedded model and store, over restarts; and shared through Redis. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Files, type TestGateway, api, policy, testGateway } from "./gateway.ts";
import { redisMissing, startRedis } from "./redis.ts";
import { startRediSearch } from "./semantic-redisearch.ts";
import { type StandIn, standIn } from "./stand-in.ts";

let model: StandIn;
let asked = 0;
const folder = mkdtempSync(join(tmpdir(), "headgate-data-"));

beforeAll(async () => {
  model = await standIn("model", (_request, response) => {
    response.writeHead(200, { "content-type": "application/json" }).end(
      JSON.stringify({
        id: `c${++asked}`,
        object: "chat.completion",
        model: "gpt-4o",
        created: 1,
        choices: [
          { index: 0, message: { role: "assistant", content: `Answer ${asked}` }, finish_reason: "stop" },
        ],
        usage: { prompt_tokens: 5, completion_tokens: 6, total_tokens: 11 },
      }),
    );
  });
});
afterAll(async () => {
  await model.close();
  rmSync(folder, { recursive: true, force: true });
});

const files = (): Files =>
  api("chat", `${model.url}/v1`, ["POST /chat/completions"], {
    policy: policy({
      inbound: `<llm-semantic-cache-lookup score-threshold="0.2" embeddings-backend-id="built-in" embeddings-backend-auth="system-assigned" />`,
      outbound: `<llm-semantic-cache-store duration="600" />`,
    }),
  });

async function say(gateway: TestGateway, content: string): Promise<string> {
  const response = await fetch(`${gateway.url}/chat/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "gpt-4o", messages: [{ role: "user", content }] }),
  });
  const body = (await response.json()) as { choices: { message: { content: string } }[] };
  return body.choices[0]!.message.content;
}

/** Until threads run and connections are up: look-ups do not wait for them, they miss. */
async function warm(gateway: TestGateway): Promise<void> {
  for (let i = 0, last = ""; i < 200; i++) {
    const answer = await say(gateway, "Is anybody there already?");
    if (answer === last) return;
    last = answer;
  }
  throw new Error("nothing was ever found");
}

test("the same question in other words, before and after a restart; another question is another one", async () => {
  const first = await testGateway(files(), { dataDir: folder });
  await warm(first);
  asked = 0;
  expect(await say(first, "How do I reset my password?")).toBe("Answer 1");
  expect(await say(first, "How can I reset my password?")).toBe("Answer 1");
  expect(await say(first, "How do I reset my password on Android?")).toBe("Answer 2");
  expect(await say(first, "What is the capital of France?")).toBe("Answer 3");
  expect(await say(first, "What is the capital of Germany?")).toBe("Answer 4");
  await first.close();
  const second = await testGateway(files(), { dataDir: folder });
  await warm(second);
  expect(await say(second, "how can i reset my password")).toBe("Answer 1");
  expect(await say(second, "Which city is the capital of Germany?")).toBe("Answer 4");
  await second.close();
});

describe
  .skipIf(redisMissing !== null)
  .each<[string, () => Promise<{ port: number; close(): Promise<void> }>]>([
    ["a plain Redis", () => startRedis()],
    ["a Redis with a search module", () => startRediSearch("RESP3")],
  ])("%s as external cache", (_name, start) => {
  test("what one gateway has answered the other knows; without it both go on", async () => {
    const redis = await start();
    const shared = {
      ...files(),
      "caches/default/cacheInformation.json": {
        properties: {
          connectionString: `127.0.0.1:${redis.port},abortConnect=False`,
          useFromLocation: "default",
        },
      },
    };
    const [one, other] = (await Promise.all([testGateway(shared), testGateway(shared)])) as [
      TestGateway,
      TestGateway,
    ];
    await warm(one);
    await warm(other);
    asked = 0;
    expect(await say(one, "How do I reset my password?")).toBe("Answer 1");
    expect(await say(other, "How can I reset my password?")).toBe("Answer 1");
    await redis.close();
    expect(await say(other, "How can I reset my password?")).toBe("Answer 2");
    await Promise.all([one.close(), other.close()]);
  });
});
