/**
 * The head of a request, read so that no second reading is possible. RFC 9112 leaves a recipient room to guess
 * (§2.2 line ends, §3 targets, §5.2 folding, §6.3 conflicting lengths); every guess is a way to smuggle a request past
 * a gateway, so here each of them is a refusal.
 */
import type { RefusalCode, ServerLimits } from "../transport.ts";
import { isToken, readFields } from "./fields.ts";

export interface RequestHead {
  readonly method: string;
  /** Origin form or `*`; an absolute target is reduced to it once its authority is known to be Host's. */
  readonly target: string;
  readonly httpVersion: "1.0" | "1.1";
  readonly rawHeaders: string[];
  /** From Content-Length; -1 = none. */
  readonly contentLength: number;
  readonly chunked: boolean;
  /** The caller wants the connection kept. */
  readonly keepAlive: boolean;
  readonly upgrade: boolean;
  /** The caller waits for `100 Continue` before it sends the body. */
  readonly expectContinue: boolean;
}

/** Why a request is not served. */
export class Fault {
  readonly status: number;
  readonly code: RefusalCode;
  readonly detail: string;
  method: string | undefined;
  target: string | undefined;

  constructor(status: number, code: RefusalCode, detail: string) {
    this.status = status;
    this.code = code;
    this.detail = detail;
  }
}

/** `/path?query` in printable ASCII, no fragment (RFC 9112 §3.2.1). What the path means is the router's business. */
const ORIGIN_FORM = /^\/[\x21\x22\x24-\x7e]*$/;
const ABSOLUTE_FORM = /^https?:\/\/([^/?#]*)([\x21\x22\x24-\x7e]*)$/i;
/** RFC 3986 host and port, without the comma that would let two hosts pass for one. */
const HOST = /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9\-._~!$&'()*+;=%]+)(?::\d{0,5})?$/;
const VERSION = /^HTTP\/\d\.\d$/;
const DIGITS = /^[0-9]+$/;

function bad(detail: string): Fault {
  return new Fault(400, "bad_framing", detail);
}

/** @param text latin1 text of a scanned block: control characters and line ends are in order */
export function parseRequestHead(text: string, limits: ServerLimits): RequestHead | Fault {
  const lineEnd = text.indexOf("\r");
  const methodEnd = text.indexOf(" ");
  const targetEnd = text.indexOf(" ", methodEnd + 1);
  if (lineEnd === 0) return bad("an empty line before the request line");
  if (methodEnd < 0 || targetEnd < 0 || targetEnd > lineEnd) return bad("a malformed request line");
  const method = text.slice(0, methodEnd);
  const target = text.slice(methodEnd + 1, targetEnd);
  const version = text.slice(targetEnd + 1, lineEnd);
  const head = readHead(method, target, version, text, lineEnd + 2, limits);
  if (head instanceof Fault) {
    head.method = method;
    head.target = target;
  }
  return head;
}

function readHead(
  method: string,
  target: string,
  version: string,
  text: string,
  fieldsAt: number,
  limits: ServerLimits,
): RequestHead | Fault {
  if (!isToken(method)) return bad("a malformed method");
  const oneOne = version === "HTTP/1.1";
  if (!oneOne && version !== "HTTP/1.0") {
    if (!VERSION.test(version)) return bad("a malformed HTTP version");
    return new Fault(505, "unsupported_version", `${version} is not spoken here`);
  }
  if (target.length > limits.targetBytes) {
    return new Fault(414, "target_too_long", `the target is longer than ${limits.targetBytes} bytes`);
  }
  if (method === "CONNECT") return new Fault(405, "connect_not_allowed", "CONNECT is not served");

  const rawHeaders: string[] = [];
  const fieldFault = readFields(text, fieldsAt, rawHeaders);
  if (fieldFault !== null) return bad(fieldFault);
  if (rawHeaders.length > 2 * limits.headerCount) {
    return new Fault(431, "too_many_headers", `more than ${limits.headerCount} headers`);
  }

  const facts = new Facts();
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const fault = facts.field(rawHeaders[i]!, rawHeaders[i + 1]!);
    if (fault !== null) return bad(fault);
  }
  return settle(method, target, oneOne, rawHeaders, facts);
}

/** Puts together what the single lines said. */
function settle(
  method: string,
  target: string,
  oneOne: boolean,
  rawHeaders: string[],
  facts: Facts,
): RequestHead | Fault {
  if (facts.host === null) {
    if (oneOne) return bad("no Host");
  } else if (!HOST.test(facts.host)) return bad("a malformed Host");

  const plain = originForm(method, target, facts.host);
  if (plain instanceof Fault) return plain;

  let chunked = false;
  if (facts.transferEncoding !== null) {
    if (!oneOne) return bad("Transfer-Encoding in HTTP/1.0");
    if (facts.contentLength >= 0) return bad("Content-Length together with Transfer-Encoding");
    const fault = transferCodings(facts.transferEncoding);
    if (fault !== null) return fault;
    chunked = true;
  }
  if (facts.expect !== null && facts.expect.toLowerCase() !== "100-continue") {
    return new Fault(417, "unsupported_expectation", "an Expect other than 100-continue");
  }
  const hasBody = chunked || facts.contentLength > 0;
  return {
    method,
    target: plain,
    httpVersion: oneOne ? "1.1" : "1.0",
    rawHeaders,
    contentLength: facts.contentLength,
    chunked,
    keepAlive: !facts.close && (oneOne || facts.keepAlive),
    // An upgrade with a body, or to another HTTP, is answered as if nobody had asked (RFC 9110 §7.8).
    upgrade:
      oneOne && !hasBody && facts.connectionUpgrade && facts.upgrade !== null && facts.upgrade !== "h2c",
    expectContinue: oneOne && hasBody && facts.expect !== null,
  };
}

/** What the header lines that matter for framing say. */
class Facts {
  host: string | null = null;
  contentLength = -1;
  transferEncoding: string | null = null;
  expect: string | null = null;
  upgrade: string | null = null;
  close = false;
  keepAlive = false;
  connectionUpgrade = false;

  /** @returns what is wrong with the line, or null */
  field(name: string, value: string): string | null {
    switch (name.length) {
      case 4:
        if (name.toLowerCase() !== "host") return null;
        if (this.host !== null) return "more than one Host";
        this.host = value;
        return null;
      case 6:
        if (name.toLowerCase() === "expect") this.expect = joined(this.expect, value);
        return null;
      case 7:
        if (name.toLowerCase() === "upgrade") this.upgrade = joined(this.upgrade, value.toLowerCase());
        return null;
      case 10:
        return name.toLowerCase() === "connection" ? this.#connection(value) : null;
      case 14:
        return name.toLowerCase() === "content-length" ? this.#contentLength(value) : null;
      case 17:
        if (name.toLowerCase() === "transfer-encoding") {
          this.transferEncoding = joined(this.transferEncoding, value);
        }
        return null;
      default:
        return null;
    }
  }

  #contentLength(value: string): string | null {
    if (this.contentLength >= 0) return "more than one Content-Length";
    if (!DIGITS.test(value)) return "a malformed Content-Length";
    this.contentLength = Number(value);
    return Number.isSafeInteger(this.contentLength) ? null : "a Content-Length beyond all bounds";
  }

  #connection(value: string): string | null {
    if (value === "keep-alive" || value === "Keep-Alive") {
      this.keepAlive = true;
      return null;
    }
    for (const part of value.toLowerCase().split(",")) {
      const option = part.trim();
      if (option === "close") this.close = true;
      else if (option === "keep-alive") this.keepAlive = true;
      else if (option === "upgrade") this.connectionUpgrade = true;
      else if (option === "host" || option === "content-length" || option === "transfer-encoding") {
        return `${option} named in Connection`;
      } else if (option !== "" && !isToken(option)) return "a malformed Connection";
    }
    return null;
  }
}

