/** Which part of an element its text is, and which part of it a policy's complaint points at. */
import type { DiagnosticList } from "./diagnostics.ts";
import type { ElementShape } from "./policy.ts";
import { MappedText } from "./source.ts";
import { attributeOf, childElements, firstVisibleText, textOf } from "./xml/tree.ts";
import type { XmlElement } from "./xml/tree.ts";

/** The text of an element; a body may hold markup, which is then taken as it stands. */
export function contentOf(node: XmlElement, shape: ElementShape, list: DiagnosticList): MappedText {
  const wrapped = shape.text?.type === "body" ? loneValueOf(node) : null;
  if (wrapped !== null) return contentOf(wrapped, shape, list);
  const hasMarkup = node.children.some((child) => child.kind === "element");
  if (shape.text?.type !== "body" || !hasMarkup) return textOf(node)?.value ?? new MappedText("", node.openEnd, node.openEnd);
  return new MappedText(list.source.text.slice(node.openEnd, node.closeStart), node.openEnd, node.closeStart);
}

/** `<set-body><value>…</value></set-body>`, as some authors write it (`policies.md` 8): the inner element. */
export function loneValueOf(node: XmlElement): XmlElement | null {
  const [only, ...others] = childElements(node);
  return only?.name === "value" && others.length === 0 && firstVisibleText(node) === null ? only : null;
}

/** Offsets of what a policy's own check complains about. */
export function rangeOf(node: XmlElement, at: { attribute?: string; child?: string } | undefined): [number, number] {
  const attribute = at?.attribute === undefined ? undefined : attributeOf(node, at.attribute);
  if (attribute !== undefined) return [attribute.start, attribute.end];
  const child = at?.child === undefined ? undefined : childElements(node).find((element) => element.name === at.child);
  return child === undefined ? [node.start, node.nameEnd] : [child.start, child.nameEnd];
}
