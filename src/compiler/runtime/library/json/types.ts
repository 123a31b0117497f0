/** Declarations of Newtonsoft.Json.Linq (`expressions.md` §5.1, §5.8). The code behind them is in the files beside. */
import { isInstance } from "../../cast.ts";
import { accessor, defineType, generic } from "../../define.ts";
import { NetException, argumentError, argumentNull, invalidOperation } from "../../errors.ts";
import { type NamedType, type Type, instantiate } from "../../type.ts";
import { lookupType } from "../../define.ts";
import { Box, type EnumValue, type OutCell, typeNamed } from "../../values.ts";
import { spend } from "../../budget.ts";
import { Enumerator, KeyView, Sequence, copyTo, elements, enumeratorOf, pairType } from "../collections.ts";
import { compareTexts, ignoresCase } from "../comparers.ts";
import { castTo, valueConverter } from "./convert.ts";
import { fromToken } from "./deserialize.ts";
import * as kinds from "./kinds.ts";
import { merge } from "./merge.ts";
import { evaluatePath, pathError } from "./path.ts";
import { parsePath } from "./path-parser.ts";
import { type ReadOptions, readJson } from "./reader.ts";
import { integerData } from "./scalars.ts";
import { toToken } from "./serialize.ts";
import {
  JArray,
  JContainer,
  JObject,
  JProperty,
  JToken,
  JValue,
  isMultiContent,
  tokenFromContent,
  tokenOf,
} from "./token.ts";

const named = (name: string): NamedType => instantiate(lookupType(`Newtonsoft.Json.Linq.${name}`));

/** A lazy sequence of tokens. */
function tokens(typeName: string, start: () => Iterator<unknown>): Sequence {
  return new Sequence(named(typeName), start);
}

/** `Parse` of the three types. @throws JsonReaderException, ArgumentNullException */
export function parseToken(
  text: string | null,
  what: "JObject" | "JArray" | "JToken",
  options?: ReadOptions,
): JToken {
  if (text === null) throw argumentNull("json");
  return tokenOf(readJson(text, what, options));
}

function fromObject(value: unknown, what: "JObject" | "JArray" | "JToken"): JToken {
  if (value === null) throw argumentNull("o");
  const token = toToken(value);
  if (what === "JToken" || token.constructor.name === what) return token;
  const article = what === "JObject" ? "Object" : "Array";
  throw argumentError(
    `Object serialized to ${kinds.kindName(token.kind)}. ${article === "Object" ? "JObject" : "JArray"} instance expected.`,
  );
}

export function selectTokens(token: JToken, path: string | null, mustMatch: boolean): Iterable<JToken> {
  if (path === null) throw argumentNull("path");
  return evaluatePath(parsePath(path), token, token, mustMatch);
}

function selectToken(token: JToken, path: string | null, mustMatch = false): JToken | null {
  let found: JToken | null = null;
  for (const match of selectTokens(token, path, mustMatch)) {
    if (found !== null) throw pathError("Path returned multiple tokens.");
    found = match;
  }
  return found;
}

const valueOfToken = generic(([T]) => {
  const convert = valueConverter(T!);
  return (token, key) => convert(token.child(key));
});

function* converted(source: Iterable<unknown>, convert: (token: JToken) => unknown): Generator<unknown> {
  for (const token of source) {
    spend();
    yield convert(token as JToken);
  }
}

function* ofType(source: Iterable<unknown>, type: Type): Generator<unknown> {
  for (const token of source) {
    spend();
    if (isInstance(token, type)) yield token;
  }
}

function* ancestors(token: JToken, withSelf: boolean): Generator<JToken> {
  for (let t: JToken | null = withSelf ? token : token.parent; t !== null; t = t.parent) {
    spend();
    yield t;
  }
}

function* siblings(token: JToken, after: boolean): Generator<JToken> {
  if (token.parent === null) return;
  const all = [...token.parent.children()];
  const position = all.indexOf(token);
  yield* after ? all.slice(position + 1) : all.slice(0, position);
}

