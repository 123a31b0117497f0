/**
 * Turns the text of an attribute or element into what a policy gets: a converted literal, or a `Value` that is asked
 * for each request. Spec: policies-document.md §2.2, §2.3; expressions.md §1.3.
 */
import { messages } from "./diagnostics.ts";
import type { DiagnosticList } from "./diagnostics.ts";
import { constantValue } from "./expression.ts";
import type { CompileExpression, ExpressionDiagnostic } from "./expression.ts";
import { substituteNamedValues } from "./named-values.ts";
import type { NamedValueLookup, UndefinedNames } from "./named-values.ts";
import type { ReferenceKind, ValueShape } from "./policy.ts";
import type { MappedText, Stretch } from "./source.ts";
import { readValue } from "./xml/value.ts";

/** What values may refer to, and how strictly that is taken. */
export interface ValueWorld {
  readonly namedValues: NamedValueLookup;
  readonly compileExpression: CompileExpression;
  /** Whether a resource exists; `undefined` when nobody knows. */
  readonly exists: (kind: ReferenceKind, name: string) => boolean | undefined;
  /** Names of the resources of a kind, for "did you mean". */
  readonly namesOf?: (kind: ReferenceKind) => Iterable<string>;
  /**
   * A document on its own: unknown references are warnings, and placeholders such as `{backend-id}`, which published
   * documents leave to be filled in, are taken as they are.
   */
  readonly loose: boolean;
}

export interface ValuePlace {
  /** ``attribute `count` `` or `the text of <value>`. */
  readonly what: string;
  readonly element: string;
  readonly list: DiagnosticList;
  /** Unknown `{{names}}` belong to Liquid. */
  readonly isLiquid?: boolean;
  /** The value refers to something that is not known. */
  readonly onOpen?: () => void;
  /** The code of an expression was seen, for warnings about the document as a whole. */
  readonly onExpression?: (code: MappedText) => void;
}

/** Not a value: there was a mistake, and it has been reported. */
export const unusable: unique symbol = Symbol("unusable");

/**
 * Places that a tool fills in before the document is saved: `{backend-id}` of published samples, `${url}` and `%{ if … }` of
 * Terraform, `{#token#}` and `{#[TOKEN]#}` of APIOps, `#{token}#` of release pipelines. A document that is checked alone
 * still has them.
 */
const PLACEHOLDER = /\{#?\[?[A-Za-z_][\w.-]*\]?#?\}|\$\{[^{}]+\}|%\{[^{}]*\}|#\{[^{}]+\}#/;

export function isPlaceholder(text: string): boolean {
  return text.includes("{") && PLACEHOLDER.test(text);
}

/** Nothing but such places: a directive line of a template. */
export function isOnlyPlaceholders(text: string): boolean {
  return isPlaceholder(text) && text.replace(new RegExp(PLACEHOLDER, "g"), "").trim() === "";
}

/** In code only what C# can never mean: `${x}` (outside an interpolated string) and a hole such as `{group-id}`. */
const PLACEHOLDER_IN_CODE = /(?<!\$@?"[^"]*)\$\{[\w.-]+\}|\{[A-Za-z_]\w*(?:-\w+)+\}/;

export function bindValue(raw: MappedText, shape: ValueShape, world: ValueWorld, place: ValuePlace): unknown {
  const { list, element } = place;
  const undefinedNames: UndefinedNames =
    place.isLiquid === true ? "ignore" : world.loose ? "warning" : "error";
  const { value, unresolved } = substituteNamedValues(raw, world.namedValues, undefinedNames, list, element);
  if (unresolved && !world.loose) return unusable;
  if (unresolved) place.onOpen?.();
  const read = readValue(value, list, element);
  if (read.kind === "broken") return unusable;
  if (read.kind === "expression") {
    if (shape.expression !== true) {
      list.report("HG2113", read.whole.start, read.whole.end, { what: place.what }, { element });
      return unusable;
    }
    place.onExpression?.(read.code);
    const { diagnostics, value: compiled } = world.compileExpression(read.code.text, read.form, shape.type);
    // Between backticks `${x}` is JavaScript, and said to be.
    const isTemplate = world.loose && isPlaceholder(read.code.text) && !read.code.text.includes("`");
    if (isTemplate) place.onOpen?.();
    if (unresolved || (isTemplate && PLACEHOLDER_IN_CODE.test(read.code.text))) return compiled ?? unusable;
    reportExpression(diagnostics, read.code, list, element);
    return compiled ?? unusable;
  }
  const isOpen = world.loose && (unresolved || isPlaceholder(value.text));
  if (isOpen) place.onOpen?.();
  if (isOpen && (isTyped(shape) || shape.oneOf !== undefined) && shape.references === undefined)
    return unusable;
  const literal = isOpen ? value.text : convertLiteral(value, shape, world, place);
  if (literal === unusable) return unusable;
  return shape.expression === true ? constantValue(literal) : literal;
}

