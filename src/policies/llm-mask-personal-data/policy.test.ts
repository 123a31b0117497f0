import { expect, test } from "vitest";
import type { Exchange } from "../../gateway/exchange.ts";
import { ChunkSource, exchangeOf, mistakesOf, policyStep, responseOf } from "../../gateway/testing.ts";
import { Body } from "../../gateway/body.ts";
import { llmMaskPersonalData } from "./policy.ts";

async function masked(body: string, attributes: Record<string, unknown> = {}): Promise<Exchange> {
  const exchange = exchangeOf({
    headers: ["Content-Type", "application/json", "Content-MD5", "x", "Accept-Encoding", "gzip"],
    body: new ChunkSource([body.slice(0, 7), body.slice(7)]),
  });
  await policyStep(llmMaskPersonalData, { attributes }, { section: "inbound" }).run(exchange, null);
  return exchange;
}

/** What the client gets of an answer, written in these chunks. */
async function reply(
  exchange: Exchange,
  chunks: readonly string[],
  headers: readonly string[],
): Promise<string> {
  exchange.response = responseOf(200, new ChunkSource([...chunks]), headers);
  for (const { run } of exchange.takeReplyListeners() ?? []) run();
  const content = exchange.response.body!;
  await content.buffer(1e6);
  return Buffer.from(content.bytes()).toString();
}

const sent = ({ request }: Exchange): string => Buffer.from(request.body!.bytes()).toString();
const BODY = '{"messages":[{"role":"user","content":"ann@example.com, 415-555-2671"}]}';
const EVENTS = ['data: {"choices":[{"delta":{"content":"<EM', 'AIL_1>"}}]}\n\n', "data: [DONE]\n\n"];
const SSE = ["Content-Type", "text/event-stream"];

test("a request is masked, what no longer holds of it goes, and its answer is restored", async () => {
  const exchange = await masked(BODY);
  expect(sent(exchange)).toBe('{"messages":[{"role":"user","content":"<EMAIL_1>, <PHONE_1>"}]}');
  expect(exchange.request.headers.get("content-md5")).toBeNull();
  expect(exchange.request.headers.get("accept-encoding")).toBe("identity");
  expect(await reply(exchange, EVENTS, SSE)).toBe(
    'data: {"choices":[{"delta":{"content":"ann@example.com"}}]}\n\ndata: [DONE]\n\n',
  );
});

test("two of them: each masks its kinds, both are restored", async () => {
  const exchange = await masked(BODY, { kinds: "phone" });
  await policyStep(llmMaskPersonalData, { attributes: { kinds: "email" } }, { section: "inbound" }).run(
    exchange,
    null,
  );
  expect(sent(exchange)).toContain('"<EMAIL_1>, <PHONE_1>"');
  expect(await reply(exchange, ['{"a":"<PHONE_1> <EMAIL_1>"}'], ["Content-Type", "application/json"])).toBe(
    '{"a":"415-555-2671 ann@example.com"}',
  );
});

test("nothing found: body, headers and answer stay as they are", async () => {
  const exchange = await masked('{"prompt":"hello"}');
  expect(exchange.request.headers.get("accept-encoding")).toBe("gzip");
  expect(exchange.takeReplyListeners()).toBeNull();
});

test("without restoring, the answer stays masked", async () => {
  const exchange = await masked(BODY, { restore: false });
  expect(exchange.takeReplyListeners()).toBeNull();
});

test("an answer that a policy put in the place of the backend's is restored, too", async () => {
  const exchange = await masked(BODY);
  exchange.response = responseOf(200, new ChunkSource([""]), ["Content-Type", "text/plain"]);
  exchange.response.body = Body.text("response", "Dear <EMAIL_1>");
  for (const { run } of exchange.takeReplyListeners()!) run();
  const body: Body = exchange.response.body;
  await body.buffer(1e6);
  expect(Buffer.from(body.bytes()).toString()).toBe("Dear ann@example.com");
});

test.each<[Record<string, string>, string]>([
  [{ kinds: "email name" }, "there is no kind `name`"],
  [{ kinds: " " }, "nothing would be masked"],
  [{ placeholder: "{kind}{n}" }, "this is no placeholder"],
])("mistakes in %j", (attributes, message) => {
  expect(mistakesOf(llmMaskPersonalData, { attributes }).join("\n")).toContain(message);
});

test.each([
  ["deny", true],
  ["allow", false],
])("a WebSocket session is no way around it: on-error=%s", async (onError, refused) => {
  const exchange = exchangeOf({});
  Object.assign(exchange.incoming, { upgrade: true });
  exchange.api = { type: "websocket" } as Exchange["api"];
  const step = policyStep(
    llmMaskPersonalData,
    { attributes: { "on-error": onError } },
    { section: "inbound" },
  );
  const run = async (): Promise<unknown> => step.run(exchange, null);
  if (refused) await expect(run()).rejects.toMatchObject({ reason: "PersonalDataNotMasked", status: 415 });
  else expect(await run()).toBeUndefined();
});
