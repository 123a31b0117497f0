/**
 * Newtonsoft's JSONPath dialect (`expressions.md` §5.8): text → a list of filters (`parsePath`), filters over tokens
 * → tokens (`evaluatePath`, lazily). The text is cut by `path-parser.ts`.
 */
import { spend } from "../../budget.ts";
import { NetException } from "../../errors.ts";
import * as kinds from "./kinds.ts";
import { compareScalars, sameScalar, textOfScalar } from "./scalars.ts";
import { JArray, JContainer, JObject, JProperty, type JToken, JValue } from "./token.ts";
import { dateJson, toNet } from "./scalars.ts";
import { bytesToBase64 } from "./base64.ts";

export type Filter =
  /** `.name`, `['a','b']`; null = `.*`. */
  | { readonly kind: "field"; readonly names: readonly string[] | null }
  /** `..name`, `..*`. */
  | { readonly kind: "scan"; readonly names: readonly string[] | null }
  /** `[0]`, `[0,2]`; null = `[*]`. */
  | { readonly kind: "index"; readonly indexes: readonly number[] | null }
  | {
      readonly kind: "slice";
      readonly start: number | null;
      readonly end: number | null;
      readonly step: number | null;
    }
  | { readonly kind: "query"; readonly test: Test; readonly scan: boolean };

export type Operator = "exists" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "===" | "!==" | "=~";

export type Test =
  | { readonly kind: "and" | "or"; readonly tests: readonly Test[] }
  | {
      readonly kind: "compare";
      readonly operator: Operator;
      readonly left: Operand;
      readonly right: Operand | null;
    };

export type Operand =
  | { readonly kind: "value"; readonly value: JValue }
  | { readonly kind: "path"; readonly fromRoot: boolean; readonly filters: readonly Filter[] }
  | { readonly kind: "regex"; readonly matches: (text: string) => boolean };

export const pathError = (message: string): NetException =>
  new NetException("Newtonsoft.Json.JsonException", message);

/** @param mustMatch throws JsonException where nothing matches */
export function evaluatePath(
  filters: readonly Filter[],
  root: JToken,
  start: JToken,
  mustMatch: boolean,
): Iterable<JToken> {
  let current: Iterable<JToken> = [start];
  for (const filter of filters) current = apply(filter, root, current, mustMatch);
  return current;
}

function apply(
  filter: Filter,
  root: JToken,
  current: Iterable<JToken>,
  mustMatch: boolean,
): Iterable<JToken> {
  switch (filter.kind) {
    case "field":
      return fields(filter.names, current, mustMatch);
    case "scan":
      return scan(filter.names, current);
    case "index":
      return indexes(filter.indexes, current, mustMatch);
    case "slice":
      return slices(filter, current, mustMatch);
    case "query":
      return filter.scan ? queryScan(filter.test, root, current) : query(filter.test, root, current);
  }
}

const typeName = (token: JToken): string => token.constructor.name;

function* fields(
  names: readonly string[] | null,
  current: Iterable<JToken>,
  mustMatch: boolean,
): Generator<JToken> {
  for (const token of current) {
    spend();
    if (!(token instanceof JObject)) {
      if (mustMatch)
        throw pathError(`Property '${names?.join("', '") ?? "*"}' not valid on ${typeName(token)}.`);
      continue;
    }
    if (names === null) {
      for (const property of token.children()) yield property.value;
      continue;
    }
    for (const name of names) {
      const value = token.item(name);
      if (value !== null) yield value;
      else if (mustMatch) throw pathError(`Property '${name}' does not exist on JObject.`);
    }
  }
}

function* scan(names: readonly string[] | null, current: Iterable<JToken>): Generator<JToken> {
  for (const token of current) {
    if (names === null) yield token;
    if (!(token instanceof JContainer)) continue;
    for (const below of token.descendants(false)) {
      if (below instanceof JProperty) {
        if (names !== null && names.includes(below.name)) yield below.value;
      } else if (names === null) yield below;
    }
  }
}

function* indexes(
  wanted: readonly number[] | null,
  current: Iterable<JToken>,
  mustMatch: boolean,
): Generator<JToken> {
  for (const token of current) {
    spend();
    if (!(token instanceof JArray)) {
      if (mustMatch) throw pathError(`Index ${wanted?.join(", ") ?? "*"} not valid on ${typeName(token)}.`);
      continue;
    }
    if (wanted === null) {
      yield* token;
      continue;
    }
    for (const index of wanted) {
      if (index < token.size) yield token.at(index);
      else if (mustMatch) throw pathError(`Index ${index} outside the bounds of JArray.`);
    }
  }
}

