/** System.Net.WebUtility (`expressions.md` §5.6). */
import { checkBytes, checkGrowth, checkLength, spendUnits } from "../budget.ts";
import { defineType } from "../define.ts";
import { argumentOutOfRange } from "../errors.ts";
import { utf8Bytes, utf8Text } from "./encoding.ts";
import { HTML_ENTITIES } from "./html-entities.ts";
import { replaceStepwise } from "./string-search.ts";

const HEX: readonly string[] = Array.from(
  { length: 256 },
  (_, i) => `%${i.toString(16).toUpperCase().padStart(2, "0")}`,
);

/** A loop over units looks at its budget once in 1,024 turns. */
const PAY_EVERY = 1023;

function payInside(result: string): void {
  spendUnits(PAY_EVERY + 1);
  checkGrowth(result.length, 0);
}

/** Octets that `UrlEncode` leaves alone. */
const SAFE = safeSet("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!*()");

/** A table over the octets: 1 = as it is. */
export function safeSet(characters: string): Uint8Array {
  const table = new Uint8Array(256);
  for (const c of characters) table[c.charCodeAt(0)] = 1;
  return table;
}

/** UTF-8 with `%XX` for whatever is not in `safe`; a space may become `+`. */
export function percentEncode(text: string, safe: Uint8Array, plusForSpace: boolean): string {
  let plain = true;
  for (let i = 0; plain && i < text.length; i++)
    plain = text.charCodeAt(i) < 128 && safe[text.charCodeAt(i)] === 1;
  if (plain) return text;
  let result = "";
  let done = 0;
  for (const byte of utf8Bytes(text)) {
    if ((++done & PAY_EVERY) === 0) payInside(result);
    result += safe[byte] === 1 ? String.fromCharCode(byte) : plusForSpace && byte === 32 ? "+" : HEX[byte]!;
  }
  checkLength(result.length);
  return result;
}

function hexValue(unit: number): number {
  if (unit >= 48 && unit <= 57) return unit - 48;
  if (unit >= 65 && unit <= 70) return unit - 55;
  return unit >= 97 && unit <= 102 ? unit - 87 : -1;
}

/** Octet of the escape at `at`, or -1. */
export function escapeAt(text: string, at: number): number {
  if (text.charCodeAt(at) !== 37 || at + 2 >= text.length) return -1;
  const high = hexValue(text.charCodeAt(at + 1));
  const low = hexValue(text.charCodeAt(at + 2));
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/** `%XX` back to text; bad escapes stay, runs of octets that are no UTF-8 become U+FFFD. */
function urlDecode(text: string | null): string | null {
  if (text === null) return null;
  if (!text.includes("%") && !text.includes("+")) return text;
  checkLength(text.length);
  let result = "";
  let octets: number[] = [];
  const flush = (): void => {
    if (octets.length === 0) return;
    result += utf8Text(Uint8Array.from(octets));
    octets = [];
  };
  for (let i = 0; i < text.length; i++) {
    if ((i & PAY_EVERY) === 0) payInside(result);
    const octet = escapeAt(text, i);
    if (octet >= 0) {
      octets.push(octet);
      i += 2;
    } else {
      flush();
      result += text[i] === "+" ? " " : text[i]!;
    }
  }
  flush();
  return result;
}

function encodeBytes(bytes: Uint8Array | null, offset: number, count: number): Uint8Array | null {
  if (bytes === null && count === 0) return null;
  const part = partOf(bytes, offset, count);
  let text = "";
  let done = 0;
  for (const byte of part) {
    if ((++done & PAY_EVERY) === 0) payInside(text);
    text += SAFE[byte] === 1 ? String.fromCharCode(byte) : byte === 32 ? "+" : HEX[byte]!;
  }
  checkBytes(text.length);
  return utf8Bytes(text);
}

function decodeBytes(bytes: Uint8Array | null, offset: number, count: number): Uint8Array | null {
  if (bytes === null && count === 0) return null;
  const part = partOf(bytes, offset, count);
  const octets = new Uint8Array(part.length);
  let length = 0;
  for (let i = 0; i < part.length; i++) {
    if ((i & PAY_EVERY) === 0) payInside("");
    const byte = part[i]!;
    const high = byte === PERCENT && i + 2 < part.length ? hexValue(part[i + 1]!) : -1;
    const low = high >= 0 ? hexValue(part[i + 2]!) : -1;
    octets[length++] = low >= 0 ? high * 16 + low : byte === PLUS ? SPACE : byte;
    if (low >= 0) i += 2;
  }
  return octets.slice(0, length);
}

const PERCENT = 37;
const PLUS = 43;
const SPACE = 32;

function partOf(bytes: Uint8Array | null, offset: number, count: number): Uint8Array {
  const length = bytes?.length ?? 0;
  if (offset < 0 || offset > length) throw argumentOutOfRange("offset");
  if (count < 0 || offset + count > length) throw argumentOutOfRange("count");
  checkBytes(count);
  return bytes!.subarray(offset, offset + count);
}

/** `& < > "` by name, the apostrophe, U+00A0–U+00FF and astral characters by number. */
export function htmlEncode(text: string | null): string | null {
  if (text === null || !/[&<>"'\u00a0-\u00ff\ud800-\udfff]/.test(text)) return text;
  let result = "";
  let done = 0;
  for (const c of text) {
    if ((++done & PAY_EVERY) === 0) payInside(result);
    const point = c.codePointAt(0)!;
    result += NAMED.get(c) ?? (isNumeric(point) ? `&#${point};` : isLoneSurrogate(point) ? "\ufffd" : c);
  }
  checkLength(result.length);
  return result;
}

const NAMED: ReadonlyMap<string, string> = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
  ["'", "&#39;"],
]);

function isNumeric(point: number): boolean {
  return (point >= 160 && point < 256) || point > 0xffff;
}

function isLoneSurrogate(point: number): boolean {
  return point >= 0xd800 && point <= 0xdfff;
}

const ENTITY = /&(?:#(?:[xX]([\da-fA-F]+)|(\d+))|([A-Za-z\d]+));/g;

/** Named entities of HTML 4 and numeric ones; what is unknown stays as it is. */
export function htmlDecode(text: string | null): string | null {
  if (text === null || !text.includes("&")) return text;
  checkLength(text.length);
  return replaceStepwise(text, ENTITY, ([whole, hex, decimal, name]) => {
    if (name !== undefined) return HTML_ENTITIES.get(name) ?? whole;
    const point = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    if (point === 0 || point > 0x10ffff || isLoneSurrogate(point)) return whole;
    return String.fromCodePoint(point);
  });
}

defineType("static System.Net.WebUtility", {
  "static string UrlEncode(string value)": (text: string | null) =>
    text === null ? null : percentEncode(text, SAFE, true),
  "static string UrlDecode(string encodedValue)": urlDecode,
  "static byte[] UrlEncodeToBytes(byte[] value, int offset, int count)": encodeBytes,
  "static byte[] UrlDecodeToBytes(byte[] encodedValue, int offset, int count)": decodeBytes,
  "static string HtmlEncode(string value)": htmlEncode,
  "static string HtmlDecode(string value)": htmlDecode,
});
