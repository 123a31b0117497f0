/**
 * The tree of a policy document. Everything that was written has its place: offsets in the file's text, half open.
 * The parser makes it, nobody changes it. A tree comes out of any text; what was wrong is in the diagnostics beside it.
 */
import { MappedTextBuilder } from "../source.ts";
import type { MappedText, SourceText } from "../source.ts";

export type XmlNode = XmlElement | XmlText | XmlComment;

export interface XmlElement {
  readonly kind: "element";
  readonly name: string;
  /** Of the `<`. The name is `start + 1`..`nameEnd`. */
  readonly start: number;
  readonly nameEnd: number;
  /** Behind the `>` of the opening tag. */
  readonly openEnd: number;
  /** Of the `<` of the closing tag; `openEnd` without one. */
  readonly closeStart: number;
  readonly end: number;
  readonly attributes: readonly XmlAttribute[];
  readonly children: readonly XmlNode[];
  readonly parent: XmlElement | null;
  /** False when the closing tag is missing; its content may then be anybody's. */
  readonly closed: boolean;
}

export interface XmlAttribute {
  readonly name: string;
  readonly start: number;
  readonly nameEnd: number;
  /** Entities decoded, named values not yet put in. */
  readonly value: MappedText;
  /** A mistake in the value has been reported already; later stages stay silent about it. */
  readonly broken: boolean;
  readonly end: number;
}

export interface XmlText {
  readonly kind: "text";
  readonly value: MappedText;
  readonly broken: boolean;
  readonly start: number;
  readonly end: number;
}

export interface XmlComment {
  readonly kind: "comment";
  readonly start: number;
  readonly end: number;
}

export interface XmlDocument {
  readonly source: SourceText;
  /** The first element; null when there is none. */
  readonly root: XmlElement | null;
}

/** The child elements, in order. */
export function childElements(element: XmlElement): XmlElement[] {
  return element.children.filter((node) => node.kind === "element");
}

export function attributeOf(element: XmlElement, name: string): XmlAttribute | undefined {
  return element.attributes.find((attribute) => attribute.name === name);
}

export interface ElementText {
  readonly value: MappedText;
  readonly broken: boolean;
}

/** The text of an element: its text and CDATA joined, comments left out; null when there is none at all. */
export function textOf(element: XmlElement): ElementText | null {
  const parts = element.children.filter((node) => node.kind === "text");
  const first = parts[0];
  if (first === undefined) return null;
  if (parts.length === 1) return first;
  const builder = new MappedTextBuilder(first.value.start);
  for (const part of parts) builder.append(part.value);
  return { value: builder.build(parts.at(-1)!.value.end), broken: parts.some((part) => part.broken) };
}

/** The first text that is more than white space and sound; null without. */
export function firstVisibleText(element: XmlElement): XmlText | null {
  for (const node of element.children)
    if (node.kind === "text" && !node.broken && node.value.text.trim() !== "") return node;
  return null;
}

export function walkElements(element: XmlElement, visit: (element: XmlElement) => void): void {
  visit(element);
  for (const node of element.children) if (node.kind === "element") walkElements(node, visit);
}
