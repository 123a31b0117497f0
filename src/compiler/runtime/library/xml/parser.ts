/**
 * Text → tree (`expressions.md` §5.9): namespaces resolved, insignificant white space dropped, line ends normalised.
 * Document type declarations are refused, so there are no entities but the five of XML itself and nothing is ever
 * fetched or expanded. Nesting ends at 256.
 */
import { checkSize, spend } from "../../budget.ts";
import { NetException, argumentNull } from "../../errors.ts";
import { XMLNS_URI, XML_URI, XName, isNamePart, isNameStart, xmlError } from "./names.ts";
import {
  XAttribute,
  XCData,
  XComment,
  type XContainer,
  XDeclaration,
  XDocument,
  XElement,
  XProcessingInstruction,
  XText,
} from "./nodes.ts";

export const MAX_DEPTH = 256;

const PROHIBITED =
  "For security reasons DTD is prohibited in this XML document. To enable DTD processing set the DtdProcessing " +
  "property on XmlReaderSettings to Parse and pass the settings into XmlReader.Create method.";

/** @throws XmlException */
export function parseXml(text: string | null, preserveSpace = false): XDocument {
  if (text === null) throw argumentNull("text");
  return new Parser(text, preserveSpace).document();
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["apos", "'"],
]);

interface OpenElement {
  readonly element: XElement;
  /** As written, with prefix. */
  readonly name: string;
  readonly at: number;
  readonly scope: ReadonlyMap<string, string>;
  readonly preserveSpace: boolean;
}

class Parser {
  readonly #text: string;
  readonly #preserveSpace: boolean;
  readonly #document = new XDocument();
  readonly #open: OpenElement[] = [];
  #at = 0;
  #nodes = 0;

  constructor(text: string, preserveSpace: boolean) {
    const clean = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
    this.#text = clean.includes("\r") ? clean.replace(/\r\n?/g, "\n") : clean;
    this.#preserveSpace = preserveSpace;
  }

