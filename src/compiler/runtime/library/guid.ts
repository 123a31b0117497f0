/** System.Guid: 16 octets, kept as its canonical text, which compares and hashes cheaply. */
import { defineType } from "../define.ts";
import { argumentError, argumentNull, formatError } from "../errors.ts";
import type { Type } from "../type.ts";
import { type NetObject, type OutCell, TYPE, hashOf, typeNamed } from "../values.ts";

export class Guid implements NetObject {
  /** Lower case with hyphens. */
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
  get [TYPE](): Type {
    return typeNamed("System.Guid");
  }
  netToString(): string {
    return this.text;
  }
  netEquals(other: unknown): boolean {
    return other instanceof Guid && other.text === this.text;
  }
  netHashCode(): number {
    return hashOf(this.text);
  }
  netCompareTo(other: unknown): number {
    if (!(other instanceof Guid)) throw argumentError("Object must be of type GUID.");
    return this.text < other.text ? -1 : this.text > other.text ? 1 : 0;
  }
  netFormat(format: string): string {
    return guidText(this, format);
  }
}

const EMPTY = new Guid("00000000-0000-0000-0000-000000000000");

/** Place of each octet in the text: .NET keeps the first three fields little-endian. */
const ORDER = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];

function bytesOf(guid: Guid): Uint8Array {
  const hex = guid.text.replaceAll("-", "");
  return Uint8Array.from(ORDER, (at) => Number.parseInt(hex.slice(at * 2, at * 2 + 2), 16));
}

/** @param hex 32 digits */
function hyphenated(hex: string): string {
  const h = hex.toLowerCase();
  return `${h.slice(0, 8)}-${h.slice(8, 12)}-${h.slice(12, 16)}-${h.slice(16, 20)}-${h.slice(20)}`;
}

/** @param bytes 16 octets in .NET's mixed order */
export function guidFromBytes(bytes: Uint8Array | null): Guid {
  if (bytes === null) throw argumentNull("b");
  if (bytes.length !== 16) throw argumentError("Byte array for GUID must be exactly 16 bytes long.", "b");
  return new Guid(hyphenated(ORDER.map((at) => bytes[at]!.toString(16).padStart(2, "0")).join("")));
}

function guidText(guid: Guid, format: string | null): string {
  const text = guid.text;
  switch (format) {
    case null:
    case "":
    case "D":
    case "d":
      return text;
    case "N":
    case "n":
      return text.replaceAll("-", "");
    case "B":
    case "b":
      return `{${text}}`;
    case "P":
    case "p":
      return `(${text})`;
    case "X":
    case "x": {
      const [a, b, c, d, e] = text.split("-") as [string, string, string, string, string];
      const octets = (d + e).match(/../g)!.map((octet) => `0x${octet}`);
      return `{0x${a},0x${b},0x${c},{${octets.join(",")}}}`;
    }
    default:
      throw formatError('Format string can be only "D", "d", "N", "n", "P", "p", "B", "b", "X" or "x".');
  }
}

const PLAIN = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;
const DIGITS = /^[\da-f]{32}$/i;
const FIELDS =
  /^\{0x([\da-f]{1,8}),0x([\da-f]{1,4}),0x([\da-f]{1,4}),\{((?:0x[\da-f]{1,2},){7}0x[\da-f]{1,2})\}\}$/i;

/** Formats D, N, B, P and X in any case, white space around; null when it is none of them. */
export function readGuid(text: string): Guid | null {
  const trimmed = text.length > 200 ? "" : text.trim();
  if (PLAIN.test(trimmed)) return new Guid(trimmed.toLowerCase());
  if (DIGITS.test(trimmed)) return new Guid(hyphenated(trimmed));
  const bare = /^(?:\{([^}]*)\}|\(([^)]*)\))$/.exec(trimmed);
  const inner = bare?.[1] ?? bare?.[2];
  if (inner !== undefined && PLAIN.test(inner)) return new Guid(inner.toLowerCase());
  const fields = FIELDS.exec(trimmed.replace(/\s+/g, ""));
  if (fields === null) return null;
  const octets = fields[4]!.split(",").map((octet) => octet.slice(2).padStart(2, "0"));
  const head = fields[1]!.padStart(8, "0") + fields[2]!.padStart(4, "0") + fields[3]!.padStart(4, "0");
  return new Guid(hyphenated(head + octets.join("")));
}

