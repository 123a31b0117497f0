/** JSON → .NET values: `token.ToObject<T>()`, `JsonConvert.DeserializeObject<T>()` (`expressions.md` §5.8). */
import { spend } from "../../budget.ts";
import { defaultOf, isInstance } from "../../cast.ts";
import { NetException } from "../../errors.ts";
import { AnonymousValue, anonymousNames } from "../../tuple.ts";
import { type NamedType, type Type, displayName, isValueType, underlyingOfNullable } from "../../type.ts";
import { enumValue } from "../../values.ts";
import { Pair } from "../collections.ts";
import { NetDictionary } from "../collections-dictionary.ts";
import { NetList, arrayFrom } from "../collections-list.ts";
import { setFrom } from "../collections-set.ts";
import { base64ToBytes } from "./base64.ts";
import { castTo, changeType } from "./convert.ts";
import * as kinds from "./kinds.ts";
import { RawDate } from "./raw.ts";
import { integerOf } from "./scalars.ts";
import { JArray, JObject, JProperty, JToken, JValue } from "./token.ts";

const failure = (message: string): NetException =>
  new NetException("Newtonsoft.Json.JsonSerializationException", message);

const CASTABLE = new Set([
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
  "DateTime",
  "DateTimeOffset",
  "Guid",
  "TimeSpan",
  "Uri",
  "String",
]);

const LISTS = new Set([
  "List",
  "IList",
  "ICollection",
  "IEnumerable",
  "IReadOnlyList",
  "IReadOnlyCollection",
]);
const DICTIONARIES = new Set(["Dictionary", "IDictionary", "IReadOnlyDictionary"]);
const COLLECTIONS = "System.Collections.Generic.";

/** The value of `type` (raw) that a token stands for. @throws JsonSerializationException, ArgumentException */
export function fromToken(token: JToken, type: Type): unknown {
  spend();
  if (token instanceof JProperty) return fromToken(token.value, type);
  if (isObject(type)) return token instanceof JValue ? token.value : token.clone();
  if (isInstance(token, type) && isTokenType(type)) return token.parent === null ? token : token.clone();
  const isNull = token.kind === kinds.NULL || token.kind === kinds.UNDEFINED_KIND;
  const inner = underlyingOfNullable(type);
  if (inner !== null) return isNull ? null : fromToken(token, inner);
  if (isNull) {
    if (isValueType(type))
      throw failure(`Error converting value {null} to type '${type.name}'. Path '${token.path}'.`);
    return null;
  }
  if (type.kind === "array") return arrayOfToken(token, type.element);
  if (type.kind !== "named") throw mismatch(token, type);
  return fromNamed(token, type);
}

function fromNamed(token: JToken, type: NamedType): unknown {
  const { definition } = type;
  if (definition.kind === "enum") return enumFrom(token, type);
  if (definition.fullName.startsWith(COLLECTIONS)) return collectionFrom(token, type);
  const names = anonymousNames(type);
  if (names !== null) {
    if (!(token instanceof JObject)) throw mismatch(token, type);
    const items = names.map((name, i) => memberFrom(token, name, type.args[i]!));
    return new AnonymousValue(type, names, items);
  }
  if (definition.fullName === `System.${definition.shortName}` && CASTABLE.has(definition.shortName)) {
    if (!(token instanceof JValue)) throw mismatch(token, type);
    return scalarFrom(token, type);
  }
  if (definition.fullName === "System.Char" && token instanceof JValue) return changeType(token.value, type);
  if (isTokenType(type)) {
    throw new NetException(
      "System.InvalidCastException",
      `Unable to cast object of type '${(token as JToken).constructor.name}' to type '${type.name}'.`,
    );
  }
  throw failure(`Values of type '${displayName(type)}' cannot be read from JSON.`);
}

