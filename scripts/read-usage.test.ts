import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { readUsage } from "./read-usage.ts";

const root = join(import.meta.dirname, "..");
const corpus = join(root, "src/llm/corpus/openai");
const folder = mkdtempSync(join(tmpdir(), "read-usage-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function run(...args: readonly string[]) {
  let stdout = "";
  let stderr = "";
  const status = await readUsage(args, {
    out: (text) => void (stdout += text),
    err: (text) => void (stderr += text),
  });
  return { status, stderr, said: stdout === "" ? null : (JSON.parse(stdout) as Record<string, unknown>) };
}

function file(name: string, octets: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, octets);
  return path;
}

it("prints what was read, whole", async () => {
  expect((await run("openai-responses", join(corpus, "responses.sse"))).said).toEqual({
    dialect: "openai-responses",
    id: "resp_67c9fdcecf488190bdd9a0409de3a1ec07b8b0ad4e5eb654",
    model: "gpt-4.1-2025-04-14",
    usageReported: true,
    usage: {
      promptTokens: 37,
      completionTokens: 11,
      totalTokens: 48,
      cachedTokens: 5,
      cacheWriteTokens: 0,
      reasoningTokens: 0,
      promptAudioTokens: 0,
      completionAudioTokens: 0,
    },
    finishReason: "completed",
    textLength: 9,
    complete: true,
    responses: 1,
    error: null,
  });
});

it.each([
  ["auto", "chat-usage.sse", "openai-chat", 29],
  ["azure-openai", "azure-filters-first.sse", "openai-chat", 15],
  ["openai", "responses.sse", "openai-responses", 48],
  ["bedrock", "empty.sse", "bedrock-invoke", null],
  ["bedrock", "../bedrock/invoke-client-recording.body", "bedrock-invoke", 92],
  ["bedrock", "../bedrock/invoke-jamba.body", "bedrock-invoke", 92],
  ["OpenAI Chat_Completions", "chat-usage.sse", "openai-chat", 29],
  ["auto", "responses.body", "openai-responses", 123],
  ["auto", "embeddings.body", "openai-embeddings", 24],
  ["auto", "completions.sse", "openai-completions", 6],
  ["auto", "images.body", "openai-images", 4210],
  ["auto", "speech.sse", "openai-audio", 115],
  ["realtime", "realtime-fragmented.frames", "openai-realtime", 184],
  ["auto", "realtime-deflated.frames", "openai-realtime", 390],
  ["auto", "../gemini/live-two-turns.frames", "gemini-live", 98],
  ["live", "../gemini/live-text.frames", "gemini-live", 92],
  ["auto", "realtime.jsonl", "openai-realtime", 390],
  ["chat", "chat-sse.gz", "openai-chat", 29],
])("%s %s is %s, the same in pieces", async (name, path, dialect, totalTokens) => {
  const whole = await run(name, join(corpus, path));
  expect(whole).toMatchObject({ status: 0, stderr: "", said: { dialect } });
  expect((whole.said!["usage"] as { totalTokens: number } | null)?.totalTokens ?? null).toBe(totalTokens);
  expect(await run(name, join(corpus, path), "--split", "3")).toEqual(whole);
});

it.each([
  ["objects", (event: string) => `{"direction":"server","event":${event}}`],
  ["texts", (event: string) => JSON.stringify({ from: "server", data: event })],
])("reads what a recorder has put into envelopes: %s", async (kind, wrap) => {
  const lines = readFileSync(join(corpus, "realtime.jsonl"), "utf8").split("\n");
  const path = file(`${kind}.jsonl`, lines.map(wrap).join("\n"));
  for (const name of ["realtime", "auto"]) {
    expect((await run(name, path, "--split", "7")).said).toEqual(
      (await run("realtime", join(corpus, "realtime.jsonl"))).said,
    );
  }
});

it.each([
  ["Chat Completions", "openai-chat"],
  ["OpenAI/chat.completions", "openai-chat"],
  ["azure-openai-chat-completions", "openai-chat"],
  ["azure_ai_inference chat", "openai-chat"],
  ["groq", "openai-chat"],
  ["openai-response", "openai-responses"],
  ["azure-openai-embeddings", "openai-embeddings"],
  ["openai-realtime-ws", "openai-realtime"],
  ["anthropic-messages-stream", "anthropic-messages"],
  ["VertexAI", "gemini"],
  ["google-gemini-live", "gemini-live"],
  ["bedrock-ConverseStream", "bedrock-converse"],
  ["aws-bedrock-invoke-model", "bedrock-invoke"],
  ["Bedrock InvokeModelWithResponseStream", "bedrock-invoke"],
  ["bedrock_invoke_model_with_response_stream", "bedrock-invoke"],
  ["Azure OpenAI Realtime (WebSocket)", "openai-realtime"],
  ["Vertex native", "gemini"],
  ["bedrock-invoke-titan-text", "bedrock-invoke"],
  ["vertex-ai-gemini-streamGenerateContent", "gemini"],
  ["openai-embeddings-base64", "openai-embeddings"],
  ["chat.completion.chunk", "openai-chat"],
  ["Gemini Live API", "gemini-live"],
])("%s means %s", async (said, dialect) => {
  expect((await run(said, join(corpus, "empty.sse"))).said).toMatchObject({ dialect });
});

const HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
const TITLES = '{"choices":[{"text":"Grüße"}],"usage":{"prompt_tokens":4,"completion_tokens":9}}';

