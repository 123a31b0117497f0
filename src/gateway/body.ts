/**
 * A message body on its way through: usually a stream that nobody looks into, sometimes bytes in memory because a
 * step needed them. The original octets are what is forwarded unless a policy set new ones.
 *
 * A body is held in memory only by `buffer()`, which the pipeline calls when a step is reached that mentions it.
 */
import { brotliDecompressSync, gunzipSync, inflateSync, inflateRawSync } from "node:zlib";
import type { HostBody } from "../compiler/runtime/host.ts";
import type { BodySink, BodySource } from "../transport/transport.ts";
import type { TransportError } from "../transport/transport.ts";
import { type GatewayError, GatewayError as Failure, bodyTooLarge } from "./errors.ts";
import type { HeaderList } from "../base/headers.ts";
import { PeekedSource } from "./models/peeked-source.ts";

/** Decoded octets: at most this many, and at most this many times the encoded ones (`reliability.md` A3). */
const DECODED_LIMIT = 50 * 1024 * 1024;
const DECODED_RATIO = 100;

/** Sits between a source and where the body goes; sees every chunk. */
export type Tap = (next: BodySink) => BodySink;

export class Body implements HostBody {
  readonly parsed: Map<string, unknown> = new Map();
  readonly charset: string | null;
  /** Content-Encoding of the octets, lower case; empty for none. */
  readonly coding: string;
  readonly #kind: "request" | "response";
  #source: BodySource | null;
  #wire: Uint8Array | null;
  #decoded: Uint8Array | null = null;
  #consumed = false;
  #spent = false;
  /** Made by a policy or the gateway, not received. */
  readonly #made: boolean;
  #taps: Tap[] | null = null;
  /** Why it could not be brought into memory; asking again gets the same answer. */
  #failure: Error | null = null;
  /** On its way into memory: who else asks waits for the same. */
  #buffering: Promise<void> | null = null;

  private constructor(
    kind: "request" | "response",
    source: BodySource | null,
    wire: Uint8Array | null,
    charset: string | null,
    coding: string,
    made = source === null,
  ) {
    this.#kind = kind;
    this.#source = source;
    this.#wire = wire;
    this.charset = charset;
    this.coding = coding;
    this.#made = made;
  }

  /** A body as it arrives; `headers` tell its charset and content-coding. */
  static streaming(kind: "request" | "response", source: BodySource, headers: HeaderList): Body {
    const coding = headers.get("content-encoding");
    return new Body(
      kind,
      source,
      null,
      charsetOf(headers),
      coding === null ? "" : coding.trim().toLowerCase(),
    );
  }

  /** Octets that a policy made, or that are in memory already. They carry no content-coding. */
  static of(kind: "request" | "response", bytes: Uint8Array, charset: string | null = null): Body {
    return new Body(kind, null, bytes, charset, "");
  }

  static text(kind: "request" | "response", text: string): Body {
    return Body.of(kind, encoder.encode(text));
  }

  /** In memory: `bytes()` may be called. */
  get buffered(): boolean {
    return this.#source === null;
  }

  /** Read without `preserveContent`, or handed out as a stream: there is nothing to read any more. */
  get consumed(): boolean {
    return this.#consumed || this.#spent;
  }

  /** A stream that was handed out already: it cannot be sent again. */
  get spent(): boolean {
    return this.#spent;
  }

  /** Octets on the wire, when known. */
  get length(): number | undefined {
    return this.#wire !== null ? this.#wire.length : this.#source!.length;
  }

  /** The octets as received or made, content-coding and all, read or not; null while they are not in memory. */
  get wire(): Uint8Array | null {
    return this.#wire;
  }