const equals = (a: JToken | null, b: JToken | null): boolean =>
  a === null || b === null ? a === b : a.sameAs(b);

// --- Conversions, made from one table: keyword → short name.

const FROM_TOKEN: readonly (readonly [string, string, boolean])[] = [
  ["bool", "Boolean", true],
  ["byte", "Byte", true],
  ["sbyte", "SByte", true],
  ["short", "Int16", true],
  ["ushort", "UInt16", true],
  ["int", "Int32", true],
  ["uint", "UInt32", true],
  ["long", "Int64", true],
  ["ulong", "UInt64", true],
  ["float", "Single", true],
  ["double", "Double", true],
  ["decimal", "Decimal", true],
  ["char", "Char", true],
  ["DateTime", "DateTime", true],
  ["DateTimeOffset", "DateTimeOffset", true],
  ["Guid", "Guid", true],
  ["TimeSpan", "TimeSpan", true],
  ["string", "String", false],
  ["Uri", "Uri", false],
  ["byte[]", "Byte[]", false],
];

/** Raw value → `JValue`; the kinds as the original's constructors choose them. */
function maker(keyword: string, short: string): (value: any) => JValue {
  switch (short) {
    case "Boolean":
      return (value) => new JValue(kinds.BOOLEAN, value);
    case "Byte":
    case "SByte":
    case "Int16":
    case "UInt16":
    case "Int32":
    case "UInt32":
      return (value) => new JValue(kinds.INTEGER, value);
    case "Int64":
      return (value) => new JValue(kinds.INTEGER, integerData(value));
    case "UInt64":
      return (value) => new JValue(kinds.INTEGER, new Box(typeNamed("System.UInt64"), value));
    case "Single":
    case "Double":
      return (value) => new JValue(kinds.FLOAT, new Box(typeNamed(`System.${short}`), value));
    case "Char":
      return (value) => new JValue(kinds.STRING, String.fromCharCode(value));
    case "String":
      return (value) => new JValue(kinds.STRING, value);
    case "Decimal":
      return (value) => new JValue(kinds.FLOAT, value);
    default:
      return (value) => (value === null ? JValue.nothing() : JValue.of(value));
  }
}

const CONVERSIONS: Record<string, (value: any) => unknown> = {};
const VALUE_CONSTRUCTORS: Record<string, (value: any) => unknown> = {};
for (const [keyword, short, isStruct] of FROM_TOKEN) {
  CONVERSIONS[`static explicit operator ${keyword}(JToken value)`] = castTo(short, !isStruct);
  const make = maker(keyword, short);
  if (short !== "Char") CONVERSIONS[`static implicit operator JToken(${keyword} value)`] = make;
  if (isStruct) {
    CONVERSIONS[`static explicit operator ${keyword}?(JToken value)`] = castTo(short, true);
    if (short !== "Char") {
      CONVERSIONS[`static implicit operator JToken(${keyword}? value)`] = (value) =>
        value === null ? JValue.nothing() : make(value);
    }
  }
  if (!["byte[]", "byte", "sbyte", "short", "ushort", "int", "uint"].includes(keyword)) {
    VALUE_CONSTRUCTORS[`JValue(${keyword} value)`] = make;
  }
}

defineType("interface Newtonsoft.Json.Linq.IJEnumerable<T> : IEnumerable<T>", {
  "IJEnumerable<JToken> this[object key] { get; }": (source: Iterable<JToken>, key: unknown) =>
    tokens("JToken", () => valuesOf(source, key)),
});