it.each<[string, string, string | Uint8Array]>([
  ["gzip", "plain", gzipSync(TITLES)],
  ["deflate", "plain", deflateSync(TITLES)],
  ["br", "plain", brotliCompressSync(TITLES)],
  ["br, under its name", "a.br", brotliCompressSync(TITLES)],
  ["zstd", "plain", zstdCompressSync(TITLES)],
  ["no coding under a name of one", "b.br", TITLES],
  ["two octets a character", "plain", Buffer.from(`\ufeff${TITLES}`, "utf16le")],
  ["a head", "plain", `${HEAD}\r\n${TITLES}`],
  ["two heads with bare line feeds", "plain", `HTTP/2 100\n\nHTTP/2 200\ncontent-type: x\n\n${TITLES}`],
  ["a coding that was undone", "plain", `${HEAD}Content-Encoding: br\r\n\r\n${TITLES}`],
  ["chunks that were undone", "plain", `${HEAD}Transfer-Encoding: chunked\r\n\r\n${TITLES}`],
  [
    "chunks",
    "plain",
    `${HEAD}Transfer-Encoding: chunked\r\n\r\n9\r\n${TITLES.slice(0, 9)}\r\n` +
      `${(Buffer.byteLength(TITLES) - 9).toString(16)};a=b\r\n${TITLES.slice(9)}\r\n0\r\n\r\n`,
  ],
])("reads a recording with %s", async (_, name, octets) => {
  for (const split of ["1", "5", "100000"]) {
    expect((await run("completions", file(name, octets), "--split", split)).said).toMatchObject({
      usage: { promptTokens: 4, completionTokens: 9 },
      textLength: 5,
    });
  }
});

it("reads what Bedrock says in headers alone", async () => {
  const headers = "x-amzn-bedrock-input-token-count: 8\r\nx-amzn-bedrock-output-token-count: 3\r\n";
  const path = file("headers", `${HEAD}${headers}\r\n{"outputs":[{"text":"Hey","stop_reason":"stop"}]}`);
  expect((await run("auto", path)).said).toMatchObject({
    dialect: "bedrock-invoke",
    usage: { promptTokens: 8, completionTokens: 3 },
  });
});

it("one message of a session is no response", async () => {
  const path = file("message", '{"type":"session.created","session":{"model":"gpt-realtime"}}');
  expect((await run("realtime", path)).said).toMatchObject({
    model: "gpt-realtime",
    complete: false,
    responses: 0,
  });
});

it("finds files where npm was called", async () => {
  let said = "";
  const out = (text: string) => void (said += text);
  expect(await readUsage(["chat", "chat.body"], { out, err: expect.fail, calledIn: corpus })).toBe(0);
  expect(JSON.parse(said)).toMatchObject({ textLength: 12 });
});

it("tells what it does", async () => {
  let said = "";
  expect(await readUsage(["-h"], { out: (text) => void (said += text), err: expect.fail })).toBe(0);
  expect(said).toContain("bedrock-invoke");
});

it("reads standard input", () => {
  const program = [join(root, "scripts/read-usage.ts"), "auto", "-", "--split", "9"];
  const input = readFileSync(join(corpus, "chat.body"));
  const { status, stdout } = spawnSync(process.execPath, program, { encoding: "utf8", input });
  expect([status, JSON.parse(stdout)]).toMatchObject([0, { dialect: "openai-chat", textLength: 12 }]);
});

it("runs as a program", () => {
  const program = [join(root, "scripts/read-usage.ts"), "auto", join(corpus, "chat.body")];
  const { status, stdout } = spawnSync(process.execPath, program, { encoding: "utf8" });
  expect([status, JSON.parse(stdout)]).toMatchObject([0, { dialect: "openai-chat", textLength: 12 }]);
});

describe("options", () => {
  it("--encoding and --content-type", async () => {
    const path = file("a", gzipSync('{"usage":{"prompt_tokens":1}}'));
    expect((await run("chat", path, "--encoding", "gzip", "--split=1")).said).toMatchObject({
      usage: { promptTokens: 1 },
    });
    const audio = file("b", '{"usage":{"prompt_tokens":1}}');
    expect((await run("chat", audio, "--content-type", "audio/mpeg")).said).toMatchObject({
      usageReported: false,
      usage: null,
    });
  });

  it.each([
    [[], 2, "usage:"],
    [["chat"], 2, "usage:"],
    [["chat", "a", "b"], 2, "usage:"],
    [["nonsense", join(corpus, "chat.body")], 2, "openai-chat"],
    [["constructor", join(corpus, "chat.body")], 2, "no dialect"],
    [["chat", join(corpus, "chat.body"), "--split", "0"], 2, "--split"],
    [["chat", join(corpus, "chat.body"), "--nonsense"], 2, "--nonsense"],
    [["copmletions", join(corpus, "chat.body")], 2, "did you mean completions?"],
    [["chat", join(folder, "missing")], 1, "ENOENT"],
    [["chat", folder], 1, "EISDIR"],
    [["auto", join(corpus, "empty.sse")], 1, "name it"],
  ] as const)("%j exits %d", async (args, status, word) => {
    const ran = await run(...args);
    expect(ran).toMatchObject({ status, said: null });
    expect(ran.stderr).toContain(word);
    expect(ran.stderr).not.toContain("    at ");
  });

  it("a file that says nothing is no failure", async () => {
    expect(await run("chat", join(corpus, "empty.sse"))).toMatchObject({
      status: 0,
      said: { usageReported: false },
    });
  });
});
