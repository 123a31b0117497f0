/**
 * JSON → XML. Newtonsoft's `DeserializeXNode` where the product says nothing of its own (`policies.md` 42): `@name` is
 * an attribute, `#text` and `#cdata-section` are text, `?xml` the declaration, an array repeated elements. Text is
 * written as it is met; there is no tree in between.
 */
import { encodeXmlName } from "../../base/xml-names.ts";
import { spend } from "../../compiler/runtime/budget.ts";
import { type Raw, RawDate, type RawObject, UNDEFINED } from "../../compiler/runtime/library/json/raw.ts";
import { dateJson, dateOf } from "../../compiler/runtime/library/json/scalars.ts";
import { textOf } from "../../compiler/runtime/values.ts";

export interface JsonToXml {
  /** Between prefix and local name. */
  readonly separator: string;
  /** Properties with this prefix declare namespaces; null = none do. */
  readonly namespacePrefix: string | null;
  /** The property whose members are attributes; null = none. */
  readonly attributeBlock: string | null;
}

/** It has no place in XML. */
export class Unwritable extends Error {}

const XMLNS = "xmlns";
const XML_DECLARATION = '<?xml version="1.0" encoding="utf-8"?>';
/** UTF-16 units of output. */
const MOST_OUTPUT = 50 * 1024 * 1024;
/** What has no name of its own. */
const ROOT = "Document";
const ITEM = "Array";

/**
 * In steps, for `runInSlices`.
 *
 * @throws Unwritable
 */
export function* xmlOfJson(value: Raw, options: JsonToXml): Generator<void, string> {
  const writer = new Writer(options);
  if (value instanceof Map) {
    const members = [...value].filter(([name]) => name !== "?xml");
    const [only] = members;
    const isRoot =
      members.length === 1 && !(Array.isArray(only![1]) && only![1].length !== 1) && isElement(only![0]);
    if (isRoot) yield* writer.property(only![0], only![1], NO_PREFIXES);
    else yield* writer.object(ROOT, new Map(members), NO_PREFIXES);
  } else if (Array.isArray(value)) yield* writer.object(ROOT, new Map([[ITEM, value]]), NO_PREFIXES);
  else writer.scalar(ROOT, value, NO_PREFIXES);
  return XML_DECLARATION + writer.text();
}

function isElement(name: string): boolean {
  return name[0] !== "@" && name !== "#text" && name !== "#cdata-section";
}

/** Prefixes declared at an element and, further out, around it. As deep as the JSON at most. */
interface Prefixes {
  readonly own: ReadonlySet<string>;
  readonly outer: Prefixes | null;
}

const NO_PREFIXES: Prefixes = { own: new Set(["xml"]), outer: null };

/** Elements between two steps. */
const STEP = 256;
/** Output is gathered in pieces of about this length. */
const PIECE = 4096;

class Writer {
  #written = "";
  /** What comes after it, in many short pieces. */
  #tail = "";
  #elements = 0;
  readonly #options: JsonToXml;

  constructor(options: JsonToXml) {
    this.#options = options;
  }

  text(): string {
    return this.#written + this.#tail;
  }

  /** A property of an object, below an element in which `prefixes` are declared. */
  *property(name: string, value: Raw, prefixes: Prefixes): Generator<void> {
    if (!Array.isArray(value)) yield* this.#element(name, value, prefixes);
    else
      for (const item of value) {
        if (isScalar(item)) {
          this.scalar(name, item, prefixes);
          if (this.#elements % STEP === 0) yield;
        } else yield* this.#element(name, Array.isArray(item) ? new Map([[name, item]]) : item, prefixes);
      }
  }

  *#element(name: string, value: Raw, prefixes: Prefixes): Generator<void> {
    if (value instanceof Map) yield* this.object(name, value, prefixes);
    else this.scalar(name, value, prefixes);
  }

  scalar(name: string, value: Raw, prefixes: Prefixes): void {
    spend();
    this.#elements++;
    const tag = this.#name(name, prefixes);
    const text = textOfRaw(value);
    this.#add(text === null ? `<${tag} />` : `<${tag}>${escapeText(text)}</${tag}>`);
  }