// ── Expressions ───────────────────────────────────────────────────────────────────────────────────────────────────

function reportExpression(
  diagnostics: readonly ExpressionDiagnostic[],
  code: MappedText,
  list: DiagnosticList,
  element: string,
): void {
  for (const { start, end, ...rest } of diagnostics) {
    const secret = code.hasSecret ? secretBehind(code, start, end, rest.message) : null;
    if (secret !== null) {
      const values = { name: secret.namedValue ?? "" };
      list.report("HG3902", secret.offset, secret.offset + secret.sourceLength, values, { element });
      continue;
    }
    // Hints quote names that are in scope, and a secret may have brought some.
    const [reference] = rest.code === "HG3100" ? code.namedValuesIn(start, end) : [];
    const quoted =
      reference === undefined
        ? undefined
        : `a named value is put in as it is; as text it stands in quotes: \`"{{${reference.namedValue}}}"\``;
    const { hint = quoted ?? mendOf(rest.code), ...plain } = rest;
    const range = list.source.rangeAt(code.startOf(start), code.endOf(end));
    list.add({ ...plain, ...(hint === undefined || code.hasSecret ? {} : { hint }), range, element });
  }
}

/** What a page of `headgate explain` advises, as a hint where there is no better one. */
function mendOf(code: string): string | undefined {
  const mend = messages[code]?.explain.mend;
  if (mend === undefined || mend.length > 110) return undefined;
  return mend.charAt(0).toLowerCase() + mend.slice(1).replace(/\.$/, "");
}

/** The secret that a diagnostic is about, or that its message would show a piece of. */
function secretBehind(code: MappedText, start: number, end: number, message: string): Stretch | null {
  const touched = code.namedValuesIn(start, end).find((stretch) => stretch.secret === true);
  if (touched !== undefined) return touched;
  const words = new Set(message.match(/[\p{L}\p{N}_]{3,}/gu) ?? []);
  for (const stretch of code.namedValuesIn(0, code.text.length)) {
    if (stretch.secret !== true) continue;
    const pieces = code.textOf(stretch).match(/[\p{L}\p{N}_]{3,}/gu) ?? [];
    if (pieces.some((piece) => words.has(piece))) return stretch;
  }
  return null;
}

// ── Literals ──────────────────────────────────────────────────────────────────────────────────────────────────────

function convertLiteral(value: MappedText, shape: ValueShape, world: ValueWorld, place: ValuePlace): unknown {
  const keepsSpace = shape.trim === false || (shape.trim === undefined && shape.type === "body");
  const text = keepsSpace ? value.text : value.text.trim();
  if (shape.oneOf !== undefined) return oneOf(text, value, shape, place);
  if (text === "" && isTyped(shape)) return sayEmpty(value, place);
  if (shape.format !== undefined && !shape.format.pattern.test(text)) {
    return sayType(shape.format.expected, value, shape, place);
  }
  switch (shape.type) {
    case "bool":
      return convertBool(text, value, shape, place);
    case "int":
    case "number":
      return convertNumber(text, value, shape, place);
    default:
      return shape.references === undefined
        ? text
        : checkReference(text, shape.references, value, world, place);
  }
}

function isTyped(shape: ValueShape): boolean {
  const { type, references, format } = shape;
  return (
    type === "bool" || type === "int" || type === "number" || references !== undefined || format !== undefined
  );
}

