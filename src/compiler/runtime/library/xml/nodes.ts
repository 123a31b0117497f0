/**
 * The System.Xml.Linq tree (`expressions.md` §5.9). A node has one parent; adding one that has a parent adds a clone.
 * Text put beside text becomes one node. An element remembers whether it had empty content (`<a></a>`) or none
 * (`<a />`).
 */
import { checkGrowth, checkSize, spend } from "../../budget.ts";
import { BudgetError, argumentError, argumentNull, invalidOperation } from "../../errors.ts";
import type { Type } from "../../type.ts";
import { type NetObject, TYPE, typeNamed } from "../../values.ts";
import { isMultiContent, boxedElements } from "../json/token.ts";
import { XMLNS_URI, XML_URI, type XName, sameXName } from "./names.ts";
import { xmlText } from "./scalars.ts";
import { writeNode } from "./writer.ts";

/** Deeper than anything that can be parsed; beyond it our own stack would be at stake. */
export const MAX_NESTING = 1000;

export function checkNesting(depth: number): void {
  if (depth > MAX_NESTING) throw new BudgetError("depth", `XML is nested deeper than ${MAX_NESTING}.`);
}

export abstract class XObject implements NetObject {
  abstract get [TYPE](): Type;
  parentNode: XContainer | null = null;

  /** `Parent`: the element; a document is nobody's parent. */
  get parent(): XElement | null {
    return this.parentNode instanceof XElement ? this.parentNode : null;
  }

  get document(): XDocument | null {
    let node: XObject = this;
    for (let depth = 0; node.parentNode !== null; node = node.parentNode) checkNesting(++depth);
    return node instanceof XDocument ? node : null;
  }
}

export abstract class XNode extends XObject {
  abstract clone(depth?: number): XNode;
  abstract sameAs(other: XNode, depth?: number): boolean;

  /** Looking for a place among many costs more than one step. */
  #siblings(): readonly XNode[] {
    if (this.parentNode === null) return [];
    spend(1 + (this.parentNode.nodes.length >>> 6));
    return this.parentNode.nodes;
  }

  get next(): XNode | null {
    const siblings = this.#siblings();
    return siblings[siblings.indexOf(this) + 1] ?? null;
  }

  get previous(): XNode | null {
    const siblings = this.#siblings();
    return siblings[siblings.indexOf(this) - 1] ?? null;
  }

  /** Siblings after or before, nearest last in document order. */
  beside(after: boolean): XNode[] {
    const siblings = this.#siblings();
    const position = siblings.indexOf(this);
    return after ? siblings.slice(position + 1) : siblings.slice(0, Math.max(0, position));
  }

  #place(): number {
    if (this.parentNode === null) throw invalidOperation("The parent is missing.");
    return this.#siblings().indexOf(this);
  }

  insertBeside(content: unknown, offset: 0 | 1): void {
    const place = this.#place();
    this.parentNode!.insert(content, place + offset);
  }

  detach(): void {
    const place = this.#place();
    this.parentNode!.nodes.splice(place, 1);
    this.parentNode = null;
  }

  replaceBy(content: unknown): void {
    const place = this.#place();
    const parent = this.parentNode!;
    this.detach();
    parent.insert(content, place);
  }

  netToString(): string {
    return writeNode(this, true);
  }
}

export class XText extends XNode {
  value: string;

  constructor(value: string | null) {
    super();
    if (value === null) throw argumentNull("value");
    this.value = value;
  }

  get [TYPE](): Type {
    return typeNamed("System.Xml.Linq.XText");
  }

  clone(): XNode {
    return new XText(this.value);
  }

  sameAs(other: XNode): boolean {
    return (
      other instanceof XText &&
      other instanceof XCData === this instanceof XCData &&
      other.value === this.value
    );
  }
}

export class XCData extends XText {
  override get [TYPE](): Type {
    return typeNamed("System.Xml.Linq.XCData");
  }

  override clone(): XNode {
    return new XCData(this.value);
  }
}

export class XComment extends XNode {
  value: string;

