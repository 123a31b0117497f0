import net from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startDemoModel, type DemoModel, type DemoModelOptions, type DemoStep } from "./index.ts";

let model: DemoModel;

/** Starts another model in place of the plain one. */
async function restart(options: DemoModelOptions): Promise<void> {
  await model.close();
  model = await startDemoModel(options);
}

beforeEach(async () => {
  model = await startDemoModel();
});

afterEach(() => model.close());

const hello = { model: "demo/echo", messages: [{ role: "user", content: "Hi" }] };

function post(body: unknown, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<Response> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return fetch(`${model.url}/v1/chat/completions`, { method: "POST", headers, body: text, signal });
}

/** Sends the bytes on a connection of its own. */
function raw(text: string): net.Socket {
  const socket = net.connect(model.port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(text);
  return socket;
}

function rawPost(headers: string, body = JSON.stringify(hello)): string {
  return `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n${headers}\r\n${body}`;
}

const firstData = (socket: net.Socket): Promise<Buffer> =>
  new Promise((resolve) => socket.once("data", resolve));

describe("on the wire", () => {
  test("answers, and remembers what it saw", async () => {
    const response = await post(hello, { "X-Mine": "1" });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(response.headers.get("x-request-id")).toBe("req_demo000000001");
    expect(await response.json()).toMatchObject({ id: "chatcmpl-demo000000001", object: "chat.completion" });
    const [seen] = model.seen;
    expect(await seen!.done).toBe("complete");
    expect(seen).toMatchObject({
      method: "POST",
      target: "/v1/chat/completions",
      status: 200,
      closedEarly: false,
    });
    expect(seen!.headers.get("x-mine")).toBe("1");
    expect(seen!.json()).toEqual(hello);
    expect(model.counters).toEqual({ requests: 1, active: 0, complete: 1, broken: 0, closedEarly: 0 });
  });

  test("streams", async () => {
    const response = await post({ ...hello, stream: true });
    expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    const text = await response.text();
    expect(text.endsWith("data: [DONE]\n\n")).toBe(true);
    expect(model.seen[0]!.chunks).toBe(text.split("\n\n").length - 1);
  });

  test("pauses between chunks lose nothing", async () => {
    const quick = await (await post({ ...hello, stream: true })).text();
    const slow = await (
      await post({ ...hello, stream: true }, { "x-demo-chunk-ms": "1", "x-demo-latency-ms": "1" })
    ).text();
    expect(slow.replaceAll("demo000000002", "demo000000001")).toBe(quick);
  });

  test("lists models", async () => {
    const { data } = (await (await fetch(`${model.url}/v1/models`)).json()) as { data: { id: string }[] };
    expect(data.map((one) => one.id)).toEqual(["demo/echo", "demo/embedding"]);
    expect((await fetch(`${model.url}/v1/models/demo%2Fecho`)).status).toBe(200);
    expect((await fetch(`${model.url}/v1/models/other`)).status).toBe(404);
  });

  test.each([
    ["GET", "/v1/chat/completions", 405],
    ["GET", "/", 404],
    ["POST", "/v1/models", 405],
    ["OPTIONS", "/v1/embeddings", 405],
  ])("%s %s is %i", async (method, path, status) => {
    const response = await fetch(model.url + path, { method });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { type: "invalid_request_error" } });
    expect(response.headers.get("allow")).toBe(
      status === 405 ? (method === "GET" ? "POST" : path === "/v1/models" ? "GET" : "POST") : null,
    );
  });

  test.each([
    ["announced", "Content-Length: 2000\r\n\r\n"],
    ["found on the way", `Transfer-Encoding: chunked\r\n\r\n7d0\r\n${"x".repeat(2000)}\r\n0\r\n\r\n`],
  ])("a body too large, %s, is 413", async (_, rest) => {
    await restart({ maxBodyBytes: 1000 });
    const socket = raw(`POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n${rest}`);
    const text = String(await firstData(socket));
    socket.destroy();
    expect(text).toMatch(/^HTTP\/1\.1 413 /);
  });

  test("a body within the limit is taken whole, in pieces", async () => {
    await restart({ maxBodyBytes: 1000 });
    const body = JSON.stringify(hello);
    const half = body.length >> 1;
    const arrival = model.nextRequest();
    const socket = raw(rawPost("").slice(0, -half));
    const seen = await arrival;
    const answer = firstData(socket);
    socket.write(body.slice(-half));
    expect(String(await answer)).toMatch(/^HTTP\/1\.1 200 /);
    expect(seen.text()).toBe(body);
    socket.destroy();
  });
});

