/** System.Text.Encoding: UTF-8, UTF-16, UTF-32, ASCII, Latin-1 and windows-1252. */
import { checkBytes, checkLength, spendUnits } from "../budget.ts";
import { defineType } from "../define.ts";
import { argumentError, argumentNull, argumentOutOfRange } from "../errors.ts";
import type { Type } from "../type.ts";
import { NetArray, type NetObject, TYPE, typeNamed } from "../values.ts";
import { fromUnits, toCharArray } from "./string-edit.ts";

/** One encoding: how texts become octets and back. */
class Encoding implements NetObject {
  readonly webName: string;
  readonly displayName: string;
  readonly codePage: number;
  readonly preamble: readonly number[];
  readonly encode: (text: string) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => string;
  /** Octets that one UTF-16 unit may take. */
  readonly widest: number;

  constructor(
    webName: string,
    displayName: string,
    codePage: number,
    widest: number,
    preamble: readonly number[],
    encode: (text: string) => Uint8Array,
    decode: (bytes: Uint8Array) => string,
  ) {
    this.webName = webName;
    this.displayName = displayName;
    this.codePage = codePage;
    this.widest = widest;
    this.preamble = preamble;
    this.encode = encode;
    this.decode = decode;
  }
  get [TYPE](): Type {
    return typeNamed("System.Text.Encoding");
  }
  netEquals(other: unknown): boolean {
    return other instanceof Encoding && other.codePage === this.codePage;
  }
  netHashCode(): number {
    return this.codePage;
  }
}

const utf8Encoder = new TextEncoder();
const utf8Decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const utf16Decoder = new TextDecoder("utf-16le", { ignoreBOM: true });

/** Octets of a UTF-8 text; lone surrogates become U+FFFD. */
export function utf8Bytes(text: string): Uint8Array {
  return utf8Encoder.encode(text);
}

/** A byte order mark stays, bad octets become U+FFFD. */
export function utf8Text(bytes: Uint8Array): string {
  return utf8Decoder.decode(bytes);
}

function utf16Bytes(littleEndian: boolean): (text: string) => Uint8Array {
  return (text) => {
    const whole = text.toWellFormed();
    const bytes = new Uint8Array(whole.length * 2);
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < whole.length; i++) view.setUint16(i * 2, whole.charCodeAt(i), littleEndian);
    return bytes;
  };
}

function utf16BigEndianText(bytes: Uint8Array): string {
  const swapped = new Uint8Array(bytes);
  for (let i = 0; i + 1 < swapped.length; i += 2) {
    const high = swapped[i]!;
    swapped[i] = swapped[i + 1]!;
    swapped[i + 1] = high;
  }
  return utf16Decoder.decode(swapped);
}

function utf32Bytes(text: string): Uint8Array {
  const points = Array.from(text.toWellFormed(), (c) => c.codePointAt(0)!);
  const bytes = new Uint8Array(points.length * 4);
  const view = new DataView(bytes.buffer);
  points.forEach((point, i) => view.setUint32(i * 4, point, true));
  return bytes;
}

function utf32Text(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let text = "";
  for (let i = 0; i < bytes.length; i += 4) {
    const point = i + 4 <= bytes.length ? view.getUint32(i, true) : Infinity;
    const bad = point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff);
    text += bad ? "\ufffd" : String.fromCodePoint(point);
  }
  return text;
}

const QUESTION = 63;

/** Units below `limit` are themselves, others become `?`, a surrogate pair one of them. */
function narrowBytes(
  limit: number,
  special: ReadonlyMap<number, number> | null,
): (text: string) => Uint8Array {
  return (text) => {
    const bytes = new Uint8Array(text.length);
    let length = 0;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      const mapped = special?.get(unit);
      if (mapped !== undefined) bytes[length++] = mapped;
      else if (
        unit < limit &&
        !(special !== null && unit >= 0x80 && unit < 0xa0 && !UNDEFINED_1252.has(unit))
      ) {
        bytes[length++] = unit;
      } else {
        bytes[length++] = QUESTION;
        if (text.codePointAt(i)! > 0xffff) i++;
      }
    }
    return bytes.slice(0, length);
  };
}

function bytesToUnits(bytes: Uint8Array, map: (byte: number) => number): string {
  const units = new Uint16Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) units[i] = map(bytes[i]!);
  return utf16Units(units);
}

function utf16Units(units: Uint16Array): string {
  let text = "";
  for (let i = 0; i < units.length; i += 8192) text += String.fromCharCode(...units.subarray(i, i + 8192));
  return text;
}

