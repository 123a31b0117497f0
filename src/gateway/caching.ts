/** Which cache a policy means, and what a cached response is. */
import type { AttributeShape } from "../compiler/policy.ts";
import { type Cache, LARGEST_ENTRY_BYTES } from "../cache/cache.ts";
import { HeaderList } from "../base/headers.ts";
import { Body, bytesSource, charsetOf } from "./body.ts";
import type { Exchange } from "./exchange.ts";
import { withoutHopByHop } from "./hop-by-hop.ts";
import { ResponseMessage } from "./message.ts";

export type CachingType = "internal" | "external" | "prefer-external";

export const CACHING_TYPE = {
  type: "string",
  oneOf: ["internal", "external", "prefer-external"],
  default: "prefer-external",
  doc: "internal: the built-in cache; external: the configured one; prefer-external: that, or the built-in one when none is configured.",
} as const satisfies AttributeShape;

/** null: an external cache was asked for and none is configured; everything misses. */
export function cacheFor(exchange: Exchange, type: CachingType): Cache | null {
  const { caches } = exchange.services;
  if (type === "internal") return caches.internal;
  const external = caches.external(exchange.snapshot.caches);
  return external ?? (type === "external" ? null : caches.internal);
}

/** Seconds of an attribute → ms; anything that is no positive number stores nothing. */
export function lifeMs(seconds: number): number {
  return seconds > 0 ? Math.min(seconds, 100 * 365 * 86_400) * 1000 : 0;
}

/** What `cache-lookup` leaves for `cache-store`. */
export interface ResponseCacheSlot {
  readonly cache: Cache;
  readonly key: string;
  readonly downstream: Downstream;
}

/** What caches between us and the client may do. */
export interface Downstream {
  readonly type: "none" | "private" | "public";
  readonly mustRevalidate: boolean;
}

/** Tells the client's caches what they may do with a response that lives for `lifeMs` and is `ageMs` old. */
export function sayDownstream(
  headers: HeaderList,
  { type, mustRevalidate }: Downstream,
  lifeMs: number,
  ageMs: number,
): void {
  headers.delete("Expires");
  headers.delete("Pragma");
  const remaining = Math.max(0, Math.floor((lifeMs - ageMs) / 1000));
  const rule =
    type === "none"
      ? "no-store, no-cache"
      : `${type}, max-age=${remaining}${mustRevalidate ? ", must-revalidate" : ""}`;
  headers.set("Cache-Control", rule);
  headers.set("Age", String(Math.max(0, Math.floor(ageMs / 1000))));
}

// ── A response as octets ──────────────────────────────────────────────────────────────────────────────────────────

export interface CachedResponse {
  readonly status: number;
  readonly reason: string;
  /** Flat. */
  readonly headers: string[];
  /** As on the wire, content-coding and all; null for none. */
  readonly body: Uint8Array | null;
  /** Ms since the epoch. */
  readonly storedMs: number;
  readonly lifeMs: number;
}

const MARK = 0x52;
const NOT_STORED = new Set(["set-cookie", "set-cookie2", "content-length", "age"]);
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A mark, the length of the head, the head as JSON, the body. */
export function encodeResponse(response: CachedResponse): Uint8Array {
  const { status, reason, headers, body, storedMs, lifeMs: life } = response;
  const head = encoder.encode(JSON.stringify([status, reason, headers, storedMs, life, body !== null]));
  const all = new Uint8Array(5 + head.length + (body?.length ?? 0));
  all[0] = MARK;
  new DataView(all.buffer).setUint32(1, head.length);
  all.set(head, 5);
  if (body !== null) all.set(body, 5 + head.length);
  return all;
}

/** @returns null for octets that `encodeResponse` has not made */
export function decodeResponse(bytes: Uint8Array): CachedResponse | null {
  if (bytes.length < 5 || bytes[0] !== MARK) return null;
  const end = 5 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);
  if (end > bytes.length) return null;
  let head: unknown;
  try {
    head = JSON.parse(decoder.decode(bytes.subarray(5, end)));
  } catch {
    return null;
  }
  if (
    !Array.isArray(head) ||
    head.length !== 6 ||
    !isStatus(head[0]) ||
    !isTexts(head[2]) ||
    !isNumber(head[3]) ||
    !isNumber(head[4])
  )
    return null;
  return {
    status: head[0],
    reason: String(head[1]),
    headers: head[2],
    body: head[5] === true ? bytes.subarray(end) : null,
    storedMs: head[3],
    lifeMs: head[4],
  };
}

