/**
 * System.Xml.XmlReader over a TextReader (`expressions.md` §5.1, tier 3): a cursor over the tree that the text is
 * parsed into at the first `Read()`, white space kept. No files, no URLs, no DTDs; a mistake anywhere in the text is
 * therefore an XmlException of the first `Read()`. `XNode.ReadFrom` takes a copy of what the cursor stands on.
 */
import { spend } from "../../budget.ts";
import { defineType, lookupType } from "../../define.ts";
import { argumentNull, argumentOutOfRange, invalidOperation } from "../../errors.ts";
import type { Type } from "../../type.ts";
import { type EnumValue, type NetObject, TYPE, enumValue, typeNamed } from "../../values.ts";
import type { StringReader } from "../string-reader-writer.ts";
import { XMLNS_URI, type XName, xmlError } from "./names.ts";
import {
  XAttribute,
  XCData,
  XComment,
  type XContainer,
  XElement,
  type XNode,
  XProcessingInstruction,
  XText,
} from "./nodes.ts";
import { parseXml } from "./parser.ts";
import { FROM_TEXT } from "./scalars.ts";
import { writeNode } from "./writer.ts";

/** Numbers of System.Xml.XmlNodeType. */
const NONE = 0;
const ELEMENT = 1;
const ATTRIBUTE = 2;
const TEXT = 3;
const CDATA = 4;
const INSTRUCTION = 7;
const COMMENT = 8;
const WHITESPACE = 13;
const END_ELEMENT = 15;
const DECLARATION = 17;

/** Where the cursor stands; `end`: on the end tag. The declaration is no node of the tree. */
interface Stop {
  readonly node: XNode | null;
  readonly end: boolean;
  readonly depth: number;
}

export class XmlReader implements NetObject {
  #source: StringReader | null;
  #stops: Generator<Stop> | null = null;
  #declaration = "";
  #stop: Stop | null = null;
  #ended = false;
  /** Among the element's attributes; -1 on the element itself. */
  #attribute = -1;

  constructor(source: StringReader | null) {
    if (source === null) throw argumentNull("input");
    this.#source = source;
  }

  get [TYPE](): Type {
    return typeNamed("System.Xml.XmlReader");
  }

  dispose(): void {
    this.#source?.dispose();
    this.#source = null;
    this.#stop = null;
    this.#ended = true;
  }

  get ended(): boolean {
    return this.#ended && this.#source !== null;
  }

  read(): boolean {
    spend();
    this.#attribute = -1;
    if (this.#ended || this.#source === null) return false;
    this.#stops ??= this.#walk(this.#source);
    const { value, done } = this.#stops.next();
    this.#stop = done === true ? null : value;
    this.#ended = done === true;
    return !this.#ended;
  }

  *#walk(source: StringReader): Generator<Stop> {
    const document = parseXml(source.readToEnd(), true);
    if (document.declaration !== null) {
      this.#declaration = document.declaration.netToString().replace(/^<\?xml |\?>$/g, "");
      yield { node: null, end: false, depth: 0 };
    }
    yield* within(document, 0);
  }

  /** What the cursor stands on, attributes aside. */
  get node(): XNode | null {
    return this.#stop?.node ?? null;
  }

  get element(): XElement | null {
    return this.node instanceof XElement ? this.node : null;
  }

  /** The element of a start tag. */
  get started(): XElement | null {
    return this.#stop !== null && !this.#stop.end ? this.element : null;
  }

  get attribute(): XAttribute | null {
    return this.#attribute < 0 ? null : (this.started?.attributes[this.#attribute] ?? null);
  }

