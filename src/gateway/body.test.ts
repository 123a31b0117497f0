import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { HeaderList } from "../base/headers.ts";
import { type BodySink, type BodySource, TransportError } from "../transport/transport.ts";
import { Body, charsetOf } from "./body.ts";
import { ChunkSource } from "./testing.ts";

const text = "Grüße, 世界! ".repeat(20);
const octets = Buffer.from(text);

const streaming = (source: BodySource, ...headers: string[]): Body =>
  Body.streaming("request", source, new HeaderList(headers));

/** Two chunks, cut at `at`. */
function cut(bytes: Uint8Array, at: number): ChunkSource {
  return new ChunkSource([bytes.subarray(0, at), bytes.subarray(at)]);
}

test.each<[string, Uint8Array]>([
  ["", octets],
  ["identity", octets],
  ["gzip", gzipSync(octets)],
  ["x-gzip", gzipSync(octets)],
  ["deflate", deflateSync(octets)],
  ["deflate", deflateRawSync(octets)],
  ["br", brotliCompressSync(octets)],
  ["GZip ", gzipSync(octets)],
])("content-coding %j, split at every byte", async (coding, wire) => {
  for (let at = 0; at <= wire.length; at++) {
    const body = streaming(cut(wire, at), ...(coding === "" ? [] : ["Content-Encoding", coding]));
    await body.buffer(1 << 20);
    expect(Buffer.from(body.bytes()).equals(octets)).toBe(true);
    // What is passed on is what came.
    expect(Buffer.from(body.take() as Uint8Array).equals(wire)).toBe(true);
    expect(body.recoded).toBe(false);
  }
});

test("a response may have several codings, the last applied first; a request only one", async () => {
  const wire = brotliCompressSync(gzipSync(octets));
  const headers = new HeaderList(["content-encoding", "gzip, br"]);
  const response = Body.streaming("response", new ChunkSource([wire]), headers);
  await response.buffer(1 << 20);
  expect(Buffer.from(response.bytes()).equals(octets)).toBe(true);
  const request = Body.streaming("request", new ChunkSource([wire]), headers);
  await request.buffer(1 << 20);
  expect(() => request.bytes()).toThrow(
    expect.objectContaining({ status: 400, reason: "ContentCodingUnreadable" }),
  );
});

test.each<[string, string, Uint8Array]>([
  ["a bomb", "gzip", gzipSync(Buffer.alloc(20_000_000))],
  ["a nested bomb", "br", brotliCompressSync(Buffer.alloc(60_000_000))],
  ["no gzip at all", "gzip", octets],
  ["cut off", "gzip", gzipSync(octets).subarray(0, -9)],
  ["an unknown coding", "zstd", octets],
])("%s cannot be read, and says so", async (_name, coding, wire) => {
  const body = streaming(new ChunkSource([wire]), "Content-Encoding", coding);
  await body.buffer(1 << 20);
  expect(() => body.bytes()).toThrow(
    expect.objectContaining({ status: 400, own: true, code: "content_coding_unreadable" }),
  );
  const response = Body.streaming(
    "response",
    new ChunkSource([wire]),
    new HeaderList(["Content-Encoding", coding]),
  );
  await response.buffer(1 << 20);
  expect(() => response.bytes()).toThrow(expect.objectContaining({ status: 500, own: false }));
});

test("an empty body has nothing to decode", async () => {
  const body = streaming(new ChunkSource([]), "Content-Encoding", "gzip");
  await body.buffer(10);
  expect(body.bytes()).toHaveLength(0);
});

test.each<[string, ChunkSource]>([
  ["by its length", new ChunkSource(["123456"], { length: 6 })],
  ["by what comes", new ChunkSource(["123", "456"])],
])("too large %s: refused, the source cancelled, and refused again", async (_name, source) => {
  const body = streaming(source);
  const refusal = {
    status: 413,
    reason: "RequestBodyTooLarge",
    message: "The request body is larger than 5 bytes.",
    own: true,
  };
  await expect(body.buffer(5)).rejects.toMatchObject(refusal);
  expect(source.cancelled).toBe(true);
  await expect(body.buffer(5)).rejects.toMatchObject(refusal);
  expect(body.take()).toBeNull();
});

test("exactly the limit is let through", async () => {
  const body = streaming(new ChunkSource(["123", "45"], { length: 5 }));
  await body.buffer(5);
  expect(body.bytes()).toHaveLength(5);
});

test("a response too large is 500", async () => {
  const body = Body.streaming("response", new ChunkSource(["123456"]), new HeaderList());
  await expect(body.buffer(5)).rejects.toMatchObject({
    status: 500,
    reason: "ResponseBodyTooLarge",
    own: false,
  });
});

