/**
 * The head of a response. As strict as a request's where framing is concerned (an upstream may be hostile, or
 * shared by others), lenient only where nothing can be misread: an absent reason phrase, Content-Length twice but equal.
 */
import { readFields } from "./fields.ts";

export interface ResponseHead {
  readonly status: number;
  readonly reason: string;
  readonly httpVersion: "1.0" | "1.1";
  readonly rawHeaders: string[];
  /** From Content-Length; -1 = none. */
  readonly contentLength: number;
  readonly chunked: boolean;
  readonly keepAlive: boolean;
  /** From `Keep-Alive: timeout=…`; 0 = not said. */
  readonly keepAliveMs: number;
}

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: ([^\r]*))?$/;

/** @returns the head, or what is wrong with it */
export function parseResponseHead(text: string): ResponseHead | string {
  const lineEnd = text.indexOf("\r");
  const line = STATUS_LINE.exec(text.slice(0, lineEnd));
  if (line === null) return "a malformed status line";
  const oneOne = line[1] === "1";
  const rawHeaders: string[] = [];
  const fault = readFields(text, lineEnd + 2, rawHeaders);
  if (fault !== null) return fault;

  let contentLength = -1;
  let transferEncoding: string | null = null;
  let close = false;
  let keepAlive = false;
  let keepAliveMs = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    if (name.length !== 10 && name.length !== 14 && name.length !== 17) continue;
    const value = rawHeaders[i + 1]!;
    switch (name.toLowerCase()) {
      case "content-length": {
        const length = /^\d{1,15}$/.test(value) ? Number(value) : -1;
        if (length < 0) return "a malformed Content-Length";
        if (contentLength >= 0 && contentLength !== length) return "two different Content-Lengths";
        contentLength = length;
        break;
      }
      case "transfer-encoding":
        if (transferEncoding !== null) return "more than one Transfer-Encoding";
        transferEncoding = value.toLowerCase();
        break;
      case "connection":
        for (const option of value.toLowerCase().split(",")) {
          if (option.trim() === "close") close = true;
          else if (option.trim() === "keep-alive") keepAlive = true;
        }
        break;
      case "keep-alive":
        keepAliveMs = Number(/(?:^|[,;\s])timeout=(\d{1,6})/i.exec(value)?.[1] ?? 0) * 1000;
        break;
    }
  }
  if (transferEncoding !== null) {
    if (transferEncoding !== "chunked") return "a transfer coding other than chunked";
    if (contentLength >= 0) return "Content-Length together with Transfer-Encoding";
    if (!oneOne) return "Transfer-Encoding in HTTP/1.0";
  }
  return {
    status: Number(line[2]),
    reason: line[3] ?? "",
    httpVersion: oneOne ? "1.1" : "1.0",
    rawHeaders,
    contentLength,
    chunked: transferEncoding !== null,
    keepAlive: !close && (oneOne || keepAlive),
    keepAliveMs,
  };
}
