/**
 * Distinguished names, compared by structure: as lists of attributes, each by its object id, whatever text an author or
 * a tool made of them (RFC 4514, and the forms of .NET and OpenSSL).
 */
import { type Der, children, derText, objectId } from "../../compiler/runtime/library/der.ts";

/** Relative names, the most general first; each one or more `oid=value`, ordered, folded. */
export type DistinguishedName = readonly string[];

const COMMON_NAME = "2.5.4.3";

const IDS: ReadonlyMap<string, string> = new Map([
  ["CN", COMMON_NAME],
  ["COMMONNAME", COMMON_NAME],
  ["SN", "2.5.4.4"],
  ["SURNAME", "2.5.4.4"],
  ["SERIALNUMBER", "2.5.4.5"],
  ["C", "2.5.4.6"],
  ["L", "2.5.4.7"],
  ["S", "2.5.4.8"],
  ["ST", "2.5.4.8"],
  ["STREET", "2.5.4.9"],
  ["O", "2.5.4.10"],
  ["OU", "2.5.4.11"],
  ["T", "2.5.4.12"],
  ["TITLE", "2.5.4.12"],
  ["G", "2.5.4.42"],
  ["GN", "2.5.4.42"],
  ["GIVENNAME", "2.5.4.42"],
  ["I", "2.5.4.43"],
  ["INITIALS", "2.5.4.43"],
  ["DNQ", "2.5.4.46"],
  ["DNQUALIFIER", "2.5.4.46"],
  ["E", "1.2.840.113549.1.9.1"],
  ["EMAIL", "1.2.840.113549.1.9.1"],
  ["EMAILADDRESS", "1.2.840.113549.1.9.1"],
  ["DC", "0.9.2342.19200300.100.1.25"],
  ["UID", "0.9.2342.19200300.100.1.1"],
]);

export function readName(name: Der | undefined): DistinguishedName | null {
  const sets = children(name);
  if (sets === null) return null;
  return sets.map((set) =>
    relative(
      (children(set) ?? []).map((attribute) => {
        const [id, value] = children(attribute) ?? [];
        return `${objectId(id)}=${value === undefined ? "" : fold(derText(value))}`;
      }),
    ),
  );
}

function relative(attributes: readonly string[]): string {
  return attributes.toSorted().join("\u0000+");
}

/** `caseIgnoreMatch` (RFC 4518 §2): without case, and runs of spaces count once. */
function fold(text: string): string {
  return text.normalize("NFKC").trim().replace(/\s+/g, " ").toLowerCase();
}

/**
 * A name as text: `CN=a, O="Contoso, Inc."`. Attributes are separated by `,` or `;`, joined by `+`.
 *
 * @returns the relative names in the order written; null when it is none
 */
export function parseName(text: string): DistinguishedName | null {
  const names: string[] = [];
  let attributes: string[] = [];
  let at = 0;
  for (;;) {
    const name = /\s*([A-Za-z][\w-]*|(?:OID\.)?\d+(?:\.\d+)*)\s*=\s*/iy;
    name.lastIndex = at;
    const match = name.exec(text);
    if (match === null) return null;
    const type = match[1]!.toUpperCase().replace(/^OID\./, "");
    const id = /^\d/.test(type) ? type : IDS.get(type);
    const value = readValue(text, name.lastIndex);
    if (id === undefined || value === null) return null;
    attributes.push(`${id}=${fold(value.text)}`);
    at = value.end;
    if (text[at] === "+") {
      at++;
      continue;
    }
    names.push(relative(attributes));
    attributes = [];
    if (at >= text.length) return names;
    at++;
  }
}

/** Up to the next separator; quotes (doubled inside) and backslashes protect. */
function readValue(text: string, start: number): { readonly text: string; readonly end: number } | null {
  let value = "";
  let quoted = false;
  let at = start;
  for (; at < text.length; at++) {
    const c = text[at]!;
    if (c === "\\" && at + 1 < text.length) {
      const hex = /^[0-9a-f]{2}/i.exec(text.slice(at + 1, at + 3));
      value += hex === null ? text[at + 1]! : String.fromCharCode(parseInt(hex[0], 16));
      at += hex === null ? 1 : 2;
    } else if (c === '"') {
      if (quoted && text[at + 1] === '"') {
        value += '"';
        at++;
      } else quoted = !quoted;
    } else if (!quoted && (c === "," || c === ";" || c === "+")) break;
    else value += c;
  }
  return quoted ? null : { text: value, end: at };
}

/** The same relative names, from the most general or from the most specific. */
export function sameName(name: DistinguishedName, written: DistinguishedName): boolean {
  if (name.length !== written.length) return false;
  return name.every((one, i) => one === written[i]) || name.every((one, i) => one === written.at(-1 - i));
}

/** Whether its most specific common name is this text. */
export function hasCommonName(name: DistinguishedName, text: string): boolean {
  const wanted = `${COMMON_NAME}=${fold(text)}`;
  const last = name.findLast((one) =>
    one.split("\u0000+").some((attribute) => attribute.startsWith(`${COMMON_NAME}=`)),
  );
  return last !== undefined && last.split("\u0000+").includes(wanted);
}