test("one that breaks off stays broken", async () => {
  const failure = new TransportError("upstream_closed", "gone");
  const body = streaming(new ChunkSource(["12"], { failure }));
  await expect(body.buffer(5)).rejects.toBe(failure);
  await expect(body.buffer(5)).rejects.toBe(failure);
});

test("a stream is handed out once; afterwards there is nothing to read", () => {
  const source = new ChunkSource(["x"]);
  const body = streaming(source);
  expect(body.consumed).toBe(false);
  expect(body.take()).toBe(source);
  expect(body).toMatchObject({ spent: true, consumed: true, buffered: false });
  expect(body.buffer(10)).toBeUndefined();
});

test("in memory it is handed out any number of times, until it is consumed", () => {
  const body = Body.text("request", "x");
  expect(body.take()).toBe(body.take());
  body.consume();
  expect(body.take()).toBeNull();
});

test("a consumed stream is freed instead of sent", () => {
  const source = new ChunkSource(["x"]);
  const body = streaming(source);
  body.consume();
  expect(body.take()).toBeNull();
  expect(source.cancelled).toBe(true);
});

test("a tap sees every octet on its way, streaming or not", async () => {
  for (const buffered of [false, true]) {
    const body = streaming(new ChunkSource(["a", "b"]));
    if (buffered) await body.buffer(10);
    const seen: string[] = [];
    const out: string[] = [];
    body.tap((next) => ({
      write: (chunk) => {
        seen.push(Buffer.from(chunk).toString());
        return next.write(chunk);
      },
      end: (trailers) => next.end(trailers),
      fail: (error) => next.fail(error),
    }));
    (body.take() as BodySource).start(collector(out));
    expect(seen.join("")).toBe("ab");
    expect(out.join("")).toBe("ab|end");
  }
});

function collector(out: string[]): BodySink {
  return {
    write: (chunk) => out.push(Buffer.from(chunk).toString()) > 0,
    end: () => void out.push("|end"),
    fail: () => void out.push("|fail"),
  };
}

test.each([
  ["text/plain", null],
  ["text/plain; charset=ISO-8859-1", "iso-8859-1"],
  ['text/plain;a=b; Charset="utf-8"', "utf-8"],
  ["text/plain; charset=", null],
])("charset of %s", (type, expected) => {
  expect(charsetOf(new HeaderList(["content-type", type]))).toBe(expected);
});

/** All that a taken body sends; an error's code in the end's place. */
function drained(source: BodySource, roomFor = Infinity): { readonly text: string; readonly end: string } {
  let text = "";
  let end = "none";
  let room = roomFor;
  const sink: BodySink = {
    write: (chunk) => {
      text += Buffer.from(chunk).toString();
      return --room > 0;
    },
    end: () => void (end = "end"),
    fail: (error) => void (end = error.code),
  };
  source.start(sink);
  for (let i = 0; i < 20; i++) {
    room = roomFor;
    source.resume();
  }
  return { text, end };
}

test.each([Infinity, 1, 2])(
  "what is short comes into memory, what is longer stays a stream of the whole (%d)",
  async (room) => {
    for (let limit = 0; limit <= 10; limit++) {
      const body = streaming(new ChunkSource(["12", "345", "6", "789"]));
      const short = await body.bufferShort(limit);
      expect([short, body.buffered]).toEqual([limit >= 9, limit >= 9]);
      const taken = body.take()!;
      if (taken instanceof Uint8Array) expect(Buffer.from(taken).toString()).toBe("123456789");
      else expect(drained(taken, room)).toEqual({ text: "123456789", end: "end" });
    }
  },
);

test("what is longer is known at once from its length, and can still be refused", async () => {
  const source = new ChunkSource(["123456"], { length: 6 });
  const body = streaming(source);
  expect(body.bufferShort(5)).toBe(false);
  expect(source.started).toBe(false);
  const unknown = streaming(new ChunkSource(["123456"]));
  expect(await unknown.bufferShort(5)).toBe(false);
  await expect(unknown.buffer(5)).rejects.toMatchObject({ reason: "RequestBodyTooLarge" });
  expect(await streaming(new ChunkSource([])).bufferShort(0)).toBe(true);
});

test("a short body that breaks off says so at once, a longer one to whoever reads it", async () => {
  const failure = new TransportError("upstream_closed", "gone");
  await expect(streaming(new ChunkSource(["12"], { failure })).bufferShort(5)).rejects.toBe(failure);
  const body = streaming(new ChunkSource(["123456", "7"], { failure }));
  expect(await body.bufferShort(5)).toBe(false);
  expect(drained(body.take() as BodySource)).toEqual({ text: "1234567", end: "upstream_closed" });
});
