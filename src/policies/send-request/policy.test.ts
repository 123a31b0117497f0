import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Files, type TestGateway, api, policy, testGateway } from "../../../test/gateway.ts";
import { parseUrl } from "../../backends/own-requests/own-request.ts";
import { ClientGone } from "../../gateway/errors.ts";
import {
  type TestExchange,
  type Written,
  exchangeOf,
  mistakesOf,
  policyStep,
  responseOf,
  servicesOf,
  siteOf,
  snapshotOf,
} from "../../gateway/testing.ts";
import { createClient } from "../../transport/node/index.ts";
import { sendRequest } from "./policy.ts";

let upstream: Server;
let port = 0;
/** What arrived, one line a request. */
let seen: string[] = [];

beforeAll(async () => {
  upstream = createServer(answer);
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  port = (upstream.address() as AddressInfo).port;
});
afterAll(() => {
  upstream.closeAllConnections();
  upstream.close();
});

function answer(request: IncomingMessage, response: ServerResponse): void {
  let body = "";
  request.on("data", (chunk: Buffer) => (body += chunk.toString()));
  request.on("end", () => {
    seen.push(`${request.method} ${request.url} ${body}`);
    const path = request.url!.split("?")[0];
    if (path === "/silent") return;
    if (path === "/reset") return void request.socket.resetAndDestroy();
    if (path === "/half") return void response.writeHead(200, { "Content-Length": "10" }).write("half");
    if (path === "/moved") return void response.writeHead(302, { Location: "/elsewhere" }).end();
    if (path === "/none") return void response.writeHead(204).end();
    if (path === "/broken") return void response.writeHead(503, { "X-Why": "maintenance" }).end("later");
    if (path === "/big") return void response.end("x".repeat(4096));
    if (path === "/zipped")
      return void response.writeHead(200, { "Content-Encoding": "gzip" }).end(gzipSync("unzipped"));
    response.end(
      JSON.stringify({ method: request.method, url: request.url, headers: request.rawHeaders, body }),
    );
  });
}

// ── As authors write it, through a whole gateway ──────────────────────────────────────────────────────────────────

interface Case {
  readonly inbound: string;
  readonly status?: number;
  /** What the client reads. */
  readonly body: string | RegExp;
  /** What the upstream saw. */
  readonly seen?: readonly string[];
  readonly request?: RequestInit;
}

/** Answers with an expression about the variable `r`. */
const say = (expression: string): string =>
  `<return-response><set-body>@{ var r = (IResponse)context.Variables["r"]; return ${expression}; }</set-body></return-response>`;
const UP = "{{up}}";
const send = (inner: string, attributes = ""): string =>
  `<send-request response-variable-name="r" ${attributes}>${inner}</send-request>`;
const text = say("r.Body.As<string>()");

