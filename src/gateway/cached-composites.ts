/**
 * Values made of values, for `cached-values.ts`: collections, tuples, XML, tokens and whole responses, as JSON whose first
 * element says what it is. Elements are texts of `cached-values.ts` themselves, null for null.
 */
import { HeaderList } from "../base/headers.ts";
import { beginEvaluation } from "../compiler/runtime/budget.ts";
import { lookupType } from "../compiler/runtime/define.ts";
import { NetDictionary } from "../compiler/runtime/library/collections-dictionary.ts";
import { NetList } from "../compiler/runtime/library/collections-list.ts";
import { StringComparer, stringComparerNamed } from "../compiler/runtime/library/comparers.ts";
import { Jwt, parseJwt } from "../compiler/runtime/library/credentials.ts";
import { JProperty, type JToken } from "../compiler/runtime/library/json/token.ts";
import { Tuple } from "../compiler/runtime/library/tuple.ts";
import { XDeclaration, XDocument, XElement } from "../compiler/runtime/library/xml/nodes.ts";
import { parseXml } from "../compiler/runtime/library/xml/parser.ts";
import { writeNode } from "../compiler/runtime/library/xml/writer.ts";
import { TupleValue } from "../compiler/runtime/tuple.ts";
import { type NamedType, type Type, arrayOf, instantiate } from "../compiler/runtime/type.ts";
import { EnumValue, NetArray, box, enumValue, needsBoxing, unboxed } from "../compiler/runtime/values.ts";
import { BODY_LIMITS } from "./body-limits.ts";
import { Body, charsetOf } from "./body.ts";
import { ResponseMessage } from "./message.ts";

/** How an element becomes text (null: it cannot be kept), and how it comes back. */
export interface Elements {
  encode(value: {}): string | null;
  /** @returns undefined for what `encode` has not made */
  decode(text: string): unknown;
}

type TypeJson = string | readonly [string, ...TypeJson[]];
type Encoded = string | null;

/** @returns null for a value of no kind that is kept, or with an element of such a kind */
export function encodeComposite(value: {}, elements: Elements): string | null {
  beginEvaluation(BODY_LIMITS);
  const parts = partsOf(value, elements);
  return parts === null ? null : JSON.stringify(parts);
}

function partsOf(value: {}, elements: Elements): readonly unknown[] | null {
  const collected = (kind: string, types: readonly Type[], items: Iterable<readonly [unknown, Type]>) => {
    const texts = encodeAll(items, elements);
    return texts === null ? null : [kind, types.map(typeJson), texts];
  };
  if (value instanceof NetArray) {
    const { elementType } = value;
    return collected(
      "array",
      [elementType],
      value.items.map((item) => [item, elementType]),
    );
  }
  if (value instanceof NetList) {
    const { elementType } = value;
    return collected(
      "list",
      [elementType],
      value.items.map((item) => [item, elementType]),
    );
  }
  if (value instanceof NetDictionary) return dictionaryParts(value, elements);
  if (value instanceof TupleValue || value instanceof Tuple) {
    const { args } = value.type;
    const items = value.items.map((item, i) => [item, args[i]!] as const);
    return collected(value instanceof Tuple ? "tuple" : "value-tuple", args, items);
  }
  if (value instanceof EnumValue) return ["enum", value.definition.fullName, value.number];
  if (value instanceof XElement) return ["element", writeNode(value, false)];
  if (value instanceof XDocument)
    return ["document", value.declaration?.netToString() ?? "", writeNode(value, false)];
  if (value instanceof JProperty) return ["property", value.name, elements.encode(value.value)];
  if (value instanceof Jwt) return ["jwt", value.text];
  return value instanceof ResponseMessage ? responseParts(value) : null;
}

function dictionaryParts(value: NetDictionary, elements: Elements): readonly unknown[] | null {
  const { keyType, valueType } = value;
  const { comparer } = value.table;
  if (comparer !== null && !(comparer instanceof StringComparer)) return null;
  const items: (readonly [unknown, Type])[] = [];
  for (const pair of value) items.push([pair.key, keyType], [pair.value, valueType]);
  const texts = encodeAll(items, elements);
  return texts && ["dictionary", [keyType, valueType].map(typeJson), texts, comparer?.name ?? null];
}

function encodeAll(items: Iterable<readonly [unknown, Type]>, elements: Elements): Encoded[] | null {
  const texts: Encoded[] = [];
  for (const [item, type] of items) {
    const value = box(item, type) as {} | null;
    const text = value === null ? null : elements.encode(value);
    if (value !== null && text === null) return null;
    texts.push(text);
  }
  return texts;
}

