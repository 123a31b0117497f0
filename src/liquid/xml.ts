/**
 * XML as a Liquid template sees it. The document is an object with one member, its root element.
 *
 * - An element's children are its members, by local name (a prefix does not matter) and without case, so that
 *   `body.envelope.body.order` finds `<soap:Envelope><soap:Body><order>`.
 * - Elements of the same name make a list; in a loop a single element is a list of one.
 * - Attributes are members `@name`; namespace declarations are left out.
 * - The text of an element is its output and its member `#text`. An element with nothing but text is that text.
 * - `xsi:nil="true"`: empty text, or null if the policy says so.
 */
import { SaxesParser, type SaxesTagNS } from "saxes";

const XSI = "http://www.w3.org/2001/XMLSchema-instance";
/** Deeper documents are refused, as JSON ones are. */
const MOST_DEPTH = 256;

export class XmlElement {
  /** Children and attributes by lower-case name. */
  readonly #members = new Map<string, unknown>();
  /** Its own text, without that of its children. */
  text = "";

  member(name: string): unknown {
    if (name === "#text") return this.text;
    return this.#members.get(name.toLowerCase()) ?? undefined;
  }

  /** A second one of a name makes a list. */
  add(name: string, value: unknown): void {
    const key = name.toLowerCase();
    const there = this.#members.get(key);
    if (!this.#members.has(key)) this.#members.set(key, value);
    else if (Array.isArray(there)) there.push(value);
    else this.#members.set(key, [there, value]);
  }

  get isPlain(): boolean {
    return this.#members.size === 0;
  }
}

interface Open {
  readonly name: string;
  readonly element: XmlElement;
  readonly isNil: boolean;
}

/**
 * @param nilAsNull elements with `xsi:nil="true"` become null instead of empty text
 * @throws Error when the text is not well-formed
 */
export function readXml(text: string, nilAsNull: boolean): XmlElement {
  const parser = new SaxesParser({ xmlns: true });
  const root = new XmlElement();
  const open: Open[] = [{ name: "", element: root, isNil: false }];
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", (tag) => {
    if (open.length > MOST_DEPTH) throw new Error(`elements are nested deeper than ${MOST_DEPTH}`);
    open.push(begin(tag));
  });
  parser.on("text", (part) => {
    open.at(-1)!.element.text += part;
  });
  parser.on("cdata", (part) => {
    open.at(-1)!.element.text += part;
  });
  parser.on("closetag", () => {
    const { name, element, isNil } = open.pop()!;
    open.at(-1)!.element.add(name, valueOf(element, isNil, nilAsNull));
  });
  parser.write(text.startsWith("\ufeff") ? text.slice(1) : text).close();
  root.text = "";
  return root;
}

function begin(tag: SaxesTagNS): Open {
  const element = new XmlElement();
  let isNil = false;
  for (const { local, prefix, uri, value } of Object.values(tag.attributes)) {
    if (prefix === "xmlns" || (prefix === "" && local === "xmlns")) continue;
    if (uri === XSI && local === "nil") isNil = value.trim() === "true" || value.trim() === "1";
    else element.add(`@${local}`, value);
  }
  return { name: tag.local, element, isNil };
}

function valueOf(element: XmlElement, isNil: boolean, nilAsNull: boolean): unknown {
  if (isNil) return nilAsNull ? null : "";
  if (element.isPlain) return element.text;
  // White space between child elements is lay-out.
  element.text = element.text.trim();
  return element;
}
