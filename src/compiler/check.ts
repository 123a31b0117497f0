/**
 * Whether an element fits its shape: attributes, children and text that a policy declares. Says everything that is
 * wrong; what the values mean is `values.ts`, where policies may stand is `bind.ts`.
 */
import type { DiagnosticList } from "./diagnostics.ts";
import type { ElementShape } from "./policy.ts";
import type { MappedText } from "./source.ts";
import { suggest } from "../base/suggest.ts";
import { isOnlyPlaceholders } from "./values.ts";
import { attributeOf, firstVisibleText, textOf } from "./xml/tree.ts";
import type { XmlAttribute, XmlElement, XmlText } from "./xml/tree.ts";

/** Attributes that every policy takes. */
const commonAttributes = ["id"];

export function checkAttributes(
  element: XmlElement,
  shape: ElementShape,
  isPolicy: boolean,
  list: DiagnosticList,
): void {
  const shapes = shape.attributes ?? {};
  const { name } = element;
  const meant = meantAttribute(element, shape, isPolicy);
  for (const attribute of element.attributes) {
    if (Object.hasOwn(shapes, attribute.name) || /^xml(?:ns)?(?::|$)/.test(attribute.name)) continue;
    if (isPolicy && commonAttributes.includes(attribute.name)) continue;
    const allowed = Object.keys(shapes);
    const hint =
      attributeHint(attribute, shape, list) ?? (meant === null ? undefined : `did you mean \`${meant}\`?`);
    const notes = [
      allowed.length === 0 ? `<${name}> takes no attributes` : `allowed here: ${allowed.join(", ")}`,
    ];
    const values = { element: name, attribute: attribute.name };
    list.report("HG2107", attribute.start, attribute.nameEnd, values, { hint, notes, element: name });
  }
  for (const [attribute, { required }] of Object.entries(shapes)) {
    if (required !== true || attributeOf(element, attribute) !== undefined) continue;
    // An unknown attribute that stands for the missing one has been reported already, with the right name as hint.
    if (attribute === meant) continue;
    if (
      element.attributes.some((a) => !Object.hasOwn(shapes, a.name) && suggest(a.name, [attribute]) !== null)
    )
      continue;
    list.report("HG2108", element.start, element.nameEnd, { element: name, attribute }, { element: name });
  }
}

/** The one required attribute that is missing where exactly one unknown attribute stands: that was meant, whatever its name. */
function meantAttribute(element: XmlElement, shape: ElementShape, isPolicy: boolean): string | null {
  const { attributes = {}, children = {}, text } = shape;
  const missing = Object.keys(attributes).filter(
    (name) => attributes[name]!.required === true && attributeOf(element, name) === undefined,
  );
  const unknown = element.attributes.filter(
    ({ name }) => !Object.hasOwn(attributes, name) && !(isPolicy && commonAttributes.includes(name)),
  );
  const [only] = unknown;
  if (
    missing.length !== 1 ||
    only === undefined ||
    unknown.length > 1 ||
    only.name.length < 3 ||
    text !== undefined
  )
    return null;
  return Object.hasOwn(children, only.name) || only.name.startsWith("xml") ? null : missing[0]!;
}

/** What was most likely meant by an attribute that does not exist. */
function attributeHint(
  { name, value }: XmlAttribute,
  shape: ElementShape,
  list: DiagnosticList,
): string | undefined {
  const likely = list.suggest(name, Object.keys(shape.attributes ?? {}));
  if (likely !== null) return `did you mean \`${likely}\`?`;
  const { children = {}, text } = shape;
  const child = Object.hasOwn(children, name) ? children[name] : undefined;
  if (child?.text !== undefined) return `it is an element inside: <${name}>${shortText(value)}</${name}>`;
  if (child !== undefined) return `it is an element inside: <${name}> … </${name}>`;
  if (text !== undefined && Object.keys(children).length === 0)
    return `write it between the tags, as text: ${shortText(value)}`;
  return undefined;
}

function shortText({ text, hasSecret }: MappedText): string {
  const flat = text.trim().replace(/\s+/g, " ");
  return hasSecret || flat === "" || flat.length > 60 ? "…" : flat;
}

/** Said already: an attribute stands where this child element, or the text (null), belongs. */
function isMisplaced(child: string | null, element: XmlElement, shape: ElementShape): boolean {
  const { attributes = {} } = shape;
  return element.attributes.some(
    ({ name }) => !Object.hasOwn(attributes, name) && (child === null || name === child),
  );
}

