/**
 * Responses that only their maker reads: the constructs are those of the published lab `secure-responses-api`, called with the
 * official client against a provider that keeps conversations.
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import OpenAI, { AzureOpenAI } from "openai";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { type TestGateway, api, subscription, testGateway } from "./gateway.ts";
import { IDENTITY_SECRET, type IdentityProvider, startIdentityProvider } from "./identity-provider.ts";

const TENANT = "11111111-2222-4333-8444-555555555555";
const KEY = "key-of-the-subscription";
const document = readFileSync(join(import.meta.dirname, "labs/secure-responses-api/policy.xml"), "utf8");

interface Kept {
  readonly id: string;
  readonly inputs: readonly string[];
}

let idp: IdentityProvider;
let gateway: TestGateway;
/** Conversations that the provider keeps, and what it saw of each request. */
const kept = new Map<string, Kept>();
const seen: { readonly path: string; readonly authorization: string; readonly key: string }[] = [];

const provider = createServer((request, response) => {
  const [path = ""] = (request.url ?? "").split("?");
  const { authorization = "", "api-key": key = "" } = request.headers;
  seen.push({ path, authorization, key: String(key) });
  const json = (status: number, body: object): void =>
    void response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
  let text = "";
  request.on("data", (chunk: Buffer) => (text += chunk.toString()));
  request.on("end", () => {
    const id = /^\/openai\/responses\/([^/]+)$/.exec(path)?.[1];
    if (id !== undefined) {
      const found = kept.get(id);
      if (found === undefined) return json(404, { error: { code: "not_found", message: `no ${id}` } });
      if (request.method === "DELETE") kept.delete(id);
      return json(200, responseOf(found));
    }
    const asked = JSON.parse(text) as { input: string; previous_response_id?: string; stream?: boolean };
    const before = kept.get(asked.previous_response_id ?? "")?.inputs ?? [];
    const made = { id: `resp_${kept.size + 1}`, inputs: [...before, asked.input] };
    kept.set(made.id, made);
    if (asked.stream !== true) return json(200, responseOf(made));
    const event = { type: "response.completed", sequence_number: 0, response: responseOf(made) };
    response
      .writeHead(200, { "Content-Type": "text/event-stream" })
      .end(`event: response.completed\ndata: ${JSON.stringify(event)}\n\n`);
  });
});

function responseOf({ id, inputs }: Kept): object {
  const content = [{ type: "output_text", text: `You said: ${inputs.join("; ")}`, annotations: [] }];
  return {
    id,
    object: "response",
    created_at: 1,
    status: "completed",
    model: "gpt-x",
    output: [{ type: "message", id: `msg_${id}`, role: "assistant", status: "completed", content }],
    usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 },
  };
}

