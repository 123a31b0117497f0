/** What XML must be before any schema is asked: well-formed, without document types, and for SOAP an envelope. */
import { XmlMistake, type XmlTag, readXmlEvents } from "../../base/xml-events.ts";
import { MOST_XML_DEPTH } from "../../gateway/body-limits.ts";

export interface XmlShapeMistake {
  readonly error: string;
  readonly line: number;
  readonly position: number;
}

export const SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/";
export const SOAP_12 = "http://www.w3.org/2003/05/soap-envelope";

/** Looks at a document piece by piece; nothing of it is kept. */
export class XmlShape {
  readonly #isSoap: boolean;
  readonly #onTag: () => void;
  #depth = 0;
  #root: XmlTag | null = null;
  #bodies = 0;

  /** @param onTag called for each element; may throw to end it */
  constructor(isSoap: boolean, onTag: () => void = () => {}) {
    this.#isSoap = isSoap;
    this.#onTag = onTag;
  }

  open(tag: XmlTag): void {
    this.#onTag();
    if (this.#depth === 0) this.#root = tag;
    else if (this.#depth === 1 && tag.local === "Body" && tag.uri === this.#root?.uri) this.#bodies++;
    this.#depth++;
  }

  close(): void {
    this.#depth--;
  }

  text(): void {}

  /** Once all has been read. */
  mistake(): XmlShapeMistake | null {
    if (!this.#isSoap) return null;
    const root = this.#root;
    if (root === null || root.local !== "Envelope" || (root.uri !== SOAP_11 && root.uri !== SOAP_12))
      return { error: "The root element is not a SOAP envelope.", line: 1, position: 1 };
    return this.#bodies === 1
      ? null
      : { error: "The SOAP envelope has no single Body.", line: 1, position: 1 };
  }
}

/** @returns what is wrong, or null */
export function xmlShapeMistake(
  text: string,
  isSoap: boolean,
  onTag: () => void = () => {},
): XmlShapeMistake | null {
  const shape = new XmlShape(isSoap, onTag);
  try {
    readXmlEvents(text, MOST_XML_DEPTH, {
      open: (tag) => shape.open(tag),
      close: () => shape.close(),
      text: () => {},
    });
  } catch (error) {
    if (error instanceof XmlMistake)
      return { error: error.message, line: error.line, position: error.position };
    throw error;
  }
  return shape.mistake();
}