  bytes(): Uint8Array {
    if (this.#wire === null) throw new Error("the body was read before it was buffered");
    return (this.#decoded ??=
      this.coding === "" || this.coding === "identity"
        ? this.#wire
        : decode(this.#wire, this.coding, this.#kind));
  }

  consume(): void {
    this.#consumed = true;
  }

  /** Adds a tap to a body that is still streaming; on a buffered one it sees the octets when they are sent. */
  tap(tap: Tap): void {
    (this.#taps ??= []).push(tap);
  }

  /**
   * Brings the body into memory.
   *
   * @param limitBytes more than this is refused
   * @returns nothing when it already is
   * @throws GatewayError `RequestBodyTooLarge`, `ResponseBodyTooLarge`; TransportError when it breaks off
   */
  buffer(limitBytes: number): Promise<void> | void {
    if (this.#source === null || this.#spent) return;
    if (this.#failure !== null) return Promise.reject(this.#failure);
    return (this.#buffering ??= this.#readAll(limitBytes));
  }

  #readAll(limitBytes: number): Promise<void> {
    const source = this.#source!;
    const kind = this.#kind;
    if (source.length !== undefined && source.length > limitBytes) {
      source.cancel();
      return Promise.reject((this.#failure = bodyTooLarge(kind, limitBytes)));
    }
    return new Promise((resolve, reject) => {
      const chunks: Uint8Array[] = [];
      let size = 0;
      let over = false;
      source.start({
        write: (chunk) => {
          if (over) return true;
          size += chunk.length;
          if (size > limitBytes) {
            over = true;
            chunks.length = 0;
            source.cancel();
            reject((this.#failure = bodyTooLarge(kind, limitBytes)));
            return true;
          }
          chunks.push(chunk);
          return true;
        },
        end: () => {
          if (over) return;
          this.#wire = chunks.length === 1 ? chunks[0]! : concatenate(chunks, size);
          this.#source = null;
          resolve();
        },
        fail: (error) => {
          if (!over) reject((this.#failure = error));
        },
      });
    });
  }

  /**
   * Brings the body into memory if it is short. A longer one goes on as a stream, with all its octets.
   *
   * @returns whether it is in memory
   * @throws TransportError when it breaks off before that is known
   */
  bufferShort(limitBytes: number): Promise<boolean> | boolean {
    const source = this.#source;
    if (source === null) return true;
    if (this.#spent || this.#failure !== null) return false;
    if (this.#buffering !== null) return this.#buffering.then(() => true);
    if (source.length !== undefined && source.length > limitBytes) return false;
    return new Promise((resolve, reject) => {
      const peeked = new PeekedSource(source, limitBytes, (chunks, size, error) => {
        if (error !== null) return reject((this.#failure = error));
        if (chunks === null) return resolve(false);
        this.#wire = chunks.length === 1 ? chunks[0]! : concatenate(chunks, size);
        this.#source = null;
        resolve(true);
      });
      // It may have been there at once.
      if (this.#wire === null) this.#source = peeked;
    });
  }

  /**
   * Hands the octets out for sending, once for a stream and any number of times when buffered. A consumed body is
   * gone: null.
   */
  take(): BodySource | Uint8Array | null {
    if (this.#consumed) {
      this.#source?.cancel();
      return null;
    }
    const source = this.#source;
    if (this.#failure !== null) return null;
    if (source !== null) this.#spent = true;
    if (source === null)
      return this.#taps === null ? this.#wire : tapped(bytesSource(this.#wire!), this.#taps);
    return this.#taps === null ? source : tapped(source, this.#taps);
  }

  /** Another body over the same octets, for another message; null unless it is in memory and unread. */
  copy(): Body | null {
    if (this.#wire === null || this.#consumed) return null;
    return new Body(this.#kind, null, this.#wire, this.charset, this.coding, this.#made);
  }

  /** Octets and the Content-Encoding header no longer belong together: never for a received body. */
  get recoded(): boolean {
    return this.#made;
  }

  /** Nobody will read it. */
  discard(): void {
    this.#source?.cancel();
  }
}

const encoder = new TextEncoder();

/** The `charset` parameter of Content-Type, lower case; null when absent. */
export function charsetOf(headers: HeaderList): string | null {
  const type = headers.get("content-type");
  if (type === null) return null;
  const match = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(type);
  return match === null ? null : match[1]!.toLowerCase();
}

function concatenate(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const all = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

/** A source over octets in memory. */
export function bytesSource(bytes: Uint8Array): BodySource {
  return {
    length: bytes.length,
    start(sink) {
      if (bytes.length > 0) sink.write(bytes);
      sink.end();
    },
    resume() {},
    cancel() {},
  };
}

function tapped(source: BodySource, taps: readonly Tap[]): BodySource {
  return {
    length: source.length,
    start: (sink) => source.start(taps.reduceRight((next, tap) => tap(next), sink)),
    resume: () => source.resume(),
    cancel: () => source.cancel(),
  };
}

function decode(wire: Uint8Array, coding: string, kind: "request" | "response"): Uint8Array {
  if (wire.length === 0) return wire;
  const codings = coding
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "" && part !== "identity");
  if (codings.length > (kind === "request" ? 1 : 5)) throw undecodable(kind, coding);
  let bytes = wire;
  for (const name of codings.reverse()) {
    const maxOutputLength = Math.min(DECODED_LIMIT, Math.max(bytes.length * DECODED_RATIO, 64 * 1024));
    try {
      bytes = decodeOne(name, bytes, maxOutputLength);
    } catch (error) {
      if (error instanceof Failure) throw error;
      throw undecodable(kind, coding, error);
    }
  }
  return bytes;

  function decodeOne(name: string, input: Uint8Array, maxOutputLength: number): Uint8Array {
    switch (name) {
      case "gzip":
      case "x-gzip":
        return gunzipSync(input, { maxOutputLength });
      case "deflate":
        // Both forms occur in the wild: with the zlib wrapper (RFC 9110 §8.4.1.2) and without.
        return hasZlibHeader(input)
          ? inflateSync(input, { maxOutputLength })
          : inflateRawSync(input, { maxOutputLength });
      case "br":
        return brotliDecompressSync(input, { maxOutputLength });
      default:
        throw undecodable(kind, coding);
    }
  }
}

/** RFC 1950 §2.2: method 8, and the first two octets are a multiple of 31. */
function hasZlibHeader(input: Uint8Array): boolean {
  return input.length > 1 && (input[0]! & 0x0f) === 8 && ((input[0]! << 8) | input[1]!) % 31 === 0;
}

function undecodable(kind: "request" | "response", coding: string, cause?: unknown): GatewayError {
  return new Failure({
    source: "gateway",
    reason: "ContentCodingUnreadable",
    message: `The ${kind} body with Content-Encoding ${coding} could not be decoded within its limits.`,
    status: kind === "request" ? 400 : 500,
    code: "content_coding_unreadable",
    own: kind === "request",
    cause,
  });
}

export type { TransportError };
