/**
 * .NET values as octets and back, for caches: a tag, then the value. Every look-up makes a value of its own, so nobody
 * sees what another does to it, and an external cache gives back the type that was stored.
 */
import { beginEvaluation } from "../compiler/runtime/budget.ts";
import { Decimal } from "../compiler/runtime/library/decimal-arithmetic.ts";
import { parseDecimal } from "../compiler/runtime/library/decimal.ts";
import { DateTime, type Kind } from "../compiler/runtime/library/datetime.ts";
import { DateTimeOffset } from "../compiler/runtime/library/datetimeoffset.ts";
import { Guid } from "../compiler/runtime/library/guid.ts";
import * as kinds from "../compiler/runtime/library/json/kinds.ts";
import { readJson } from "../compiler/runtime/library/json/reader.ts";
import { JToken, tokenOf } from "../compiler/runtime/library/json/token.ts";
import { JsonText } from "../compiler/runtime/library/json/writer.ts";
import { timeSpan, TimeSpan } from "../compiler/runtime/library/timespan.ts";
import { parseUri, Uri } from "../compiler/runtime/library/uri.ts";
import { displayName } from "../compiler/runtime/type.ts";
import { Box, typeNamed, typeOf } from "../compiler/runtime/values.ts";
import { type Elements, decodeComposite, encodeComposite } from "./cached-composites.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @returns null for a type that cannot be kept: one that refers to the request, or that others could change */
export function encodeValue(value: {} | null): Uint8Array | null {
  if (value instanceof Uint8Array) return tagged("x", value);
  const text = textFor(value, { depth: 0, room: { left: MOST_ELEMENTS_LENGTH } });
  return text === null ? null : encoder.encode(text);
}

/** Characters of all elements of one value together, those of their elements counted again. */
const MOST_ELEMENTS_LENGTH = 16 * 1024 * 1024;

/** Deeper values are not kept; one that holds itself is as deep as one looks. */
const MOST_DEPTH = 32;

/** Where in a value of values another one stands, and how much may still be written. */
interface Place {
  readonly depth: number;
  readonly room: { left: number };
}

function elementsAt({ depth, room }: Place): Elements {
  const inner = { depth: depth + 1, room };
  return {
    encode: (value) => {
      const text =
        value instanceof Uint8Array ? `y${Buffer.from(value).toString("base64")}` : textFor(value, inner);
      // A list that stands in a list twice, and so on, is small to make and endless to write.
      return text !== null && (room.left -= text.length) >= 0 ? text : null;
    },
    decode: (text) =>
      text[0] === "y" ? new Uint8Array(Buffer.from(text.slice(1), "base64")) : valueFrom(text, inner),
  };
}

function textFor(value: {} | null, place: Place): string | null {
  switch (typeof value) {
    case "string":
      // Lone surrogates have no UTF-8.
      return value.isWellFormed() ? `s${value}` : `u${JSON.stringify(value)}`;
    case "boolean":
      return value ? "t" : "f";
    case "number":
      return `i${value}`;
    case "bigint":
      return `bSystem.Int64 ${value}`;
    default:
      return value === null ? null : objectText(value, place);
  }
}

function objectText(value: {}, place: Place): string | null {
  if (value instanceof Box)
    return `b${value.type.definition.fullName} ${Object.is(value.value, -0) ? "-0" : String(value.value)}`;
  if (value instanceof JToken && value.kind !== kinds.PROPERTY) return `j${jsonText(value)}`;
  if (value instanceof Decimal) return `m${value.netToString()}`;
  if (value instanceof DateTime) return `d${value.kind} ${value.ticks}`;
  if (value instanceof DateTimeOffset) return `o${value.offset} ${value.ticks}`;
  if (value instanceof TimeSpan) return `p${value.ticks}`;
  if (value instanceof Guid) return `g${value.text}`;
  if (value instanceof Uri) return value.parts !== null ? `l${value.original}` : null;
  const composite = place.depth < MOST_DEPTH ? encodeComposite(value, elementsAt(place)) : null;
  return composite === null ? null : `c${composite}`;
}

function jsonText(token: JToken): string {
  beginEvaluation();
  const out = new JsonText(false);
  token.write(out, 0);
  return out.text;
}

function tagged(tag: string, bytes: Uint8Array): Uint8Array {
  const all = new Uint8Array(bytes.length + 1);
  all[0] = tag.charCodeAt(0);
  all.set(bytes, 1);
  return all;
}

/** @returns undefined for octets that `encodeValue` has not made */
export function decodeValue(bytes: Uint8Array): unknown {
  if (bytes[0] === 0x78) return bytes.slice(1);
  try {
    return valueFrom(decoder.decode(bytes), { depth: 0, room: { left: 0 } });
  } catch {
    return undefined;
  }
}

function valueFrom(text: string, place: Place): unknown {
  const rest = text.slice(1);
  const space = rest.indexOf(" ");
  switch (text[0]) {
    case "s":
      return rest;
    case "u":
      return JSON.parse(rest);
    case "t":
      return true;
    case "f":
      return false;
    case "i":
      return /^-?\d{1,10}$/.test(rest) ? Number(rest) : undefined;
    case "b":
      return boxed(rest.slice(0, space), rest.slice(space + 1));
    case "j":
      beginEvaluation();
      return tokenOf(readJson(rest, "JToken", { keepDateText: true }));
    case "m":
      return parseDecimal(rest);
    case "d":
      return new DateTime(BigInt(rest.slice(space + 1)), Number(rest.slice(0, space)) as Kind);
    case "o":
      return new DateTimeOffset(BigInt(rest.slice(space + 1)), Number(rest.slice(0, space)));
    case "p":
      return timeSpan(BigInt(rest));
    case "g":
      return new Guid(rest);
    case "l":
      return parseUri(rest);
    case "c":
      return place.depth < MOST_DEPTH ? decodeComposite(rest, elementsAt(place)) : undefined;
    default:
      return undefined;
  }
}

function boxed(type: string, text: string): unknown {
  const isLong = type === "System.Int64" || type === "System.UInt64";
  return new Box(typeNamed(type), isLong ? BigInt(text) : Number(text));
}

/** The .NET name of a value's type, for messages. */
export function typeName(value: {}): string {
  return displayName(typeOf(value));
}