function joined(before: string | null, value: string): string {
  return before === null ? value : `${before},${value}`;
}

export function isHost(text: string): boolean {
  return HOST.test(text);
}

/** @param host what an absolute target has to agree with; null: nothing was said */
export function originForm(method: string, target: string, host: string | null): string | Fault {
  if (ORIGIN_FORM.test(target)) return target;
  if (target === "*")
    return method === "OPTIONS" ? target : bad("the target * with a method other than OPTIONS");
  const absolute = ABSOLUTE_FORM.exec(target);
  if (absolute === null) return bad("a malformed request target");
  const authority = absolute[1]!;
  if (!HOST.test(authority)) return bad("a malformed authority in the target");
  const port = target.charCodeAt(4) === 58 ? ":80" : ":443";
  if (host !== null && bare(authority, port) !== bare(host, port))
    return bad("a target whose authority is not Host's");
  const rest = absolute[2]!;
  if (rest === "") return method === "OPTIONS" ? "*" : "/";
  return rest.charCodeAt(0) === 47 ? rest : `/${rest}`;
}

/** An authority as it is compared: lower case, without the port that goes without saying (`:80`). */
export function bare(authority: string, defaultPort: string): string {
  const lower = authority.toLowerCase();
  if (lower.endsWith(defaultPort)) return lower.slice(0, -defaultPort.length);
  return lower.endsWith(":") ? lower.slice(0, -1) : lower;
}

/**
 * `chunked` alone is served. A list that ends in chunked, or has none, is well-formed but beyond us (501); a list
 * with chunked anywhere else has no certain length (RFC 9112 §6.1, §6.3).
 */
function transferCodings(value: string): Fault | null {
  const codings = value.toLowerCase().split(",");
  for (let i = 0; i < codings.length; i++) {
    const coding = codings[i]!.trim();
    if (!isToken(coding)) return bad("a malformed Transfer-Encoding");
    if (coding === "chunked" && i < codings.length - 1) return bad("chunked is not the last transfer coding");
  }
  if (codings.length === 1 && codings[0]!.trim() === "chunked") return null;
  return new Fault(501, "unsupported_transfer_coding", "a transfer coding other than chunked");
}
