/** `JsonConvert` (`expressions.md` §5.8). */
import { defineType, generic } from "../../define.ts";
import { argumentNull } from "../../errors.ts";
import type { Type } from "../../type.ts";
import type { EnumValue } from "../../values.ts";
import { fromToken } from "./deserialize.ts";
import { isIndented } from "./kinds.ts";
import { readJson } from "./reader.ts";
import { toToken } from "./serialize.ts";
import { JToken, JValue, tokenOf } from "./token.ts";

export function serialize(value: unknown, indented: boolean): string {
  const token = value instanceof JToken ? value : toToken(value);
  return token.toJson(indented);
}

/** Text → object of no declared type: containers as tokens, scalars as what they hold. */
function deserialize(text: string | null): unknown {
  if (text === null) throw argumentNull("value");
  if (isBlank(text)) return null;
  const token = tokenOf(readJson(text, "JToken"));
  return token instanceof JValue ? token.value : token;
}

const isBlank = (text: string): boolean => text.trim() === "";

function deserializer(type: Type): (text: string | null) => unknown {
  const toTokens = type.kind === "named" && type.definition.fullName.startsWith("Newtonsoft.");
  const toObject = type.kind === "named" && type.definition.fullName === "System.Object";
  const options = toTokens ? {} : { keepDateText: true };
  return (text) => {
    if (toObject) return deserialize(text);
    if (text === null) throw argumentNull("value");
    if (isBlank(text)) return fromToken(JValue.nothing(), type);
    return fromToken(tokenOf(readJson(text, "JToken", options)), type);
  };
}

defineType("static Newtonsoft.Json.JsonConvert", {
  "static string True": "true",
  "static string False": "false",
  "static string Null": "null",
  "static string Undefined": "undefined",
  "static string NaN": "NaN",
  "static string SerializeObject(object value)": (value: unknown) => serialize(value, false),
  "static string SerializeObject(object value, Formatting formatting)": (
    value: unknown,
    formatting: EnumValue,
  ) => serialize(value, isIndented(formatting)),
  "static string ToString(object value)": (value: unknown) => serialize(value, false),
  "static object DeserializeObject(string value)": deserialize,
  "static T DeserializeObject<T>(string value)": generic(([T]) => deserializer(T!)),
  "static T DeserializeAnonymousType<T>(string value, T anonymousTypeObject)": generic(([T]) =>
    deserializer(T!),
  ),
});