function scalarFrom(token: JValue, type: NamedType): unknown {
  // What was read as text straight into a string never was a date.
  if (token.data instanceof RawDate && token.data.keepText && type.definition.shortName === "String")
    return token.data.text;
  try {
    return castTo(type.definition.shortName, false)(token);
  } catch (error) {
    if (!(error instanceof NetException) || !error.is("System.FormatException")) throw error;
    throw new NetException(
      "Newtonsoft.Json.JsonReaderException",
      `Could not convert string to ${type.definition.shortName}: ${token.netToString()}. Path '${token.path}'.`,
      error,
    );
  }
}

function collectionFrom(token: JToken, type: NamedType): unknown {
  const name = type.definition.shortName;
  if (DICTIONARIES.has(name) || name === "SortedDictionary") return dictionaryFrom(token, type);
  if (name === "KeyValuePair") {
    if (!(token instanceof JObject)) throw mismatch(token, type);
    return new Pair(type, memberFrom(token, "Key", type.args[0]!), memberFrom(token, "Value", type.args[1]!));
  }
  if (!(token instanceof JArray)) throw mismatch(token, type);
  const items = token.children().map((child) => fromToken(child, type.args[0]!));
  if (LISTS.has(name)) return new NetList(type.args[0]!, items);
  if (name === "HashSet" || name === "ISet") return setFrom(type.args[0]!, items, null, "collection");
  throw failure(`Values of type '${displayName(type)}' cannot be read from JSON.`);
}

function dictionaryFrom(token: JToken, type: NamedType): unknown {
  if (!(token instanceof JObject)) throw mismatch(token, type);
  const [keyType, valueType] = type.args as [Type, Type];
  const dictionary = new NetDictionary(keyType, valueType);
  for (const property of token.children()) {
    const key = changeType(property.name, keyType);
    dictionary.set(key, fromToken(property.value, valueType));
  }
  return dictionary;
}

/** A member by its name, or by its name without case, or the type's default. */
function memberFrom(token: JObject, name: string, type: Type): unknown {
  const exact = token.item(name);
  if (exact !== null) return fromToken(exact, type);
  const lower = name.toLowerCase();
  const property = token.children().find((candidate) => candidate.name.toLowerCase() === lower);
  return property === undefined ? defaultOf(type) : fromToken(property.value, type);
}

function arrayOfToken(token: JToken, element: Type): unknown {
  const bytes = element.kind === "named" && element.definition.fullName === "System.Byte";
  if (bytes && token instanceof JValue) {
    if (token.data instanceof Uint8Array) return token.data;
    if (typeof token.data === "string") return base64ToBytes(token.data);
  }
  if (!(token instanceof JArray)) throw mismatch(token, element);
  return arrayFrom(
    element,
    token.children().map((child) => fromToken(child, element)),
  );
}

function enumFrom(token: JToken, type: NamedType): unknown {
  if (token.kind === kinds.INTEGER)
    return enumValue(type.definition, Number(integerOf((token as JValue).data)));
  if (token.kind === kinds.STRING) {
    const text = (token as JValue).netToString().trim();
    for (const [name, value] of type.definition.enumValues ?? []) {
      if (name.toLowerCase() === text.toLowerCase()) return enumValue(type.definition, value);
    }
  }
  throw failure(
    `Error converting value "${token.netToString()}" to type '${type.name}'. Path '${token.path}'.`,
  );
}

function mismatch(token: JToken, type: Type): NetException {
  const found =
    token instanceof JObject
      ? 'JSON object (e.g. {"name":"value"})'
      : token instanceof JArray
        ? "JSON array (e.g. [1,2,3])"
        : "JSON value";
  return failure(
    `Cannot deserialize the current ${found} into type '${type.name}' because the type requires another JSON value. ` +
      `Path '${token.path}'.`,
  );
}

function isObject(type: Type): boolean {
  return type.kind === "named" && type.definition.fullName === "System.Object";
}

function isTokenType(type: Type): boolean {
  return type.kind === "named" && type.definition.fullName.startsWith("Newtonsoft.Json.Linq.");
}
