/** System.Enum and the enums of the base library. */
import { type Members, defineType, generic } from "../define.ts";
import { argumentError, argumentNull } from "../errors.ts";
import { type NamedType, type Type, type TypeDefinition } from "../type.ts";
import { type EnumValue, NetArray, type OutCell, enumValue, typeNamed, unboxed } from "../values.ts";
import { readSmallInteger } from "./number-parse.ts";
import { TypeObject } from "./object.ts";

const members: Members = {
  "static object Parse(Type enumType, string value)": (type: TypeObject | null, text: string | null) =>
    parse(enumOf(type), text, false),
  "static object Parse(Type enumType, string value, bool ignoreCase)": (
    type: TypeObject | null,
    text: string | null,
    ignoreCase: boolean,
  ) => parse(enumOf(type), text, ignoreCase),
  "static TEnum Parse<TEnum>(string value)": generic(
    ([type]) =>
      (text: string | null) =>
        parse(definitionOf(type!), text, false),
  ),
  "static TEnum Parse<TEnum>(string value, bool ignoreCase)": generic(
    ([type]) =>
      (text: string | null, ignoreCase: boolean) =>
        parse(definitionOf(type!), text, ignoreCase),
  ),
  "static bool TryParse<TEnum>(string value, out TEnum result)": generic(
    ([type]) =>
      (text: string | null, result: OutCell) =>
        tryParse(definitionOf(type!), text, false, result),
  ),
  "static bool TryParse<TEnum>(string value, bool ignoreCase, out TEnum result)": generic(
    ([type]) =>
      (text: string | null, ignoreCase: boolean, result: OutCell) =>
        tryParse(definitionOf(type!), text, ignoreCase, result),
  ),
  "static string GetName(Type enumType, object value)": (type: TypeObject | null, value: unknown) => {
    const definition = enumOf(type);
    const number = numberOf(definition, value);
    for (const [name, known] of definition.enumValues!) if (known === number) return name;
    return null;
  },
  "static string[] GetNames(Type enumType)": (type: TypeObject | null) =>
    new NetArray(typeNamed("System.String"), [...enumOf(type).enumValues!.keys()]),
  "static bool IsDefined(Type enumType, object value)": (type: TypeObject | null, value: unknown) => {
    const definition = enumOf(type);
    if (typeof value === "string") return definition.enumValues!.has(value);
    const number = numberOf(definition, value);
    return [...definition.enumValues!.values()].includes(number);
  },
  "static object ToObject(Type enumType, int value)": (type: TypeObject | null, value: number) =>
    enumValue(enumOf(type), value),
  "static string Format(Type enumType, object value, string format)": (
    type: TypeObject | null,
    value: unknown,
    format: string | null,
  ) => {
    const definition = enumOf(type);
    if (format === null) throw argumentNull("format");
    return enumValue(definition, numberOf(definition, value)).netFormat(format);
  },
  "string ToString()": (value: EnumValue) => value.text,
  "string ToString(string format)": (value: EnumValue, format: string | null) =>
    value.netFormat(format ?? "G"),
  "bool Equals(object obj)": (a: EnumValue, b: unknown) => a === b,
  "int GetHashCode()": (value: EnumValue) => value.number,
  "int CompareTo(object target)": (a: EnumValue, b: EnumValue | null) => (b === null ? 1 : a.netCompareTo(b)),
  "bool HasFlag(Enum flag)": (value: EnumValue, flag: EnumValue | null) => {
    if (flag === null) throw argumentNull("flag");
    if (flag.definition !== value.definition) {
      throw argumentError(
        `The argument type, '${flag.definition.fullName}', is not the same as the enum type '${value.definition.fullName}'.`,
      );
    }
    return (value.number & flag.number) === flag.number;
  },
};
defineType("class System.Enum : IComparable, IFormattable", members);

function definitionOf(type: Type): TypeDefinition {
  const definition = (type as NamedType).definition;
  if (type.kind !== "named" || definition.kind !== "enum") {
    throw argumentError("Type provided must be an Enum.", "enumType");
  }
  return definition;
}