defineType("class Newtonsoft.Json.Linq.JToken : IJEnumerable<JToken>", {
  ...CONVERSIONS,
  "static JToken Parse(string json)": (text: string | null) => parseToken(text, "JToken"),
  "static JToken FromObject(object o)": (value: unknown) => fromObject(value, "JToken"),
  "static bool DeepEquals(JToken t1, JToken t2)": equals,
  "JToken this[object key] { get; set; }": accessor(
    (token: JToken, key: unknown) => token.child(key),
    (token: JToken, key: unknown, value: JToken | null) => token.setChild(key, value),
  ),
  "JTokenType Type { get; }": (token: JToken) => kinds.tokenType(token.kind),
  "bool HasValues { get; }": (token: JToken) => token.hasValues,
  "JContainer Parent { get; }": (token: JToken) => token.parent,
  "JToken Root { get; }": (token: JToken) => token.root,
  "string Path { get; }": (token: JToken) => token.path,
  "JToken Next { get; }": (token: JToken) => token.next,
  "JToken Previous { get; }": (token: JToken) => token.previous,
  "JToken First { get; }": (token: JToken) => edge(token, "first"),
  "JToken Last { get; }": (token: JToken) => edge(token, "last"),
  "string ToString()": (token: JToken) => token.netToString(),
  "string ToString(Formatting formatting)": (token: JToken, formatting: EnumValue) =>
    token.toJson(kinds.isIndented(formatting)),
  "JToken DeepClone()": (token: JToken) => token.clone(),
  "T Value<T>(object key)": valueOfToken,
  "IEnumerable<T> Values<T>()": generic(([T]) => {
    const convert = valueConverter(T!);
    return (token) => {
      if (!(token instanceof JContainer)) throw noChildren(token);
      return new Sequence(T!, () => converted(token, convert));
    };
  }),
  "IJEnumerable<JToken> Children()": (token: JToken) => tokens("JToken", () => token[Symbol.iterator]()),
  "IJEnumerable<T> Children<T>()": generic(
    ([T]) =>
      (token) =>
        new Sequence(T!, () => ofType(token, T!)),
  ),
  "T ToObject<T>()": generic(
    ([T]) =>
      (token) =>
        fromToken(token, T!),
  ),
  "JToken SelectToken(string path)": (token: JToken, path: string | null) => selectToken(token, path),
  "JToken SelectToken(string path, bool errorWhenNoMatch)": selectToken,
  "IEnumerable<JToken> SelectTokens(string path)": (token: JToken, path: string | null) =>
    selectAll(token, path, false),
  "IEnumerable<JToken> SelectTokens(string path, bool errorWhenNoMatch)": selectAll,
  "IEnumerable<JToken> Ancestors()": (token: JToken) => tokens("JToken", () => ancestors(token, false)),
  "IEnumerable<JToken> AncestorsAndSelf()": (token: JToken) => tokens("JToken", () => ancestors(token, true)),
  "IEnumerable<JToken> AfterSelf()": (token: JToken) => tokens("JToken", () => siblings(token, true)),
  "IEnumerable<JToken> BeforeSelf()": (token: JToken) => tokens("JToken", () => siblings(token, false)),
  "void AddAfterSelf(object content)": (token: JToken, content: unknown) => token.insertBeside(content, 1),
  "void AddBeforeSelf(object content)": (token: JToken, content: unknown) => token.insertBeside(content, 0),
  "void Remove()": (token: JToken) => token.detach(),
  "void Replace(JToken value)": (token: JToken, value: JToken) => token.replaceBy(value ?? JValue.nothing()),
});

function noChildren(token: JToken): NetException {
  return invalidOperation(`Cannot access child value on Newtonsoft.Json.Linq.${token.constructor.name}.`);
}

function edge(token: JToken, which: "first" | "last"): JToken | null {
  if (!(token instanceof JContainer)) throw noChildren(token);
  return token[which];
}

function selectAll(token: JToken, path: string | null, mustMatch: boolean): Sequence {
  if (path === null) throw argumentNull("path");
  const filters = parsePath(path);
  return tokens("JToken", () => evaluatePath(filters, token, token, mustMatch)[Symbol.iterator]());
}

