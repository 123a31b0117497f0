/**
 * Reads the text of a policy document as authors write it, which is often no XML: expressions hold bare quotes, `&&`
 * and `<`, even inside attributes. An ordinary XML reader fails on nearly half of the published documents.
 *
 * How it works: one pass from left to right. Where a value begins with `@(` or `@{`, `findExpressionEnd` walks over the
 * C# and says where it ends; everything else is plain XML. Parsing never fails: there is always a tree, and a mistake is
 * reported once and then walked around. Recovery looks for the likeliest end of what was left open (`LikelyEnd`),
 * so that one missing quote does not make the rest of the document unreadable.
 *
 * Time is linear: what recovery looks at twice is counted, and when that exceeds a small multiple of the length the
 * parser stops with a diagnostic. Depth, size and declarations are limited as policies-document.md §1 and §2 say.
 */
import { DiagnosticList } from "../diagnostics.ts";
import type { Diagnostic } from "../diagnostics.ts";
import { MappedText, SourceText } from "../source.ts";
import { editDistance } from "../../base/suggest.ts";
import {
  APOSTROPHE,
  CLOSE_BRACKET,
  EQUALS,
  BACKSLASH,
  COMMA,
  GREATER,
  LESS,
  OPEN_BRACKET,
  QUOTE,
  SEMICOLON,
  SLASH,
  beginsMarkup,
  endOfLine,
  endsTag,
  endsUnquoted,
  isCrossed,
  followsValue,
  endsEmpty,
  isNamePart,
  isNameStart,
  looksLikeClose,
  markupAt,
  oddString,
  shift,
  skipJunk,
  skipName,
  skipSpace,
  utf8Length,
} from "./characters.ts";
import { decodeEntities, decodeEntitiesAt, isXmlCharacter } from "./entities.ts";
import { findExpressionEnd, isExpressionStart } from "./expression-end.ts";
import type { ExpressionEnd } from "./expression-end.ts";
import type { XmlAttribute, XmlDocument, XmlElement, XmlNode } from "./tree.ts";