/** A response whose body is still on its way, or is a stream, cannot be kept; one that was read has none any more. */
function responseParts({ statusCode, statusReason, headers, body }: ResponseMessage): unknown[] | null {
  if (body !== null && !body.buffered) return null;
  const kept = headers.copy();
  // The octets are kept as they are read: decoded.
  kept.delete("Content-Encoding");
  kept.delete("Content-Length");
  const octets = body === null || body.consumed ? null : Buffer.from(body.bytes()).toString("base64");
  return ["response", statusCode, statusReason, kept.raw, octets];
}

/** @returns undefined, or throws, for what `encodeComposite` has not made */
export function decodeComposite(text: string, elements: Elements): unknown {
  const parts = JSON.parse(text) as readonly any[];
  beginEvaluation(BODY_LIMITS);
  switch (parts[0]) {
    case "array": {
      const type = oneType(parts[1]);
      return new NetArray(
        type,
        decodeAll(parts[2], elements, () => type),
      );
    }
    case "list": {
      const type = oneType(parts[1]);
      return new NetList(
        type,
        decodeAll(parts[2], elements, () => type),
      );
    }
    case "dictionary":
      return dictionaryFrom(parts, elements);
    case "tuple":
    case "value-tuple": {
      const types = typesOf(parts[1]);
      const items = decodeAll(parts[2], elements, (i) => types[i]!);
      const name = parts[0] === "tuple" ? "System.Tuple" : "System.ValueTuple";
      const type = instantiate(lookupType(name, types.length), types);
      return parts[0] === "tuple" ? new Tuple(type, items) : new TupleValue(type, Object.freeze(items));
    }
    case "enum":
      return enumValue(lookupType(String(parts[1])), Number(parts[2]));
    case "element": {
      const { root } = parseXml(String(parts[1]), true);
      root?.detach();
      return root ?? undefined;
    }
    case "document":
      return documentFrom(String(parts[1]), String(parts[2]));
    case "property":
      return new JProperty(String(parts[1]), elements.decode(String(parts[2])) as JToken);
    case "jwt":
      return parseJwt(String(parts[1])) ?? undefined;
    case "response":
      return responseFrom(parts);
    default:
      return undefined;
  }
}

function decodeAll(
  texts: readonly Encoded[],
  elements: Elements,
  typeAt: (index: number) => Type,
): unknown[] {
  return texts.map((text, i) => {
    if (text === null) return null;
    const value = elements.decode(text);
    if (value === undefined) throw new TypeError("an element of a cached value cannot be read");
    return needsBoxing(typeAt(i)) ? unboxed(value) : value;
  });
}

function dictionaryFrom(parts: readonly any[], elements: Elements): NetDictionary {
  const [keyType, valueType] = typesOf(parts[1]);
  if (keyType === undefined || valueType === undefined) throw new TypeError("two types were expected");
  const items = decodeAll(parts[2], elements, (i) => (i % 2 === 0 ? keyType : valueType));
  const comparer = parts[3] === null ? null : stringComparerNamed(String(parts[3]));
  const dictionary = new NetDictionary(keyType, valueType, comparer);
  for (let i = 0; i < items.length; i += 2) dictionary.set(items[i], items[i + 1]);
  return dictionary;
}

function documentFrom(declaration: string, text: string): XDocument {
  const document = parseXml(text, true);
  const part = (name: string): string | null =>
    new RegExp(` ${name}="([^"]*)"`).exec(declaration)?.[1] ?? null;
  document.declaration =
    declaration === "" ? null : new XDeclaration(part("version"), part("encoding"), part("standalone"));
  return document;
}

function responseFrom([, status, reason, raw, octets]: readonly any[]): ResponseMessage {
  const headers = new HeaderList(raw as string[]);
  const body =
    octets === null
      ? null
      : Body.of("response", new Uint8Array(Buffer.from(String(octets), "base64")), charsetOf(headers));
  return new ResponseMessage(Number(status), String(reason), headers, body);
}

function typeJson(type: Type): TypeJson {
  if (type.kind === "array") return ["[]", typeJson(type.element)];
  const { definition, args } = type as NamedType;
  return args.length === 0 ? definition.fullName : [definition.fullName, ...args.map(typeJson)];
}

function typesOf(types: readonly TypeJson[]): Type[] {
  return types.map(typeFrom);
}

function oneType(types: readonly TypeJson[]): Type {
  const [type, ...more] = typesOf(types);
  if (type === undefined || more.length > 0) throw new TypeError("one type of element was expected");
  return type;
}

function typeFrom(type: TypeJson): Type {
  if (typeof type === "string") return instantiate(lookupType(type, 0));
  const [name, ...args] = type;
  if (name === "[]") return arrayOf(typeFrom(args[0]!));
  return instantiate(lookupType(name, args.length), args.map(typeFrom));
}