function* slices(
  { start, end, step }: { start: number | null; end: number | null; step: number | null },
  current: Iterable<JToken>,
  mustMatch: boolean,
): Generator<JToken> {
  if (step === 0) throw pathError("Step cannot be zero.");
  const by = step ?? 1;
  for (const token of current) {
    spend();
    if (!(token instanceof JArray)) {
      if (mustMatch) throw pathError(`Array slice is not valid on ${typeName(token)}.`);
      continue;
    }
    const { size } = token;
    let from = start ?? (by > 0 ? 0 : size - 1);
    let to = end ?? (by > 0 ? size : -1);
    if (start !== null && start < 0) from = size + start;
    if (end !== null && end < 0) to = size + end;
    from = Math.min(Math.max(from, by > 0 ? 0 : -Infinity), by > 0 ? size : size - 1);
    to = Math.min(Math.max(to, -1), size);
    const valid = by > 0 ? from < to : from > to;
    if (!valid) {
      if (mustMatch) throw pathError(`Array slice of ${start ?? "*"} to ${end ?? "*"} returned no results.`);
      continue;
    }
    for (let i = from; by > 0 ? i < to : i > to; i += by) {
      if (i >= 0) yield token.at(i);
    }
  }
}

function* query(test: Test, root: JToken, current: Iterable<JToken>): Generator<JToken> {
  for (const token of current) for (const child of token) if (matches(test, root, child)) yield child;
}

function* queryScan(test: Test, root: JToken, current: Iterable<JToken>): Generator<JToken> {
  for (const token of current) {
    const all = token instanceof JContainer ? token.descendants(true) : [token];
    for (const below of all) if (matches(test, root, below)) yield below;
  }
}

function matches(test: Test, root: JToken, token: JToken): boolean {
  spend();
  if (test.kind === "compare") return compares(test, root, token);
  if (test.kind === "and") return test.tests.every((part) => matches(part, root, token));
  return test.tests.some((part) => matches(part, root, token));
}

function compares(test: Extract<Test, { kind: "compare" }>, root: JToken, token: JToken): boolean {
  const { right } = test;
  for (const left of operands(test.left, root, token)) {
    if (test.operator === "exists") return true;
    if (right?.kind === "regex") {
      if (left instanceof JValue && left.kind === kinds.STRING && right.matches(left.data as string))
        return true;
      continue;
    }
    for (const other of operands(right!, root, token)) if (compare(test.operator, left, other)) return true;
  }
  return false;
}

function operands(operand: Operand, root: JToken, token: JToken): Iterable<JToken> {
  if (operand.kind === "value") return [operand.value];
  if (operand.kind === "regex") return [];
  return evaluatePath(operand.filters, root, operand.fromRoot ? root : token, false);
}

function compare(operator: Operator, left: JToken, right: JToken): boolean {
  if (!(left instanceof JValue) || !(right instanceof JValue)) return operator === "!=";
  switch (operator) {
    case "==":
      return looselyEqual(left, right);
    case "!=":
      return !looselyEqual(left, right);
    case "===":
      return strictlyEqual(left, right);
    case "!==":
      return !strictlyEqual(left, right);
    case "<":
      return left.netCompareTo(right) < 0;
    case "<=":
      return left.netCompareTo(right) <= 0;
    case ">":
      return left.netCompareTo(right) > 0;
    case ">=":
      return left.netCompareTo(right) >= 0;
    default:
      return false;
  }
}

const isNumber = (kind: number): boolean => kind === kinds.INTEGER || kind === kinds.FLOAT;

function strictlyEqual(left: JValue, right: JValue): boolean {
  if (isNumber(left.kind) && isNumber(right.kind))
    return compareScalars(left.kind, left.data, right.data) === 0;
  return sameScalar(left.kind, left.data, right.kind, right.data);
}

/** Equal, or a text in the query that is how the value would be written. */
function looselyEqual(left: JValue, right: JValue): boolean {
  if (strictlyEqual(left, right)) return true;
  if (right.kind !== kinds.STRING || left.data === null) return false;
  switch (left.kind) {
    case kinds.DATE:
      return dateJson(toNet(left.data)) === right.data;
    case kinds.BYTES:
      return bytesToBase64(left.data as Uint8Array) === right.data;
    case kinds.GUID:
    case kinds.TIME_SPAN:
    case kinds.URI:
      return textOfScalar(left.data) === right.data;
    default:
      return false;
  }
}