  get depth(): number {
    return (this.#stop?.depth ?? 0) + (this.#attribute >= 0 ? 1 : 0);
  }

  get kind(): number {
    if (this.#stop === null) return NONE;
    const { node, end } = this.#stop;
    if (node === null) return DECLARATION;
    if (this.attribute !== null) return ATTRIBUTE;
    return end ? END_ELEMENT : kindOf(node);
  }

  get name(): XName | null {
    return this.attribute?.name ?? this.element?.name ?? null;
  }

  get localName(): string {
    const { node } = this;
    if (this.#stop !== null && node === null) return "xml";
    return node instanceof XProcessingInstruction ? node.target : (this.name?.local ?? "");
  }

  get prefix(): string {
    const uri = this.name?.uri ?? "";
    if (uri === "" || this.element === null) return "";
    if (uri === XMLNS_URI) return "xmlns";
    if (this.attribute === null && defaultNamespace(this.element) === uri) return "";
    return this.element.prefixOf(uri) ?? "";
  }

  get qualifiedName(): string {
    const { prefix } = this;
    return prefix === "" ? this.localName : `${prefix}:${this.localName}`;
  }

  get value(): string {
    const { attribute, node } = this;
    if (attribute !== null) return attribute.value;
    if (this.#stop !== null && node === null) return this.#declaration;
    if (node instanceof XText || node instanceof XComment) return node.value;
    return node instanceof XProcessingInstruction ? node.data : "";
  }

  /** By name as written (`p:x`) or by local name and namespace; null when there is none. */
  find(name: string | null, uri: string | null = null): XAttribute | null {
    if (name === null) throw argumentNull("name");
    const at = this.#indexOf(name, uri);
    return at < 0 ? null : this.started!.attributes[at]!;
  }

  #indexOf(name: string, uri: string | null): number {
    const element = this.started;
    if (element === null) return -1;
    return element.attributes.findIndex((attribute) =>
      uri === null
        ? attributeName(element, attribute) === name
        : attribute.name.local === name && attribute.name.uri === uri,
    );
  }

  at(index: number): string {
    const attribute = this.started?.attributes[index];
    if (attribute === undefined) throw argumentOutOfRange("i");
    return attribute.value;
  }

  moveToAttribute(index: number): boolean {
    if (this.started?.attributes[index] === undefined) return false;
    this.#attribute = index;
    return true;
  }

  moveToNamed(name: string, uri: string | null = null): boolean {
    return this.moveToAttribute(this.#indexOf(name, uri));
  }

  moveToNext(): boolean {
    return this.moveToAttribute(this.#attribute + 1);
  }

  moveToElement(): boolean {
    const moved = this.#attribute >= 0;
    this.#attribute = -1;
    return moved;
  }

  /** Skips comments, instructions and white space. @returns the kind of node found */
  moveToContent(): number {
    this.#attribute = -1;
    if (this.#stop === null) this.read();
    while (this.#stop !== null) {
      const { kind } = this;
      if (kind === ELEMENT || kind === TEXT || kind === CDATA || kind === END_ELEMENT) return kind;
      this.read();
    }
    return NONE;
  }

  /** Past the node and all that is in it. */
  skip(): boolean {
    this.#attribute = -1;
    const element = this.started;
    if (element === null || element.isEmpty) return this.read();
    while (this.read()) if (this.element === element && this.#stop!.end) return this.read();
    return false;
  }

  /** Reads on to a start tag of this name, anywhere below `root` (null: anywhere). */
  readTo(name: string | null, uri: string | null, root: XElement | null): boolean {
    if (name === null || name === "") throw argumentNull("name");
    if (root !== null && root.isEmpty) return false;
    while (this.read()) {
      if (this.started !== null && this.#is(name, uri)) return true;
      if (root !== null && this.element === root) return false;
    }
    return false;
  }

  /** Below the element; below the document when nothing has been read. */
  readBelow(name: string | null, uri: string | null): boolean {
    if (this.started === null && this.#stops !== null) return false;
    return this.readTo(name, uri, this.started);
  }

  readToSibling(name: string, uri: string | null): boolean {
    while (this.skip()) {
      if (this.#stop!.end) return false;
      if (this.started !== null && this.#is(name, uri)) return true;
    }
    return false;
  }

  #is(name: string, uri: string | null): boolean {
    return uri === null
      ? this.qualifiedName === name
      : this.localName === name && (this.name?.uri ?? "") === uri;
  }

  isStart(name: string | null = null, uri: string | null = null): boolean {
    return this.moveToContent() === ELEMENT && (name === null || this.#is(name, uri));
  }

  /** @throws XmlException */
  readStart(name: string | null = null, uri: string | null = null): void {
    if (this.moveToContent() !== ELEMENT)
      throw xmlError(`'${KIND_NAMES[this.kind] ?? "None"}' is an invalid XmlNodeType.`);
    if (name !== null && !this.#is(name, uri)) {
      throw xmlError(`Element '${name}' with namespace name '${uri ?? ""}' was not found.`);
    }
    this.read();
  }

  /** @throws XmlException */
  readEnd(): void {
    if (this.moveToContent() !== END_ELEMENT)
      throw xmlError(`'${KIND_NAMES[this.kind] ?? "None"}' is an invalid XmlNodeType.`);
    this.read();
  }

  /** Text of the element the cursor stands on; moves past it. @throws XmlException when elements are in it */
  elementText(name: string | null = null): string {
    if (name !== null && (this.moveToContent() !== ELEMENT || !this.#is(name, null))) {
      throw xmlError(`Element '${name}' with namespace name '' was not found.`);
    }
    const element = this.started;
    if (element === null)
      throw invalidOperation(
        `The ReadElementContentAsString method is not supported on node type ${KIND_NAMES[this.kind] ?? "None"}.`,
      );
    if (element.nodes.some((node) => node instanceof XElement)) {
      throw xmlError(
        "ReadElementContentAs() methods cannot be called on an element that has child elements.",
      );
    }
    const text = element.value;
    this.skip();
    return text;
  }

  /** Text nodes from here on, up to the next tag. */
  contentText(): string {
    if (this.attribute !== null) return this.attribute.value;
    let text = "";
    for (; this.#stop !== null && this.element === null; this.read())
      if (this.node instanceof XText) text += this.value;
    return text;
  }

  inner(): string {
    const element = this.started;
    const text = element === null ? "" : element.nodes.map((node) => writeNode(node, false)).join("");
    this.skip();
    return text;
  }

  outer(): string {
    const text = this.started === null ? "" : writeNode(this.started, false);
    this.skip();
    return text;
  }

  /** `XNode.ReadFrom`: a copy of the node, the cursor behind it. */
  take(): XNode {
    this.#attribute = -1;
    const { node } = this;
    if (this.#stop === null) throw invalidOperation("The XmlReader state should be Interactive.");
    if (node === null || this.#stop.end) {
      throw invalidOperation(`The XmlReader should not be on a node of type ${KIND_NAMES[this.kind]!}.`);
    }
    const copy = node.clone();
    this.skip();
    return copy;
  }
}

function* within(container: XContainer, depth: number): Generator<Stop> {
  for (const node of container.nodes) {
    yield { node, end: false, depth };
    if (!(node instanceof XElement) || node.isEmpty) continue;
    yield* within(node, depth + 1);
    yield { node, end: true, depth };
  }
}

function kindOf(node: XNode): number {
  if (node instanceof XElement) return ELEMENT;
  if (node instanceof XCData) return CDATA;
  if (node instanceof XText) return /^[ \t\r\n]*$/.test(node.value) ? WHITESPACE : TEXT;
  return node instanceof XProcessingInstruction ? INSTRUCTION : COMMENT;
}

const KIND_NAMES: Readonly<Record<number, string>> = {
  [NONE]: "None",
  [ELEMENT]: "Element",
  [ATTRIBUTE]: "Attribute",
  [TEXT]: "Text",
  [CDATA]: "CDATA",
  [INSTRUCTION]: "ProcessingInstruction",
  [COMMENT]: "Comment",
  [WHITESPACE]: "Whitespace",
  [END_ELEMENT]: "EndElement",
  [DECLARATION]: "XmlDeclaration",
};

function defaultNamespace(element: XElement): string {
  for (let at: XElement | null = element; at !== null; at = at.parent) {
    const declared = at.attributes.find(({ name }) => name.uri === "" && name.local === "xmlns");
    if (declared !== undefined) return declared.value;
  }
  return "";
}

function attributeName(element: XElement, { name }: XAttribute): string {
  if (name.uri === "") return name.local;
  const prefix = name.uri === XMLNS_URI ? "xmlns" : (element.prefixOf(name.uri) ?? "");
  return prefix === "" ? name.local : `${prefix}:${name.local}`;
}

type Reader = XmlReader;

/** `ReadElementContentAsInt()` and its kin: the conversions of XElement. */
const typedReads: Record<string, (reader: Reader) => unknown> = {};
for (const [keyword, name] of Object.entries({
  int: "Int",
  long: "Long",
  float: "Float",
  double: "Double",
  decimal: "Decimal",
  bool: "Boolean",
  DateTime: "DateTime",
})) {
  const convert = FROM_TEXT.find(([type]) => type === keyword)![1];
  typedReads[`${keyword} ReadElementContentAs${name}()`] = (reader: Reader) => convert(reader.elementText());
}

const nodeType = (number: number): EnumValue => enumValue(lookupType("System.Xml.XmlNodeType"), number);

defineType("class System.Xml.XmlReader : System.IDisposable", {
  "static XmlReader Create(TextReader input)": (source: StringReader | null) => new XmlReader(source),
  "bool Read()": (reader: Reader) => reader.read(),
  "XmlNodeType NodeType { get; }": (reader: Reader) => nodeType(reader.kind),
  "string Name { get; }": (reader: Reader) => reader.qualifiedName,
  "string LocalName { get; }": (reader: Reader) => reader.localName,
  "string NamespaceURI { get; }": (reader: Reader) => reader.name?.uri ?? "",
  "string Prefix { get; }": (reader: Reader) => reader.prefix,
  "string Value { get; }": (reader: Reader) => reader.value,
  "bool HasValue { get; }": (reader: Reader) =>
    reader.kind !== NONE && reader.kind !== ELEMENT && reader.kind !== END_ELEMENT,
  "int Depth { get; }": (reader: Reader) => reader.depth,
  "bool EOF { get; }": (reader: Reader) => reader.ended,
  "bool IsEmptyElement { get; }": (reader: Reader) =>
    reader.attribute === null && (reader.started?.isEmpty ?? false),
  "bool HasAttributes { get; }": (reader: Reader) => (reader.started?.attributes.length ?? 0) > 0,
  "int AttributeCount { get; }": (reader: Reader) => reader.started?.attributes.length ?? 0,
  "string GetAttribute(string name)": (reader: Reader, name: string | null) =>
    reader.find(name)?.value ?? null,
  "string GetAttribute(string name, string namespaceURI)": (
    reader: Reader,
    name: string | null,
    uri: string | null,
  ) => reader.find(name, uri ?? "")?.value ?? null,
  "string GetAttribute(int i)": (reader: Reader, index: number) => reader.at(index),
  "string this[string name] { get; }": (reader: Reader, name: string | null) =>
    reader.find(name)?.value ?? null,
  "string this[int i] { get; }": (reader: Reader, index: number) => reader.at(index),
  "XmlNodeType MoveToContent()": (reader: Reader) => nodeType(reader.moveToContent()),
  "bool MoveToElement()": (reader: Reader) => reader.moveToElement(),
  "bool MoveToFirstAttribute()": (reader: Reader) => reader.moveToAttribute(0),
  "bool MoveToNextAttribute()": (reader: Reader) => reader.moveToNext(),
  "bool MoveToAttribute(string name)": (reader: Reader, name: string | null) =>
    reader.moveToNamed(name ?? ""),
  "bool MoveToAttribute(string name, string ns)": (reader: Reader, name: string | null, uri: string | null) =>
    reader.moveToNamed(name ?? "", uri ?? ""),
  "void MoveToAttribute(int i)": (reader: Reader, index: number) => {
    if (!reader.moveToAttribute(index)) throw argumentOutOfRange("i");
  },
  "bool IsStartElement()": (reader: Reader) => reader.isStart(),
  "bool IsStartElement(string name)": (reader: Reader, name: string | null) => reader.isStart(name),
  "bool IsStartElement(string localname, string ns)": (
    reader: Reader,
    name: string | null,
    uri: string | null,
  ) => reader.isStart(name, uri ?? ""),
  "void ReadStartElement()": (reader: Reader) => reader.readStart(),
  "void ReadStartElement(string name)": (reader: Reader, name: string | null) => reader.readStart(name),
  "void ReadStartElement(string localname, string ns)": (
    reader: Reader,
    name: string | null,
    uri: string | null,
  ) => reader.readStart(name, uri ?? ""),
  "void ReadEndElement()": (reader: Reader) => reader.readEnd(),
  "bool ReadToFollowing(string name)": (reader: Reader, name: string | null) =>
    reader.readTo(name, null, null),
  "bool ReadToFollowing(string localName, string namespaceURI)": (
    reader: Reader,
    name: string | null,
    uri: string | null,
  ) => reader.readTo(name, uri ?? "", null),
  "bool ReadToDescendant(string name)": (reader: Reader, name: string | null) => reader.readBelow(name, null),
  "bool ReadToDescendant(string localName, string namespaceURI)": (
    reader: Reader,
    name: string | null,
    uri: string | null,
  ) => reader.readBelow(name, uri ?? ""),
  "bool ReadToNextSibling(string name)": (reader: Reader, name: string | null) =>
    reader.readToSibling(name ?? "", null),
  "bool ReadToNextSibling(string localName, string namespaceURI)": (
    reader: Reader,
    name: string | null,
    uri: string | null,
  ) => reader.readToSibling(name ?? "", uri ?? ""),
  ...typedReads,
  "string ReadElementContentAsString()": (reader: Reader) => reader.elementText(),
  "string ReadElementString()": (reader: Reader) => {
    reader.moveToContent();
    return reader.elementText();
  },
  "string ReadElementString(string name)": (reader: Reader, name: string | null) =>
    reader.elementText(name ?? ""),
  "string ReadContentAsString()": (reader: Reader) => reader.contentText(),
  "string ReadString()": (reader: Reader) => {
    if (reader.started !== null) reader.read();
    return reader.contentText();
  },
  "string ReadInnerXml()": (reader: Reader) => reader.inner(),
  "string ReadOuterXml()": (reader: Reader) => reader.outer(),
  "void Skip()": (reader: Reader) => void reader.skip(),
  "void Close()": (reader: Reader) => reader.dispose(),
  "void Dispose()": (reader: Reader) => reader.dispose(),
});

/** `XNode.ReadFrom`, here because the tree knows nothing of readers. */
export function readFrom(reader: XmlReader | null): XNode {
  if (reader === null) throw argumentNull("reader");
  return reader.take();
}