  document(): XDocument {
    if (/^<\?xml[\s?]/.test(this.#text)) this.#declaration();
    while (this.#at < this.#text.length) {
      if ((++this.#nodes & 63) === 0) {
        spend(64);
        checkSize(this.#nodes);
      }
      if (this.#text[this.#at] === "<") this.#markup();
      else this.#characters();
    }
    if (this.#open.length > 0) {
      const names = this.#open
        .map((open) => open.name)
        .toReversed()
        .join(", ");
      throw this.#error(
        `Unexpected end of file has occurred. The following elements are not closed: ${names}.`,
      );
    }
    if (this.#document.root === null) throw xmlError("Root element is missing.");
    return this.#document;
  }

  get #container(): XContainer {
    return this.#open[this.#open.length - 1]?.element ?? this.#document;
  }

  #error(message: string, at = this.#at): NetException {
    const before = this.#text.slice(0, at);
    const line = before.split("\n").length;
    return xmlError(`${message} Line ${line}, position ${at - before.lastIndexOf("\n")}.`);
  }

  #markup(): void {
    const next = this.#text.charCodeAt(this.#at + 1);
    if (isAsciiLetter(next)) return this.#startTag();
    const rest = this.#text.slice(this.#at, this.#at + 9);
    if (next === 47) this.#endTag();
    else if (rest.startsWith("<!--")) this.#comment();
    else if (rest === "<![CDATA[") this.#cdata();
    else if (rest.startsWith("<?")) this.#instruction();
    else if (rest.startsWith("<!DOCTYPE")) throw this.#error(PROHIBITED, this.#at + 2);
    else if (rest.startsWith("<!"))
      throw this.#error("Syntax for an XML declaration is invalid.", this.#at + 2);
    else this.#startTag();
  }

  #until(end: string, what: string): string {
    const close = this.#text.indexOf(end, this.#at);
    if (close < 0) {
      this.#at = this.#text.length;
      throw this.#error(`Unexpected end of file while parsing ${what} has occurred.`);
    }
    const inside = this.#text.slice(this.#at, close);
    this.#at = close + end.length;
    this.#checkCharacters(inside, close - inside.length);
    return inside;
  }

  #checkCharacters(text: string, at: number): void {
    const bad = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.exec(text);
    if (bad === null) return;
    const hex = bad[0].charCodeAt(0).toString(16).toUpperCase().padStart(2, "0");
    throw this.#error(
      `'${bad[0] === "\0" ? "." : bad[0]}', hexadecimal value 0x${hex}, is an invalid character.`,
      at + bad.index,
    );
  }

  #declaration(): void {
    this.#at += 5;
    const inside = this.#until("?>", "an XML declaration");
    const match =
      /^\s+version\s*=\s*(["'])(1\.\d)\1(?:\s+encoding\s*=\s*(["'])([A-Za-z][\w.-]*)\3)?(?:\s+standalone\s*=\s*(["'])(yes|no)\5)?\s*$/.exec(
        inside,
      );
    if (match === null) throw this.#error("Syntax for an XML declaration is invalid.", 6);
    this.#document.declaration = new XDeclaration(match[2]!, match[4] ?? null, match[6] ?? null);
  }

  #comment(): void {
    const start = this.#at;
    this.#at += 4;
    const inside = this.#until("-->", "Comment");
    if (inside.includes("--") || inside.endsWith("-")) {
      throw this.#error(
        "An XML comment cannot contain '--', and '-' cannot be the last character.",
        start + 4 + inside.indexOf("-"),
      );
    }
    this.#container.add(new XComment(inside));
  }

  #cdata(): void {
    if (this.#open.length === 0) throw this.#error("Data at the root level is invalid.", this.#at + 3);
    this.#at += 9;
    this.#append(new XCData(this.#until("]]>", "CDATA")));
  }

  #instruction(): void {
    const start = this.#at;
    this.#at += 2;
    const target = this.#name();
    if (target.toLowerCase() === "xml") {
      throw this.#error(
        "Unexpected XML declaration. The XML declaration must be the first node in the document, and no white space " +
          "characters are allowed to appear before it.",
        start + 2,
      );
    }
    const data = this.#until("?>", "PI").trimStart();
    this.#container.add(new XProcessingInstruction(target, data));
  }

  /** Text up to the next markup. */
  #characters(): void {
    const start = this.#at;
    let end = this.#text.indexOf("<", start);
    if (end < 0) end = this.#text.length;
    const raw = this.#text.slice(start, end);
    const blank = /^[ \t\n]*$/.test(raw);
    if (this.#open.length === 0) {
      if (!blank) throw this.#error("Data at the root level is invalid.", start + raw.search(/[^ \t\n]/));
      this.#at = end;
      return;
    }
    const cdataEnd = raw.indexOf("]]>");
    if (cdataEnd >= 0) throw this.#error("']]>' is not allowed in character data.", start + cdataEnd);
    const text = this.#unescape(raw, start);
    this.#at = end;
    if (blank && !this.#keepsSpace()) return;
    this.#append(new XText(text));
  }

  #keepsSpace(): boolean {
    return this.#preserveSpace || (this.#open[this.#open.length - 1]?.preserveSpace ?? false);
  }

  #append(node: XText): void {
    const { nodes } = this.#container;
    const last = nodes[nodes.length - 1];
    if (last instanceof XText && !(last instanceof XCData) && !(node instanceof XCData))
      last.value += node.value;
    else {
      nodes.push(node);
      node.parentNode = this.#container;
    }
  }

  #unescape(raw: string, start: number): string {
    this.#checkCharacters(raw, start);
    if (!raw.includes("&")) return raw;
    return raw.replace(
      /&(#x[0-9a-fA-F]{1,6}|#\d{1,7}|[^\s;&<]*)(;?)/g,
      (whole, name: string, close: string, offset: number) => {
        const at = start + offset + 1;
        if (close === "" || name === "" || name === "#" || name === "#x") {
          throw this.#error("An error occurred while parsing EntityName.", at);
        }
        if (name[0] === "#") {
          const code = name[1] === "x" ? parseInt(name.slice(2), 16) : parseInt(name.slice(1), 10);
          return this.#character(code, at);
        }
        const value = ENTITIES.get(name);
        if (value === undefined) throw this.#error(`Reference to undeclared entity '${name}'.`, at);
        return value;
      },
    );
  }

  #character(code: number, at: number): string {
    const valid =
      code === 9 ||
      code === 10 ||
      code === 13 ||
      (code >= 0x20 && code <= 0xd7ff) ||
      (code >= 0xe000 && code <= 0xfffd) ||
      (code >= 0x10000 && code <= 0x10ffff);
    if (!valid) {
      throw this.#error(
        `'.', hexadecimal value 0x${code.toString(16).toUpperCase().padStart(2, "0")}, is an invalid character.`,
        at,
      );
    }
    return String.fromCodePoint(code);
  }

  #space(): boolean {
    const start = this.#at;
    for (let c = this.#text.charCodeAt(start); c === 32 || c === 10 || c === 9;)
      c = this.#text.charCodeAt(++this.#at);
    return this.#at > start;
  }

  #name(): string {
    const start = this.#at;
    const text = this.#text;
    const first = text.charCodeAt(start);
    if (!isAsciiLetter(first) && !isNameStart(text[start] ?? "")) throw this.#badName(start);
    while (this.#at < text.length) {
      if (!isAsciiLetter(text.charCodeAt(this.#at)) && !isNamePart(text[this.#at]!)) break;
      this.#at++;
    }
    return text.slice(start, this.#at);
  }

  #badName(at: number): NetException {
    const c = this.#text[at];
    if (c === undefined) return this.#error("Unexpected end of file has occurred.", at);
    const hex = c.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0");
    return this.#error(`Name cannot begin with the '${c}' character, hexadecimal value 0x${hex}.`, at);
  }

  #startTag(): void {
    const start = this.#at++;
    const name = this.#name();
    if (this.#open.length === 0 && this.#document.root !== null) {
      throw this.#error("There are multiple root elements.", start + 1);
    }
    if (this.#open.length >= MAX_DEPTH)
      throw this.#error(`Elements are nested deeper than ${MAX_DEPTH}.`, start + 1);
    const given = this.#attributes();
    const empty = this.#text[this.#at] === "/";
    if (empty) this.#at++;
    if (this.#text[this.#at] !== ">") throw this.#unexpected(">");
    this.#at++;
    const outer = this.#open[this.#open.length - 1];
    const scope = declared(given, outer?.scope ?? NO_PREFIXES);
    const element = new XElement(this.#resolve(name, scope, start + 1, true));
    const seen = given.length > 1 ? new Set<string>() : null;
    for (const { name: attributeName, value, at } of given) {
      const resolved = this.#attributeName(attributeName, scope, at);
      const key = seen === null ? "" : resolved.netToString();
      if (seen !== null && seen.has(key))
        throw this.#error(`'${attributeName}' is a duplicate attribute name.`, at);
      seen?.add(key);
      const attribute = new XAttribute(resolved, value);
      attribute.parentNode = element;
      element.attributes.push(attribute);
    }
    const container = this.#container;
    container.nodes.push(element);
    element.parentNode = container;
    if (empty) return;
    const space =
      given.length === 0 ? undefined : given.find((attribute) => attribute.name === "xml:space")?.value;
    const preserveSpace = space === undefined ? (outer?.preserveSpace ?? false) : space === "preserve";
    this.#open.push({ element, name, at: start + 1, scope, preserveSpace });
  }

  #attributes(): { name: string; value: string; at: number }[] {
    const found: { name: string; value: string; at: number }[] = [];
    for (;;) {
      const spaced = this.#space();
      const c = this.#text[this.#at];
      if (c === undefined || c === ">" || c === "/") return found;
      if (!spaced) throw this.#unexpected(">");
      const at = this.#at;
      const name = this.#name();
      this.#space();
      if (this.#text[this.#at] !== "=") throw this.#unexpected("=");
      this.#at++;
      this.#space();
      const quote = this.#text[this.#at];
      if (quote !== '"' && quote !== "'") throw this.#unexpected("\"' or '");
      this.#at++;
      const end = this.#text.indexOf(quote, this.#at);
      const raw = end < 0 ? this.#text.slice(this.#at) : this.#text.slice(this.#at, end);
      const bad = raw.indexOf("<");
      if (bad >= 0) {
        throw this.#error("'<', hexadecimal value 0x3C, is an invalid attribute character.", this.#at + bad);
      }
      if (end < 0) throw this.#error("Unexpected end of file has occurred.", this.#text.length);
      const value = this.#unescape(raw.replace(/[\t\n]/g, " "), this.#at);
      this.#at = end + 1;
      spend();
      checkSize(found.length);
      found.push({ name, value, at });
    }
  }

  #unexpected(expected: string): NetException {
    const c = this.#text[this.#at];
    if (c === undefined) return this.#error("Unexpected end of file has occurred.");
    return this.#error(`'${c}' is an unexpected token. The expected token is '${expected}'.`);
  }

  #attributeName(name: string, scope: ReadonlyMap<string, string>, at: number): XName {
    if (name === "xmlns") return new XName("", "xmlns");
    return this.#resolve(name, scope, at, false);
  }

  #resolve(name: string, scope: ReadonlyMap<string, string>, at: number, useDefault: boolean): XName {
    const colon = name.indexOf(":");
    if (colon < 0) return new XName(useDefault ? (scope.get("") ?? "") : "", name);
    const prefix = name.slice(0, colon);
    const local = name.slice(colon + 1);
    if (prefix === "" || local === "" || local.includes(":") || !isNameStart(local[0]!)) {
      throw this.#error(
        "The ':' character, hexadecimal value 0x3A, cannot be included in a name.",
        at + colon,
      );
    }
    if (prefix === "xmlns") return new XName(XMLNS_URI, local);
    if (prefix === "xml") return new XName(XML_URI, local);
    const uri = scope.get(prefix);
    if (uri === undefined || uri === "") throw this.#error(`'${prefix}' is an undeclared prefix.`, at);
    return new XName(uri, local);
  }

  #endTag(): void {
    const start = this.#at;
    this.#at += 2;
    const name = this.#name();
    this.#space();
    const open = this.#open.pop();
    if (open === undefined) throw this.#error("Unexpected end tag.", start + 2);
    if (open.name !== name) {
      const before = this.#text.slice(0, open.at);
      const line = before.split("\n").length;
      throw this.#error(
        `The '${open.name}' start tag on line ${line} position ${open.at - before.lastIndexOf("\n")} does not match the ` +
          `end tag of '${name}'.`,
        start + 2,
      );
    }
    if (this.#text[this.#at] !== ">") throw this.#unexpected(">");
    this.#at++;
    // `<a></a>` is not `<a/>`.
    if (open.element.nodes.length === 0) open.element.hasEmptyText = true;
  }
}

/** The common case, without asking the tables of names. */
function isAsciiLetter(c: number): boolean {
  return (c >= 97 && c <= 122) || (c >= 65 && c <= 90);
}

const NO_PREFIXES: ReadonlyMap<string, string> = new Map();

/** The prefixes in force inside an element. */
function declared(
  attributes: readonly { readonly name: string; readonly value: string }[],
  outer: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  let scope: Map<string, string> | null = null;
  for (const { name, value } of attributes) {
    if (scope === null && name.startsWith("xmlns")) spend(1 + (outer.size >>> 3));
    if (name === "xmlns") (scope ??= new Map(outer)).set("", value);
    else if (name.startsWith("xmlns:")) (scope ??= new Map(outer)).set(name.slice(6), value);
  }
  return scope ?? outer;
}
