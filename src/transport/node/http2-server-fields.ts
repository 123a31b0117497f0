/** Fields of an answer in the shape that `node:http2` takes, checked as strictly as those of HTTP/1.1. */
import type { OutgoingHttpHeaders } from "node:http2";
import { TransportError } from "../transport.ts";
import { isTrailerName } from "./fields.ts";
import { fieldValue } from "./message.ts";

/** Fields of one connection's own (RFC 9113 §8.2.2), and content-length, which is worked out. */
const NOT_PASSED_ON = new Set([
  "connection",
  "content-length",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Status and fields; names in lower case, several lines of one name as an array. A content-length is not among them.
 *
 * @throws TransportError `invalid_message`
 */
export function answerFields(status: number, raw: readonly string[]): OutgoingHttpHeaders {
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new TransportError("invalid_message", `${status} is not the status of an answer`);
  }
  const fields = gather(raw, isPassedOn);
  fields[":status"] = status;
  return fields;
}

/** Content-Length among `raw`; -1 = none. @throws TransportError `invalid_message` */
export function announcedLength(raw: readonly string[]): number {
  let length = -1;
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i]!.length !== 14 || raw[i]!.toLowerCase() !== "content-length") continue;
    const value = raw[i + 1]!;
    if (!/^\d{1,15}$/.test(value)) {
      throw new TransportError("invalid_message", `${JSON.stringify(value)} is not a Content-Length`);
    }
    length = Number(value);
  }
  return length;
}

/** Trailers; what a trailer section may not hold is left out. */
export function trailerFields(raw: readonly string[] | undefined): OutgoingHttpHeaders {
  return raw === undefined ? {} : gather(raw, isTrailer);
}

function isTrailer(name: string): boolean {
  return isPassedOn(name) && isTrailerName(name);
}

function isPassedOn(name: string): boolean {
  return !NOT_PASSED_ON.has(name);
}

function gather(raw: readonly string[], wanted: (name: string) => boolean): OutgoingHttpHeaders {
  const fields: Record<string, string | string[]> = Object.create(null);
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    const value = fieldValue(raw[i]!, raw[i + 1]!);
    if (!wanted(name)) continue;
    const before = fields[name];
    if (before === undefined) fields[name] = value;
    else if (typeof before === "string") fields[name] = [before, value];
    else before.push(value);
  }
  return fields as OutgoingHttpHeaders;
}
