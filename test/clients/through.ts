/**
 * The way of a call in these tests: official client → tap that keeps the octets → gateway with the usual governance →
 * scripted upstream. `carry` makes one call and holds what came against what was sent.
 */
import { type Server, type Socket, connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { expect } from "vitest";
import type { Exchange } from "../../src/gateway/exchange.ts";
import type { ModelCall } from "../../src/gateway/models/model-call.ts";
import { type Files, type TestGateway, api, policy, subscription, testGateway } from "../gateway.ts";
import { type Asked, type Fixture, type Upstream, startUpstream } from "./upstream.ts";

export const KEY = "key-of-the-client";
export const PROVIDER_KEY = "key-of-the-provider";

export interface Through {
  /** Where the client calls: the API's base, over the tap. */
  readonly url: string;
  readonly origin: string;
  readonly gateway: TestGateway;
  readonly upstream: Upstream;
  readonly tap: Tap;
  close(): Promise<void>;
}

export interface ThroughOptions {
  /** Header in which this client shows its key; "bearer" = only as `Authorization: Bearer`, which is always taken. */
  readonly keyHeader: string;
  /** Header in which the provider wants its own; absent: none is set. */
  readonly providerHeader?: string;
  /** Path of the API; default `ai`. */
  readonly path?: string;
  readonly serviceUrl?: (upstream: string) => string;
  /** Further elements of the inbound section. */
  readonly inbound?: string;
  readonly files?: (upstream: string) => Readonly<Record<string, string | object>>;
}

/** What governs each API here: its key, a limit nobody reaches, token metrics, logged prompts and completions. */
export async function startThrough(options: ThroughOptions): Promise<Through> {
  const upstream = await startUpstream();
  const path = options.path ?? "ai";
  const header = options.keyHeader === "bearer" ? "api-key" : options.keyHeader;
  const files: Files = {
    ...api("ai", options.serviceUrl?.(upstream.url) ?? upstream.url, ["POST /*", "GET /*"], {
      properties: {
        path,
        subscriptionRequired: true,
        subscriptionKeyParameterNames: { header, query: "subscription-key", bearer: "enabled" },
      },
      policy: policy({
        inbound: `${LIMIT}<llm-emit-token-metric namespace="clients"><dimension name="API ID" /></llm-emit-token-metric>${providerKey(options)}${options.inbound ?? ""}`,
      }),
    }),
    "subscriptions/one/subscriptionInformation.json": subscription("/apis/ai", KEY),
    "loggers/azuremonitor/loggerInformation.json": { properties: { loggerType: "azureMonitor" } },
    "apis/ai/diagnostics/azuremonitor/diagnosticInformation.json": {
      properties: {
        loggerId: "/loggers/azuremonitor",
        sampling: { samplingType: "fixed", percentage: 100 },
        largeLanguageModel: {
          logs: "enabled",
          requests: { messages: "all", maxSizeInBytes: 262144 },
          responses: { messages: "all", maxSizeInBytes: 262144 },
        },
      },
    },
    ...options.files?.(upstream.url),
  };
  const gateway = await testGateway(files, {
    admin: { host: "127.0.0.1", port: 0, portIsDefault: false, token: null },
  });
  const tap = await startTap(Number(new URL(gateway.url).port));
  const origin = `http://127.0.0.1:${tap.port}`;
  const close = async (): Promise<void> => {
    await tap.close();
    await gateway.close();
    await upstream.close();
  };
  return { url: `${origin}/${path}`, origin, gateway, upstream, tap, close };
}

const LIMIT = `
  <choose>
    <when condition="@(context.Request.Headers.ContainsKey("x-exhausted"))">
      <llm-token-limit counter-key="exhausted" tokens-per-minute="0" estimate-prompt-tokens="false" />
    </when>
    <otherwise>
      <llm-token-limit counter-key="@(context.Subscription.Id)" tokens-per-minute="1000000" estimate-prompt-tokens="false" remaining-tokens-header-name="x-tokens-left" />
    </otherwise>
  </choose>`;

/** With this header nothing is left of the gateway's own limit. */
export const EXHAUSTED = { "x-exhausted": "1" };

function providerKey({ providerHeader }: ThroughOptions): string {
  if (providerHeader === undefined) return "";
  const value = providerHeader.toLowerCase() === "authorization" ? `Bearer ${PROVIDER_KEY}` : PROVIDER_KEY;
  return `<set-header name="${providerHeader}" exists-action="override"><value>${value}</value></set-header>`;
}

export interface Carried<T> {
  /** What the client made of the answer; an error that it threw. */
  readonly result: T;
  readonly asked: Asked;
  readonly exchange: Exchange;
  readonly call: ModelCall;
}

/** Headers of a provider that clients read. */
const TOLD = [
  "content-type",
  "retry-after",
  "x-request-id",
  "request-id",
  "x-amzn-requestid",
  "x-should-retry",
];

/** Polls end as soon as it is so; this is for machines that are busy. */
const SLOW = { timeout: 20_000 };

/**
 * Makes one call of a client, and holds that every octet of the upstream's answer reached the client's sockets as it was sent.
 *
 * @returns once the call is settled
 */
export async function carry<T>(
  through: Through,
  fixture: Fixture,
  call: () => PromiseLike<T>,
): Promise<Carried<T>> {
  const { gateway, upstream, tap } = through;
  upstream.answer = fixture;
  const before = gateway.exchanges.length;
  const asked = upstream.asked.length;
  const result = await call();
  await expect.poll(() => gateway.exchanges.length, SLOW).toBe(before + 1);
  const exchange = gateway.exchanges.at(-1)!;
  await expect.poll(() => exchange.modelCall?.settlement, SLOW).toBeTruthy();
  expect(upstream.asked.length).toBe(asked + 1);
  const events = fixture.headers["content-type"]?.startsWith("text/event-stream") === true;
  // A stream of events is told in its own form that it broke off; anything else is left without an end.
  await expect.poll(() => tap.last()?.whole, SLOW).toBe(fixture.breaks !== true || events);
  const received = tap.last()!;
  expect(received.status).toBe(fixture.status ?? 200);
  expect(Number(received.headers["x-tokens-left"])).toBeGreaterThan(0);
  const sent = Buffer.from(fixture.body);
  if (fixture.breaks === true) heldBroken(received.body, sent, events);
  else expect(received.body.equals(sent)).toBe(true);
  for (const name of TOLD) expect([name, received.headers[name]]).toEqual([name, fixture.headers[name]]);
  return { result, asked: upstream.asked.at(-1)!, exchange, call: exchange.modelCall! };
}

/** What came before the break is as it was sent, as far as it came. */
function heldBroken(body: Buffer, sent: Buffer, events: boolean): void {
  const told = events ? body.lastIndexOf("\n\ndata: ") : body.length;
  expect(told).toBeGreaterThan(0);
  if (events) expect(body.toString("utf8", told)).toMatch(/^\n\ndata: \{"error":.*\}\nevent: error\n\n$/);
  expect(body.subarray(0, told).equals(sent.subarray(0, told))).toBe(true);
}

/** What a call came to, in the words of its provider. */
export interface Settled {
  readonly dialect: string;
  readonly tokens: readonly [prompt: number, completion: number];
  readonly served?: string | null;
  readonly finish?: string | null;
  readonly ending?: string;
  readonly evidence?: string;
  /** What the model wrote, as it is logged; absent: not looked at. */
  readonly text?: string;
}

export function settledAs({ call }: Carried<unknown>, { text, ...expected }: Settled): void {
  if (text !== undefined) expect(call.found!.text.read(null)).toBe(text);
  const { settlement, found, ending, dialect } = call;
  expect({
    dialect: dialect.name,
    tokens: [settlement!.usage.prompt, settlement!.usage.completion],
    evidence: settlement!.evidence,
    ending,
    served: found?.model ?? null,
    finish: found?.finishReason ?? null,
  }).toEqual({ evidence: "reported", ending: "finished", served: null, finish: null, ...expected });
}

/** What was settled in all calls so far is what a scrape says, no more and no less. */
export async function metricsAgree({ gateway }: Through): Promise<void> {
  const sums = { prompt: 0, completion: 0, total: 0 };
  for (const { modelCall } of gateway.exchanges) {
    const { usage } = modelCall?.settlement ?? {};
    sums.prompt += usage?.prompt ?? 0;
    sums.completion += usage?.completion ?? 0;
    sums.total += usage?.total ?? 0;
  }
  const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  const told = (name: string): number =>
    Number(new RegExp(`^clients_${name}_tokens_sum\\{api_id="ai"\\} (\\d+)$`, "m").exec(text)?.[1]);
  expect({ prompt: told("prompt"), completion: told("completion"), total: told("total") }).toEqual(sums);
  expect(sums.total).toBeGreaterThan(0);
}

/** For calls that the client makes an error of. */
export async function thrown(call: PromiseLike<unknown>): Promise<any> {
  try {
    await call;
  } catch (error) {
    return error;
  }
  throw new Error("the client took it for a success");
}

/** Reads a stream to its end. */
export async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const part of stream) void part;
}

