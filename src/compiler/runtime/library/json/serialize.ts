/** .NET values → JSON: `JsonConvert.SerializeObject`, `FromObject` (`expressions.md` §5.8). Names as written, nulls kept. */
import { spend } from "../../budget.ts";
import { allBases, boxer, elementTypeOf } from "../../cast.ts";
import { NetException } from "../../errors.ts";
import { AnonymousValue, TupleValue, boxedItems } from "../../tuple.ts";
import { type Member, type Type, bindings, substitute } from "../../type.ts";
import { Box, EnumValue, box, textOf, typeOf } from "../../values.ts";
import type { DictionaryLike } from "../collections.ts";
import { elements } from "../collections.ts";
import * as kinds from "./kinds.ts";
import { dateJson, scalarKind, toData } from "./scalars.ts";
import { JArray, JObject, JToken, JValue, isMultiContent } from "./token.ts";
import { checkNesting } from "./writer.ts";

type Converter = (value: any, depth: number) => JToken;
const converters = new Map<string, Converter>();

/** Lets a type say what it is as JSON: XML does, in its own file. */
export function defineJsonForm(typeName: string, convert: Converter): void {
  converters.set(typeName, convert);
}

/** A fresh token for a boxed value. @throws JsonSerializationException for what has no JSON form */
export function toToken(value: unknown, depth = 0): JToken {
  checkNesting(depth);
  spend();
  if (value === null || value === undefined) return JValue.nothing();
  if (value instanceof JToken) return value.clone(depth);
  if (value instanceof AnonymousValue) {
    return objectOf(
      value.names.map((name, i) => [name, boxedItems(value)[i]]),
      depth,
    );
  }
  if (value instanceof TupleValue)
    return objectOf(
      boxedItems(value).map((item, i) => [`Item${i + 1}`, item]),
      depth,
    );
  if (isDictionary(value)) return dictionary(value, depth);
  if (isMultiContent(value)) return array(value, depth);
  const type = typeOf(value);
  const convert = converters.get(type.name);
  if (convert !== undefined) return convert(value, depth);
  if (value instanceof Box && type.name === "System.Char") {
    return new JValue(kinds.STRING, String.fromCharCode(Number(value.value)));
  }
  if (typeof value === "object" && !isScalar(value)) return properties(value, type, depth);
  return new JValue(scalarKind(value), toData(value));
}

function isScalar(value: unknown): boolean {
  if (value instanceof EnumValue) return true;
  try {
    scalarKind(value);
    return true;
  } catch {
    return false;
  }
}

function isDictionary(value: unknown): value is DictionaryLike {
  const candidate = value as Partial<DictionaryLike>;
  return (
    typeof value === "object" &&
    !(value instanceof Uint8Array) &&
    typeof candidate.find === "function" &&
    typeof candidate.keys === "function"
  );
}

function objectOf(members: readonly (readonly [string, unknown])[], depth: number): JObject {
  const result = new JObject();
  for (const [name, value] of members) result.setItem(name, toToken(value, depth + 1));
  return result;
}

function dictionary(source: DictionaryLike, depth: number): JObject {
  const result = new JObject();
  const type = typeOf(source);
  const args = type.kind === "named" ? type.args : [];
  for (const pair of source as Iterable<{ key: unknown; value: unknown }>) {
    spend();
    const key = args[0] === undefined ? pair.key : box(pair.key, args[0]);
    const value = args[1] === undefined ? pair.value : box(pair.value, args[1]);
    result.setItem(keyText(key), toToken(value, depth + 1));
  }
  return result;
}

function keyText(key: unknown): string {
  if (typeof key === "string") return key;
  const kind = key instanceof EnumValue ? kinds.STRING : scalarKind(key);
  return kind === kinds.DATE ? dateJson(key) : textOf(key);
}

function array(source: unknown, depth: number): JArray {
  const result = new JArray();
  const boxed = boxer(elementTypeOf(source));
  for (const element of elements(source)) {
    result.insertAt(result.size, toToken(boxed === null ? element : boxed(element), depth + 1));
  }
  return result;
}

/** An object of the library by its readable properties, in order of declaration. */
function properties(value: object, type: Type, depth: number): JObject {
  if (type.kind !== "named" || HIDDEN.test(type.definition.fullName)) {
    throw new NetException(
      "Newtonsoft.Json.JsonSerializationException",
      `Values of type '${type.name}' cannot be serialized.`,
    );
  }
  const result = new JObject();
  for (const base of allBases(type)) {
    const map = bindings(base);
    for (const group of base.definition.members.values()) {
      for (const member of group) {
        if (member.kind !== "property" || member.isStatic || result.has(member.name)) continue;
        const read = reader(member, base.args);
        result.setItem(member.name, toToken(box(read(value), substitute(member.returns, map)), depth + 1));
      }
    }
  }
  return result;
}

/** What makes no sense as data: bodies (not read by looking), keys, contexts. */
const HIDDEN =
  /^(?:Gateway\.(?:IContext|IMessageBody|IRequest|IResponse)|System\.(?:Security|Net|IO|Text|Object|Type)\b)/;

function reader(member: Member, args: readonly Type[]): (value: unknown) => unknown {
  const { implementation } = member;
  switch (implementation.kind) {
    case "function":
      return implementation.call;
    case "generic":
      return implementation.specialise(args);
    case "accessor":
      return implementation.get;
    default:
      return () => implementation.value;
  }
}
