/** Which part of an element its text is, and which part of it a policy's complaint points at. */
import type { DiagnosticList } from "./diagnostics.ts";
import type { ElementShape, MistakePlace } from "./policy.ts";
import { MappedText } from "./source.ts";
import { attributeOf, childElements, firstVisibleText, textOf } from "./xml/tree.ts";
import type { XmlElement } from "./xml/tree.ts";

/** The text of an element; a body may hold markup, which is then taken as it stands. */
export function contentOf(node: XmlElement, shape: ElementShape, list: DiagnosticList): MappedText {
  const wrapped = shape.text?.type === "body" ? loneValueOf(node) : null;
  if (wrapped !== null) return contentOf(wrapped, shape, list);
  const hasMarkup = node.children.some((child) => child.kind === "element");
  if (shape.text?.type !== "body" || !hasMarkup)
    return textOf(node)?.value ?? new MappedText("", node.openEnd, node.openEnd);
  return new MappedText(list.source.text.slice(node.openEnd, node.closeStart), node.openEnd, node.closeStart);
}

/** `<set-body><value>…</value></set-body>`, as some authors write it (`policies.md` 8): the inner element. */
export function loneValueOf(node: XmlElement): XmlElement | null {
  const [only, ...others] = childElements(node);
  return only?.name === "value" && others.length === 0 && firstVisibleText(node) === null ? only : null;
}

/** Offsets of what a policy's own check complains about. */
export function rangeOf(node: XmlElement, at: MistakePlace = {}): [number, number] {
  const element = at.child === undefined ? node : childAt(node, at.child.split("/"), at.index ?? 0);
  const attribute = at.attribute === undefined ? undefined : attributeOf(element, at.attribute);
  if (attribute !== undefined) {
    return at.value === true ? valueRange(attribute.value, at.offset) : [attribute.start, attribute.nameEnd];
  }
  // A body of markup is text as it stands in the file.
  if (at.offset !== undefined && loneValueOf(element) === null && childElements(element).length > 0) {
    const place = Math.min(element.openEnd + at.offset, Math.max(element.openEnd, element.closeStart - 1));
    return [place, place + 1];
  }
  const text = at.value === true ? (textOf(loneValueOf(element) ?? element)?.value ?? null) : null;
  return text === null ? [element.start, element.nameEnd] : valueRange(text, at.offset);
}

/** The child at the end of a path, as far as the path leads. */
function childAt(node: XmlElement, path: readonly string[], index: number): XmlElement {
  const [name, ...rest] = path;
  const children = childElements(node).filter((element) => element.name === name);
  const child = children[rest.length === 0 ? index : 0];
  if (child === undefined) return node;
  return rest.length === 0 ? child : childAt(child, rest, index);
}

/** A value without the white space around it; one character of it when an offset is given. */
function valueRange(value: MappedText, offset: number | undefined): [number, number] {
  const { text } = value;
  if (offset !== undefined) {
    const at = Math.max(0, Math.min(offset, text.length - 1));
    return [value.startOf(at), value.endOf(Math.min(at + 1, text.length))];
  }
  const from = text.search(/\S/);
  // Between the quotes or tags stands nothing to point at, so the closing one is shown.
  if (from === -1) return [value.start, value.end + 1];
  return [value.startOf(from), value.endOf(text.trimEnd().length)];
}