/** Policies and fragments alike; policies-document.md §1. */
export const largestDocumentBytes = 512 * 1024;
export const deepestNesting = 64;
/** Of one element; so that checks may look at all of them for each. */
export const mostAttributes = 128;
/** How far behind an unfinished tag its closing tag is looked for. */
const farthestClose = 20_000;
/** How often, on average, recovery may look at a character again. */
const recoveryFactor = 16;
/** A distinguished name with quoted parts, and the quote behind it. */
const QUOTED_PARTS = /(?:(?:[^"<>]*[,;+])?\s*[\w.]+\s*=\s*"[^"<>]*"\s*(?=[,;+"]))+[^"<>]*"/y;

export interface ParsedDocument extends XmlDocument {
  /** Elements behind the end of the first one: a mistake, which the caller words. */
  readonly extraRoots: readonly XmlElement[];
  readonly diagnostics: readonly Diagnostic[];
  /** Parsing stopped early (size, depth, too many mistakes): the tree is only a part. */
  readonly stopped: boolean;
}

/**
 * How expressions are written. `raw`: as authors type them, so entities in their strings keep their text. `encoded`:
 * the text is well-formed XML and entities are decoded everywhere. Source: policies-document.md §2.1, §2.2.
 */
export type TextFormat = "raw" | "encoded";

/**
 * @returns a tree and all mistakes; never throws
 */
export function parseXml(text: string, format: TextFormat = "raw"): ParsedDocument {
  const source = new SourceText(text);
  const diagnostics = new DiagnosticList(source);
  const size = utf8Length(text, largestDocumentBytes);
  if (size > largestDocumentBytes) {
    diagnostics.report("HG1001", 0, 0, { size, limit: largestDocumentBytes });
    return { source, root: null, extraRoots: [], diagnostics: diagnostics.items, stopped: true };
  }
  return new Parser(source, diagnostics, format).run();
}

type OpenElement = { -readonly [K in keyof XmlElement]: XmlElement[K] } & {
  attributes: XmlAttribute[];
  children: XmlNode[];
};

interface Value {
  readonly value: MappedText;
  readonly broken: boolean;
  /** Behind the closing quote. */
  readonly end: number;
}

const none: readonly Diagnostic[] = [];
const sections = new Set(["inbound", "backend", "outbound", "on-error"]);
/** `< name …>`, `</ name>`, `<!— … —>`, `<!- … ->`. */
const brokenMarkup =
  /^(?:<\s+[A-Za-z][\w:.-]*(?:\s+[\w:.-]+\s*=\s*["']|\s*\/?>)|<\/\s+[A-Za-z][\w:.-]*\s*>|<!(?:[\u2013\u2014]|-[^-]|\s*--))/;
/** What people write for `=` in front of a value. */
const notEquals = /\s*(:=?|=[=:>]+|=\s*=)\s*(?=["'])/y;
const typographicQuotes = "\u201c\u201d\u201e\u2018\u2019\u201a\u00ab\u00bb";

class Parser {
  readonly #source: SourceText;
  readonly #text: string;
  readonly #list: DiagnosticList;
  readonly #format: TextFormat;
  readonly #stack: OpenElement[] = [];
  /** Names of tags that were never finished with `>`, with their number; their closing tags are forgiven. */
  readonly #unfinished = new Map<string, number>();
  readonly #extraRoots: XmlElement[] = [];
  #root: OpenElement | null = null;
  #at = 0;
  #recovered = 0;
  #stopped = false;
  /** Nothing behind this can be told: an open comment, say. Then missing closing tags are not worth a word. */
  #cutOff = false;
  /** Where text stands that belongs to no element. */
  #textOutside: [number, number] | null = null;
  /** Tags that were never finished, and were taken as opened because a closing tag follows. */
  readonly #guessed = new Set<XmlElement>();

  constructor(source: SourceText, list: DiagnosticList, format: TextFormat) {
    this.#format = format;
    this.#source = source;
    this.#text = source.text;
    this.#list = list;
  }

  run(): ParsedDocument {
    const text = this.#text;
    if (text.charCodeAt(0) === 0xfeff) this.#at = 1;
    if (text.slice(0, 8).includes("\u0000")) this.#stopped = true; // UTF-16: nothing below could be read
    while (this.#at < text.length && !this.#stopped) this.#content();
    if (!this.#stopped && !this.#cutOff) {
      while (this.#stack.length > 0) {
        if (this.#closeTwice(this.#at)) continue;
        this.#sayUnclosed(this.#stack.at(-1)!);
        this.#pop(this.#at, this.#at, false);
      }
    }
    while (this.#stack.length > 0) this.#pop(this.#at, this.#at, false);
    this.#checkCharacters();
    if (this.#root === null && this.#list.errorCount === 0) this.#sayNoElement();
    else if (this.#textOutside !== null && this.#root !== null)
      this.#list.report("HG1027", ...this.#textOutside);
    const { length } = this.#list.items;
    return {
      source: this.#source,
      root: this.#root,
      extraRoots: this.#extraRoots,
      diagnostics: length === 0 ? none : this.#list.items,
      stopped: this.#stopped,
    };
  }

  // ── Content ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #content(): void {
    switch (markupAt(this.#text, this.#at)) {
      case "open":
        return this.#openTag();
      case "close":
        return this.#closeTag();
      case "comment":
        return this.#comment();
      case "cdata":
        return this.#cdata();
      case "declaration":
        return this.#declaration();
      case "instruction":
        return this.#instruction();
      case null:
        return this.#isBrokenMarkup(this.#at) ? this.#brokenMarkup() : this.#characters();
    }
  }

  /** `< name …>`, `</ name>` or `<!— … —>` where a tag may stand: meant as markup, not as text. */
  #isBrokenMarkup(at: number): boolean {
    return brokenMarkup.test(this.#text.slice(at, at + 200));
  }

  #brokenMarkup(): void {
    const text = this.#text;
    const start = this.#at;
    if (text[start + 1] === "!") {
      const close = text.indexOf(">", start);
      const end = close === -1 ? text.length : close + 1;
      this.#list.report("HG1012", start, start + 2, {}, { hint: "a comment is written `<!-- … -->`" });
      this.#stack.at(-1)?.children.push({ kind: "comment", start, end });
      this.#at = end;
      return;
    }
    const name = text[start + 1] === "/" ? start + 2 : start + 1;
    this.#list.report(
      "HG1012",
      start,
      start + 1,
      {},
      { hint: `remove the space behind \`${text.slice(start, name)}\`` },
    );
    if (name === start + 2) this.#closeTag(skipSpace(text, name));
    else this.#openTag(skipSpace(text, name));
  }

  /** Text up to the next tag; an expression at its start is walked over as C#. */
  #characters(): void {
    const text = this.#text;
    const start = this.#at;
    const visible = skipSpace(text, start);
    if (isExpressionStart(text, visible)) return this.#expressionText(start, visible);
    const errorsBefore = this.#list.errorCount;
    const end = this.#endOfText(start);
    const broken = this.#list.errorCount > errorsBefore;
    this.#addText(start, decodeEntities(text, start, end, this.#list, "text"), end, broken);
  }

  /** Where literal text ends; a `<` that begins nothing is reported and belongs to the text. */
  #endOfText(from: number): number {
    const text = this.#text;
    for (let i = text.indexOf("<", from); i !== -1; i = text.indexOf("<", i + 1)) {
      if (beginsMarkup(text, i) || (i > from && this.#isBrokenMarkup(i) && text.slice(from, i).trim() === ""))
        return i;
      const hint = text[i + 1] === "<" ? "remove one `<`" : undefined;
      this.#list.report("HG1012", i, i + 1, {}, { hint });
    }
    return text.length;
  }

  #expressionText(start: number, visible: number): void {
    const text = this.#text;
    const found = findExpressionEnd(text, visible, true);
    if (found.encoded) {
      const end = this.#endOfText(visible);
      const value = this.#encodedExpression(start, end) ?? decodeEntities(text, start, end, this.#list);
      return this.#addText(start, value, end, false);
    }
    if (found.end !== -1) {
      const after = skipSpace(text, found.end);
      if (after >= text.length || beginsMarkup(text, after)) {
        const broken = this.#sayXmlComment(found);
        return this.#addText(start, this.#expressionValue(start, after, found), after, broken);
      }
    }
    this.#brokenExpressionText(start, visible, found);
  }

  /** The expression does not end where the text does. */
  #brokenExpressionText(start: number, visible: number, found: ExpressionEnd): void {
    const text = this.#text;
    const name = this.#stack.at(-1)?.name;
    const end = this.#likelyEndOfText(visible, name);
    this.#countRecovery((found.end === -1 ? found.scannedTo : found.end) - visible);
    if (this.#stopped) return;
    if (found.end === -1 || found.end > end) {
      this.#sayOpenExpression(visible, end);
      return this.#addText(start, new MappedText(text.slice(start, end), start, end), end, true);
    }
    const broken = this.#sayXmlComment(found) || this.#sayStrayBracket(found.end);
    this.#addText(start, decodeEntities(text, start, end, this.#list), end, broken);
  }

  #likelyEndOfText(from: number, name: string | undefined): number {
    const text = this.#text;
    if (name !== undefined) {
      const close = text.indexOf(`</${name}`, from);
      if (close !== -1) return close;
      this.#countRecovery(text.length - from);
    }
    const any = text.indexOf("</", from);
    return any === -1 ? text.length : any;
  }

  #addText(start: number, value: MappedText, end: number, broken: boolean): void {
    this.#at = end;
    const parent = this.#stack.at(-1);
    if (parent !== undefined) parent.children.push({ kind: "text", value, broken, start, end });
    else if (value.text.trim() !== "" && this.#textOutside === null) {
      const from = skipSpace(this.#text, start);
      const lineEnd = this.#text.slice(from, end).search(/[\r\n]/);
      this.#textOutside = [from, lineEnd === -1 ? end : from + lineEnd];
    }
  }

  #comment(): void {
    const text = this.#text;
    const start = this.#at;
    const close = text.indexOf("-->", start + 4);
    if (close === -1) return this.#openToTheEnd("HG1022", start, 4);
    const dashes = text.slice(start + 4, close).indexOf("--");
    if (dashes !== -1) this.#list.report("HG6009", start + 4 + dashes, start + 6 + dashes);
    this.#at = close + 3;
    this.#stack.at(-1)?.children.push({ kind: "comment", start, end: this.#at });
  }

  #cdata(): void {
    const start = this.#at;
    const close = this.#text.indexOf("]]>", start + 9);
    if (close === -1) return this.#openToTheEnd("HG1023", start, 9);
    this.#addText(
      start,
      new MappedText(this.#text.slice(start + 9, close), start + 9, close),
      close + 3,
      false,
    );
  }

  #instruction(): void {
    const start = this.#at;
    const close = this.#text.indexOf("?>", start + 2);
    if (close === -1) return this.#openToTheEnd("HG1024", start, 2);
    this.#at = close + 2;
  }

  #openToTheEnd(code: "HG1022" | "HG1023" | "HG1024", start: number, length: number): void {
    this.#list.report(code, start, start + length);
    this.#at = this.#text.length;
    this.#cutOff = true;
  }

  /** `<!DOCTYPE … [ … ]>`: refused, never read. */
  #declaration(): void {
    const text = this.#text;
    const start = this.#at;
    let depth = 0;
    let i = start + 2;
    for (; i < text.length; i++) {
      const c = text.charCodeAt(i);
      if (c === LESS || c === OPEN_BRACKET) depth++;
      else if (c === CLOSE_BRACKET) depth--;
      else if (c === GREATER && depth-- <= 0) break;
    }
    if (i >= text.length) this.#cutOff = true;
    this.#at = Math.min(i + 1, text.length);
    this.#list.report("HG1015", start, this.#at);
  }

  // ── Tags ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #openTag(nameStart = this.#at + 1): void {
    const text = this.#text;
    const start = nameStart - 1;
    const nameEnd = skipName(text, nameStart);
    const name = text.slice(nameStart, nameEnd);
    if (this.#stack.length >= deepestNesting) {
      this.#list.report("HG1016", start, nameEnd, { limit: deepestNesting });
      this.#stopped = true;
      return;
    }
    if (this.#isMeantAsClose(name, nameEnd)) return this.#closeBySlip(name, start, nameEnd);
    this.#closeForgottenSection(name, start);
    const element: OpenElement = {
      kind: "element",
      name,
      start,
      nameEnd,
      openEnd: nameEnd,
      closeStart: nameEnd,
      end: nameEnd,
      attributes: [],
      children: [],
      parent: this.#stack.at(-1) ?? null,
      closed: true,
    };
    this.#at = nameEnd;
    const mark = this.#list.items.length;
    const ending = this.#attributes(element);
    if (ending === "unfinished" && !this.#stopped) this.#mendUnfinished(element, mark);
    element.openEnd = element.closeStart = element.end = this.#at;
    if (element.parent !== null) (element.parent as OpenElement).children.push(element);
    else if (this.#root === null) this.#root = element;
    else this.#extraRoots.push(element);
    const finalName = element.name;
    if (ending === "open") this.#stack.push(element);
    else if (ending === "unfinished" && this.#isClosedLater(element)) {
      this.#guessed.add(element);
      this.#stack.push(element);
    } else if (ending === "unfinished") this.#forgive(finalName);
  }

  /** A closing tag of this name may come without an opening one: what is wrong has been said. */
  #forgive(name: string): void {
    this.#unfinished.set(name, (this.#unfinished.get(name) ?? 0) + 1);
  }

  /** True if the closing tag comes before the next opening one of that name. */
  #isClosedLater({ name, openEnd }: OpenElement): boolean {
    const text = this.#text;
    const limit = openEnd + farthestClose;
    let depth = 1;
    for (let at = text.indexOf(name, openEnd); at !== -1 && at < limit; at = text.indexOf(name, at + 1)) {
      if (isNamePart(text.charCodeAt(at + name.length))) continue;
      if (text.charCodeAt(at - 1) === LESS && !endsEmpty(text, at)) depth++;
      else if (text.startsWith("</", at - 2) && --depth === 0) {
        this.#countRecovery(at - openEnd);
        return !this.#stopped;
      }
    }
    this.#countRecovery(Math.min(text.length - openEnd, farthestClose));
    return false;
  }

  /** One message for a tag that was never finished: what else was said about it follows from that. */
  #mendUnfinished(element: OpenElement, mark: number): void {
    const text = this.#text;
    this.#list.keepOnly(mark, "HG1003");
    element.attributes = element.attributes.filter((attribute) => !attribute.broken);
    // `<valuetext</value>`: the closing tag tells where the name should have ended.
    const close = /^<\/([\w:.-]+)\s*>/.exec(text.slice(this.#at, this.#at + 100))?.[1];
    if (close === undefined || !element.name.startsWith(close)) return;
    element.name = close;
    element.nameEnd = element.start + 1 + close.length;
    element.children.push({
      kind: "text",
      value: new MappedText("", this.#at, this.#at),
      broken: true,
      start: this.#at,
      end: this.#at,
    });
  }

  /** `<set-method>POST<set-method>`, or `<inbound> … <inbound>` in front of the next section: a slash is missing. */
  #isMeantAsClose(name: string, nameEnd: number): boolean {
    const text = this.#text;
    const top = this.#stack.at(-1);
    if (top?.name !== name || text.charCodeAt(nameEnd) !== GREATER) return false;
    const isSection = this.#stack.length === 2 && sections.has(name);
    if (isSection)
      return /^\s*(?:<(?:inbound|backend|outbound|on-error)\b|<\/policies\s*>)/.test(
        text.slice(nameEnd + 1, nameEnd + 200),
      );
    const [only] = top.children;
    return top.children.length === 1 && only!.kind === "text" && only!.value.text.trim() !== "";
  }

  #closeBySlip(name: string, start: number, nameEnd: number): void {
    this.#list.report(
      "HG1004",
      start,
      nameEnd,
      { element: name },
      { element: name, hint: `write \`</${name}>\` here` },
    );
    this.#at = nameEnd + 1;
    this.#pop(start, this.#at, true);
  }

  /** A section that begins inside another section: the closing tag of that one was forgotten. */
  #closeForgottenSection(name: string, at: number): void {
    const stack = this.#stack;
    if (
      !sections.has(name) ||
      stack.length < 2 ||
      stack.at(-1)!.name === name ||
      stack[0]!.name !== "policies" ||
      !sections.has(stack[1]!.name)
    ) {
      return;
    }
    // `<backend>` is also a child of some policies; directly inside a section it can only be the next section.
    if (stack.length > 2) return;
    this.#sayUnclosed(stack[1]!);
    this.#pop(at, at, false);
  }

  #attributes(element: OpenElement): "open" | "empty" | "unfinished" {
    const text = this.#text;
    let complained = false;
    const seen = new Map<string, XmlAttribute>();
    for (;;) {
      const before = this.#at;
      const at = (this.#at = skipSpace(text, before));
      const c = text.charCodeAt(at);
      if (c === GREATER) {
        this.#at++;
        return "open";
      }
      if (c === SLASH && text.charCodeAt(at + 1) === GREATER) {
        this.#at += 2;
        return "empty";
      }
      if (c === LESS && text.startsWith("<!--", at) && text.includes("-->", at)) {
        const end = text.indexOf("-->", at) + 3;
        const extras = { element: element.name, hint: "comments stand between tags, not inside of them" };
        if (!complained)
          this.#list.report("HG1025", at, end, { found: "<!--", element: element.name }, extras);
        complained = true;
        this.#at = end;
        continue;
      }
      if (at >= text.length || (c === LESS && beginsMarkup(text, at)) || this.#stopped) {
        if (!this.#stopped)
          this.#list.report("HG1003", element.start, element.nameEnd, { element: element.name });
        return "unfinished";
      }
      if (isNameStart(c)) {
        const attribute = this.#attribute(element, at === before && element.attributes.length > 0);
        const first = seen.get(attribute.name);
        if (first === undefined) {
          seen.set(attribute.name, attribute);
          if (seen.size <= mostAttributes) element.attributes.push(attribute);
          else if (seen.size === mostAttributes + 1) this.#sayTooManyAttributes(element, attribute);
        } else this.#sayDuplicate(element, attribute, first);
        continue;
      }
      if ((c === SLASH || c === BACKSLASH) && text.charCodeAt(skipSpace(text, at + 1)) === GREATER) {
        const end = skipSpace(text, at + 1) + 1;
        const values = { found: text.slice(at, end), element: element.name };
        this.#list.report("HG1025", at, at + 1, values, { element: element.name, hint: "write `/>`" });
        this.#at = end;
        return "empty";
      }
      const isSeparator = c === COMMA || c === SEMICOLON;
      const end = isSeparator ? at + 1 : skipJunk(text, at);
      if (!complained) this.#sayJunk(element, at, end);
      complained = true;
      this.#at = end;
    }
  }

  #attribute(element: OpenElement, glued: boolean): XmlAttribute {
    const text = this.#text;
    const start = this.#at;
    const written = skipName(text, start);
    // `name: "x"`: the colon is a part of names only in front of more.
    const nameEnd = text[written - 1] === ":" && written - 1 > start ? written - 1 : written;
    const name = text.slice(start, nameEnd);
    if (glued) this.#list.report("HG1008", start, nameEnd, { attribute: name }, { element: element.name });
    notEquals.lastIndex = nameEnd;
    const odd = notEquals.exec(text);
    if (odd !== null) return this.#oddAttribute(element, name, start, nameEnd, odd);
    const equals = skipSpace(text, nameEnd);
    if (text.charCodeAt(equals) === QUOTE || text.charCodeAt(equals) === APOSTROPHE) {
      return this.#attributeWithoutEquals(element, name, start, nameEnd, equals);
    }
    if (text.charCodeAt(equals) !== EQUALS) {
      this.#at = nameEnd;
      this.#list.report("HG1009", start, nameEnd, { attribute: name }, { element: element.name });
      return {
        name,
        start,
        nameEnd,
        value: new MappedText("", nameEnd, nameEnd),
        broken: true,
        end: nameEnd,
      };
    }
    const open = skipSpace(text, equals + 1);
    const quote = text.charCodeAt(open);
    const value =
      quote === QUOTE || quote === APOSTROPHE
        ? this.#quoted(name, open, text[open]!)
        : this.#unquoted(name, open);
    this.#at = value.end;
    return { name, start, nameEnd, value: value.value, broken: value.broken, end: value.end };
  }

  /** `name "x"`. */
  #attributeWithoutEquals(
    element: OpenElement,
    name: string,
    start: number,
    nameEnd: number,
    open: number,
  ): XmlAttribute {
    const { value, broken, end } = this.#quoted(name, open, this.#text[open]!);
    const hint = `write \`=\` between \`${name}\` and its value`;
    this.#list.report("HG1009", start, nameEnd, { attribute: name }, { element: element.name, hint });
    this.#at = end;
    return { name, start, nameEnd, value, broken, end };
  }

  /** `name: "x"`, `name => "x"`, `name == "x"`. */
  #oddAttribute(
    element: OpenElement,
    name: string,
    start: number,
    nameEnd: number,
    odd: RegExpExecArray,
  ): XmlAttribute {
    const text = this.#text;
    const open = nameEnd + odd[0].length;
    const at = skipSpace(text, nameEnd);
    const value = this.#quoted(name, open, text[open]!);
    const end = at + odd[1]!.length;
    const hint = `write \`${name}=${text.slice(open, Math.min(value.end, open + 40))}\``;
    const values = { found: odd[1]!, attribute: name };
    this.#list.report("HG1036", at, end, values, { hint, element: element.name });
    this.#at = value.end;
    return { name, start, nameEnd, value: value.value, broken: value.broken, end: value.end };
  }

  // ── Attribute values ────────────────────────────────────────────────────────────────────────────────────────────

  #quoted(name: string, open: number, quote: string): Value {
    const text = this.#text;
    const start = open + 1;
    const visible = skipSpace(text, start);
    if (!isExpressionStart(text, visible)) return this.#literal(name, open, quote, start);
    const found = findExpressionEnd(text, visible, true);
    if (found.encoded) return this.#literal(name, open, quote, start);
    if (found.end !== -1) {
      const after = skipSpace(text, found.end);
      if (text[after] === quote) {
        const broken = this.#sayXmlComment(found);
        return { value: this.#expressionValue(start, after, found), broken, end: after + 1 };
      }
    }
    return this.#brokenExpression(name, open, quote, visible, found);
  }

  /** The expression does not end where the value does. */
  #brokenExpression(name: string, open: number, quote: string, visible: number, found: ExpressionEnd): Value {
    const text = this.#text;
    const start = open + 1;
    const close = this.#likelyClose(visible, quote);
    this.#countRecovery((found.end === -1 ? found.scannedTo : found.end) - visible);
    if (found.end !== -1 && (close === -1 || found.end <= close)) {
      // The brackets are in order; what follows them is not.
      const after = skipSpace(text, found.end);
      const rest = text.slice(found.end, close === -1 ? found.end + 200 : close);
      if (close === -1 || /^\s*\/?>/.test(rest) || /^\s+[\w:-]+\s*=\s*$/.test(rest)) {
        this.#list.report("HG1007", open, open + 1, { attribute: name });
        const value = this.#expressionValue(start, found.end, found);
        return { value, broken: false, end: found.end };
      }
      if (this.#sayXmlComment(found) || this.#sayStrayBracket(after)) {
        return {
          value: new MappedText(text.slice(start, close), start, close),
          broken: true,
          end: close + 1,
        };
      }
      const firstQuote = text.indexOf(quote, after);
      if (firstQuote < close)
        this.#list.report("HG1032", firstQuote, firstQuote + 1, { quote, attribute: name });
      const value = decodeEntities(text, start, close, this.#list);
      return { value, broken: firstQuote < close, end: close + 1 };
    }
    const end = close === -1 ? endOfLine(text, visible) : close;
    this.#sayOpenExpression(visible, end);
    return {
      value: new MappedText(text.slice(start, end), start, end),
      broken: true,
      end: close === -1 ? end : close + 1,
    };
  }

  #literal(name: string, open: number, quote: string, start: number): Value {
    const text = this.#text;
    const close = this.#closeOfName(name, quote, start) ?? text.indexOf(quote, start);
    if (close === -1) {
      this.#list.report("HG1007", open, open + 1, { attribute: name });
      return this.#cutLiteral(start, text.length);
    }
    const raw = text.slice(start, close);
    const encoded = this.#encodedExpression(start, close);
    if (encoded !== null && followsValue(text, close + 1))
      return { value: encoded, broken: false, end: close + 1 };
    if (!followsValue(text, close + 1)) {
      const mended = this.#suspiciousLiteral(name, open, quote, start, close, raw);
      if (mended !== null) return mended;
    }
    const less = raw.indexOf("<");
    if (less !== -1) this.#list.report("HG1031", start + less, start + less + 1, { attribute: name });
    const whiteSpace = isExpressionStart(text, skipSpace(text, start)) ? "keep" : "attribute";
    // policies.md §14: raw documents have bare `&` between the query parameters of a rewrite template.
    const isQuery = this.#format === "raw" && name === "template" && raw.includes("?");
    const value = decodeEntities(text, start, close, this.#list, whiteSpace, isQuery ? "HG6012" : "HG1013");
    return { value, broken: less !== -1, end: close + 1 };
  }

  /**
   * policies.md §20: raw documents quote parts of a distinguished name within the quoted value, as in
   * `subject="CN=a, O="Contoso, Inc.", C=US"`. Null when no part of it is quoted.
   */
  #closeOfName(name: string, quote: string, start: number): number | null {
    if (this.#format !== "raw" || quote !== '"' || (name !== "subject" && name !== "issuer-subject"))
      return null;
    QUOTED_PARTS.lastIndex = start;
    if (!QUOTED_PARTS.test(this.#text)) return null;
    const end = QUOTED_PARTS.lastIndex;
    return followsValue(this.#text, end) ? end - 1 : null;
  }

  /**
   * An expression with its quotes written `&quot;`, beside which people write `&&` and `<` as they are
   * (policies-document.md §2.2); null when it is none, or its brackets are not in order.
   */
  #encodedExpression(start: number, end: number): MappedText | null {
    const text = this.#text;
    if (this.#format !== "raw" || !isExpressionStart(text, skipSpace(text, start))) return null;
    const unsaid = new DiagnosticList(this.#source);
    const decoded = decodeEntities(text, start, end, unsaid, "keep", null);
    const found = findExpressionEnd(decoded.text, skipSpace(decoded.text, 0), false);
    if (unsaid.items.length > 0 || found.end === -1 || found.comment !== null) return null;
    return skipSpace(decoded.text, found.end) === decoded.text.length ? decoded : null;
  }

  /** The closing quote is followed by what cannot follow one. Null: it is the closing quote all the same. */
  #suspiciousLiteral(
    name: string,
    open: number,
    quote: string,
    start: number,
    close: number,
    raw: string,
  ): Value | null {
    const text = this.#text;
    const swallowed = /\s+[A-Za-z_][\w:.-]*\s*=\s*$/.exec(raw.slice(-200));
    const mixed = raw.includes("@(") || raw.includes("@{");
    if (!mixed && swallowed === null && /^\s*@|\bcontext\s*\./.test(raw)) {
      // Code that lacks the `@(` or its bracket.
      const end = this.#likelyClose(close, quote);
      if (end > close && end - close < 4000 && !text.slice(close, end).includes("</")) {
        this.#list.report(
          "HG1032",
          close,
          close + 1,
          { quote, attribute: name },
          { hint: "code is written as an expression: `@(…)`" },
        );
        return { value: new MappedText(text.slice(start, end), start, end), broken: true, end: end + 1 };
      }
    }
    const tagEnd = mixed ? -1 : raw.indexOf(">");
    const leavesTag = tagEnd !== -1 && raw.includes("<", tagEnd);
    if (swallowed !== null || leavesTag) {
      // The quote found opens the value of a later attribute: this one was never closed.
      this.#list.report("HG1007", open, open + 1, { attribute: name });
      this.#countRecovery(close - start);
      if (swallowed === null || leavesTag) return this.#cutLiteral(start, close);
      const end = close - swallowed[0].length;
      return { value: new MappedText(text.slice(start, end), start, end), broken: true, end };
    }
    if (/^\s*[,;]\s*(?:[\w:.-]+\s*=\s*["']|\/?>)/.test(text.slice(close + 1, close + 120))) return null;
    if (
      isNameStart(text.charCodeAt(close + 1)) &&
      /^[\w:.-]+\s*=\s*["']/.test(text.slice(close + 1, close + 120))
    )
      return null;
    // One quote too many is left to the tag, which says what has no place in it.
    if (text[close + 1] === quote && !mixed) return null;
    const likely = this.#likelyClose(close, quote);
    if (likely === -1 || likely === close + 1 || (!mixed && likely > endOfLine(text, close))) return null;
    const hint = mixed ? undefined : `write \`${quote === '"' ? "&quot;" : "&apos;"}\` for a quote inside`;
    this.#list.report("HG1032", close, close + 1, { quote, attribute: name }, { hint });
    return { value: new MappedText(text.slice(start, likely), start, likely), broken: true, end: likely + 1 };
  }

  /** A value without a closing quote ends, most likely, where its tag does. */
  #cutLiteral(start: number, limit: number): Value {
    const text = this.#text;
    const angle = /\/?>|</.exec(text.slice(start, limit));
    const end = angle === null ? endOfLine(text, start) : start + angle.index;
    return { value: new MappedText(text.slice(start, end), start, end), broken: true, end };
  }

  #unquoted(name: string, open: number): Value {
    const text = this.#text;
    const curly = text[open] ?? "";
    if (curly !== "" && typographicQuotes.includes(curly)) {
      const rest = text.slice(open + 1, endOfLine(text, open));
      const close = [...rest].findIndex((c) => typographicQuotes.includes(c) || c === '"');
      const end = close === -1 ? open + 1 + rest.length : open + 1 + close;
      this.#list.report("HG1030", open, open + 1, { quote: curly });
      return {
        value: new MappedText(text.slice(open + 1, end), open + 1, end),
        broken: true,
        end: close === -1 ? end : end + 1,
      };
    }
    let end = open;
    if (isExpressionStart(text, open)) {
      const found = findExpressionEnd(text, open, true);
      if (found.end === -1) this.#countRecovery(found.scannedTo - open);
      else end = found.end;
    }
    if (end === open) while (end < text.length && !endsUnquoted(text, end)) end++;
    const value = text.slice(open, end);
    if (value === "") this.#list.report("HG1009", open - 1, open, { attribute: name });
    else {
      const bare = value.replace(/["'`]$/, "").replace(/^`/, "");
      this.#list.report("HG1010", open, end, { attribute: name, value: bare });
    }
    return { value: new MappedText(value, open, end), broken: true, end };
  }

  // ── Recovery ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The first quote from `from` on that looks like the end of a value: a tag end or another attribute follows. */
  #likelyClose(from: number, quote: string): number {
    const text = this.#text;
    // Statements hold much that looks like attributes (`a=""`), so a block ends at a `}` or where the tag does.
    const isBlock = text.startsWith("@{", from);
    for (let i = text.indexOf(quote, from); i !== -1; i = text.indexOf(quote, i + 1)) {
      if (
        looksLikeClose(text, i + 1) &&
        (!isBlock || endsTag(text, i + 1) || /\}\s*$/.test(text.slice(i - 9, i)))
      )
        return i;
    }
    this.#countRecovery(text.length - from);
    return -1;
  }

  #countRecovery(length: number): void {
    this.#recovered += length;
    if (this.#recovered <= recoveryFactor * this.#text.length + 65_536 || this.#stopped) return;
    this.#list.report("HG1034", this.#at, this.#at);
    this.#stopped = true;
  }

  // ── Closing ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #closeTag(nameStart = this.#at + 2): void {
    const text = this.#text;
    const start = this.#at;
    const nameEnd = skipName(text, nameStart);
    const name = text.slice(nameStart, nameEnd);
    this.#at = this.#endOfCloseTag(start, nameEnd, name);
    const stack = this.#stack;
    const index = stack.findLastIndex((element) => element.name === name);
    if (index === stack.length - 1 && index >= 0) return this.#pop(start, this.#at, true);
    if (index >= 0) {
      while (stack.length - 1 > index) {
        const open = stack.at(-1)!;
        if (this.#closeTwice(start)) continue;
        this.#sayUnclosed(open);
        // `<a><b></a></b>`: the closing tag that comes too late is the same mistake.
        if (!this.#guessed.has(open) && isCrossed(text.slice(this.#at, this.#at + 200), open.name))
          this.#forgive(open.name);
        this.#pop(start, start, false);
      }
      return this.#pop(start, this.#at, true);
    }
    const forgiven = this.#unfinished.get(name) ?? 0;
    if (forgiven > 0) return void this.#unfinished.set(name, forgiven - 1);
    const top = stack.at(-1);
    if (top !== undefined && this.#isMisnamed(name, top)) {
      this.#list.report("HG1006", nameStart, nameEnd, { found: name, element: top.name });
      return this.#pop(start, this.#at, true);
    }
    const hint = top === undefined ? undefined : this.#adoptInto(top, name);
    this.#list.report("HG1005", start, nameEnd, { element: name }, { hint });
  }

  /**
   * `<a /> <b /> </a>`: the slash was not meant. What stands between goes into `a`, so that nothing is said about its
   * place. Returns what to do about it; undefined when there is no such `a`.
   */
  #adoptInto(parent: OpenElement, name: string): string | undefined {
    const { children } = parent;
    // Only among the latest, so that many such tags stay cheap.
    const last = children.slice(-32);
    const back = last.length - last.findLastIndex((node) => node.kind === "element" && node.name === name);
    const at = children.length - back;
    const found = children[at] as OpenElement | undefined;
    if (back > last.length || found === undefined || found.end !== found.openEnd || back === 1)
      return undefined;
    found.children.push(...children.splice(at + 1));
    for (const child of found.children)
      if (child.kind === "element") (child as { parent: XmlElement }).parent = found;
    [found.closeStart, found.end] = [this.#at, this.#at];
    const { line } = this.#source.positionAt(found.start);
    return `the <${name}> on line ${line} ended with \`/>\` already: write \`>\` there, or remove this tag`;
  }

  /**
   * `<choose> … <choose>`, both open in the end: the second was meant to close the first. Says so once, closes both and
   * hands what came behind to the parent.
   */
  #closeTwice(at: number): boolean {
    const stack = this.#stack;
    const inner = stack.at(-1);
    const outer = stack.at(-2);
    if (
      inner === undefined ||
      outer === undefined ||
      inner.name !== outer.name ||
      inner.attributes.length > 0
    )
      return false;
    if (outer.children.length === 0 || this.#guessed.has(inner)) return false;
    const { name, start, nameEnd, openEnd } = inner;
    this.#list.report(
      "HG1004",
      start,
      nameEnd,
      { element: name },
      { element: name, hint: `write \`</${name}>\` here` },
    );
    outer.children.splice(outer.children.indexOf(inner), 1);
    const parent = stack.at(-3);
    this.#pop(at, at, true);
    this.#pop(start, openEnd, true);
    if (parent !== undefined) {
      for (const child of inner.children)
        if (child.kind === "element") (child as OpenElement).parent = parent;
      parent.children.push(...inner.children);
    }
    return true;
  }

  #endOfCloseTag(start: number, nameEnd: number, name: string): number {
    const text = this.#text;
    const at = skipSpace(text, nameEnd);
    if (text.charCodeAt(at) === GREATER) return at + 1;
    let i = at;
    while (i < text.length && text.charCodeAt(i) !== GREATER && text.charCodeAt(i) !== LESS) i++;
    if (text.charCodeAt(i) !== GREATER) {
      this.#list.report("HG1003", start, nameEnd, { element: `/${name}` }, { hint: "end the tag with `>`" });
      return i > at ? nameEnd : i;
    }
    this.#list.report("HG1033", at, i, { element: name });
    return i + 1;
  }

  /** A closing tag that means the open element though it names another. */
  #isMisnamed(name: string, top: OpenElement): boolean {
    // `<inbound> … </backend>`: a section closed by the name of another.
    if (this.#stack.length === 2 && sections.has(name) && sections.has(top.name)) return true;
    const a = name.toLowerCase();
    const b = top.name.toLowerCase();
    if (a.length < 64 && b.length < 64) {
      const distance = editDistance(a, b);
      if (distance <= Math.max(1, Math.floor(b.length / 3)) && distance < b.length) return true;
    }
    // `<set-body>…</value></set-header>`: the next closing tag is the parent's, so this one was meant for the child.
    const parent = top.parent?.name;
    const next = /^\s*(?:<[/!?]?([\w:.-]+))/.exec(this.#text.slice(this.#at, this.#at + 500));
    return next !== null && parent !== undefined && next[1] === parent && next[0].includes("</");
  }

  #pop(closeStart: number, end: number, closed: boolean): void {
    const element = this.#stack.pop()!;
    const parent = this.#stack.at(-1);
    if (!closed && element.name === "base" && parent !== undefined) {
      // `<base>` without its slash: what follows is not inside.
      for (const child of element.children)
        if (child.kind === "element") (child as OpenElement).parent = parent;
      parent.children.push(...element.children.splice(0));
      closeStart = end = element.openEnd;
    }
    element.closeStart = closeStart;
    element.end = end;
    element.closed = closed;
  }

  // ── What is said ────────────────────────────────────────────────────────────────────────────────────────────────

  #sayUnclosed(element: OpenElement): void {
    if (this.#guessed.has(element)) return;
    this.#list.report(
      "HG1004",
      element.start,
      element.nameEnd,
      { element: element.name },
      { element: element.name },
    );
  }

  #sayNoElement(): void {
    const text = this.#text;
    const at = skipSpace(text, text.charCodeAt(0) === 0xfeff ? 1 : 0);
    const isJson = text[at] === "{" || text[at] === "[";
    const hint = isJson
      ? "this looks like JSON; policy documents are XML and start with `<policies>`"
      : undefined;
    const [from, to] = this.#textOutside ?? [0, Math.min(1, text.length)];
    this.#list.report("HG1002", from, to, {}, { hint });
  }

  #sayTooManyAttributes(element: OpenElement, attribute: XmlAttribute): void {
    const values = { element: element.name, limit: mostAttributes };
    this.#list.report("HG1035", attribute.start, attribute.nameEnd, values, { element: element.name });
  }

  #sayDuplicate(element: OpenElement, attribute: XmlAttribute, first: XmlAttribute): void {
    const values = { attribute: attribute.name, element: element.name };
    const line = this.#source.positionAt(first.start).line;
    const extras = { element: element.name, notes: [`the first stands on line ${line}`] };
    this.#list.report("HG1011", attribute.start, attribute.nameEnd, values, extras);
  }

  #sayJunk(element: OpenElement, at: number, end: number): void {
    const found = this.#text.slice(at, Math.min(end, at + 20));
    if (typographicQuotes.includes(found[0] ?? " "))
      this.#list.report("HG1030", at, at + 1, { quote: found[0]! });
    else {
      const hint =
        found === "," || found === ";" ? "attributes are separated by white space alone" : undefined;
      this.#list.report("HG1025", at, end, { found, element: element.name }, { element: element.name, hint });
    }
  }

  #sayXmlComment(found: ExpressionEnd): boolean {
    if (found.comment === null) return false;
    this.#list.report("HG1021", found.comment.start, found.comment.end);
    return true;
  }

  #sayStrayBracket(from: number): boolean {
    const at = skipSpace(this.#text, from);
    const c = this.#text[at];
    if (c !== ")" && c !== "}" && c !== "]") return false;
    this.#list.report("HG1020", at, at + 1, { found: c });
    return true;
  }

  /** Says what exactly an expression in `start`..`end` leaves open. */
  #sayOpenExpression(start: number, end: number): void {
    const text = this.#text.slice(start, end);
    const found = findExpressionEnd(text, 0, true);
    const at = start + Math.max(0, found.failureAt);
    const open = text[1] ?? "(";
    if (found.failure === "hole") this.#list.report("HG1037", at, at + 1);
    else if (found.failure === "string") {
      const odd = start + oddString(text, found.failureAt);
      const lineEnd = Math.min(end, endOfLine(this.#text, odd));
      this.#list.report("HG1018", odd, Math.max(odd + 1, lineEnd), { what: "string" });
    } else if (found.failure === "comment") this.#list.report("HG1019", at, at + 2);
    else if (found.comment !== null) this.#sayXmlComment({ ...found, comment: shift(found.comment, start) });
    else this.#list.report("HG1017", start, start + 2, { open: `@${open}`, close: open === "(" ? ")" : "}" });
  }

  #expressionValue(start: number, end: number, found: ExpressionEnd): MappedText {
    const text = this.#text;
    if (this.#format === "encoded") return decodeEntities(text, start, end, this.#list);
    if (found.codeEntities === null) return new MappedText(text.slice(start, end), start, end);
    return decodeEntitiesAt(text, start, end, found.codeEntities);
  }

  /** Once per document: control characters are a sign of a wrong encoding, and then there are many. */
  #checkCharacters(): void {
    // oxlint-disable-next-line no-control-regex
    const at = this.#text.search(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/);
    if (at === -1) return;
    const code = this.#text.charCodeAt(at);
    if (isXmlCharacter(code)) return;
    const character = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
    const hint = code === 0 ? "the file seems to be UTF-16: save it as UTF-8" : undefined;
    this.#list.report("HG1028", at, at + 1, { character }, { hint });
  }
}