const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
const isStatus = (value: unknown): value is number => isNumber(value) && value >= 200 && value <= 999;
const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.length % 2 === 0 && value.every((one) => typeof one === "string");

/** What of a response's headers is kept: nothing of one connection or one caller. */
export function storedHeaders(headers: HeaderList): string[] {
  const kept: string[] = [];
  const raw = withoutHopByHop(headers.raw);
  for (let i = 0; i < raw.length; i += 2)
    if (!NOT_STORED.has(raw[i]!.toLowerCase())) kept.push(raw[i]!, raw[i + 1]!);
  return kept;
}

/** A response of its own for one exchange. */
export function responseFrom({ status, reason, headers, body }: CachedResponse): ResponseMessage {
  const list = new HeaderList(headers);
  if (body === null) return new ResponseMessage(status, reason, list, null);
  const isCoded = list.has("content-encoding");
  const held = isCoded
    ? Body.streaming("response", bytesSource(body), list)
    : Body.of("response", body, charsetOf(list));
  return new ResponseMessage(status, reason, list, held);
}

/** Whether a caller who sent `accept` takes a body of this coding (RFC 9110 §12.5.3, without weights but 0). */
export function acceptsCoding(accept: string | null, coding: string | null): boolean {
  if (coding === null || /^\s*(?:identity)?\s*$/i.test(coding)) return true;
  if (accept === null) return false;
  const offered = new Map<string, boolean>();
  for (const part of accept.toLowerCase().split(",")) {
    const [name = "", ...parameters] = part.split(";").map((piece) => piece.trim());
    offered.set(name, !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter)));
  }
  return coding
    .toLowerCase()
    .split(",")
    .every((one) => offered.get(one.trim()) ?? offered.get("*") ?? false);
}

/** Hands over the body's octets now or when they have passed; never when they do not come whole. */
export function keepBody(
  exchange: Exchange,
  body: Body | null,
  keep: (octets: Uint8Array | null) => void,
  isWholeAnyway: (() => boolean) | null = null,
): void {
  if (body === null) return keep(null);
  if (body.consumed) return;
  if (body.buffered) {
    return keep(body.wire);
  }
  let kept = false;
  const collected = collectBody(body, (octets) => {
    if (!kept) keep(octets);
    kept = true;
  });
  if (isWholeAnyway !== null)
    exchange.onEnd(() => {
      if (kept || !isWholeAnyway()) return;
      const octets = collected();
      if (octets !== null) keep(octets);
    });
  // A later policy read it and put another in its place: it will not pass, but it is in memory.
  exchange.onReply(() => {
    if (kept || exchange.response?.body === body || !body.buffered) return;
    kept = true;
    keep(body.wire);
  });
}

/**
 * Hands the octets of a body that is on its way out to `done` when it has passed whole. Nothing is kept of one that breaks
 * off or grows too large.
 *
 * @returns what has passed so far; null when it is not kept
 */
function collectBody(body: Body, done: (bytes: Uint8Array) => void): () => Uint8Array | null {
  if ((body.length ?? 0) > LARGEST_ENTRY_BYTES) return () => null;
  let chunks: Uint8Array[] | null = [];
  let size = 0;
  body.tap((next) => {
    return {
      borrows: next.borrows,
      write: (chunk) => {
        if (chunks !== null && (size += chunk.length) <= LARGEST_ENTRY_BYTES)
          chunks.push(new Uint8Array(chunk));
        else chunks = null;
        return next.write(chunk);
      },
      end: (trailers) => {
        if (chunks !== null) done(concatenate(chunks, size));
        next.end(trailers);
      },
      fail: (error) => next.fail(error),
    };
  });
  return () => (chunks === null || size === 0 ? null : concatenate(chunks, size));
}

function concatenate(chunks: readonly Uint8Array[], size: number): Uint8Array {
  if (chunks.length === 1) return chunks[0]!;
  const all = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}