/** windows-1252 octets 0x80–0x9F; five of them mean themselves. */
const UPPER_1252 = [
  0x20ac, 0x81, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0x8d,
  0x17d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a,
  0x153, 0x9d, 0x17e, 0x178,
];
const UNDEFINED_1252 = new Set([0x81, 0x8d, 0x8f, 0x90, 0x9d]);
const TO_1252 = new Map(UPPER_1252.map((unit, i) => [unit, 0x80 + i]));

const UTF8 = new Encoding("utf-8", "Unicode (UTF-8)", 65001, 3, [0xef, 0xbb, 0xbf], utf8Bytes, utf8Text);
const UTF16 = new Encoding("utf-16", "Unicode", 1200, 2, [0xff, 0xfe], utf16Bytes(true), (bytes) =>
  utf16Decoder.decode(bytes),
);
const UTF16BE = new Encoding(
  "utf-16BE",
  "Unicode (Big-Endian)",
  1201,
  2,
  [0xfe, 0xff],
  utf16Bytes(false),
  utf16BigEndianText,
);
const UTF32 = new Encoding("utf-32", "Unicode (UTF-32)", 12000, 4, [0xff, 0xfe, 0, 0], utf32Bytes, utf32Text);
const ASCII = new Encoding("us-ascii", "US-ASCII", 20127, 1, [], narrowBytes(128, null), (bytes) =>
  bytesToUnits(bytes, (byte) => (byte < 128 ? byte : QUESTION)),
);
const LATIN1 = new Encoding(
  "iso-8859-1",
  "Western European (ISO)",
  28591,
  1,
  [],
  narrowBytes(256, null),
  (bytes) => bytesToUnits(bytes, (byte) => byte),
);
const WINDOWS1252 = new Encoding(
  "windows-1252",
  "Western European (Windows)",
  1252,
  1,
  [],
  narrowBytes(256, TO_1252),
  (bytes) => bytesToUnits(bytes, (byte) => (byte >= 0x80 && byte < 0xa0 ? UPPER_1252[byte - 0x80]! : byte)),
);

const ALL = [UTF8, UTF16, UTF16BE, UTF32, ASCII, LATIN1, WINDOWS1252];
const BY_NAME = new Map<string, Encoding>(ALL.map((encoding) => [encoding.webName.toLowerCase(), encoding]));
const ALIASES: readonly [Encoding, string][] = [
  [UTF8, "utf8 unicode-1-1-utf-8 unicode-2-0-utf-8 x-unicode-1-1-utf-8"],
  [UTF16, "utf-16le utf16 ucs-2 unicode iso-10646-ucs-2"],
  [UTF16BE, "unicodefffe"],
  [UTF32, "utf-32le ucs-4"],
  [ASCII, "ascii us ansi_x3.4-1968 iso646-us ibm367 cp367 csascii iso-ir-6 iso_646.irv:1991 ansi_x3.4-1986"],
  [LATIN1, "latin1 l1 iso8859-1 iso_8859-1 iso_8859-1:1987 iso-ir-100 ibm819 cp819 csisolatin1"],
  [WINDOWS1252, "cp1252 x-ansi"],
];
for (const [encoding, names] of ALIASES) for (const name of names.split(" ")) BY_NAME.set(name, encoding);

/** The encoding of a charset name, null when there is none. Bodies are read with it too. */
export function findEncoding(name: string): { readonly decode: (bytes: Uint8Array) => string } | null {
  return BY_NAME.get(name.trim().toLowerCase()) ?? null;
}

function encodingNamed(name: string | null): Encoding {
  if (name === null) throw argumentNull("name");
  const encoding = BY_NAME.get(name.trim().toLowerCase());
  if (encoding === undefined) throw argumentError(`'${name}' is not a supported encoding name.`, "name");
  return encoding;
}

function encodingOfPage(page: number): Encoding {
  const encoding = page === 0 ? UTF8 : ALL.find((candidate) => candidate.codePage === page);
  if (encoding === undefined) {
    throw argumentError(`${page} is not a supported code page.`, "codepage");
  }
  return encoding;
}

function getBytes(encoding: Encoding, text: string | null): Uint8Array {
  if (text === null) throw argumentNull("s");
  const estimate = text.length * encoding.widest;
  if (estimate > 4096) checkBytes(encoding === UTF8 ? text.length : estimate);
  if (encoding !== UTF8) spendUnits(text.length);
  const bytes = encoding.encode(text);
  checkBytes(bytes.length);
  return bytes;
}

function getString(encoding: Encoding, bytes: Uint8Array | null): string {
  if (bytes === null) throw argumentNull("bytes");
  checkLength(encoding.codePage === UTF8.codePage ? bytes.length : bytes.length / encoding.widest);
  if (encoding !== UTF8) spendUnits(bytes.length);
  return encoding.decode(bytes);
}

