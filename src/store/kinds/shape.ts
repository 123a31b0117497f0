/**
 * Shapes of properties, and the check that compares a value with its shape.
 *
 * The rules are those of spec "Resource model" 1.1: unknown properties are kept, `null` means absent,
 * numbers and booleans may come as text, enums and property names are compared without regard to
 * case. The check answers a normalised copy, in which known properties have exactly the names and
 * types of `contract`, and every deviation, not only the first.
 */
import { suggest } from "../../base/suggest.ts";
import { didYouMean, type MessageCode } from "../messages.ts";

export type Shape =
  | { readonly kind: "any" }
  | { readonly kind: "text"; readonly min?: number; readonly max?: number; readonly rule?: TextRule }
  | { readonly kind: "boolean" }
  | NumberShape
  | { readonly kind: "one-of"; readonly values: readonly string[] }
  | { readonly kind: "list"; readonly of: Shape; readonly max?: number }
  | { readonly kind: "map"; readonly of: Shape; readonly name?: TextRule }
  | ObjectShape
  | { readonly kind: "either"; readonly shapes: readonly Shape[] };

interface NumberShape {
  readonly kind: "number";
  readonly whole: boolean;
  readonly min?: number;
  readonly max?: number;
}

export interface ObjectShape {
  readonly kind: "object";
  readonly properties: { readonly [name: string]: Shape };
  readonly required: readonly string[];
  readonly rule?: ObjectRule;
}

/** A rule for texts: answers what is wrong ("must not …"), or undefined. */
export type TextRule = (text: string) => { rule: string; hint?: string } | undefined;

/** A rule for what the properties of an object say together; they are normalised already. */
export type ObjectRule = (properties: Readonly<Record<string, unknown>>) => ReturnType<TextRule>;

export const any: Shape = { kind: "any" };
export const boolean: Shape = { kind: "boolean" };
export function text(max?: number, options: { min?: number; rule?: TextRule } = {}): Shape {
  return { kind: "text", max, ...options };
}
export function integer(min?: number, max?: number): Shape {
  return { kind: "number", whole: true, min, max };
}
export function number(min?: number, max?: number): Shape {
  return { kind: "number", whole: false, min, max };
}
export function oneOf(...values: string[]): Shape {
  return { kind: "one-of", values };
}
export function list(of: Shape, max?: number): Shape {
  return { kind: "list", of, max };
}
/** @param name a rule for the names */
export function map(of: Shape, name?: TextRule): Shape {
  return { kind: "map", of, name };
}
export function object(
  properties: ObjectShape["properties"],
  required: readonly string[] = [],
  rule?: ObjectRule,
): ObjectShape {
  return { kind: "object", properties, required, rule };
}
export function either(...shapes: Shape[]): Shape {
  return { kind: "either", shapes };
}