/** Said already: a child element that does not exist, with this one's name as its hint. */
function isMisspelt(child: string, element: XmlElement, shape: ElementShape): boolean {
  const { children = {} } = shape;
  return element.children.some(
    (node) =>
      node.kind === "element" && !Object.hasOwn(children, node.name) && suggest(node.name, [child]) !== null,
  );
}

/** Text where none may stand. Checked alone (`loose`), a template's directives are no text. */
export function checkNoText(
  element: XmlElement,
  expected: readonly string[],
  list: DiagnosticList,
  loose = false,
): void {
  const text = firstVisibleText(element);
  if (text === null || (loose && isOnlyPlaceholders(text.value.text))) return;
  const [start, end] = visibleRange(text);
  const { name } = element;
  if (expected.length === 0) list.report("HG2114", start, end, { element: name }, { element: name });
  else list.report("HG2118", start, end, { element: name, allowed: expected.join(", ") }, { element: name });
}

/** The first line of what is visible of a text. */
function visibleRange(text: XmlText): [number, number] {
  const { value } = text;
  const from = value.text.search(/\S/);
  const line = /^[^\r\n]*/.exec(value.text.slice(from))![0].trimEnd();
  return [value.startOf(from), value.endOf(from + line.length)];
}

/** How often child elements stand there. */
export function checkChildCounts(element: XmlElement, shape: ElementShape, list: DiagnosticList): void {
  const { name } = element;
  for (const [child, { min, max }] of Object.entries(shape.children ?? {})) {
    const found = element.children.filter(
      (node): node is XmlElement => node.kind === "element" && node.name === child,
    );
    // Text where elements belong has been reported, with what is expected; so has a name that is nearly right.
    const isSaid =
      isMisplaced(child, element, shape) ||
      isMisspelt(child, element, shape) ||
      (shape.text === undefined && firstVisibleText(element) !== null);
    if (min !== undefined && found.length < min && !isSaid) {
      const count = found.length === 0 && min === 1 ? "a" : `at least ${min}`;
      list.report(
        "HG2105",
        element.start,
        element.nameEnd,
        { element: name, count, child },
        { element: name },
      );
    }
    if (max === undefined) continue;
    for (const surplus of found.slice(max)) {
      const values = { parent: name, element: child, count: max === 1 ? "one" : `at most ${max}` };
      list.report("HG2106", surplus.start, surplus.nameEnd, values, { element: name });
    }
  }
  checkOtherwiseIsLast(element, list);
}

function checkOtherwiseIsLast(element: XmlElement, list: DiagnosticList): void {
  if (element.name !== "choose") return;
  let otherwise: XmlElement | null = null;
  for (const node of element.children) {
    if (node.kind !== "element") continue;
    if (node.name === "otherwise") otherwise ??= node;
    else if (node.name === "when" && otherwise !== null) {
      list.report("HG2121", otherwise.start, otherwise.nameEnd, {}, { element: "choose" });
      return;
    }
  }
}

/** The text that an element needs, or elements where only text may stand. False when it cannot be used. */
export function checkText(element: XmlElement, shape: ElementShape, list: DiagnosticList): boolean {
  const text = shape.text;
  if (text === undefined) return false;
  const { name } = element;
  if (text.type !== "body" && shape.children === undefined && shape.policies === undefined) {
    const child = element.children.find((node) => node.kind === "element");
    if (child !== undefined) {
      list.report(
        "HG2120",
        child.start,
        child.nameEnd,
        { element: name, child: child.name },
        { element: name },
      );
      return false;
    }
  }
  const given = textOf(element);
  if (given?.broken === true) return false;
  const isEmpty = (given === null || given.value.text.trim() === "") && !hasElements(element);
  if (isEmpty && text.required === true && text.type !== "body") {
    if (!isMisplaced(null, element, shape))
      list.report("HG2119", element.start, element.nameEnd, { element: name }, { element: name });
    return false;
  }
  // Between child elements white space is no text.
  if (text.type !== "body" && shape.children !== undefined && (given?.value.text.trim() ?? "") === "")
    return false;
  return given !== null || hasElements(element);
}

function hasElements(element: XmlElement): boolean {
  return element.children.some((node) => node.kind === "element");
}