beforeAll(async () => {
  idp = await startIdentityProvider();
  await new Promise<void>((resolve) => provider.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/openai`;
  const value = (displayName: string, text: string): object => ({
    [`namedValues/${displayName}/namedValueInformation.json`]: { properties: { displayName, value: text } },
  });
  gateway = await testGateway(
    {
      ...api(
        "inference",
        undefined,
        ["POST /responses", "GET /responses/{response_id}", "DELETE /responses/{response_id}"],
        {
          properties: {
            path: "inference/openai",
            subscriptionRequired: true,
            subscriptionKeyParameterNames: { header: "api-key", query: "api-key" },
          },
          policy: document,
        },
      ),
      "backends/foundry/backendInformation.json": {
        properties: {
          url,
          protocol: "http",
          credentials: { managedIdentity: { resource: "https://cognitiveservices.azure.com" } },
        },
      },
      "subscriptions/one/subscriptionInformation.json": subscription("/apis/inference", KEY),
      "policy.xml":
        "<policies><inbound /><backend><forward-request /></backend><outbound /><on-error /></policies>",
      ...value("entraid-tenant", TENANT),
      ...value("entraid-host", idp.url),
    },
    { environment: { IDENTITY_ENDPOINT: `${idp.url}/msi/token`, IDENTITY_HEADER: IDENTITY_SECRET } },
  );
});
afterAll(async () => {
  await gateway.close();
  await idp.close();
  provider.close();
});

const person = (claims: object = {}): string =>
  idp.issue(TENANT, { aud: "https://management.azure.com/", name: "Someone", oid: "x", ...claims });

function clientOf(userId: string, token = person()): AzureOpenAI {
  return new AzureOpenAI({
    baseURL: `${gateway.url}/inference/openai`,
    azureADTokenProvider: () => Promise.resolve(token),
    apiVersion: "2025-03-01-preview",
    defaultHeaders: { "api-key": KEY, ...(userId === "" ? {} : { userId }) },
    maxRetries: 0,
  });
}

const ask = (client: AzureOpenAI, input: string, before?: string) =>
  client.responses.create({ model: "gpt-x", input, previous_response_id: before ?? null });

async function failureOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "done";
  } catch (error) {
    return error instanceof OpenAI.APIError ? `${error.status} ${error.message}` : String(error);
  }
}

test("two persons, two conversations: each goes on with its own, and neither with the other's", async () => {
  const [fishing, hiking] = [clientOf("fishing"), clientOf("hiking")];
  const first = await ask(fishing, "I like to fish");
  const second = await ask(hiking, "I like to hike");
  const further = await ask(hiking, "What now?", second.id);
  expect([first, second, further].map((one) => one.output_text)).toEqual([
    "You said: I like to fish",
    "You said: I like to hike",
    "You said: I like to hike; What now?",
  ]);
  expect((await hiking.responses.retrieve(second.id)).id).toBe(second.id);
  const before = seen.length;
  for (const work of [
    () => fishing.responses.retrieve(second.id),
    () => fishing.responses.delete(second.id),
    () => ask(fishing, "Go on", further.id),
  ])
    expect(await failureOf(work())).toMatch(/^403 .*somebody else's/);
  // None of it reached the provider.
  expect(seen.length).toBe(before);
  expect(kept.has(second.id)).toBe(true);
});

test("the provider sees the gateway's identity, not the caller's", async () => {
  await ask(clientOf("a"), "Hello");
  const { authorization } = seen.at(-1)!;
  const claims = JSON.parse(Buffer.from(authorization.split(".")[1]!, "base64url").toString());
  expect(claims).toMatchObject({ aud: "https://cognitiveservices.azure.com", sub: "system" });
});

describe("refused before the provider", () => {
  it.each<[string, () => AzureOpenAI, RegExp]>([
    ["nobody in particular", () => clientOf(""), /^400 .*userId is missing/],
    ["a token for something else", () => clientOf("a", person({ aud: "https://graph.example" })), /^401 /],
    [
      "a token of another tenant",
      () =>
        clientOf(
          "a",
          idp.issue("22222222-2222-4333-8444-555555555555", { aud: "https://management.azure.com/" }),
        ),
      /^401 /,
    ],
    ["a token that has run out", () => clientOf("a", person({ exp: 1 })), /^401 /],
    ["a token that somebody changed", () => clientOf("a", `${person().slice(0, -6)}AAAAAA`), /^401 /],
  ])("%s", async (_name, client, expected) => {
    const before = seen.length;
    expect(await failureOf(ask(client(), "Hello"))).toMatch(expected);
    expect(seen.length).toBe(before);
  });
});

test("a stream goes through whole", async () => {
  const events: string[] = [];
  const stream = await clientOf("a").responses.create({ model: "gpt-x", input: "Hello", stream: true });
  for await (const event of stream) events.push(event.type);
  expect(events).toEqual(["response.completed"]);
});

test("what the provider refuses is told as it is, and nothing is remembered of it", async () => {
  expect(await failureOf(clientOf("a").responses.retrieve("resp_none"))).toMatch(/^404 .*no resp_none/);
  const answer = await fetch(`${gateway.url}/inference/openai/responses/resp_none`, {
    headers: { "api-key": KEY, Authorization: `Bearer ${person()}`, userId: "b" },
  });
  expect([answer.status, answer.headers.get("x-debug-asked"), answer.headers.get("x-debug-made")]).toEqual([
    404,
    "resp_none",
    null,
  ]);
});