const CASES: Readonly<Record<string, Case>> = {
  "a GET by default, and nothing of the caller's": {
    inbound: send(`<set-url>${UP}/a?b=c</set-url>`) + text,
    body: /^\{"method":"GET","url":"\/a\?b=c","headers":\["Host","127\.0\.0\.1:\d+"\],"body":""\}$/,
    request: { headers: { "X-Caller": "1" } },
  },
  "method, headers and body of its own": {
    inbound:
      send(
        `<set-url> @("${UP}/" + context.Request.Method.ToLower()) </set-url><set-method>POST</set-method><set-header name="X-A"><value>1</value><value>2</value></set-header>` +
          `<authentication-basic username="me" password="@("secr" + "et")" /><set-body>@("from " + context.Request.Body.As<string>(true))</set-body>`,
      ) + text,
    request: { method: "POST", body: "caller" },
    body: /"url":"\/post","headers":\["Host","[^"]+","X-A","1,2","Authorization","Basic bWU6c2VjcmV0","Content-Length","11"\],"body":"from caller"/,
  },
  "any status is a success": {
    inbound:
      send(`<set-url>${UP}/broken</set-url>`) +
      say('r.StatusCode + r.StatusReason + r.Headers.GetValueOrDefault("X-Why", "") + r.Body.As<string>()'),
    body: "503Service Unavailablemaintenancelater",
  },
  "redirects are answers like others": {
    inbound:
      send(`<set-url>${UP}/moved</set-url>`) +
      say('r.StatusCode + " " + r.Headers.GetValueOrDefault("Location", "")'),
    body: "302 /elsewhere",
    seen: ["GET /moved "],
  },
  "a compressed answer is readable": {
    inbound: send(`<set-url>${UP}/zipped</set-url>`) + text,
    body: "unzipped",
  },
  "an answer without a body": {
    inbound:
      send(`<set-url>${UP}/none</set-url>`) + say('r.StatusCode + (r.Body == null ? " none" : " some")'),
    body: "204 none",
  },
  "the answer may be returned": {
    inbound: `${send(`<set-url>${UP}/zipped</set-url>`)}<return-response response-variable-name="r" />`,
    body: "unzipped",
  },
  "without a variable": {
    inbound: `<send-request><set-url>${UP}/quiet</set-url></send-request><return-response />`,
    body: "",
    seen: ["GET /quiet "],
  },
  "copy: method, URL, headers and body of the current request, which still has them": {
    inbound: `${send("", 'mode="copy"')}<set-header name="X-Copy"><value>@(((IResponse)context.Variables["r"]).Body.As<string>())</value></set-header>`,
    request: { method: "PUT", body: "twice", headers: { "X-Caller": "1" } },
    body: /"method":"PUT"/,
    seen: ["PUT /x twice", "PUT /x twice"],
  },
  "copy: what stands inside wins": {
    inbound:
      send(
        `<set-url>${UP}/other</set-url><set-method>DELETE</set-method><set-header name="X-Caller" exists-action="delete" /><set-body>new</set-body>`,
        'mode="@("co" + "py")"',
      ) + text,
    request: {
      method: "PUT",
      body: "old",
      headers: { "X-Caller": "1", "X-Kept": "2", "Accept-Encoding": "zstd, gzip;q=0.5" },
    },
    body: /^(?!.*x-caller).*"method":"DELETE","url":"\/other".*"x-kept","2".*"accept-encoding","gzip;q=0.5".*"body":"new"/i,
  },
  "an error ends the exchange with 500": {
    inbound: send(`<set-url>${UP}/reset</set-url>`) + text,
    status: 500,
    body: /Internal server error/,
  },
  "with ignore-error the variable is there and null": {
    inbound:
      send(`<set-url>${UP}/reset</set-url>`, 'ignore-error="true"') +
      `<return-response><set-body>@(context.Variables.ContainsKey("r") + " " + (context.Variables["r"] == null))</set-body></return-response>`,
    body: "True True",
  },
  "an expression that fails is not ignored": {
    inbound: send(`<set-url>@((string)null + ((string)null).Length)</set-url>`, 'ignore-error="true"'),
    status: 500,
    body: /Internal server error/,
  },
  "a metadata address is refused": {
    inbound: send(`<set-url>http://2852039166/latest/meta-data</set-url>`) + text,
    status: 500,
    body: /Internal server error/,
  },
  "in outbound: copy without the body": {
    inbound: "",
    request: { method: "POST", body: "once" },
    body: /"body":"once"/,
    seen: ["POST /x once", "POST /copied "],
  },
};