  *object(name: string, members: RawObject, outer: Prefixes): Generator<void> {
    spend();
    if (++this.#elements % STEP === 0) yield;
    const attributes = this.#attributesOf(members);
    const prefixes = attributes.length === 0 ? outer : withDeclared(outer, attributes);
    const tag = this.#name(name, prefixes);
    this.#add(`<${tag}`);
    for (const [attribute, content] of attributes) {
      const written = attribute.startsWith(XMLNS) ? attribute : this.#name(attribute, prefixes);
      this.#add(` ${written}="${escapeAttribute(content)}"`);
    }
    let isEmpty = true;
    for (const [inner, value] of members) {
      if (this.#isAttribute(inner, value)) continue;
      if (isEmpty) this.#add(">");
      isEmpty = false;
      if (inner === "#text" || inner === "#cdata-section") this.#texts(value, inner !== "#text");
      else if (!isScalar(value)) yield* this.property(inner, value, prefixes);
      else {
        this.scalar(inner, value, prefixes);
        if (this.#elements % STEP === 0) yield;
      }
    }
    this.#add(isEmpty ? " />" : `</${tag}>`);
  }

  #texts(value: Raw, asCData: boolean): void {
    const parts: readonly Raw[] = Array.isArray(value) ? value : [value];
    for (const part of parts) {
      if (part instanceof Map || Array.isArray(part))
        throw new Unwritable("A text holds an object or array.");
      const text = textOfRaw(part) ?? "";
      if (asCData) this.#add(`<![CDATA[${checked(text).replaceAll("]]>", "]]]]><![CDATA[>")}]]>`);
      else this.#add(escapeText(text));
    }
  }

  #isAttribute(name: string, value: Raw): boolean {
    return name === this.#options.attributeBlock
      ? value instanceof Map
      : isScalar(value) && (name[0] === "@" || this.#declared(name) !== null);
  }

  /** Declarations and attributes of an object, names still as JSON has them; later ones of a name win. */
  #attributesOf(members: RawObject): readonly (readonly [string, string])[] {
    let found: Map<string, string> | null = null;
    for (const [name, value] of members) {
      if (!this.#isAttribute(name, value)) continue;
      found ??= new Map();
      if (value instanceof Map) {
        for (const [inner, content] of value) this.#addAttribute(found, inner, content);
      } else this.#addAttribute(found, name[0] === "@" ? name.slice(1) : name, value);
    }
    return found === null ? NONE : [...found];
  }

  #addAttribute(found: Map<string, string>, name: string, value: Raw): void {
    if (!isScalar(value)) throw new Unwritable(`The attribute "${name}" holds an object or array.`);
    const prefix = this.#declared(name);
    found.set(
      prefix === null ? name : prefix === "" ? XMLNS : `${XMLNS}:${encodeXmlName(prefix)}`,
      textOfRaw(value) ?? "",
    );
  }

  /** The prefix that a property declares; empty for the default namespace; null when it declares none. */
  #declared(name: string): string | null {
    const { namespacePrefix, separator } = this.#options;
    if (name === "@xmlns" || name === XMLNS) return name === XMLNS && namespacePrefix !== XMLNS ? null : "";
    if (name.startsWith("@xmlns:")) return name.slice(7);
    if (namespacePrefix === null || namespacePrefix === "") return null;
    if (name === namespacePrefix) return "";
    const start = namespacePrefix + separator;
    return name.startsWith(start) && name.length > start.length ? name.slice(start.length) : null;
  }

  /** `soap_Body` is `soap:Body` only where `soap` is declared; elsewhere the separator is a letter like any other. */
  #name(name: string, prefixes: Prefixes): string {
    const { separator } = this.#options;
    for (const mark of separator === ":" ? [":"] : [separator, ":"]) {
      const at = mark === "" ? -1 : name.indexOf(mark);
      if (at <= 0 || at + mark.length >= name.length) continue;
      const prefix = encodeXmlName(name.slice(0, at));
      if (isDeclared(prefix, prefixes)) return `${prefix}:${encodeXmlName(name.slice(at + mark.length))}`;
    }
    return encodeXmlName(name);
  }

  #add(part: string): void {
    this.#tail += part;
    if (this.#tail.length < PIECE) return;
    // Asking for a character brings all of them into one place, which would take long for all pieces at once.
    this.#tail.charCodeAt(0);
    this.#written += this.#tail;
    this.#tail = "";
    if (this.#written.length > MOST_OUTPUT)
      throw new Unwritable(`The XML would be longer than ${MOST_OUTPUT} characters.`);
  }
}

const NONE: readonly (readonly [string, string])[] = [];

function withDeclared(outer: Prefixes, attributes: readonly (readonly [string, string])[]): Prefixes {
  let own: Set<string> | null = null;
  for (const [name] of attributes) if (name.startsWith("xmlns:")) (own ??= new Set()).add(name.slice(6));
  return own === null ? outer : { own, outer };
}

function isDeclared(prefix: string, prefixes: Prefixes): boolean {
  for (let at: Prefixes | null = prefixes; at !== null; at = at.outer) if (at.own.has(prefix)) return true;
  return false;
}

function isScalar(value: Raw): boolean {
  return !(value instanceof Map) && !Array.isArray(value);
}

/** As `XmlConvert` writes it; null for JSON's null. */
function textOfRaw(value: Raw): string | null {
  if (value === null || value === UNDEFINED) return null;
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return value ? "true" : "false";
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  if (value instanceof RawDate) return value.keepText ? value.text : dateJson(dateOf(value));
  const text = textOf(value);
  return text === "Infinity" ? "INF" : text === "-Infinity" ? "-INF" : text;
}

const UNWRITABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

function checked(text: string): string {
  const bad = UNWRITABLE.exec(text);
  if (bad === null) return text;
  const hex = bad[0].charCodeAt(0).toString(16).toUpperCase().padStart(2, "0");
  throw new Unwritable(`The character with hexadecimal value 0x${hex} has no place in XML.`);
}

function escapeText(text: string): string {
  return /[&<>\r]/.test(checked(text)) ? text.replace(/[&<>\r]/g, (c) => ESCAPES[c]!) : text;
}

function escapeAttribute(text: string): string {
  return /[&<>"\t\n\r]/.test(checked(text)) ? text.replace(/[&<>"\t\n\r]/g, (c) => ESCAPES[c]!) : text;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\t": "&#x9;",
  "\n": "&#xA;",
  "\r": "&#xD;",
};