defineType("class Newtonsoft.Json.Linq.JContainer : JToken", {
  "int Count { get; }": (container: JContainer) => container.size,
  "void Add(object content)": (container: JContainer, content: unknown) => container.addContent(content),
  "void AddFirst(object content)": (container: JContainer, content: unknown) =>
    container.addContent(content, 0),
  "void RemoveAll()": (container: JContainer) => container.removeAll(),
  "void ReplaceAll(object content)": (container: JContainer, content: unknown) =>
    container.replaceAll(content),
  "void Merge(object content)": (container: JContainer, content: unknown) => merge(container, content),
  "IEnumerable<JToken> Descendants()": (container: JContainer) =>
    tokens("JToken", () => container.descendants(false)),
  "IEnumerable<JToken> DescendantsAndSelf()": (container: JContainer) =>
    tokens("JToken", () => container.descendants(true)),
});

/** What a copy constructor or a constructor with content makes. */
function filled<C extends JContainer>(container: C, content: unknown): C {
  if (content === null) container.addContent(null);
  else container.addContent(content);
  return container;
}

function propertyNamed(object: JObject, name: string | null, comparison: EnumValue): JProperty | null {
  if (name === null) return null;
  const exact = object.property(name);
  if (exact !== null || !ignoresCase(comparison)) return exact;
  spend(1 + (object.size >>> 3));
  return object.children().find((property) => compareTexts(property.name, name, comparison) === 0) ?? null;
}

const keyValue = () => pairType(typeNamed("System.String"), named("JToken")) as NamedType;

defineType("class Newtonsoft.Json.Linq.JObject : JContainer, IDictionary<string, JToken>", {
  "JObject()": () => new JObject(),
  "JObject(JObject other)": (other: JObject | null) => {
    if (other === null) throw argumentNull("other");
    return other.clone();
  },
  "JObject(params object[] content)": (content: unknown) => filled(new JObject(), content),
  "JObject(object content)": (content: unknown) => filled(new JObject(), content),
  "static JObject Parse(string json)": (text: string | null) => parseToken(text, "JObject"),
  "static JObject FromObject(object o)": (value: unknown) => fromObject(value, "JObject"),
  "JToken this[string propertyName] { get; set; }": accessor(
    (object: JObject, name: string | null) => object.item(name),
    (object: JObject, name: string | null, value: JToken | null) => object.setItem(name, value),
  ),
  "JToken this[object key] { get; set; }": accessor(
    (object: JObject, key: unknown) => object.child(key),
    (object: JObject, key: unknown, value: JToken | null) => object.setChild(key, value),
  ),
  "void Add(string propertyName, JToken value)": (
    object: JObject,
    name: string | null,
    value: JToken | null,
  ) => object.addItem(name, value),
  "bool Remove(string propertyName)": (object: JObject, name: string | null) => object.removeItem(name),
  "bool ContainsKey(string propertyName)": (object: JObject, name: string | null) => {
    if (name === null) throw argumentNull("propertyName");
    return object.has(name);
  },
  "bool TryGetValue(string propertyName, out JToken value)": (
    object: JObject,
    name: string | null,
    cell: OutCell,
  ) => {
    const value = object.item(name);
    cell.value = value;
    return value !== null;
  },
  "bool TryGetValue(string propertyName, StringComparison comparison, out JToken value)": (
    object: JObject,
    name: string | null,
    comparison: EnumValue,
    cell: OutCell,
  ) => {
    const value = propertyNamed(object, name, comparison)?.value ?? null;
    cell.value = value;
    return value !== null;
  },
  "JToken GetValue(string propertyName)": (object: JObject, name: string | null) => object.item(name),
  "JToken GetValue(string propertyName, StringComparison comparison)": (
    object: JObject,
    name: string | null,
    comparison: EnumValue,
  ) => propertyNamed(object, name, comparison)?.value ?? null,
  "JProperty Property(string name)": (object: JObject, name: string | null) => object.property(name),
  "JProperty Property(string name, StringComparison comparison)": propertyNamed,
  "IEnumerable<JProperty> Properties()": (object: JObject) =>
    tokens("JProperty", () => object[Symbol.iterator]()),
  "IJEnumerable<JToken> PropertyValues()": (object: JObject) => tokens("JToken", () => object.values()),
  "ICollection<string> Keys { get; }": (object: JObject) =>
    new KeyView(typeNamed("System.String"), object, "keys"),
  "ICollection<JToken> Values { get; }": (object: JObject) => new KeyView(named("JToken"), object, "values"),
  // `foreach` over a JObject gives pairs; everything that sees it as IEnumerable<JToken> gets its properties.
  "IEnumerator<KeyValuePair<string, JToken>> GetEnumerator()": (object: JObject) =>
    new Enumerator(keyValue(), object.pairs(keyValue())),
});