/** Between client and gateway; keeps the octets that the client gets. */
interface Tap {
  readonly port: number;
  /** The last answer; null until its head is there. */
  last(): Received | null;
  close(): Promise<void>;
}

interface Received {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** The end of the body is there. */
  readonly whole: boolean;
}

async function startTap(port: number): Promise<Tap> {
  const sockets = new Set<Socket>();
  let received: Buffer[] = [];
  const server: Server = createServer({ noDelay: true }, (client) => {
    const gateway = connect({ port, host: "127.0.0.1", noDelay: true });
    for (const socket of [client, gateway]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => void sockets.delete(socket));
    }
    let answered = true;
    client.on("data", (chunk) => {
      if (answered) received = [];
      answered = false;
      gateway.write(chunk);
    });
    gateway.on("data", (chunk) => {
      answered = true;
      received.push(chunk);
      client.write(chunk);
    });
    client.on("close", () => gateway.destroy());
    gateway.on("close", () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    last: () => readAnswer(Buffer.concat(received)),
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function readAnswer(octets: Buffer): Received | null {
  const end = octets.indexOf("\r\n\r\n");
  if (end < 0) return null;
  const [line = "", ...fields] = octets.toString("latin1", 0, end).split("\r\n");
  const headers: Record<string, string> = {};
  for (const field of fields) {
    const colon = field.indexOf(":");
    headers[field.slice(0, colon).toLowerCase()] = field.slice(colon + 1).trim();
  }
  const rest = octets.subarray(end + 4);
  const status = Number(line.split(" ")[1]);
  if (headers["transfer-encoding"] === "chunked") return { status, headers, ...unchunked(rest) };
  return { status, headers, body: rest, whole: rest.length >= Number(headers["content-length"]) };
}

/** RFC 9112 §7.1. */
function unchunked(octets: Buffer): { readonly body: Buffer; readonly whole: boolean } {
  const parts: Buffer[] = [];
  for (let at = 0; ;) {
    const lineEnd = octets.indexOf("\r\n", at);
    const size = lineEnd < 0 ? -1 : Number.parseInt(octets.toString("latin1", at, lineEnd), 16);
    if (size <= 0) return { body: Buffer.concat(parts), whole: size === 0 };
    parts.push(octets.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
}
