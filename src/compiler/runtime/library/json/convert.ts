/** `(int)token`, `token.Value<T>()` (`expressions.md` §5.8): what a token gives as a .NET value, and what it refuses. */
import { defaultOf, isInstance } from "../../cast.ts";
import { NetException, argumentError, argumentNull } from "../../errors.ts";
import { type Type, displayName, underlyingOfNullable } from "../../type.ts";
import { Box, enumValue, needsBoxing, typeNamed, typeOf, unboxed } from "../../values.ts";
import { base64ToBytes, bytesToBase64 } from "./base64.ts";
import { late } from "../late.ts";
import * as kinds from "./kinds.ts";
import { BigInteger, integerOf, textOfScalar, toNet } from "./scalars.ts";
import { JProperty, type JToken, JValue } from "./token.ts";

const TEXTUAL = [kinds.STRING, kinds.RAW];
const NUMERIC = [kinds.INTEGER, kinds.FLOAT, kinds.BOOLEAN, ...TEXTUAL];

/** What may be cast to what, by short name of the target. */
const ALLOWED: Readonly<Record<string, readonly number[]>> = {
  Boolean: NUMERIC,
  Byte: NUMERIC,
  SByte: NUMERIC,
  Int16: NUMERIC,
  UInt16: NUMERIC,
  Int32: NUMERIC,
  UInt32: NUMERIC,
  Int64: NUMERIC,
  UInt64: NUMERIC,
  Single: NUMERIC,
  Double: NUMERIC,
  Decimal: NUMERIC,
  Char: [kinds.INTEGER, kinds.FLOAT, ...TEXTUAL],
  DateTime: [kinds.DATE, ...TEXTUAL],
  DateTimeOffset: [kinds.DATE, ...TEXTUAL],
  Guid: [kinds.GUID, kinds.BYTES, ...TEXTUAL],
  TimeSpan: [kinds.TIME_SPAN, ...TEXTUAL],
  Uri: [kinds.URI, ...TEXTUAL],
  String: [
    kinds.DATE,
    kinds.INTEGER,
    kinds.FLOAT,
    kinds.BOOLEAN,
    kinds.BYTES,
    kinds.GUID,
    kinds.TIME_SPAN,
    kinds.URI,
    ...TEXTUAL,
  ],
  "Byte[]": [kinds.BYTES, kinds.INTEGER, ...TEXTUAL],
};

const OBJECT = ["System.Object"];
const TEXT = ["System.String"];
/** `Convert.ToX(object)`: the targets it has. */
const CONVERT = new Map(
  [
    "Boolean",
    "Byte",
    "SByte",
    "Int16",
    "UInt16",
    "Int32",
    "UInt32",
    "Int64",
    "UInt64",
    "Single",
    "Double",
    "Decimal",
    "Char",
    "DateTime",
  ].map((name) => [name, late("System.Convert", `To${name}`, OBJECT)] as const),
);
const parseOffset = late("System.DateTimeOffset", "Parse", TEXT);
const offsetOfDate = late("System.DateTimeOffset", ".ctor", ["System.DateTime"]);
const dateOfOffset = late("System.DateTimeOffset", "DateTime", []);
const parseGuid = late("System.Guid", "Parse", TEXT);
const guidOfBytes = late("System.Guid", ".ctor", ["System.Byte[]"]);
const parseTimeSpan = late("System.TimeSpan", "Parse", TEXT);
const newUri = late("System.Uri", ".ctor", TEXT);

const cannot = (kind: number, target: string): NetException =>
  argumentError(`Can not convert ${kinds.kindName(kind)} to ${target}.`);

/**
 * The code of `explicit operator T(JToken value)`.
 *
 * @param target   short name: `Int32`, `String`, `Byte[]`
 * @param nullable for `T?` and reference types: null and JSON null give null
 */
export function castTo(target: string, nullable: boolean): (token: JToken | null) => unknown {
  const allowed = ALLOWED[target]!;
  const convert = converter(target);
  return (given) => {
    if (given === null) {
      if (nullable) return null;
      throw argumentNull("value");
    }
    const token = given instanceof JProperty ? given.value : given;
    if (!(token instanceof JValue)) throw cannot(token.kind, target);
    if (!allowed.includes(token.kind)) {
      if (nullable && (token.kind === kinds.NULL || token.kind === kinds.UNDEFINED_KIND)) return null;
      throw cannot(token.kind, target);
    }
    if (token.data === null && nullable) return null;
    return convert(token.data);
  };
}

