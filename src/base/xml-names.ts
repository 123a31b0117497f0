/** Any text as the name of an XML element and back (`XmlConvert.EncodeLocalName`): `a b` ↔ `a_x0020_b`. */

const START =
  /[A-Z_a-z\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u02FF\u0370-\u037D\u037F-\u1FFF\u200C\u200D\u2070-\u218F\u2C00-\u2FEF\u3001-\uD7FF\uF900-\uFDCF\uFDF0-\uFFFD]/;
const PART =
  /[-.0-9A-Z_a-z\u00B7\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u037D\u037F-\u1FFF\u200C\u200D\u203F\u2040\u2070-\u218F\u2C00-\u2FEF\u3001-\uD7FF\uF900-\uFDCF\uFDF0-\uFFFD]/;
const PLAIN = /^[A-Za-z][-.0-9A-Za-z]*$/;

/** A name without colon. The empty text has no name: `_`. */
export function encodeXmlName(text: string): string {
  if (PLAIN.test(text)) return text;
  if (text === "") return "_";
  let name = "";
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    // What looks like an escape already must not be read as one.
    const isEscape = c === "_" && /^_x[0-9A-Fa-f]{4}_/.test(text.slice(i, i + 7));
    if (!isEscape && (i === 0 ? START : PART).test(c)) name += c;
    else name += `_x${text.charCodeAt(i).toString(16).toUpperCase().padStart(4, "0")}_`;
  }
  return name;
}

export function decodeXmlName(name: string): string {
  if (!name.includes("_x")) return name;
  return name.replace(/_x([0-9A-Fa-f]{4})_/g, (_, digits: string) =>
    String.fromCharCode(parseInt(digits, 16)),
  );
}