defineType("class Newtonsoft.Json.Linq.JArray : JContainer, IList<JToken>", {
  "JArray()": () => new JArray(),
  "JArray(JArray other)": (other: JArray | null) => {
    if (other === null) throw argumentNull("other");
    return other.clone();
  },
  "JArray(params object[] content)": (content: unknown) => filled(new JArray(), content),
  "JArray(object content)": (content: unknown) => filled(new JArray(), content),
  "static JArray Parse(string json)": (text: string | null) => parseToken(text, "JArray"),
  "static JArray FromObject(object o)": (value: unknown) => fromObject(value, "JArray"),
  "JToken this[int index] { get; set; }": accessor(
    (array: JArray, index: number) => array.at(index),
    (array: JArray, index: number, value: JToken | null) => array.replaceAt(index, value),
  ),
  "JToken this[object key] { get; set; }": accessor(
    (array: JArray, key: unknown) => array.child(key),
    (array: JArray, key: unknown, value: JToken | null) => array.setChild(key, value),
  ),
  "void Add(JToken item)": (array: JArray, item: JToken | null) => array.add(item),
  "void Insert(int index, JToken item)": (array: JArray, index: number, item: JToken | null) =>
    array.insert(index, item),
  "bool Remove(JToken item)": (array: JArray, item: JToken | null) => array.remove(item),
  "void RemoveAt(int index)": (array: JArray, index: number) => array.removeAt(index),
  "void Clear()": (array: JArray) => array.clear(),
  "bool Contains(JToken item)": (array: JArray, item: JToken | null) => array.indexOf(item) >= 0,
  "int IndexOf(JToken item)": (array: JArray, item: JToken | null) => array.indexOf(item),
  "bool IsReadOnly { get; }": () => false,
  "void CopyTo(JToken[] array, int arrayIndex)": copyTo,
  "IEnumerator<JToken> GetEnumerator()": (array: JArray) => enumeratorOf(named("JToken"), array),
});

/** A property's value: content of several elements becomes an array. */
function property(name: string | null, content: unknown): JProperty {
  const result = new JProperty(name);
  if (isMultiContent(content)) result.value = filled(new JArray(), content);
  else result.value = tokenFromContent(content);
  return result;
}

defineType("class Newtonsoft.Json.Linq.JProperty : JContainer", {
  "JProperty(JProperty other)": (other: JProperty | null) => {
    if (other === null) throw argumentNull("other");
    return other.clone();
  },
  "JProperty(string name, params object[] content)": property,
  "JProperty(string name, object content)": property,
  "string Name { get; }": (token: JProperty) => token.name,
  "JToken Value { get; set; }": accessor(
    (token: JProperty) => token.value,
    (token: JProperty, value: JToken | null) => void (token.value = value),
  ),
});

defineType("class Newtonsoft.Json.Linq.JValue : JToken, IComparable, IFormattable", {
  ...VALUE_CONSTRUCTORS,
  "JValue(object value)": (value: unknown) => JValue.of(value),
  "JValue(JValue other)": (other: JValue | null) => {
    if (other === null) throw argumentNull("other");
    return other.clone();
  },
  "static JValue CreateNull()": () => JValue.nothing(),
  "static JValue CreateUndefined()": () => new JValue(kinds.UNDEFINED_KIND, null),
  "static JValue CreateString(string value)": (text: string | null) => new JValue(kinds.STRING, text),
  "object Value { get; set; }": accessor(
    (token: JValue) => token.value,
    (token: JValue, value: unknown) => void (token.value = value),
  ),
  "string ToString()": (token: JValue) => token.netToString(),
  "string ToString(Formatting formatting)": (token: JValue, formatting: EnumValue) =>
    token.toJson(kinds.isIndented(formatting)),
  "string ToString(string format)": (token: JValue, format: string | null) =>
    format === null ? token.netToString() : token.netFormat(format),
  "string ToString(IFormatProvider formatProvider)": (token: JValue) => token.netToString(),
  "string ToString(string format, IFormatProvider formatProvider)": (token: JValue, format: string | null) =>
    format === null ? token.netToString() : token.netFormat(format),
  "bool Equals(JValue other)": (token: JValue, other: JValue | null) => other !== null && token.sameAs(other),
  "int CompareTo(JValue obj)": (token: JValue, other: JValue | null) =>
    other === null ? 1 : token.netCompareTo(other),
});

