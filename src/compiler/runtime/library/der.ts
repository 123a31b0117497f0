/** Reading DER (X.690), as much as certificates and PKCS#12 files need. Never throws; bad input gives null. */

export interface Der {
  /** Identifier octet. */
  readonly tag: number;
  /** Contents. */
  readonly value: Uint8Array;
  /** Header and contents. */
  readonly whole: Uint8Array;
}

export const SEQUENCE = 0x30;
export const SET = 0x31;
export const INTEGER = 0x02;
export const OCTET_STRING = 0x04;
export const OBJECT_ID = 0x06;

/** Deeper nesting than any honest file has is refused by whoever walks the tree; elements are read one level a time. */
export function readDer(bytes: Uint8Array, at = 0): Der | null {
  const tag = bytes[at];
  let length = bytes[at + 1];
  if (tag === undefined || length === undefined || (tag & 0x1f) === 0x1f) return null;
  let start = at + 2;
  if (length === 0x80) return readIndefinite(bytes, at, tag);
  if (length > 0x80) {
    const count = length & 0x7f;
    if (count > 4) return null;
    length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + (bytes[start++] ?? NaN);
  }
  if (!(start + length <= bytes.length)) return null;
  return { tag, value: bytes.subarray(start, start + length), whole: bytes.subarray(at, start + length) };
}

/** BER's indefinite length, which some PKCS#12 writers use: elements up to two zero octets. */
function readIndefinite(bytes: Uint8Array, at: number, tag: number, depth = 0): Der | null {
  if (depth > 16) return null;
  let end = at + 2;
  for (;;) {
    if (bytes[end] === 0 && bytes[end + 1] === 0) break;
    const nested =
      bytes[end + 1] === 0x80 ? readIndefinite(bytes, end, bytes[end]!, depth + 1) : readDer(bytes, end);
    if (nested === null) return null;
    end += nested.whole.length;
  }
  return { tag, value: bytes.subarray(at + 2, end), whole: bytes.subarray(at, end + 2) };
}

/** The elements inside, null when they do not fill it. */
export function children(der: Der | null | undefined): Der[] | null {
  if (der === null || der === undefined) return null;
  const list: Der[] = [];
  for (let at = 0; at < der.value.length;) {
    const child = readDer(der.value, at);
    if (child === null) return null;
    list.push(child);
    at += child.whole.length;
  }
  return list;
}

/** `1.2.840.113549.1.1.11`. */
export function objectId(der: Der | null | undefined): string {
  if (der?.tag !== OBJECT_ID || der.value.length === 0) return "";
  const parts: number[] = [];
  let value = 0;
  for (const byte of der.value) {
    value = value * 128 + (byte & 0x7f);
    if ((byte & 0x80) === 0) {
      parts.push(value);
      value = 0;
    }
  }
  const first = parts[0] ?? 0;
  const head = first < 80 ? [Math.floor(first / 40), first % 40] : [2, first - 80];
  return [...head, ...parts.slice(1)].join(".");
}

/** A small unsigned number. */
export function smallInteger(der: Der | null | undefined): number {
  if (der?.tag !== INTEGER || der.value.length > 6) return NaN;
  return der.value.reduce((sum, byte) => sum * 256 + byte, 0);
}

/** An octet string's contents; a constructed one (BER) is joined. */
export function octets(der: Der | null | undefined): Uint8Array | null {
  if (der === null || der === undefined) return null;
  if ((der.tag & 0x20) === 0) return der.value;
  const parts = children(der);
  if (parts === null) return null;
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.value.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part.value, at);
    at += part.value.length;
  }
  return whole;
}

const utf8 = new TextDecoder();

/** Text of any of the string types. */
export function derText(der: Der): string {
  switch (der.tag) {
    case 0x1e: {
      let text = "";
      for (let i = 0; i + 1 < der.value.length; i += 2)
        text += String.fromCharCode(der.value[i]! * 256 + der.value[i + 1]!);
      return text;
    }
    case 0x0c:
      return utf8.decode(der.value);
    default:
      return Array.from(der.value, (byte) => String.fromCharCode(byte)).join("");
  }
}

/** UTCTime or GeneralizedTime → ms since the Unix epoch; NaN when unreadable. */
export function derTime(der: Der): number {
  const text = derText(der);
  const match = /^(\d{2}|\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})?Z$/.exec(text);
  if (match === null) return NaN;
  const short = match[1]!.length === 2;
  const year = Number(match[1]) + (short ? (Number(match[1]) < 50 ? 2000 : 1900) : 0);
  const [month, day, hour, minute, second] = match.slice(2).map((part) => Number(part ?? 0)) as number[];
  return Date.UTC(year, month! - 1, day, hour, minute, second);
}