describe("through a gateway", () => {
  let gateway: TestGateway;

  beforeAll(async () => {
    const files: Record<string, string | object> = {
      "namedValues/up/namedValueInformation.json": {
        properties: { displayName: "up", value: `http://127.0.0.1:${port}` },
      },
    };
    Object.entries(CASES).forEach(([name, { inbound }], i) => {
      const outbound = name.startsWith("in outbound")
        ? send(`<set-url>${UP}/copied</set-url>`, 'mode="copy"')
        : "";
      const onError = `<set-header name="X-Error"><value>@(context.LastError.Source + " " + context.LastError.Reason + " " + context.LastError.Message)</value></set-header>`;
      const given: Files = api(`case${i}`, `http://127.0.0.1:${port}`, ["GET /x", "POST /x", "PUT /x"], {
        policy: policy({ inbound, outbound, onError }),
      });
      Object.assign(files, given);
    });
    gateway = await testGateway(files);
  });
  afterAll(() => gateway.close());

  test.each(Object.keys(CASES))("%s", async (name) => {
    const { body, status = 200, request, seen: expected } = CASES[name]!;
    seen = [];
    const response = await fetch(`${gateway.url}/case${Object.keys(CASES).indexOf(name)}/x`, request);
    const got = await response.text();
    if (typeof body === "string") expect(got).toBe(body);
    else expect(got).toMatch(body);
    expect(response.status).toBe(status);
    if (expected !== undefined) expect(seen).toEqual(expected);
  });

  test.each([
    [
      "an error ends the exchange with 500",
      /^send-request BackendConnectionFailure The request to http:\/\/127\.0\.0\.1:\d+\/reset failed: /,
    ],
    ["an expression that fails is not ignored", /^send-request ExpressionValueEvaluationFailure /],
    [
      "a metadata address is refused",
      /^send-request BackendConnectionFailure The request to http:\/\/2852039166\/latest\/meta-data failed: connections to 2852039166 are not allowed$/,
    ],
  ])("LastError: %s", async (name, expected) => {
    const response = await fetch(`${gateway.url}/case${Object.keys(CASES).indexOf(name)}/x`);
    expect(response.headers.get("x-error")).toMatch(expected);
  });
});

// ── Time, size and hang-ups ───────────────────────────────────────────────────────────────────────────────────────

interface Ran {
  readonly exchange: TestExchange;
  readonly pending: Promise<unknown>;
}

/** Starts it on an exchange of its own and waits until the upstream has seen `requests`. */
async function start(path: string, attributes: Written["attributes"] = {}, requests = 1): Promise<Ran> {
  seen = [];
  const client = createClient();
  const exchange = exchangeOf(
    {},
    snapshotOf({ options: { bufferLimitBytes: 1024 } }),
    servicesOf({ client }),
  );
  const step = policyStep(sendRequest, {
    attributes: { "response-variable-name": "r", ...attributes },
    children: { "set-url": [{ text: `http://127.0.0.1:${port}${path}` }] },
  });
  const pending = Promise.resolve(step.run(exchange, null)).catch((error: unknown) => error);
  while (seen.length < requests) await new Promise((resolve) => setImmediate(resolve));
  return { exchange, pending };
}

test.each<[string, Written["attributes"], number]>([
  ["/silent", {}, 60],
  ["/silent", { timeout: 2 }, 2],
  ["/silent", { timeout: () => 0.25 }, 0.25],
  ["/silent", { timeout: () => -1 }, 60],
  ["/silent", { timeout: () => Number.NaN }, 60],
  ["/half", { timeout: 3 }, 3],
])("%s, %j: the answer must be there whole after %d s", async (path, attributes, seconds) => {
  const { exchange, pending } = await start(path, attributes);
  expect(exchange.services.clock.waits).toEqual([seconds * 1000]);
  exchange.services.clock.advance(seconds * 1000);
  expect(await pending).toMatchObject({
    source: "send-request",
    reason: "Timeout",
    status: 500,
    clientMessage: "Internal server error",
  });
  expect(exchange.variables.has("r")).toBe(false);
});

test("a timeout that is ignored leaves null", async () => {
  const { exchange, pending } = await start("/silent", { "ignore-error": true });
  exchange.services.clock.advance(60_000);
  expect(await pending).toBeUndefined();
  expect(exchange.variables.get("r")).toBeNull();
});

test("an answer that is larger than memory allows is a failure", async () => {
  const { exchange, pending } = await start("/big");
  expect(await pending).toMatchObject({
    source: "send-request",
    reason: "ResponseBodyTooLarge",
    status: 500,
  });
  expect(exchange.services.clock.waits).toEqual([]);
});