/** Days, hours, minutes, seconds; weeks alone. Months and years have no fixed length. */
const DURATION = /^P(?=.)(?:\d+W|(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?)$/;
export const duration: Shape = text(100, {
  rule: (value) =>
    DURATION.test(value)
      ? undefined
      : { rule: `must be an ISO 8601 duration, but is \`${value}\``, hint: "for example `PT1M` or `PT30S`" },
});

export type PropertyPath = readonly (string | number)[];

export interface Finding {
  readonly code: MessageCode;
  readonly path: PropertyPath;
  readonly parameters: Readonly<Record<string, string | number>>;
  readonly hint?: string;
  /** True: point at the name of the property rather than at its value. */
  readonly atKey?: boolean;
}

/** Compares `value` with `shape`; the answer shares nothing mutable with known parts of the input. */
export function checkShape(
  value: unknown,
  shape: Shape,
  findings: Finding[],
  path: PropertyPath = [],
): unknown {
  switch (shape.kind) {
    case "any":
      return value;
    case "text":
      return checkText(value, shape, findings, path);
    case "boolean":
      return checkBoolean(value, findings, path);
    case "number":
      return checkNumber(value, shape, findings, path);
    case "one-of":
      return checkOneOf(value, shape.values, findings, path);
    case "list":
      return checkList(value, shape, findings, path);
    case "map":
      return checkMap(value, shape, findings, path);
    case "object":
      return checkObject(value, shape, findings, path);
    case "either":
      return checkEither(value, shape.shapes, findings, path);
  }
}

function checkText(value: unknown, shape: Shape & { kind: "text" }, findings: Finding[], path: PropertyPath) {
  // An unquoted revision or version in YAML is a number; a boolean here is surely a mistake.
  const given = typeof value === "number" && Number.isSafeInteger(value) ? String(value) : value;
  if (typeof given !== "string") return wrongType(value, "text", findings, path);
  const rule = textRule(given, shape);
  if (rule) findings.push(finding("HG5203", path, { rule: rule.rule }, rule.hint));
  return given;
}

function textRule(value: string, { min = 0, max = Infinity, rule }: Shape & { kind: "text" }) {
  if (value.length > max) return { rule: `is longer than ${max} characters (${value.length})` };
  if (value.length < min)
    return { rule: value === "" ? "must not be empty" : `is shorter than ${min} characters` };
  return rule?.(value);
}

function checkBoolean(value: unknown, findings: Finding[], path: PropertyPath) {
  if (typeof value === "boolean") return value;
  const folded = typeof value === "string" ? value.toLowerCase() : undefined;
  if (folded === "true" || folded === "false") return folded === "true";
  const meant =
    folded === "yes" || folded === "on" ? "true" : folded === "no" || folded === "off" ? "false" : "";
  return wrongType(value, "true or false", findings, path, meant && `write \`${meant}\` without quotes`);
}

function checkNumber(value: unknown, shape: NumberShape, findings: Finding[], path: PropertyPath) {
  const { whole, min = -Infinity, max = Infinity } = shape;
  const given =
    typeof value === "string" && /^[+-]?\d{1,15}(\.\d{1,15})?$/.test(value.trim()) ? Number(value) : value;
  if (typeof given !== "number" || !Number.isFinite(given) || (whole && !Number.isInteger(given))) {
    return wrongType(value, whole ? "a whole number" : "a number", findings, path);
  }
  if (given < min || given > max) {
    const bounds = max === Infinity ? `at least ${min}` : `between ${min} and ${max}`;
    findings.push(finding("HG5203", path, { rule: `must be ${bounds}, but is ${given}` }));
  }
  return given;
}

function checkOneOf(value: unknown, values: readonly string[], findings: Finding[], path: PropertyPath) {
  const folded = String(value).toLowerCase();
  const known = values.find((candidate) => candidate.toLowerCase() === folded);
  if (known !== undefined && typeof value !== "object") return known;
  const expected = values.map((candidate) => `\`${candidate}\``).join(", ");
  const hint = typeof value === "string" ? didYouMean(enumSuggestion(value, values)) : undefined;
  findings.push(finding("HG5202", path, { expected: `one of ${expected}`, actual: describe(value) }, hint));
  return undefined;
}

/** People mostly write more or less of the word: `Path segment`, `seg`, `published!`. */
function enumSuggestion(value: string, values: readonly string[]): string | null {
  const folded = value.toLowerCase();
  return (
    suggest(value, values) ??
    values.find(
      (known) =>
        folded.length > 2 && (known.toLowerCase().includes(folded) || folded.includes(known.toLowerCase())),
    ) ??
    null
  );
}

function checkList(value: unknown, shape: Shape & { kind: "list" }, findings: Finding[], path: PropertyPath) {
  if (!Array.isArray(value)) return wrongType(value, "a list", findings, path, "write it inside `[ ]`");
  if (shape.max !== undefined && value.length > shape.max) {
    findings.push(finding("HG5203", path, { rule: `has ${value.length} entries; ${shape.max} are allowed` }));
  }
  const checked: unknown[] = [];
  for (let i = 0; i < value.length; i++) {
    const entry = checkShape(value[i], shape.of, findings, [...path, i]);
    if (entry !== undefined && entry !== null) checked.push(entry);
  }
  return checked;
}

function checkMap(value: unknown, shape: Shape & { kind: "map" }, findings: Finding[], path: PropertyPath) {
  if (!isObject(value)) return wrongType(value, "an object", findings, path);
  const checked: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries(value)) {
    if (entry === null) continue;
    const wrong = shape.name?.(name);
    if (wrong !== undefined)
      findings.push({ ...finding("HG5203", [...path, name], { rule: wrong.rule }, wrong.hint), atKey: true });
    setOwn(checked, name, checkShape(entry, shape.of, findings, [...path, name]));
  }
  return checked;
}