  constructor(value: string | null) {
    super();
    if (value === null) throw argumentNull("value");
    this.value = value;
  }

  get [TYPE](): Type {
    return typeNamed("System.Xml.Linq.XComment");
  }

  clone(): XNode {
    return new XComment(this.value);
  }

  sameAs(other: XNode): boolean {
    return other instanceof XComment && other.value === this.value;
  }
}

export class XProcessingInstruction extends XNode {
  target: string;
  data: string;

  constructor(target: string | null, data: string | null) {
    super();
    if (target === null) throw argumentNull("target");
    if (data === null) throw argumentNull("data");
    this.target = target;
    this.data = data;
  }

  get [TYPE](): Type {
    return typeNamed("System.Xml.Linq.XProcessingInstruction");
  }

  clone(): XNode {
    return new XProcessingInstruction(this.target, this.data);
  }

  sameAs(other: XNode): boolean {
    return (
      other instanceof XProcessingInstruction && other.target === this.target && other.data === this.data
    );
  }
}

export class XAttribute extends XObject {
  readonly name: XName;
  value: string;

  constructor(name: XName | null, value: string) {
    super();
    if (name === null) throw argumentNull("name");
    this.name = name;
    this.value = value;
  }

  get [TYPE](): Type {
    return typeNamed("System.Xml.Linq.XAttribute");
  }

  get isNamespaceDeclaration(): boolean {
    const { uri, local } = this.name;
    return uri === XMLNS_URI || (uri === "" && local === "xmlns");
  }

  netToString(): string {
    return writeNode(this, true);
  }
}

export abstract class XContainer extends XNode {
  readonly nodes: XNode[] = [];
  /** Content that is the empty text: written as `<a></a>`. */
  hasEmptyText = false;

  /** Whether this text may stand here. */
  protected checkText(_text: string): void {}
  protected checkNode(_node: XNode, _index: number): void {}
  protected addAttribute(_attribute: XAttribute): void {
    throw argumentError("An attribute cannot be added to content.");
  }

  add(content: unknown): void {
    this.insert(content, this.nodes.length);
  }

  /** @returns the position after what was inserted */
  insert(content: unknown, index: number, depth = 0): number {
    checkNesting(depth);
    if (content === null) return index;
    if (content instanceof XNode) return this.#insertNode(content, index);
    if (content instanceof XAttribute) {
      this.addAttribute(content.parentNode === null ? content : new XAttribute(content.name, content.value));
      return index;
    }
    if (isMultiContent(content)) {
      let at = index;
      for (const element of boxedElements(content)) at = this.insert(element, at, depth + 1);
      return at;
    }
    return this.#insertText(xmlText(content), index);
  }

