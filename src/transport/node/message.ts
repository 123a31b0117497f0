/**
 * Writing heads and chunk frames. Whatever comes from above is checked here: a name that is no token, or a value with
 * a line break, would let a policy's input write a second message (response splitting).
 */
import { STATUS_CODES } from "node:http";
import { TransportError } from "../transport.ts";
import { isToken, isTrailerName } from "./fields.ts";

/** What may not stand in a value: controls but TAB. Code points above latin1 are sent as their UTF-8 octets. */
const FORBIDDEN = /[\0-\x08\x0a-\x1f\x7f]/;
const BEYOND_LATIN1 = /[^\0-\xff]/;

/** What `fieldLines` met on its way besides the lines it kept. One shared object: read it before the next call. */
export const met = { contentLength: -1, date: false, close: false, expect: false, hosts: 0 };

/**
 * Field lines of `raw`, without those that belong to a single connection: Transfer-Encoding, Keep-Alive,
 * Proxy-Connection, Connection (unless `keepConnection`), and Content-Length, which is reported in `met`.
 */
export function fieldLines(raw: readonly string[], keepConnection: boolean): string {
  met.contentLength = -1;
  met.date = false;
  met.close = false;
  met.expect = false;
  met.hosts = 0;
  let lines = "";
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!;
    const value = raw[i + 1]!;
    if (isOurs(name, value, keepConnection)) continue;
    lines += fieldLine(name, value);
  }
  return lines;
}

/** One checked line, CRLF included. */
export function fieldLine(name: string, value: string): string {
  return `${name}: ${fieldValue(name, value)}\r\n`;
}

/** The checked value in latin1. @throws TransportError `invalid_message`, also when the name is none */
export function fieldValue(name: string, value: string): string {
  if (!isToken(name))
    throw new TransportError("invalid_message", `${JSON.stringify(name)} is not a header name`);
  if (FORBIDDEN.test(value)) {
    throw new TransportError("invalid_message", `the value of ${name} has a control character`);
  }
  return octets(value);
}

/** One character for each octet that is sent. */
function octets(text: string): string {
  return BEYOND_LATIN1.test(text) ? Buffer.from(text, "utf8").toString("latin1") : text;
}

function isOurs(name: string, value: string, keepConnection: boolean): boolean {
  switch (name.length) {
    case 4:
      if (name.toLowerCase() === "date") met.date = true;
      else if (name.toLowerCase() === "host") met.hosts++;
      return false;
    case 6:
      if (name.toLowerCase() === "expect") met.expect = true;
      return false;
    case 10: {
      const lower = name.toLowerCase();
      if (lower === "keep-alive") return true;
      if (lower !== "connection") return false;
      if (/(?:^|,)\s*close\s*(?:,|$)/i.test(value)) met.close = true;
      return !keepConnection;
    }
    case 14:
      if (name.toLowerCase() !== "content-length") return false;
      if (!/^\d{1,15}$/.test(value)) {
        throw new TransportError("invalid_message", `${JSON.stringify(value)} is not a Content-Length`);
      }
      met.contentLength = Number(value);
      return true;
    case 16:
      return name.toLowerCase() === "proxy-connection";
    case 17:
      return name.toLowerCase() === "transfer-encoding";
    default:
      return false;
  }
}

/** `HTTP/1.1 200 OK` and CRLF. An empty `reason` takes the standard phrase. */
export function statusLine(status: number, reason: string): string {
  if (!Number.isInteger(status) || status > 999 || (status < 200 && status !== 101)) {
    throw new TransportError("invalid_message", `${status} is not the status of an answer`);
  }
  const phrase = reason === "" ? (STATUS_CODES[status] ?? "") : reason;
  if (FORBIDDEN.test(phrase)) {
    throw new TransportError("invalid_message", "the reason phrase has a character that it cannot have");
  }
  return `HTTP/1.1 ${status} ${octets(phrase)}\r\n`;
}

/**
 * `POST /path HTTP/1.1` and CRLF.
 *
 * @param origin `http://host:port` for a request to a proxy (RFC 9112 §3.2.2), else empty
 */
export function requestLine(method: string, target: string, origin = ""): string {
  if (!isToken(method))
    throw new TransportError("invalid_message", `${JSON.stringify(method)} is not a method`);
  if (!/^(?:\/[\x21\x22\x24-\x7e]*|\*)$/.test(target)) {
    throw new TransportError("invalid_message", `${JSON.stringify(target)} is not a request target`);
  }
  if (origin !== "") return `${method} ${origin}${target === "*" ? "" : target} HTTP/1.1\r\n`;
  return `${method} ${target} HTTP/1.1\r\n`;
}

/** The end of a chunked body. Trailers that a trailer section may not hold are left out. */
export function lastChunk(trailers: readonly string[] | undefined): string {
  if (trailers === undefined || trailers.length === 0) return "0\r\n\r\n";
  let lines = "0\r\n";
  for (let i = 0; i < trailers.length; i += 2) {
    if (isTrailerName(trailers[i]!)) lines += fieldLine(trailers[i]!, trailers[i + 1]!);
  }
  return `${lines}\r\n`;
}

let date = "";
let dateUntil = 0;

/** The Date line (RFC 9110 §6.6.1), worked out once a second. The one wall clock in the transport. */
export function dateLine(): string {
  const now = performance.now();
  if (now >= dateUntil) {
    const wall = new Date();
    date = `Date: ${wall.toUTCString()}\r\n`;
    dateUntil = now + 1000 - wall.getMilliseconds();
  }
  return date;
}
