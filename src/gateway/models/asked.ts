/**
 * What a request to a model asks, read from wherever its body is: in memory, or passing by. A form's fields are read while
 * its files pass; of other bodies that no policy holds a copy is kept for the log.
 */
import type { Dialect, ModelRequest, RequestLine } from "../../llm/dialect.ts";
import { FormFields, formBoundary } from "../../llm/form-fields.ts";
import type { Body } from "../body.ts";
import type { Exchange } from "../exchange.ts";

/** Octets of a request that are kept for the log when no policy had it in memory. */
const KEPT_REQUEST = 2 * 1024 * 1024;

export function isJson(exchange: Exchange): boolean {
  const type = exchange.request.headers.get("content-type");
  return type === null || !/^\s*(multipart|audio|image|video|application\/octet-stream)/i.test(type);
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** A body that was read, and what stood in it. */
export interface JsonBody {
  readonly bytes: Uint8Array;
  readonly value: JsonObject | null;
}

/** @param known what was read before: it need not be read again while nobody has set another body */
export function jsonBody(exchange: Exchange, known: JsonBody | null = null): JsonBody | null {
  const { body } = exchange.request;
  if (body === null || !body.buffered || body.consumed || !isJson(exchange)) return null;
  try {
    const bytes = body.bytes();
    return known?.bytes === bytes ? known : { bytes, value: parsed(bytes) };
  } catch {
    return null;
  }
}

/** `fatal: false`: a broken character must not hide the model's name. */
const decoder = new TextDecoder();

const BYTE_ORDER_MARK = 0xef;

function parsed(bytes: Uint8Array): JsonObject | null {
  // The decoder leaves out a byte order mark, and is slow to set out.
  const text =
    bytes[0] === BYTE_ORDER_MARK
      ? decoder.decode(bytes)
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
  const value: unknown = JSON.parse(text);
  return value !== null && typeof value === "object" && !Array.isArray(value) ? (value as JsonObject) : null;
}

export class Asked {
  readonly #exchange: Exchange;
  readonly #dialect: Dialect;
  readonly #line: RequestLine;
  /** The body that all of this was read from. */
  #seen: Body | null;
  #request: ModelRequest | null = null;
  #requestBody: JsonObject | null | undefined = undefined;
  #read: JsonBody | null;
  #requestCopy: Uint8Array[] | null = null;
  #form: FormFields | null = null;

  /** @param read what was read to recognise the dialect */
  constructor(exchange: Exchange, dialect: Dialect, line: RequestLine, read: JsonBody | null) {
    this.#exchange = exchange;
    this.#dialect = dialect;
    this.#line = line;
    this.#read = read;
    const { body } = exchange.request;
    this.#seen = body;
    if (body !== null && !isJson(exchange)) this.#readForm(body);
    else if (body !== null && !body.buffered) this.#copyRequest();
  }

  /** The request's JSON; null when it is none, or not in memory. */
  get body(): JsonObject | null {
    this.#look();
    return (this.#requestBody ??= this.#readRequest());
  }

  /** What is asked. Complete only once the body is in memory or has passed. */
  get request(): ModelRequest {
    this.#look();
    if (this.#request !== null) return this.#request;
    this.#requestBody ??= this.#readRequest();
    const request = this.#dialect.readRequest(this.#requestBody ?? this.#form?.fields ?? null, this.#line);
    if (this.#requestBody !== null || this.#form?.over === true) this.#request = request;
    return request;
  }

  /** A policy may have put another body in the request's place: then what was read of the old one is read anew. */
  #look(): void {
    const { body } = this.#exchange.request;
    if (body === this.#seen || body === null) return;
    this.#seen = body;
    this.#request = null;
    this.#requestBody = undefined;
    this.#requestCopy = null;
    this.#form = null;
  }

  /** Everything that it asks is known. */
  get whole(): boolean {
    return this.#form === null || this.#form.over;
  }

  /** The client of a session has said what that is to be, where the request's line does not. */
  setUp(message: JsonObject): void {
    this.#requestBody = message;
    this.#request = null;
  }

  /** Keeps what passes of a request body that is no policy's business. */
  #copyRequest(): void {
    const copy: Uint8Array[] = [];
    let size = 0;
    this.#requestCopy = copy;
    this.#exchange.request.body!.tap((next) => ({
      borrows: next.borrows,
      write: (chunk) => {
        size += chunk.length;
        if (size <= KEPT_REQUEST) copy.push(new Uint8Array(chunk));
        else copy.length = 0;
        return next.write(chunk);
      },
      end: (trailers) => next.end(trailers),
      fail: (error) => next.fail(error),
    }));
  }

  /** Uploads say what they ask for in fields beside their files, which may be large: they are read as they pass. */
  #readForm(body: Body): void {
    const boundary =
      body.coding === "" ? formBoundary(this.#exchange.request.headers.get("content-type")) : null;
    if (boundary === null) return;
    this.#form = new FormFields(boundary);
    body.tap((next) => {
      // Each attempt sends it anew.
      const form = (this.#form = new FormFields(boundary));
      this.#request = null;
      return {
        borrows: next.borrows,
        write: (chunk) => {
          form.write(chunk);
          return next.write(chunk);
        },
        end: (trailers) => {
          form.end();
          next.end(trailers);
        },
        fail: (error) => {
          form.end();
          next.fail(error);
        },
      };
    });
  }

  #readRequest(): JsonObject | null {
    const inMemory = jsonBody(this.#exchange, this.#read)?.value ?? null;
    this.#read = null;
    if (inMemory !== null || this.#requestCopy === null || this.#requestCopy.length === 0) return inMemory;
    try {
      return parsed(Buffer.concat(this.#requestCopy));
    } catch {
      return null;
    }
  }
}
