import { expect, test } from "vitest";
import { TransportError } from "../transport/transport.ts";
import { sendReply } from "./reply.ts";
import { ChunkSource, type RecordedReply, type TestExchange, exchangeOf, responseOf } from "./testing.ts";
import type { ResponseMessage } from "./message.ts";

function sent(
  response: ResponseMessage | null,
  method = "GET",
  prepare: (exchange: TestExchange) => void = () => {},
) {
  const exchange = exchangeOf({ method });
  exchange.response = response;
  prepare(exchange);
  let done = 0;
  sendReply(exchange, () => void done++);
  return { reply: exchange.incoming.reply, exchange, done: () => done };
}

/** Status, headers and body in one line. */
function shown({ status, headers, body, streamed }: RecordedReply): string {
  const fields = headers.raw.map((part, i) => (i % 2 === 0 ? `${part}=` : `${part};`)).join("");
  return `${status} ${fields} ${streamed ? "~" : ""}${body}`;
}

const gone = ["Content-Length", "5"];

test.each<[string, ResponseMessage | null, string, string]>([
  ["nothing", null, "GET", "200  "],
  ["no body", responseOf(204), "GET", "204  "],
  ["a body in memory", responseOf(200, "hello", ["A", "1", ...gone]), "GET", "200 A=1; hello"],
  ["a stream", responseOf(200, new ChunkSource(["he", "llo"]), ["A", "1"]), "GET", "200 A=1; ~hello"],
  [
    "a stream of known length",
    responseOf(200, new ChunkSource(["hello"], { length: 5 }), gone),
    "GET",
    "200 Content-Length=5; ~hello",
  ],
  [
    "HEAD keeps what the backend says of the body",
    responseOf(200, null, gone),
    "HEAD",
    "200 Content-Length=5; ",
  ],
  ["HEAD of a made body", responseOf(200, "hello"), "HEAD", "200 Content-Length=5; "],
  [
    "HEAD of a made body with an old length",
    responseOf(404, "hello", ["content-length", "9"]),
    "HEAD",
    "404 Content-Length=5; ",
  ],
  [
    "304 keeps its length",
    responseOf(304, null, ["ETag", '"x"', ...gone]),
    "GET",
    '304 ETag="x";Content-Length=5; ',
  ],
  ["204 has none", responseOf(204, null, gone), "GET", "204  "],
  ["a body that a 204 must not have", responseOf(204, "hello", gone), "GET", "204  "],
  [
    "headers of the connection",
    responseOf(200, "x", [
      "Connection",
      "X-Hop, keep-alive",
      "X-Hop",
      "1",
      "Keep-Alive",
      "5",
      "Transfer-Encoding",
      "chunked",
      "B",
      "2",
    ]),
    "GET",
    "200 B=2; x",
  ],
  [
    "a challenge that a policy has set",
    responseOf(407, null, ["Proxy-Authenticate", "Basic", "Proxy-Connection", "close"]),
    "GET",
    "407 Proxy-Authenticate=Basic; ",
  ],
  ["a new body has no content-coding", responseOf(200, "x", ["Content-Encoding", "gzip"]), "GET", "200  x"],
  [
    "a passing one keeps it",
    responseOf(200, new ChunkSource(["z"]), ["Content-Encoding", "gzip"]),
    "GET",
    "200 Content-Encoding=gzip; ~z",
  ],
  [
    "case, order and repetition stay",
    responseOf(200, "", ["set-cookie", "a", "X", "1", "Set-Cookie", "b"]),
    "GET",
    "200 set-cookie=a;X=1;Set-Cookie=b; ",
  ],
])("%s", (_name, response, method, expected) => {
  const { reply, done } = sent(response, method);
  expect(shown(reply)).toBe(expected);
  expect(done()).toBe(1);
});

test("a body that may not be sent frees its connection", () => {
  for (const [method, status] of [
    ["HEAD", 200],
    ["GET", 204],
    ["GET", 304],
  ] as const) {
    const source = new ChunkSource(["x"]);
    sent(responseOf(status, source), method);
    expect(source).toMatchObject({ cancelled: true, started: false });
  }
});

test("a consumed body is gone, and its content-coding with it", () => {
  const response = responseOf(200, new ChunkSource(["x"]), ["Content-Encoding", "gzip", "A", "1"]);
  response.body!.consume();
  expect(shown(sent(response).reply)).toBe("200 A=1; ");
});

test.each<[string, readonly string[], readonly string[], string]>([
  [
    "the gateway's win",
    ["Access-Control-Allow-Origin", "*", "access-control-x", "1"],
    ["Access-Control-Allow-Origin", "https://a"],
    "Access-Control-Allow-Origin=https://a;",
  ],
  ["Vary is added to", ["Vary", "Accept"], ["Vary", "Origin"], "Vary=Accept;Vary=Origin;"],
  ["but not twice", ["Vary", "accept, ORIGIN"], ["Vary", "Origin"], "Vary=accept, ORIGIN;"],
  ["nor to everything", ["Vary", "*"], ["Vary", "Origin"], "Vary=*;"],
])("CORS headers: %s", (_name, headers, cors, expected) => {
  const { reply } = sent(
    responseOf(200, null, headers),
    "GET",
    (exchange) => void (exchange.corsHeaders = [...cors]),
  );
  expect(shown(reply)).toBe(`200 ${expected} `);
});

test("a slow client slows the backend", () => {
  const source = new ChunkSource(["a", "b", "c"]);
  const { reply, exchange, done } = sent(
    responseOf(200, source),
    "GET",
    (one) => void (one.incoming.reply.slow = true),
  );
  expect(reply.body).toBe("a");
  reply.drain();
  expect(reply.body).toBe("ab");
  reply.slow = false;
  reply.drain();
  expect(reply.body).toBe("abc");
  expect(exchange.bytesSent).toBe(3);
  expect(done()).toBe(1);
});

test("a client that hangs up stops the backend", () => {
  const source = new ChunkSource(["a", "b"]);
  const { exchange } = sent(responseOf(200, source), "GET", (one) => void (one.incoming.reply.slow = true));
  exchange.abort.abort("client");
  expect(source.cancelled).toBe(true);
});

test("a backend that breaks off breaks the answer off; an event stream says why first", () => {
  const failure = new TransportError("upstream_closed", "gone");
  const plain = sent(responseOf(200, new ChunkSource(["a"], { failure })));
  expect(plain.reply).toMatchObject({ failure, body: "a" });
  const events = sent(
    responseOf(200, new ChunkSource(["data: 1\n"], { failure }), [
      "Content-Type",
      "text/event-stream; charset=utf-8",
    ]),
  );
  expect(events.reply.failure).toBeNull();
  expect(events.reply.body).toBe(
    'data: 1\n\n\ndata: {"error":{"code":"upstream_closed","message":"The upstream response was interrupted.","requestId":"00000000-0000-4000-8000-000000000001"}}\nevent: error\n\n',
  );
  expect(events.exchange.brokenOff).toBe(failure);
});