test.each(["/silent", "/half"])(
  "a hang-up ends %s at once, whatever is ignored, and sets nothing",
  async (path) => {
    const { exchange, pending } = await start(path, { "ignore-error": true });
    exchange.abort.abort("client");
    expect(await pending).toBeInstanceOf(ClientGone);
    expect(exchange.variables.has("r")).toBe(false);
    expect(exchange.services.clock.waits).toEqual([]);
  },
);

test("a copy has nothing to send a body from when it is gone", async () => {
  const exchange = exchangeOf(
    { method: "POST", body: "x" },
    snapshotOf(),
    servicesOf({ client: createClient() }),
  );
  exchange.request.body!.take();
  seen = [];
  const step = policyStep(sendRequest, {
    attributes: { mode: "copy" },
    children: { "set-url": [{ text: `http://127.0.0.1:${port}/copy` }] },
  });
  await step.run(exchange, null);
  expect(seen).toEqual(["POST /copy "]);
});

test.each<[string, Written, string]>([
  [
    "mode",
    { attributes: { mode: () => "both" }, children: { "set-url": [{ text: "http://h" }] } },
    "InvalidMode",
  ],
  ["URL", { children: { "set-url": [{ text: () => "ftp://h" }] } }, "InvalidUrl"],
  ["lack of a URL", { attributes: { mode: "copy" } }, "InvalidUrl"],
])("an impossible %s fails", async (_name, written, reason) => {
  const step = policyStep(sendRequest, written);
  await expect(step.run(exchangeOf(), null)).rejects.toMatchObject({ source: "send-request", reason });
});

test.each<[Written, readonly string[]]>([
  [{ children: { "set-url": [{ text: "https://a.example" }] } }, []],
  [{ attributes: { mode: "copy" } }, []],
  [{ attributes: { mode: () => "copy" } }, []],
  [{}, ["a <set-url> is missing"]],
  [
    { children: { "set-url": [{ text: "a.example" }] } },
    ['"a.example" is not an absolute http or https URL'],
  ],
  [{ children: { "set-url": [{ text: () => "a.example" }] } }, []],
  [
    {
      attributes: { mode: "copy" },
      steps: [
        { site: siteOf("authentication-basic"), needs: 0, run: () => responseOf(200) },
        { site: siteOf("authentication-certificate"), needs: 0, run: () => responseOf(200) },
      ],
    },
    ["only one authentication policy may stand here"],
  ],
])("mistakes %#", (written, expected) => {
  expect(mistakesOf(sendRequest, written)).toEqual(expected);
});

test.each<[string, string | null]>([
  ["http://a.example", "http a.example:80 a.example /"],
  ["  HTTPS://A.Example:443/x/?q=1#f  ", "https a.example:443 a.example /x/ q=1"],
  ["https://a.example:8443?x", "https a.example:8443 a.example:8443 / x"],
  ["http://[::1]:81/a", "http ::1:81 [::1]:81 /a"],
  ["http://me:pw@a.example/a", "http a.example:80 a.example /a"],
  [
    'http://a/b c/"é"/{x}|^`\\y?q=ä <>"&r=100%25',
    "http a:80 a /b%20c/%22%C3%A9%22/%7Bx%7D%7C%5E%60/y q=%C3%A4%20%3C%3E%22&r=100%25",
  ],
  ["http://a/\ud800?\r\nx", "http a:80 a /%EF%BF%BD %0D%0Ax"],
  ["http://bücher.example:81/", "http xn--bcher-kva.example:81 xn--bcher-kva.example:81 /"],
  ["ws://a.example", null],
  ["//a.example", null],
  ["http://", null],
  ["http://a b/", null],
  ["http://a:99999/", null],
  ["", null],
])("URL %j", (text, expected) => {
  const url = parseUrl(text);
  const shown =
    url === null
      ? null
      : `${url.target.scheme} ${url.target.host}:${url.target.port} ${url.target.authority} ${url.path} ${url.query}`.trim();
  expect(shown).toBe(expected);
});