describe("a caller who hangs up", () => {
  const long = "600000";
  test.each<[phase: string, headers: string, stream: boolean]>([
    ["before the head", `x-demo-latency-ms: ${long}\r\n`, false],
    ["between two chunks", `x-demo-chunk-ms: ${long}\r\n`, true],
    ["in a stall", "x-demo-error-after-chunks: 2\r\nx-demo-error-kind: stall\r\n", true],
  ])("%s ends the work", async (_, headers, stream) => {
    const arrival = model.nextRequest();
    const socket = raw(rawPost(headers, JSON.stringify({ ...hello, stream })));
    const seen = await arrival;
    if (stream) await firstData(socket);
    socket.destroy();
    expect(await seen.done).toBe("closed-early");
    expect(model.counters).toMatchObject({ active: 0, closedEarly: 1 });
  });

  test("while sending ends the work", async () => {
    const arrival = model.nextRequest();
    const socket = raw(rawPost("").slice(0, -5));
    const seen = await arrival;
    socket.destroy();
    expect(await seen.done).toBe("closed-early");
    expect(model.counters.active).toBe(0);
  });

  test("without reading stops an endless answer: nothing is made for a full connection", async () => {
    let stopped = false;
    const piece = "x".repeat(65_536);
    function* endless(): Generator<DemoStep> {
      try {
        for (;;) yield piece;
      } finally {
        stopped = true;
      }
    }
    await restart({ script: () => ({ status: 200, headers: [], body: endless() }) });
    const socket = raw(rawPost(""));
    await firstData(socket);
    socket.pause();
    const [seen] = model.seen;
    socket.destroy();
    expect(await seen!.done).toBe("closed-early");
    expect(stopped).toBe(true);
  });
});

describe("ordered faults", () => {
  test("reset in a stream", async () => {
    const response = await post({ ...hello, stream: true }, { "x-demo-error-after-chunks": "2" });
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
    expect(await model.seen[0]!.done).toBe("broken");
    expect(model.seen[0]!.chunks).toBe(2);
  });

  test("reset in a whole answer", async () => {
    const response = await post(hello, { "x-demo-error-after-chunks": "1" });
    expect(Number(response.headers.get("content-length"))).toBeGreaterThan(500);
    await expect(response.text()).rejects.toThrow();
    expect(model.counters).toMatchObject({ active: 0, broken: 1 });
  });

  test("status and retry-after", async () => {
    const response = await post(hello, { "x-demo-status": "429", "x-demo-retry-after": "3" });
    expect(response.status).toBe(429);
    expect(response.headers.get("retry-after")).toBe("3");
    expect(await response.json()).toMatchObject({ error: { code: "rate_limit_exceeded" } });
  });

  test("defaults from the constructor, overridden by a header", async () => {
    await restart({ defaults: { status: 503 } });
    expect((await post(hello)).status).toBe(503);
    expect((await post(hello, { "x-demo-status": "500" })).status).toBe(500);
  });
});

describe("scripts", () => {
  test("answer byte for byte, or leave it to the model", async () => {
    const steps: DemoStep[] = ["a", { waitMs: 0 }, new Uint8Array([0xff]), { waitMs: 1 }, "", "b"];
    await restart({
      script: (request) =>
        request.headers.get("x-script") === null
          ? undefined
          : { status: 207, headers: ["X-A", "1"], body: steps },
    });
    const response = await post(hello, { "x-script": "1" });
    expect(response.status).toBe(207);
    expect([...new Uint8Array(await response.arrayBuffer())]).toEqual([0x61, 0xff, 0x62]);
    expect((await post(hello)).status).toBe(200);
  });

  test("that throw are answered with 500, or break the answer off", async () => {
    const oops = new Error("oops");
    await restart({
      script: (request) => {
        if (request.target.endsWith("now")) throw oops;
        function* steps(): Generator<DemoStep> {
          yield "a";
          throw oops;
        }
        return { status: 200, headers: [], body: steps() };
      },
    });
    expect((await fetch(`${model.url}/now`)).status).toBe(500);
    await expect(fetch(`${model.url}/later`).then((response) => response.text())).rejects.toThrow();
    expect(model.seen.map((seen) => seen.error)).toEqual([oops, oops]);
  });
});

test("what is remembered is bounded in number and bytes", async () => {
  await restart({ seenLimit: 3, seenBytes: 200 });
  for (let i = 0; i < 5; i++) await (await post("x".repeat(90))).text();
  expect(model.seen.length).toBe(2);
  await (await post("y".repeat(500))).text();
  expect(model.seen.length).toBe(3);
  expect(model.seen.at(-1)!.text()).toBe("");
  model.forget();
  expect(model.seen.length).toBe(0);
  expect(model.counters.requests).toBe(6);
});

test("closing ends a stalled answer", async () => {
  const response = await post(
    { ...hello, stream: true },
    { "x-demo-error-after-chunks": "1", "x-demo-error-kind": "stall" },
  );
  const body = response.text();
  body.catch(() => {});
  await model.close();
  await expect(body).rejects.toThrow();
});