function enumOf(type: TypeObject | null): TypeDefinition {
  if (type === null) throw argumentNull("enumType");
  return definitionOf(type.type);
}

function numberOf(definition: TypeDefinition, value: unknown): number {
  if (value === null) throw argumentNull("value");
  if (typeof value === "object" && "definition" in value && value.definition === definition) {
    return (value as EnumValue).number;
  }
  const raw = unboxed(value);
  if (typeof raw === "number" || typeof raw === "bigint") return Number(raw);
  throw argumentError(
    "The value passed in must be an enum base or an underlying type for an enum, such as an Int32.",
  );
}

/** No list of names is longer. */
const LONGEST = 4096;

/** Names separated by commas, or a number; null when it is neither. */
function read(definition: TypeDefinition, text: string, ignoreCase: boolean): EnumValue | null {
  const number = readSmallInteger(text, -2147483648, 4294967295);
  if (typeof number === "number") return enumValue(definition, number);
  if (text.length > LONGEST) return null;
  let combined = 0;
  for (const part of text.split(",")) {
    const name = part.trim();
    const found = ignoreCase ? findIgnoringCase(definition, name) : definition.enumValues!.get(name);
    if (found === undefined) return null;
    combined |= found;
  }
  return enumValue(definition, combined);
}

function findIgnoringCase(definition: TypeDefinition, name: string): number | undefined {
  const exact = definition.enumValues!.get(name);
  if (exact !== undefined) return exact;
  const lower = name.toLowerCase();
  for (const [known, value] of definition.enumValues!) if (known.toLowerCase() === lower) return value;
  return undefined;
}

function parse(definition: TypeDefinition, text: string | null, ignoreCase: boolean): EnumValue {
  if (text === null) throw argumentNull("value");
  if (text.trim() === "")
    throw argumentError("Must specify valid information for parsing in the string.", "value");
  const value = read(definition, text, ignoreCase);
  if (value === null) throw argumentError(`Requested value '${text.trim()}' was not found.`);
  return value;
}

function tryParse(
  definition: TypeDefinition,
  text: string | null,
  ignoreCase: boolean,
  result: OutCell,
): boolean {
  const value = text === null ? null : read(definition, text, ignoreCase);
  result.value = value ?? enumValue(definition, 0);
  return value !== null;
}

defineType(
  "enum System.DayOfWeek",
  {},
  {
    values: { Sunday: 0, Monday: 1, Tuesday: 2, Wednesday: 3, Thursday: 4, Friday: 5, Saturday: 6 },
  },
);
defineType("enum System.DateTimeKind", {}, { values: { Unspecified: 0, Utc: 1, Local: 2 } });
defineType(
  "enum System.StringSplitOptions",
  {},
  {
    values: { None: 0, RemoveEmptyEntries: 1, TrimEntries: 2 },
    flags: true,
  },
);
defineType(
  "enum System.MidpointRounding",
  {},
  {
    values: { ToEven: 0, AwayFromZero: 1, ToZero: 2, ToNegativeInfinity: 3, ToPositiveInfinity: 4 },
  },
);
defineType("enum System.Base64FormattingOptions", {}, { values: { None: 0, InsertLineBreaks: 1 } });
defineType(
  "enum System.Text.NormalizationForm",
  {},
  {
    values: { FormC: 1, FormD: 2, FormKC: 5, FormKD: 6 },
  },
);
defineType("enum System.UriKind", {}, { values: { RelativeOrAbsolute: 0, Absolute: 1, Relative: 2 } });
defineType("enum System.UriPartial", {}, { values: { Scheme: 0, Authority: 1, Path: 2, Query: 3 } });
defineType("enum System.UriHostNameType", {}, { values: { Unknown: 0, Basic: 1, Dns: 2, IPv4: 3, IPv6: 4 } });
defineType(
  "enum System.Net.Sockets.AddressFamily",
  {},
  {
    values: { Unknown: -1, Unspecified: 0, InterNetwork: 2, InterNetworkV6: 23 },
  },
);
