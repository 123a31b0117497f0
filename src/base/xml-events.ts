/**
 * XML as a row of events, for whoever needs no tree. Namespaces are checked, document types are refused, so there are
 * no entities but the five of XML itself and nothing is ever expanded or fetched.
 */
import { SaxesParser } from "saxes";

export interface XmlTag {
  /** As written, with prefix. */
  readonly name: string;
  readonly prefix: string;
  readonly local: string;
  readonly uri: string;
  /** `<a/>` */
  readonly isSelfClosing: boolean;
  readonly attributes: readonly XmlAttributeEvent[];
}

export interface XmlAttributeEvent {
  readonly name: string;
  readonly prefix: string;
  readonly local: string;
  readonly uri: string;
  readonly value: string;
}

export interface XmlHandlers {
  readonly declaration?: (declaration: {
    readonly version?: string;
    readonly encoding?: string;
    readonly standalone?: string;
  }) => void;
  readonly open: (tag: XmlTag) => void;
  readonly close: () => void;
  readonly text: (text: string) => void;
  /** Default: as text. */
  readonly cdata?: (text: string) => void;
  readonly instruction?: (target: string, data: string) => void;
  readonly comment?: (text: string) => void;
}

/** Not well-formed, or more than is allowed. Line from 1, position in UTF-16 units from 1. */
export class XmlMistake extends Error {
  readonly line: number;
  readonly position: number;

  constructor(message: string, line: number, position: number) {
    super(message);
    this.name = "XmlMistake";
    this.line = line;
    this.position = position;
  }
}

const MOST_ATTRIBUTES = 1000;

/**
 * @param maxDepth levels of elements
 * @throws XmlMistake
 */
export function readXmlEvents(text: string, maxDepth: number, handlers: XmlHandlers): void {
  readerOf(maxDepth, handlers)
    .write(text.startsWith("\ufeff") ? text.slice(1) : text)
    .close();
}

/** Of a text that is read in steps, in UTF-16 units: some milliseconds' work. */
const STEP = 16 * 1024;

/**
 * The same in steps, for texts that are too long to be read at once.
 *
 * @throws XmlMistake
 */
export function* readXmlInSteps(text: string, maxDepth: number, handlers: XmlHandlers): Generator<void> {
  const parser = readerOf(maxDepth, handlers);
  for (let at = text.startsWith("\ufeff") ? 1 : 0; at < text.length; at += STEP) {
    parser.write(text.slice(at, at + STEP));
    yield;
  }
  parser.close();
}

function readerOf(maxDepth: number, handlers: XmlHandlers): SaxesParser<{ xmlns: true }> {
  const parser = new SaxesParser({ xmlns: true });
  const mistake = (message: string): XmlMistake =>
    new XmlMistake(message, parser.line, parser.columnIndex + 1);
  let depth = 0;
  parser.on("error", ({ message }) => {
    throw mistake(sentence(message));
  });
  parser.on("doctype", () => {
    throw mistake("A document type declaration is not allowed.");
  });
  let attributeCount = 0;
  parser.on("opentagstart", () => {
    attributeCount = 0;
  });
  parser.on("attribute", () => {
    if (++attributeCount > MOST_ATTRIBUTES)
      throw mistake(`An element has more than ${MOST_ATTRIBUTES} attributes.`);
  });
  if (handlers.declaration !== undefined) parser.on("xmldecl", handlers.declaration);
  parser.on("opentag", (tag) => {
    if (++depth > maxDepth) throw mistake(`Elements are nested deeper than ${maxDepth}.`);
    const attributes = Object.values(tag.attributes);
    handlers.open({
      name: tag.name,
      prefix: tag.prefix,
      local: tag.local,
      uri: tag.uri,
      isSelfClosing: tag.isSelfClosing,
      attributes,
    });
  });
  parser.on("closetag", () => {
    depth--;
    handlers.close();
  });
  // Outside the root there is only white space.
  parser.on("text", (part) => {
    if (depth > 0) handlers.text(part);
  });
  parser.on("cdata", handlers.cdata ?? handlers.text);
  if (handlers.instruction !== undefined)
    parser.on("processinginstruction", ({ target, body }) => handlers.instruction!(target, body));
  if (handlers.comment !== undefined) parser.on("comment", handlers.comment);
  return parser;
}

/** `1:5: disallowed character.` → `Disallowed character.` */
function sentence(message: string): string {
  const bare = message.replace(/^\d+:\d+:\s*/, "");
  const text = bare.charAt(0).toUpperCase() + bare.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
