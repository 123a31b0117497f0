/** Entities of XML. Only the five of the standard and character numbers; nothing is ever declared. */
import type { DiagnosticList } from "../diagnostics.ts";
import { MappedText, MappedTextBuilder } from "../source.ts";

const named: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };
const entity = /&(#\d{1,8}|#[xX][\da-fA-F]{1,8}|[A-Za-z][\w.-]{0,31});/y;

/**
 * What becomes of white space that stands in the file itself (not as `&#10;`): in a literal attribute each line end and
 * tab is a space (XML 1.0 §3.3.3), in literal text each line end is `\n` (§2.11), in expressions all stays.
 */
export type WhiteSpace = "keep" | "attribute" | "text";

/**
 * Decodes `text[start..end)`. What is no entity stays as it is and is reported.
 *
 * @param bareAmpersand what to say about `&` that begins none; null: nothing
 */
export function decodeEntities(
  text: string,
  start: number,
  end: number,
  list: DiagnosticList,
  whiteSpace: WhiteSpace = "keep",
  bareAmpersand: "HG1013" | "HG6012" | null = "HG1013",
): MappedText {
  const raw = text.slice(start, end);
  const first = raw.indexOf("&");
  const isPlain =
    whiteSpace === "keep" || !(whiteSpace === "text" ? raw.includes("\r") : /[\r\n\t]/.test(raw));
  if (first === -1 && isPlain) return new MappedText(raw, start, end);
  const builder = new MappedTextBuilder(start);
  let from = start;
  for (let i = first; i !== -1; i = raw.indexOf("&", i + 1)) {
    const at = start + i;
    entity.lastIndex = at;
    const found = entity.exec(text);
    if (found === null || at + found[0].length > end) {
      if (bareAmpersand !== null) list.report(bareAmpersand, at, at + 1);
      continue;
    }
    const decoded = decode(found[1]!);
    if (decoded === null) {
      list.report("HG1014", at, at + found[0].length, { entity: found[0] });
      continue;
    }
    copy(builder, text, from, at, isPlain ? "keep" : whiteSpace);
    builder.replace(decoded, at, found[0].length);
    from = at + found[0].length;
  }
  copy(builder, text, from, end, isPlain ? "keep" : whiteSpace);
  return builder.build(end);
}

function copy(
  builder: MappedTextBuilder,
  text: string,
  from: number,
  to: number,
  whiteSpace: WhiteSpace,
): void {
  const piece = text.slice(from, to);
  if (whiteSpace === "keep") return builder.copy(piece, from);
  let at = 0;
  for (const { 0: found, index } of piece.matchAll(whiteSpace === "text" ? /\r\n?/g : /\r\n?|[\n\t]/g)) {
    builder.copy(piece.slice(at, index), from + at);
    builder.replace(whiteSpace === "text" ? "\n" : " ", from + index, found.length);
    at = index + found.length;
  }
  builder.copy(piece.slice(at), from + at);
}

/** Decodes only the entities that begin at the given places: those in the code of an expression, not in its strings. */
export function decodeEntitiesAt(
  text: string,
  start: number,
  end: number,
  places: readonly number[],
): MappedText {
  const builder = new MappedTextBuilder(start);
  let from = start;
  for (const at of places) {
    entity.lastIndex = at;
    const found = entity.exec(text);
    const decoded = found === null ? null : decode(found[1]!);
    if (found === null || decoded === null || at < from) continue;
    builder.copy(text.slice(from, at), from);
    builder.replace(decoded, at, found[0].length);
    from = at + found[0].length;
  }
  builder.copy(text.slice(from, end), from);
  return builder.build(end);
}

/** @param body without `&` and `;` */
function decode(body: string): string | null {
  if (!body.startsWith("#")) return Object.hasOwn(named, body) ? named[body]! : null;
  const hex = body[1] === "x" || body[1] === "X";
  const code = Number.parseInt(body.slice(hex ? 2 : 1), hex ? 16 : 10);
  return isXmlCharacter(code) ? String.fromCodePoint(code) : null;
}

/** XML 1.0 §2.2 `Char`. */
export function isXmlCharacter(code: number): boolean {
  return (
    code === 9 ||
    code === 10 ||
    code === 13 ||
    (code >= 0x20 && code <= 0xd7ff) ||
    (code >= 0xe000 && code <= 0xfffd) ||
    (code >= 0x10000 && code <= 0x10ffff)
  );
}