function part(bytes: Uint8Array | null, index: number, count: number): Uint8Array {
  if (bytes === null) throw argumentNull("bytes");
  if (index < 0) throw argumentOutOfRange("index", "Non-negative number required.");
  if (count < 0) throw argumentOutOfRange("count", "Non-negative number required.");
  if (index + count > bytes.length) {
    throw argumentOutOfRange("bytes", "Index and count must refer to a location within the buffer.");
  }
  return bytes.subarray(index, index + count);
}

function textOfChars(chars: NetArray | null): string {
  if (chars === null) throw argumentNull("chars");
  return fromUnits(chars.items as number[]);
}

defineType("class System.Text.Encoding", {
  "static Encoding UTF8 { get; }": () => UTF8,
  "static Encoding Default { get; }": () => UTF8,
  "static Encoding ASCII { get; }": () => ASCII,
  "static Encoding Unicode { get; }": () => UTF16,
  "static Encoding BigEndianUnicode { get; }": () => UTF16BE,
  "static Encoding UTF32 { get; }": () => UTF32,
  "static Encoding Latin1 { get; }": () => LATIN1,
  "static Encoding GetEncoding(string name)": encodingNamed,
  "static Encoding GetEncoding(int codepage)": encodingOfPage,
  "static byte[] Convert(Encoding srcEncoding, Encoding dstEncoding, byte[] bytes)": (
    from: Encoding | null,
    to: Encoding | null,
    bytes: Uint8Array | null,
  ) => {
    if (from === null) throw argumentNull("srcEncoding");
    if (to === null) throw argumentNull("dstEncoding");
    return getBytes(to, getString(from, bytes));
  },
  "string WebName { get; }": (encoding: Encoding) => encoding.webName,
  "string HeaderName { get; }": (encoding: Encoding) => encoding.webName,
  "string BodyName { get; }": (encoding: Encoding) => encoding.webName,
  "string EncodingName { get; }": (encoding: Encoding) => encoding.displayName,
  "int CodePage { get; }": (encoding: Encoding) => encoding.codePage,
  "bool IsSingleByte { get; }": (encoding: Encoding) => encoding.widest === 1,
  "byte[] GetBytes(string s)": getBytes,
  "byte[] GetBytes(char[] chars)": (encoding: Encoding, chars: NetArray | null) =>
    getBytes(encoding, textOfChars(chars)),
  "byte[] GetBytes(char[] chars, int index, int count)": (
    encoding: Encoding,
    chars: NetArray | null,
    index: number,
    count: number,
  ) => {
    const text = textOfChars(chars);
    if (index < 0 || count < 0 || index + count > text.length) throw argumentOutOfRange("chars");
    return getBytes(encoding, text.slice(index, index + count));
  },
  "int GetByteCount(string s)": (encoding: Encoding, text: string | null) => getBytes(encoding, text).length,
  "int GetByteCount(char[] chars)": (encoding: Encoding, chars: NetArray | null) =>
    getBytes(encoding, textOfChars(chars)).length,
  "string GetString(byte[] bytes)": getString,
  "string GetString(byte[] bytes, int index, int count)": (
    encoding: Encoding,
    bytes: Uint8Array | null,
    index: number,
    count: number,
  ) => getString(encoding, part(bytes, index, count)),
  "char[] GetChars(byte[] bytes)": (encoding: Encoding, bytes: Uint8Array | null) =>
    toCharArray(getString(encoding, bytes)),
  "char[] GetChars(byte[] bytes, int index, int count)": (
    encoding: Encoding,
    bytes: Uint8Array | null,
    index: number,
    count: number,
  ) => toCharArray(getString(encoding, part(bytes, index, count))),
  "int GetCharCount(byte[] bytes)": (encoding: Encoding, bytes: Uint8Array | null) =>
    getString(encoding, bytes).length,
  "int GetMaxByteCount(int charCount)": (encoding: Encoding, count: number) =>
    encoding.widest === 3
      ? (count + 1) * 3
      : encoding.widest === 1
        ? count + 1
        : (count + 1) * encoding.widest,
  "int GetMaxCharCount(int byteCount)": (encoding: Encoding, count: number) =>
    encoding.widest === 2 ? (count >> 1) + (count & 1) + 1 : encoding.widest === 3 ? count + 1 : count,
  "byte[] GetPreamble()": (encoding: Encoding) => Uint8Array.from(encoding.preamble),
  "bool Equals(object value)": (a: Encoding, b: unknown) => a.netEquals(b),
});