/** The conversion of a scalar's data, of a kind that is allowed. Raw result. */
function converter(target: string): (data: any) => unknown {
  switch (target) {
    case "String":
      return (data) => {
        if (data instanceof Uint8Array) return bytesToBase64(data);
        return textOfScalar(data);
      };
    case "Int32":
      // The commonest: an integer that fits.
      return (data) => (typeof data === "number" && data === (data | 0) ? data : fromNet("Int32", data));
    case "Boolean":
      return (data) => (typeof data === "boolean" ? data : fromNet("Boolean", data));
    case "DateTime":
      return (data) => {
        const value = toNet(data);
        return isA(value, "System.DateTimeOffset") ? dateOfOffset(value) : fromNet("DateTime", data);
      };
    case "DateTimeOffset":
      return toOffset;
    case "Guid":
      return (data) =>
        data instanceof Uint8Array ? guidOfBytes(data) : typeof data === "string" ? parseGuid(data) : data;
    case "TimeSpan":
      return (data) => (typeof data === "string" ? parseTimeSpan(data) : data);
    case "Uri":
      return (data) => (typeof data === "string" ? newUri(data) : data);
    case "Byte[]":
      return (data) => {
        if (data instanceof Uint8Array) return data;
        if (typeof data === "string") return base64ToBytes(data);
        throw cannot(kinds.INTEGER, "Byte[]");
      };
    default:
      return (data) => fromNet(target, data);
  }
}

function toOffset(data: unknown): unknown {
  const value = toNet(data);
  if (typeof value === "string") return parseOffset(value);
  return isA(value, "System.DateTimeOffset") ? value : offsetOfDate(value);
}

const isA = (value: unknown, name: string): boolean => value !== null && typeOf(value).name === name;

/** `Convert.ToX(value)`. */
function fromNet(target: string, data: unknown): unknown {
  let value = toNet(data);
  if (value instanceof BigInteger) value = numberOfBig(value, target);
  return CONVERT.get(target)!(value);
}

/** A big integer as something `Convert` knows: it overflows there, or becomes a double or decimal. */
function numberOfBig(value: BigInteger, target: string): unknown {
  if (target === "Boolean") return true;
  if (target === "Decimal") return value.value.toString();
  return new Box(typeNamed("System.Double"), Number(value.value));
}

/**
 * `Convert.ChangeType(value, type)` for a boxed, possibly null value; raw result.
 *
 * @throws InvalidCastException for targets it does not know
 */
export function changeType(value: unknown, type: Type): unknown {
  if (value === null) {
    if (defaultOf(type) === null) return null;
    throw new NetException("System.InvalidCastException", "Null object cannot be converted to a value type.");
  }
  if (isInstance(value, type)) return needsBoxing(type) ? unboxed(value) : value;
  const short = type.kind === "named" ? type.definition.shortName : type.name;
  if (value instanceof BigInteger) value = numberOfBig(value, short);
  if (short === "String") return textOfScalar(value);
  const convert =
    type.kind === "named" && type.definition.fullName === `System.${short}` ? CONVERT.get(short) : undefined;
  if (convert === undefined) {
    throw new NetException(
      "System.InvalidCastException",
      `Invalid cast from '${typeOf(value).name}' to '${type.name}'.`,
    );
  }
  return convert(value);
}

/** `token.Value<T>()` and each element of `Values<T>()`. */
export function valueConverter(type: Type): (token: JToken | null) => unknown {
  const missing = defaultOf(type);
  const inner = underlyingOfNullable(type);
  const target = inner ?? type;
  const unboxes = needsBoxing(target);
  return (token) => {
    if (token === null) return missing;
    if (isInstance(token, type)) return token;
    if (!(token instanceof JValue)) {
      throw new NetException(
        "System.InvalidCastException",
        `Cannot cast ${typeOf(token).name} to Newtonsoft.Json.Linq.JToken.`,
      );
    }
    const value = token.value;
    if (value === null) {
      if (inner !== null || missing === null) return null;
    } else if (isInstance(value, target)) return unboxes ? unboxed(value) : value;
    return changeType(value, target);
  };
}

/** An integer token's number as an enum's value. */
export function enumOf(type: Type, data: unknown): unknown {
  if (type.kind !== "named") throw new Error(`${displayName(type)} is no enum`);
  return enumValue(type.definition, Number(integerOf(data)));
}