  #insertNode(given: XNode, index: number): number {
    spend(1 + ((this.nodes.length - index) >>> 6));
    this.checkNode(given, index);
    const node = given.parentNode !== null || given === this || this.#isBelow(given) ? given.clone() : given;
    checkSize(this.nodes.length + 1);
    this.nodes.splice(index, 0, node);
    this.hasEmptyText = false;
    node.parentNode = this;
    return index + 1;
  }

  /** Whether `node` is an ancestor of this container. */
  #isBelow(node: XNode): boolean {
    let depth = 0;
    for (let at: XContainer | null = this.parentNode; at !== null; at = at.parentNode) {
      checkNesting(++depth);
      if (at === node) return true;
    }
    return false;
  }

  #insertText(text: string, index: number): number {
    this.checkText(text);
    if (text === "") {
      if (this.nodes.length === 0) this.hasEmptyText = true;
      return index;
    }
    const before = this.nodes[index - 1];
    if (before instanceof XText && !(before instanceof XCData)) {
      before.value += text;
      return index;
    }
    const node = new XText(text);
    this.hasEmptyText = false;
    this.nodes.splice(index, 0, node);
    node.parentNode = this;
    return index + 1;
  }

  removeNodes(): void {
    for (const node of this.nodes) node.parentNode = null;
    this.nodes.length = 0;
    this.hasEmptyText = false;
  }

  *elements(name: XName | null = null): Generator<XElement> {
    for (let i = 0; i < this.nodes.length; i++) {
      const node = this.nodes[i]!;
      spend();
      if (node instanceof XElement && (name === null || sameXName(node.name, name))) yield node;
    }
  }

  *descendantNodes(depth = 0): Generator<XNode> {
    checkNesting(depth);
    for (let i = 0; i < this.nodes.length; i++) {
      const node = this.nodes[i]!;
      spend();
      yield node;
      if (node instanceof XContainer) yield* node.descendantNodes(depth + 1);
    }
  }

  *descendants(name: XName | null, withSelf: boolean): Generator<XElement> {
    const fits = (element: XElement): boolean => name === null || sameXName(element.name, name);
    if (withSelf && this instanceof XElement && fits(this)) yield this;
    for (const node of this.descendantNodes()) if (node instanceof XElement && fits(node)) yield node;
  }

  element(name: XName | null): XElement | null {
    if (name === null) return null;
    for (const element of this.elements(name)) return element;
    return null;
  }

  protected copyInto<C extends XContainer>(copy: C, depth: number): C {
    checkNesting(depth);
    for (const node of this.nodes) {
      spend();
      const clone = node.clone(depth + 1);
      clone.parentNode = copy;
      copy.nodes.push(clone);
    }
    copy.hasEmptyText = this.hasEmptyText;
    return copy;
  }

  protected sameContent(other: XContainer, depth: number): boolean {
    checkNesting(depth);
    if (other.nodes.length !== this.nodes.length) return false;
    return this.nodes.every((node, i) => {
      spend();
      return node.sameAs(other.nodes[i]!, depth + 1);
    });
  }
}

export class XElement extends XContainer {
  name: XName;
  readonly attributes: XAttribute[] = [];

  constructor(name: XName | null) {
    super();
    if (name === null) throw argumentNull("name");
    this.name = name;
  }

  get [TYPE](): Type {
    return typeNamed("System.Xml.Linq.XElement");
  }

  get isEmpty(): boolean {
    return this.nodes.length === 0 && !this.hasEmptyText;
  }

  get value(): string {
    const first = this.nodes[0];
    if (this.nodes.length === 1 && first instanceof XText) return first.value;
    let text = "";
    for (const node of this.descendantNodes()) {
      if (!(node instanceof XText)) continue;
      text += node.value;
      checkGrowth(text.length, node.value.length);
    }
    return text;
  }

  set value(text: string | null) {
    if (text === null) throw argumentNull("value");
    this.removeNodes();
    this.insert(text, 0);
  }

  attribute(name: XName | null): XAttribute | null {
    if (name === null) return null;
    return this.attributes.find((attribute) => sameXName(attribute.name, name)) ?? null;
  }

  protected override addAttribute(attribute: XAttribute): void {
    if (this.attribute(attribute.name) !== null) throw invalidOperation("Duplicate attribute.");
    spend(1 + (this.attributes.length >>> 3));
    checkSize(this.attributes.length + 1);
    this.attributes.push(attribute);
    attribute.parentNode = this;
  }

  /** null removes it. */
  setAttribute(name: XName | null, value: unknown): void {
    const known = this.attribute(name);
    if (value === null) {
      if (known !== null) this.removeAttribute(known);
    } else if (known !== null) known.value = xmlText(value);
    else this.addAttribute(new XAttribute(name, xmlText(value)));
  }

  removeAttribute(attribute: XAttribute): void {
    this.attributes.splice(this.attributes.indexOf(attribute), 1);
    attribute.parentNode = null;
  }

  removeAttributes(): void {
    for (const attribute of this.attributes) attribute.parentNode = null;
    this.attributes.length = 0;
  }

  setElement(name: XName | null, value: unknown): void {
    const known = this.element(name);
    if (value === null) known?.detach();
    else if (known !== null) known.value = xmlText(value);
    else {
      const element = new XElement(name);
      element.add(xmlText(value));
      this.add(element);
    }
  }