defineType("class Newtonsoft.Json.Linq.JRaw : JValue", {
  "JRaw(object rawJson)": (value: unknown) =>
    new JValue(kinds.RAW, value === null ? null : tokenFromContent(value).netToString()),
});
defineType("class System.Numerics.BigInteger", {}, { nameable: false });

/** Values under a key (or all children) of each token of a sequence. */
function* valuesOf(source: Iterable<unknown>, key: unknown): Generator<JToken> {
  for (const token of source as Iterable<JToken>) {
    spend();
    if (key === null) {
      if (token instanceof JValue) yield token;
      else yield* token.children();
    } else {
      const value = token.child(key);
      if (value !== null) yield value;
    }
  }
}

function* flattened(source: unknown, below: (token: JToken) => Iterable<unknown>): Generator<unknown> {
  for (const token of elements(source) as Iterable<JToken>) {
    spend();
    yield* below(token);
  }
}

const valueOfSequence = generic((types) => {
  const convert = valueConverter(types[types.length - 1]!);
  return (source) => {
    if (source === null) throw argumentNull("value");
    if (!(source instanceof JToken)) throw argumentError("Source value must be a JToken.");
    return convert(source);
  };
});

defineType("static Newtonsoft.Json.Linq.Extensions", {
  "static U Value<U>(this IEnumerable<JToken> value)": valueOfSequence,
  "static U Value<T, U>(this IEnumerable<T> value)": valueOfSequence,
  "static IJEnumerable<JToken> Values(this IEnumerable<JToken> source)": (source: unknown) =>
    tokens("JToken", () => valuesOf(elements(source), null)),
  "static IJEnumerable<JToken> Values(this IEnumerable<JToken> source, object key)": (
    source: unknown,
    key: unknown,
  ) => tokens("JToken", () => valuesOf(elements(source), key)),
  "static IEnumerable<U> Values<U>(this IEnumerable<JToken> source)": generic(([U]) => {
    const convert = valueConverter(U!);
    return (source) => new Sequence(U!, () => converted(valuesOf(elements(source), null), convert));
  }),
  "static IEnumerable<U> Values<U>(this IEnumerable<JToken> source, object key)": generic(([U]) => {
    const convert = valueConverter(U!);
    return (source, key) => new Sequence(U!, () => converted(valuesOf(elements(source), key), convert));
  }),
  "static IJEnumerable<JToken> Children<T>(this IEnumerable<T> source)": (source: unknown) =>
    tokens("JToken", () => flattened(source, (token) => token.children()) as Iterator<unknown>),
  "static IJEnumerable<JProperty> Properties(this IEnumerable<JObject> source)": (source: unknown) =>
    tokens("JProperty", () => flattened(source, (token) => token.children())),
  "static IJEnumerable<JToken> Descendants(this IEnumerable<JContainer> source)": (source: unknown) =>
    tokens("JToken", () => flattened(source, (token) => (token as JContainer).descendants(false))),
  "static IJEnumerable<JToken> Ancestors(this IEnumerable<JToken> source)": (source: unknown) =>
    tokens("JToken", () => flattened(source, (token) => ancestors(token, false))),
  "static IJEnumerable<JToken> AsJEnumerable(this IEnumerable<JToken> source)": (source: unknown) => source,
});
