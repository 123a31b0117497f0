/** `XName` and `XNamespace`: values compared by text, never by identity (`expressions.md` §5.9). */
import { NetException, argumentError, argumentNull } from "../../errors.ts";
import type { Type } from "../../type.ts";
import { type NetObject, TYPE, hashOf, typeNamed } from "../../values.ts";

export const xmlError = (message: string): NetException =>
  new NetException("System.Xml.XmlException", message);

export const XML_URI = "http://www.w3.org/XML/1998/namespace";
export const XMLNS_URI = "http://www.w3.org/2000/xmlns/";

export class XNamespace implements NetObject {
  readonly uri: string;

  constructor(uri: string) {
    this.uri = uri;
  }

  get [TYPE](): Type {
    return typeNamed("System.Xml.Linq.XNamespace");
  }

  netToString(): string {
    return this.uri;
  }

  netEquals(other: unknown): boolean {
    return other instanceof XNamespace && other.uri === this.uri;
  }

  netHashCode(): number {
    return hashOf(this.uri);
  }
}

export class XName implements NetObject {
  readonly uri: string;
  readonly local: string;

  constructor(uri: string, local: string) {
    this.uri = uri;
    this.local = local;
  }

  get [TYPE](): Type {
    return typeNamed("System.Xml.Linq.XName");
  }

  /** `{uri}local`. */
  netToString(): string {
    return this.uri === "" ? this.local : `{${this.uri}}${this.local}`;
  }

  netEquals(other: unknown): boolean {
    return other instanceof XName && other.local === this.local && other.uri === this.uri;
  }

  netHashCode(): number {
    return hashOf(this.netToString());
  }
}

const START =
  /[:A-Z_a-z\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u02FF\u0370-\u037D\u037F-\u1FFF\u200C-\u200D\u2070-\u218F\u2C00-\u2FEF\u3001-\uD7FF\uF900-\uFDCF\uFDF0-\uFFFD]/;
const PART = /[\u0300-\u036F\u00B7\u203F\u2040.0-9-]/;

/** May begin a name, colon included. */
export function isNameStart(c: string): boolean {
  return START.test(c);
}

export function isNamePart(c: string): boolean {
  return START.test(c) || PART.test(c);
}

/** A name without colon. @throws XmlException, ArgumentException for an empty one */
export function checkLocalName(local: string | null): string {
  if (local === null) throw argumentNull("localName");
  if (local === "") throw argumentError("The empty string '' is not a valid local name.", "name");
  for (let i = 0; i < local.length; i++) {
    const c = local[i]!;
    if (c !== ":" && (i === 0 ? isNameStart(c) : isNamePart(c))) continue;
    const hex = c.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0");
    const where = i === 0 && isNamePart(c) ? "Name cannot begin with" : "";
    throw xmlError(
      where === ""
        ? `The '${c}' character, hexadecimal value 0x${hex}, cannot be included in a name.`
        : `${where} the '${c}' character, hexadecimal value 0x${hex}.`,
    );
  }
  return local;
}

/** `local` or `{uri}local`. */
export function expandedName(text: string | null): XName {
  if (text === null) throw argumentNull("expandedName");
  if (text === "") throw argumentError("'' is an invalid expanded name.");
  if (text[0] !== "{") return new XName("", checkLocalName(text));
  const end = text.lastIndexOf("}");
  if (end <= 1 || end === text.length - 1) throw argumentError(`'${text}' is an invalid expanded name.`);
  return new XName(text.slice(1, end), checkLocalName(text.slice(end + 1)));
}

export function sameXName(a: XName, b: XName): boolean {
  return a === b || (a.local === b.local && a.uri === b.uri);
}