  clone(depth = 0): XElement {
    const copy = new XElement(this.name);
    for (const attribute of this.attributes)
      copy.addAttribute(new XAttribute(attribute.name, attribute.value));
    return this.copyInto(copy, depth);
  }

  sameAs(other: XNode, depth = 0): boolean {
    if (!(other instanceof XElement) || !sameXName(this.name, other.name)) return false;
    if (this.isEmpty !== other.isEmpty || this.attributes.length !== other.attributes.length) return false;
    const sameAttributes = this.attributes.every((attribute, i) => {
      const theirs = other.attributes[i]!;
      return sameXName(attribute.name, theirs.name) && attribute.value === theirs.value;
    });
    return sameAttributes && this.sameContent(other, depth);
  }

  /** The namespace a prefix means here; null when none does. */
  namespaceOf(prefix: string): string | null {
    if (prefix === "xml") return XML_URI;
    if (prefix === "xmlns") return XMLNS_URI;
    let depth = 0;
    for (let element: XElement | null = this; element !== null; element = element.parent) {
      checkNesting(++depth);
      for (const { name, value } of element.attributes) {
        if (
          prefix === ""
            ? name.uri === "" && name.local === "xmlns"
            : name.uri === XMLNS_URI && name.local === prefix
        ) {
          return value;
        }
      }
    }
    return null;
  }

  /** A prefix that means this namespace here; null when none does. */
  prefixOf(uri: string): string | null {
    if (uri === XML_URI) return "xml";
    if (uri === XMLNS_URI) return "xmlns";
    for (let element: XElement | null = this; element !== null; element = element.parent) {
      for (const { name, value } of element.attributes) {
        if (value === uri && name.uri === XMLNS_URI && this.namespaceOf(name.local) === uri)
          return name.local;
      }
    }
    return null;
  }
}

/** `<?xml version="1.0" …?>`. */
export class XDeclaration implements NetObject {
  version: string | null;
  encoding: string | null;
  standalone: string | null;

  constructor(version: string | null, encoding: string | null, standalone: string | null) {
    this.version = version;
    this.encoding = encoding;
    this.standalone = standalone;
  }

  get [TYPE](): Type {
    return typeNamed("System.Xml.Linq.XDeclaration");
  }

  netToString(): string {
    const part = (name: string, value: string | null): string =>
      value === null ? "" : ` ${name}="${value}"`;
    return `<?xml${part("version", this.version)}${part("encoding", this.encoding)}${part("standalone", this.standalone)}?>`;
  }
}

const STRUCTURE = "This operation would create an incorrectly structured document.";

export class XDocument extends XContainer {
  declaration: XDeclaration | null = null;

  get [TYPE](): Type {
    return typeNamed("System.Xml.Linq.XDocument");
  }

  get root(): XElement | null {
    return (this.nodes.find((node) => node instanceof XElement) as XElement | undefined) ?? null;
  }

  protected override checkText(text: string): void {
    if (!/^[ \t\r\n]*$/.test(text))
      throw argumentError("Non white space characters cannot be added to content.");
  }

  protected override checkNode(node: XNode): void {
    if (node instanceof XCData || node instanceof XDocument) {
      throw argumentError(
        `A node of type ${node instanceof XDocument ? "Document" : "CDATA"} cannot be added to content.`,
      );
    }
    if (node instanceof XText) this.checkText(node.value);
    if (node instanceof XElement && this.root !== null) throw invalidOperation(STRUCTURE);
  }

  override insert(content: unknown, index: number, depth = 0): number {
    if (content instanceof XDeclaration) {
      this.declaration = content;
      return index;
    }
    return super.insert(content, index, depth);
  }

  clone(depth = 0): XDocument {
    const copy = this.copyInto(new XDocument(), depth);
    copy.declaration = this.declaration;
    return copy;
  }

  sameAs(other: XNode, depth = 0): boolean {
    return other instanceof XDocument && this.sameContent(other, depth);
  }
}