export function parseGuid(text: string | null, parameter = "input"): Guid {
  if (text === null) throw argumentNull(parameter);
  const guid = readGuid(text);
  if (guid === null) {
    throw formatError("Guid should contain 32 digits with 4 dashes (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx).");
  }
  return guid;
}

const LETTERS: Readonly<Record<string, (text: string) => boolean>> = {
  D: (text) => PLAIN.test(text),
  N: (text) => DIGITS.test(text),
  B: (text) => text.startsWith("{") && PLAIN.test(text.slice(1, -1)) && text.endsWith("}"),
  P: (text) => text.startsWith("(") && PLAIN.test(text.slice(1, -1)) && text.endsWith(")"),
  X: (text) => text.startsWith("{0"),
};

/** @returns null when the text is not in exactly this format */
function readExact(text: string, format: string | null): Guid | null {
  const fits = format === null || format.length !== 1 ? undefined : LETTERS[format.toUpperCase()];
  if (fits === undefined) {
    throw formatError('Format string can be only "D", "d", "N", "n", "P", "p", "B", "b", "X" or "x".');
  }
  return fits(text.trim()) ? readGuid(text) : null;
}

function hexOf(value: number, digits: number): string {
  return (value >>> 0).toString(16).padStart(8, "0").slice(-digits);
}

defineType(
  "struct System.Guid : IComparable, IFormattable, IComparable<Guid>, IEquatable<Guid>",
  {
    "Guid(byte[] b)": guidFromBytes,
    "Guid(string g)": (text: string | null) => parseGuid(text, "g"),
    "Guid(int a, short b, short c, byte[] d)": (a: number, b: number, c: number, d: Uint8Array | null) => {
      if (d === null) throw argumentNull("d");
      if (d.length !== 8) throw argumentError("Byte array for GUID must be exactly 8 bytes long.", "d");
      const tail = Array.from(d, (octet) => hexOf(octet, 2)).join("");
      return new Guid(hyphenated(hexOf(a, 8) + hexOf(b, 4) + hexOf(c, 4) + tail));
    },
    "Guid(int a, short b, short c, byte d, byte e, byte f, byte g, byte h, byte i, byte j, byte k)": (
      a: number,
      b: number,
      c: number,
      ...rest: number[]
    ) =>
      new Guid(hyphenated(hexOf(a, 8) + hexOf(b, 4) + hexOf(c, 4) + rest.map((x) => hexOf(x, 2)).join(""))),
    "static Guid Empty { get; }": () => EMPTY,
    "static Guid NewGuid()": () => new Guid(crypto.randomUUID()),
    "static Guid Parse(string input)": (text: string | null) => parseGuid(text),
    "static Guid ParseExact(string input, string format)": (text: string | null, format: string | null) => {
      if (text === null) throw argumentNull("input");
      if (format === null) throw argumentNull("format");
      const guid = readExact(text, format);
      if (guid === null) throw formatError("Unrecognized Guid format.");
      return guid;
    },
    "static bool TryParse(string input, out Guid result)": (text: string | null, result: OutCell) => {
      const guid = text === null ? null : readGuid(text);
      result.value = guid ?? EMPTY;
      return guid !== null;
    },
    "static bool TryParseExact(string input, string format, out Guid result)": (
      text: string | null,
      format: string | null,
      result: OutCell,
    ) => {
      const known = format !== null && format.length === 1 && LETTERS[format.toUpperCase()] !== undefined;
      const guid = text === null || !known ? null : readExact(text, format);
      result.value = guid ?? EMPTY;
      return guid !== null;
    },
    "byte[] ToByteArray()": bytesOf,
    "string ToString()": (guid: Guid) => guid.text,
    "string ToString(string format)": guidText,
    "bool Equals(Guid g)": (a: Guid, b: Guid) => a.text === b.text,
    "bool Equals(object o)": (a: Guid, b: unknown) => a.netEquals(b),
    "int GetHashCode()": (guid: Guid) => guid.netHashCode(),
    "int CompareTo(Guid value)": (a: Guid, b: Guid) => a.netCompareTo(b),
    "int CompareTo(object value)": (a: Guid, b: unknown) => (b === null ? 1 : a.netCompareTo(b)),
    "static bool operator ==(Guid a, Guid b)": (a: Guid, b: Guid) => a.text === b.text,
    "static bool operator !=(Guid a, Guid b)": (a: Guid, b: Guid) => a.text !== b.text,
  },
  { defaultValue: EMPTY },
);
