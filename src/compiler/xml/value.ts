/** What a value is once entities and named values are in: a literal, or one expression as the whole of it. */
import type { DiagnosticList } from "../diagnostics.ts";
import type { MappedText } from "../source.ts";
import { findExpressionEnd, isExpressionStart } from "./expression-end.ts";

export type ReadValue =
  | { readonly kind: "literal"; readonly value: MappedText }
  /** `code` is what stands between the brackets. */
  | {
      readonly kind: "expression";
      readonly form: ExpressionForm;
      readonly code: MappedText;
      readonly whole: MappedText;
    }
  /** Reported already. */
  | { readonly kind: "broken" };

/** `@( … )`: one expression. `@{ … }`: statements. */
export type ExpressionForm = "expression" | "block";

/**
 * Source: policies-document.md §2.2: an expression is the whole value, with white space around it ignored; text mixed
 * with an expression stays literal.
 */
export function readValue(value: MappedText, list: DiagnosticList, element?: string): ReadValue {
  const { text } = value;
  const at = text.search(/\S/);
  if (at === -1 || !isExpressionStart(text, at)) {
    warnMixed(value, list, element);
    return { kind: "literal", value };
  }
  const found = findExpressionEnd(text, at, false);
  if (found.end === -1) return sayOpen(value, at, found.failure, found.failureAt, list, element);
  const rest = text.slice(found.end);
  const restAt = rest.search(/\S/);
  if (restAt !== -1) {
    const place = found.end + restAt;
    if (!/^[)\]};\s]+$/.test(rest)) {
      warnMixed(value, list, element);
      return { kind: "literal", value };
    }
    list.report("HG1020", value.startOf(place), value.endOf(place + 1), { found: text[place]! }, { element });
    return { kind: "broken" };
  }
  if (found.comment !== null) {
    const { start, end } = found.comment;
    list.report("HG1021", value.startOf(start), value.endOf(end), {}, { element });
    return { kind: "broken" };
  }
  const form = text[at + 1] === "(" ? "expression" : "block";
  const code = value.slice(at + 2, found.end - 1);
  if (code.text.trim() === "") {
    list.report("HG3901", value.startOf(at), value.endOf(found.end), {}, { element });
    return { kind: "broken" };
  }
  return { kind: "expression", form, code, whole: value.slice(at, found.end) };
}

function sayOpen(
  value: MappedText,
  at: number,
  failure: "bracket" | "string" | "hole" | "comment" | null,
  failureAt: number,
  list: DiagnosticList,
  element: string | undefined,
): ReadValue {
  const { text } = value;
  const secret = value.stretches?.find((stretch) => stretch.secret === true);
  if (secret !== undefined) {
    const values = { name: secret.namedValue ?? "" };
    list.report("HG3902", secret.offset, secret.offset + secret.sourceLength, values, { element });
  } else if (failure === "hole") {
    list.report("HG1037", value.startOf(failureAt), value.endOf(failureAt + 1), {}, { element });
  } else if (failure === "string") {
    const start = value.startOf(failureAt);
    list.report("HG1018", start, value.endOf(failureAt + 1), { what: "string" }, { element });
  } else if (failure === "comment") {
    list.report("HG1019", value.startOf(failureAt), value.endOf(failureAt + 2), {}, { element });
  } else {
    const open = text[at + 1]!;
    const values = { open: `@${open}`, close: open === "(" ? ")" : "}" };
    list.report("HG1017", value.startOf(at), value.endOf(at + 2), values, { element });
  }
  return { kind: "broken" };
}

function warnMixed(value: MappedText, list: DiagnosticList, element: string | undefined): void {
  const at = value.text.search(/@[({]/);
  if (at === -1) return;
  list.report("HG6003", value.startOf(at), value.endOf(at + 2), {}, { element });
}