function oneOf(text: string, value: MappedText, shape: ValueShape, place: ValuePlace): unknown {
  const allowed = shape.oneOf ?? [];
  const found = allowed.find((candidate) => candidate.toLowerCase() === text.toLowerCase());
  if (found !== undefined) return shape.type === "int" || shape.type === "number" ? Number(found) : found;
  if (text === "") return sayEmpty(value, place);
  const likely = place.list.suggest(text, allowed);
  const hint = likely === null || isSecret(value) ? undefined : `did you mean \`${likely}\`?`;
  const notes = hint === undefined ? undefined : [`one of: ${allowed.join(", ")}`];
  const values = { what: place.what, value: shown(value, place), allowed: allowed.join(", ") };
  const [start, end] = visible(value);
  place.list.report("HG2110", start, end, values, { hint, notes, element: place.element });
  return unusable;
}

function convertBool(text: string, value: MappedText, shape: ValueShape, place: ValuePlace): unknown {
  const lower = text.toLowerCase();
  if (lower === "true" || lower === "false") return lower === "true";
  return sayType("`true` or `false`", value, shape, place);
}

function convertNumber(text: string, value: MappedText, shape: ValueShape, place: ValuePlace): unknown {
  const isInt = shape.type === "int";
  const pattern = isInt ? /^[+-]?\d{1,15}$/ : /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
  const number = Number(text);
  if (!pattern.test(text) || !Number.isFinite(number)) {
    return sayType(isInt ? "a whole number" : "a number", value, shape, place);
  }
  const { min, max } = shape;
  if ((min === undefined || number >= min) && (max === undefined || number <= max)) return number;
  const bounds =
    min !== undefined && max !== undefined
      ? `between ${min} and ${max}`
      : min !== undefined
        ? `${min} or more`
        : `${max} or less`;
  const [start, end] = visible(value);
  const values = { what: place.what, bounds, value: shown(value, place) };
  place.list.report("HG2111", start, end, values, { element: place.element });
  return unusable;
}

function checkReference(
  name: string,
  kind: ReferenceKind,
  value: MappedText,
  world: ValueWorld,
  place: ValuePlace,
): unknown {
  if (world.exists(kind, name) !== false) return name;
  const likely = isSecret(value) ? null : place.list.suggest(name, world.namesOf?.(kind) ?? []);
  const hint = likely === null ? undefined : `did you mean \`${likely}\`?`;
  const [start, end] = visible(value);
  const severity = world.loose ? "warning" : "error";
  const values = { kind: kind.replaceAll("-", " "), name: shown(value, place) };
  place.list.report("HG4006", start, end, values, { hint, severity, element: place.element });
  return world.loose ? name : unusable;
}

function sayType(expected: string, value: MappedText, shape: ValueShape, place: ValuePlace): typeof unusable {
  const [start, end] = visible(value);
  const values = { what: place.what, expected, value: shown(value, place) };
  place.list.report("HG2109", start, end, values, {
    element: place.element,
    hint: isSecret(value) ? undefined : typeHint(value.text.trim(), shape),
  });
  return unusable;
}

/** What was most likely meant. */
function typeHint(text: string, shape: ValueShape): string | undefined {
  if (shape.expression === true && /\bcontext\s*\.|[=!<>]=|&&|\|\|/.test(text)) {
    return "code is written as an expression: `@(…)`";
  }
  if (shape.type === "bool") {
    if (/^\W*(?:true|yes|on|1)\W*$/i.test(text)) return "write `true`";
    if (/^\W*(?:false|no|off|0)\W*$/i.test(text)) return "write `false`";
  }
  if (shape.type !== "int" && shape.type !== "number") return undefined;
  const number = /^\D{0,3}?(-?\d+(?:\.\d+)?)(?![\d.,])\D*$/.exec(text)?.[1];
  if (number === undefined) return undefined;
  if (shape.type === "number" || !number.includes(".")) return `write \`${number}\``;
  return undefined;
}

function sayEmpty(value: MappedText, place: ValuePlace): typeof unusable {
  // Between the quotes or tags stands nothing to point at, so the closing one is shown.
  place.list.report("HG2112", value.start, value.end + 1, { what: place.what }, { element: place.element });
  return unusable;
}

/** The value without the white space around it, as offsets in the file. */
function visible(value: MappedText): [number, number] {
  const from = value.text.search(/\S/);
  if (from === -1) return [value.start, value.end];
  return [value.startOf(from), value.endOf(value.text.trimEnd().length)];
}

/** As it stands in the file: `{{name}}` instead of what the named value holds. */
function shown(value: MappedText, place: ValuePlace): string {
  const [start, end] = visible(value);
  return place.list.source.text.slice(start, end);
}

function isSecret(value: MappedText): boolean {
  return value.hasSecret;
}
