/**
 * For policies that rewrite a body: brings it into memory, and shows its octets as a text in which nothing is lost, so
 * that what is not replaced stays as it was, octet by octet, whatever it may be.
 */
import { Body } from "./body.ts";
import type { Exchange } from "./exchange.ts";
import type { Message } from "./message.ts";

const READABLE_CODINGS = new Set(["", "identity", "gzip", "x-gzip", "deflate", "br"]);

/**
 * Calls `edit` with the body in memory, at once when it is. Not called for a message without a body, for one that was
 * read already, and for one whose content-coding nobody here can undo (with a remark in the trace).
 *
 * @throws GatewayError when the body is larger than what may be held; rejects with it when it had to be awaited
 */
export function editBody(
  exchange: Exchange,
  message: Message,
  element: string,
  edit: (body: Body) => void | Promise<void>,
): void | Promise<void> {
  const { body } = message;
  if (body === null || body.consumed) return;
  if (!isReadable(body)) {
    exchange.remark(
      element,
      `The ${message.kind} body has Content-Encoding ${body.coding} and is left as it is.`,
    );
    return;
  }
  const waiting = body.buffer(exchange.snapshot.options.bufferLimitBytes);
  return waiting === undefined ? edit(body) : waiting.then(() => edit(body));
}

function isReadable({ coding }: Body): boolean {
  return coding === "" || coding.split(",").every((part) => READABLE_CODINGS.has(part.trim()));
}

/** Puts `bytes` in the place of the message's body; `charset` as the Content-Type has it. */
export function setBytes(message: Message, bytes: Uint8Array, charset: string | null = null): void {
  message.body = Body.of(message.kind, bytes, charset);
}

/**
 * A charset as far as searching and replacing need it. `show` gives a text with one character per octet (UTF-16: per
 * code unit), so `hide(show(bytes))` is always `bytes`; `encode` gives a text of our own in the same form.
 */
export interface ByteText {
  /** null when the octets are no text in this charset (half a code unit at the end). */
  show(bytes: Uint8Array): string | null;
  hide(shown: string): Uint8Array;
  /** null when the charset has no place for a character of it. */
  encode(text: string): string | null;
}

/** @returns null for a charset in which octets cannot be compared safely (Shift_JIS and its kin) */
export function byteTextFor(charset: string | null): ByteText | null {
  const name = (charset ?? "utf-8").toLowerCase();
  if (name === "utf-8" || name === "utf8") return UTF8;
  if (name === "utf-16" || name === "utf-16le" || name === "ucs-2" || name === "unicode") return UTF16_LE;
  if (name === "utf-16be") return UTF16_BE;
  return SINGLE_BYTE.test(name) ? singleByte(name) : null;
}

const SINGLE_BYTE =
  /^(?:us-ascii|ascii|latin1|iso[-_]?8859-\d{1,2}|windows-125\d|windows-874|cp125\d|koi8-[ru]|macintosh|ibm866)$/;

/** No character of UTF-8 is part of another, so octets can be compared as they are. */
const UTF8: ByteText = {
  show: (bytes) => latin1(bytes),
  hide: (shown) => Buffer.from(shown, "latin1"),
  encode: (text) => latin1(Buffer.from(text, "utf8")),
};

const UTF16_LE: ByteText = {
  show: (bytes) => (bytes.length % 2 === 0 ? Buffer.from(bytes).toString("utf16le") : null),
  hide: (shown) => Buffer.from(shown, "utf16le"),
  encode: (text) => text,
};

const UTF16_BE: ByteText = {
  show: (bytes) => (bytes.length % 2 === 0 ? Buffer.from(bytes).swap16().toString("utf16le") : null),
  hide: (shown) => Buffer.from(shown, "utf16le").swap16(),
  encode: (text) => text,
};

function singleByte(name: string): ByteText | null {
  const known = singleBytes.get(name);
  if (known !== undefined) return known;
  const octets = octetsOf(name);
  if (octets === null) return null;
  const made: ByteText = {
    show: UTF8.show,
    hide: UTF8.hide,
    encode: (text) => {
      let shown = "";
      for (const character of text) {
        const octet = octets.get(character);
        if (octet === undefined) return null;
        shown += String.fromCharCode(octet);
      }
      return shown;
    },
  };
  singleBytes.set(name, made);
  return made;
}

/** At most as many as `SINGLE_BYTE` has names. */
const singleBytes = new Map<string, ByteText>();

function octetsOf(name: string): ReadonlyMap<string, number> | null {
  const decoder = decoderFor(name);
  if (decoder === null) return null;
  const octets = new Map<string, number>();
  for (let octet = 0; octet < 256; octet++) octets.set(decoder.decode(Uint8Array.of(octet)), octet);
  octets.delete("\ufffd");
  return octets;
}

function decoderFor(name: string): InstanceType<typeof TextDecoder> | null {
  try {
    return new TextDecoder(name);
  } catch {
    return null;
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
