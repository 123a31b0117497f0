/**
 * The head of a request that came over HTTP/2. nghttp2 has seen to RFC 9113 §8 by now (pseudo-headers once and first,
 * no connection-specific fields, no control characters, one Content-Length that the frames keep to) and reset what
 * broke it; here is what it leaves open: limits, the forms of authority and target, and what HTTP/1.1 upstreams need.
 */
import type { ServerLimits } from "../transport.ts";
import { isToken } from "./fields.ts";
import { bare, Fault, isHost, originForm } from "./request-head.ts";

export interface Http2Head {
  readonly method: string;
  /** Origin form or `*`. */
  readonly target: string;
  /** As received, names in lower case; `host` first, from `:authority`; the crumbs of `cookie` put together. */
  readonly rawHeaders: string[];
  /** From content-length; -1 = none. */
  readonly contentLength: number;
  /** The caller waits for 100 before it sends the body. */
  readonly expectContinue: boolean;
}

/** @param raw flat list with the pseudo-headers */
export function readHttp2Head(raw: readonly string[], limits: ServerLimits): Http2Head | Fault {
  const reading = new Reading();
  for (let i = 0; i < raw.length; i += 2) reading.field(raw[i]!, raw[i + 1]!);
  const head = settle(reading, limits);
  if (head instanceof Fault) {
    head.method = reading.method;
    head.target = reading.target;
  }
  return head;
}

function settle(reading: Reading, limits: ServerLimits): Http2Head | Fault {
  const { method, target, rawHeaders } = reading;
  if (!isToken(method)) return bad("a malformed method");
  if (target.length > limits.targetBytes) {
    return new Fault(414, "target_too_long", `the target is longer than ${limits.targetBytes} bytes`);
  }
  if (method === "CONNECT") return new Fault(405, "connect_not_allowed", "CONNECT is not served");
  const host = reading.theHost();
  if (host instanceof Fault) return host;
  rawHeaders.unshift("host", host);
  if (reading.cookie !== null) rawHeaders.push("cookie", reading.cookie);
  if (rawHeaders.length > 2 * limits.headerCount) {
    return new Fault(431, "too_many_headers", `more than ${limits.headerCount} headers`);
  }
  if (linesBytes(rawHeaders) > limits.headerBytes) {
    return new Fault(431, "header_too_large", `the headers are larger than ${limits.headerBytes} bytes`);
  }
  if (!target.startsWith("/") && target !== "*") return bad("a malformed request target");
  const plain = originForm(method, target, null);
  if (plain instanceof Fault) return plain;
  if (reading.expect !== null && reading.expect.toLowerCase() !== "100-continue") {
    return new Fault(417, "unsupported_expectation", "an Expect other than 100-continue");
  }
  if (reading.contentLength > Number.MAX_SAFE_INTEGER) return bad("a Content-Length beyond all bounds");
  return {
    method,
    target: plain,
    rawHeaders,
    contentLength: reading.contentLength,
    expectContinue: reading.expect !== null,
  };
}

function bad(detail: string): Fault {
  return new Fault(400, "bad_framing", detail);
}

/** What the single fields said. */
class Reading {
  method = "";
  target = "";
  authority: string | null = null;
  secure = false;
  host: string | null = null;
  cookie: string | null = null;
  expect: string | null = null;
  contentLength = -1;
  readonly rawHeaders: string[] = [];
  #hosts = 0;

  field(name: string, value: string): void {
    switch (name) {
      case ":method":
        this.method = value;
        return;
      case ":path":
        this.target = value;
        return;
      case ":authority":
        this.authority = value;
        return;
      case ":scheme":
        this.secure = value === "https";
        return;
      case "host":
        this.#hosts++;
        this.host = value;
        return;
      case "cookie":
        // RFC 9113 §8.2.3: crumbs are put together before they go where HTTP/2 is not spoken.
        this.cookie = this.cookie === null ? value : `${this.cookie}; ${value}`;
        return;
      case "expect":
        this.expect = this.expect === null ? value : `${this.expect},${value}`;
        break;
      case "content-length":
        this.contentLength = Number(value);
        break;
    }
    if (name.charCodeAt(0) !== 58) this.rawHeaders.push(name, value);
  }

  /** What `:authority` and Host say together (RFC 9113 §8.3.1). */
  theHost(): string | Fault {
    const { authority, host } = this;
    if (this.#hosts > 1) return bad("more than one Host");
    const named = authority ?? host;
    if (named === null) return bad("no authority and no Host");
    if (!isHost(named)) return bad("a malformed authority");
    const port = this.secure ? ":443" : ":80";
    if (host !== null && bare(named, port) !== bare(host, port))
      return bad("an authority that is not Host's");
    return named;
  }
}

/** Octets of the fields as HTTP/1.1 would write them, so that one limit means one thing. */
function linesBytes(raw: readonly string[]): number {
  let bytes = 0;
  for (const text of raw) bytes += text.length + 2;
  return bytes;
}
