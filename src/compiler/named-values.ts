/**
 * `{{DisplayName}}` in attribute values, text and expressions becomes the named value's text.
 *
 * This happens after the XML has been read, so a value cannot break the document, and before expressions are compiled,
 * so a value may be an expression itself. It happens once: `{{x}}` inside a value stays literal.
 * Spec: policies-document.md §3.
 */
import type { DiagnosticList } from "./diagnostics.ts";
import { MappedTextBuilder } from "./source.ts";
import type { MappedText } from "./source.ts";

export interface NamedValue {
  readonly value: string;
  /** Never shown: not in diagnostics, not in the effective policy. */
  readonly secret: boolean;
}

/** By display name; names are case-sensitive. */
export interface NamedValueLookup {
  find(name: string): NamedValue | undefined;
  names(): Iterable<string>;
}

export interface Substitution {
  readonly value: MappedText;
  /** A name was not found: the value is not what the author meant, so it is not worth checking further. */
  readonly unresolved: boolean;
}

/** What to do about a name that does not exist: refuse, warn (a document checked alone), or leave it to Liquid. */
export type UndefinedNames = "error" | "warning" | "ignore";

const reference = /\{\{([A-Za-z0-9._-]{1,256})\}\}/g;

/** True if the text holds what looks like a reference. */
export function hasReference(text: string): boolean {
  // Not `reference.test`: a global pattern remembers where it stopped, and `matchAll` would begin there.
  return text.includes("{{") && text.search(reference) !== -1;
}

export function substituteNamedValues(
  value: MappedText,
  lookup: NamedValueLookup,
  undefinedNames: UndefinedNames,
  list: DiagnosticList,
  element?: string,
): Substitution {
  const { text } = value;
  if (!text.includes("{{")) return { value, unresolved: false };
  const builder = new MappedTextBuilder(value.start);
  let from = 0;
  let unresolved = false;
  for (const match of text.matchAll(reference)) {
    const at = match.index;
    const end = at + match[0].length;
    const name = match[1]!;
    const found = lookup.find(name);
    if (found === undefined) {
      if (undefinedNames === "ignore" || isEscapedHole(text, at, end)) continue;
      unresolved = true;
      const likely = list.suggest(name, lookup.names());
      const hint = likely === null ? undefined : `did you mean \`{{${likely}}}\`?`;
      const extras = { hint, element, severity: undefinedNames };
      list.report("HG4001", value.startOf(at), value.endOf(end), { name }, extras);
      continue;
    }
    builder.appendPart(value, from, at);
    const start = value.startOf(at);
    builder.replace(found.value, start, value.endOf(end) - start, { namedValue: name, secret: found.secret });
    from = end;
  }
  if (from === 0) return { value, unresolved };
  builder.appendPart(value, from, text.length);
  return { value: builder.build(value.end), unresolved };
}

/** `$"{{{x}}}"` is C#'s way to write a hole between braces, and no reference unless such a named value exists. */
function isEscapedHole(text: string, at: number, end: number): boolean {
  return text[at - 1] === "{" && text[end] === "}";
}