function checkObject(value: unknown, shape: ObjectShape, findings: Finding[], path: PropertyPath) {
  if (!isObject(value)) return wrongType(value, "an object", findings, path);
  const checked: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries(value)) {
    if (entry === null) continue;
    const known = knownName(shape, name);
    if (known === undefined) {
      setOwn(checked, name, entry);
      reportMisspelling(name, shape, value, findings, path);
    } else {
      const normal = checkShape(entry, shape.properties[known]!, findings, [...path, name]);
      if (normal !== undefined && !Object.hasOwn(checked, known)) checked[known] = normal;
    }
  }
  for (const name of shape.required) {
    const present = Object.keys(value).some((key) => knownName(shape, key) === name && value[key] !== null);
    if (!present) findings.push({ code: "HG5204", path, parameters: { property: name } });
  }
  const wrong = shape.rule?.(checked);
  if (wrong !== undefined) findings.push(finding("HG5203", path, { rule: wrong.rule }, wrong.hint));
  return checked;
}

/** The spelling of `contract`, when the name is known; lower-case maps are built once per shape. */
function knownName(shape: ObjectShape, name: string): string | undefined {
  if (Object.hasOwn(shape.properties, name)) return name;
  let folded = foldedNames.get(shape);
  if (!folded) {
    folded = new Map(Object.keys(shape.properties).map((known) => [known.toLowerCase(), known]));
    foldedNames.set(shape, folded);
  }
  return folded.get(name.toLowerCase());
}
const foldedNames = new WeakMap<ObjectShape, Map<string, string>>();

function reportMisspelling(
  name: string,
  shape: ObjectShape,
  value: Record<string, unknown>,
  findings: Finding[],
  path: PropertyPath,
): void {
  const free = Object.keys(shape.properties).filter((known) => !Object.hasOwn(value, known));
  const meant = suggest(name, free);
  if (meant === null) return;
  findings.push({
    code: "HG5205",
    path: [...path, name],
    parameters: { property: name },
    hint: didYouMean(meant),
    atKey: true,
  });
}

function checkEither(value: unknown, shapes: readonly Shape[], findings: Finding[], path: PropertyPath) {
  let first: Finding[] | undefined;
  for (const shape of shapes) {
    const attempt: Finding[] = [];
    const checked = checkShape(value, shape, attempt, path);
    if (!attempt.some((found) => found.code !== "HG5205")) {
      findings.push(...attempt);
      return checked;
    }
    first ??= attempt;
  }
  findings.push(...(first ?? []));
  return undefined;
}

function wrongType(value: unknown, expected: string, findings: Finding[], path: PropertyPath, hint?: string) {
  findings.push(finding("HG5201", path, { expected, actual: describe(value) }, hint || undefined));
  return undefined;
}

function finding(
  code: MessageCode,
  path: PropertyPath,
  parameters: Record<string, string | number>,
  hint?: string,
): Finding {
  return { code, path, parameters: { property: pathText(path), ...parameters }, hint };
}

/** `pool.services[2].id` */
export function pathText(path: PropertyPath): string {
  let written = "";
  for (const step of path) {
    if (typeof step === "number") written += `[${step}]`;
    else written += written === "" ? step : `.${step}`;
  }
  return written;
}

/** A value as a message shows it: short, and with its type where that is the point. */
export function describe(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  if (typeof value === "string")
    return `the text \`${value.length > 60 ? value.slice(0, 60) + "…" : value}\``;
  return `\`${String(value)}\``;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Sets an own property even when the name is `__proto__`. */
export function setOwn(target: Record<string, unknown>, name: string, value: unknown): void {
  if (name === "__proto__") {
    Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
  } else {
    target[name] = value;
  }
}
