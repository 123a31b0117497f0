/**
 * What becomes of an expression's value in the place where it stands (`expressions.md` §1.3): text, bool, number,
 * body or the boxed .NET value. What the static type rules out is refused when the policy is saved.
 */
import { isInstance } from "../runtime/cast.ts";
import { formatError, NetException } from "../runtime/errors.ts";
import { type Decimal, decimalToDouble } from "../runtime/library/decimal-arithmetic.ts";
import { type Type, displayName, underlyingOfNullable } from "../runtime/type.ts";
import { Box, box, textOf, typeOf } from "../runtime/values.ts";
import type { ValueType } from "../policy.ts";
import { binderDiagnostic } from "./binder-messages.ts";
import { isBool, isNamed, isObject, isString, known, numericKind, unwrapped } from "./binder-types.ts";
import type { BinderDiagnostic } from "./binder-untyped.ts";
import type { Span } from "./tree.ts";

/** Turns the raw value of the expression's static type into what the policy gets. */
export type Finish = (value: any) => unknown;

/** @returns null when the value may stay as it is */
export function finisher(type: Type, wanted: ValueType): Finish | null {
  switch (wanted) {
    case "any":
      return isReference(type) ? null : (value) => box(value, type);
    case "string":
      return isString(type) ? (value) => value ?? "" : (value) => textOf(box(value, type));
    case "nullable-string":
      return isString(type) ? null : (value) => (value === null ? null : textOf(box(value, type)));
    case "body":
      return isString(type) ? null : (value) => bodyOf(box(value, type));
    case "bool":
      return type === known.bool() ? null : (value) => boolOf(box(value, type));
    case "int":
      return type === known.int() ? null : (value) => numberOf(box(value, type), true);
    case "number":
      return type === known.int() ? null : (value) => numberOf(box(value, type), false);
  }
}

const isReference = (type: Type): boolean =>
  isString(type) || isObject(type) || isBool(type) || type === known.int();

function bodyOf(value: unknown): string | Uint8Array | null {
  return value === null || value instanceof Uint8Array ? value : textOf(value);
}

function boolOf(value: unknown): boolean {
  if (typeof value === "boolean") return value;
  throw wrongResult(value, "a Boolean");
}

function wrongResult(value: unknown, wanted: string): NetException {
  const given = value === null ? "null" : `a value of type '${typeOf(value).name}'`;
  return new NetException(
    "System.InvalidCastException",
    `The expression has to give ${wanted}, but it gave ${given}.`,
  );
}

const NUMERIC = /^\s*[+-]?(\d+(\.\d*)?|\.\d+)\s*$/;

function numberOf(value: unknown, whole: boolean): number {
  const wanted = whole ? "an integer" : "a number";
  let number: number;
  if (typeof value === "number") return value;
  if (typeof value === "string") {
    if (!NUMERIC.test(value)) throw formatError();
    number = Number(value);
  } else if (value instanceof Box && value.type !== (known.char() as Type)) number = Number(value.value);
  else if (value !== null && isInstance(value, known.decimal())) number = decimalToDouble(value as Decimal);
  else throw wrongResult(value, wanted);
  if (!Number.isFinite(number) || (whole && !Number.isSafeInteger(number))) throw wrongResult(value, wanted);
  return number;
}

/** What the static type already rules out; null when the value may be right. */
export function checkResult(type: Type, wanted: ValueType, span: Span): BinderDiagnostic | null {
  const bare = unwrapped(type);
  if (isNamed(bare, "System.Type")) return binderDiagnostic("HG3144", span);
  if (type.kind === "error" || type.kind === "void" || isObject(type)) return null;
  switch (wanted) {
    case "bool":
      if (isBool(bare)) return null;
      return mismatch("`bool`", type, boolHint(type), span);
    case "int":
    case "number": {
      if (isString(type)) return null;
      const kind = numericKind(bare);
      if (kind !== null && kind !== "char") return null;
      return mismatch(wanted === "int" ? "an integer" : "a number", type, numberHint(type), span);
    }
    default:
      return null;
  }
}

function mismatch(wanted: string, type: Type, hint: string | null, span: Span): BinderDiagnostic {
  return binderDiagnostic("HG3147", span, { wanted, type: displayName(type) }, hint);
}

function boolHint(type: Type): string | null {
  if (isString(type)) return 'compare it: `== "true"`, or write `bool.Parse(…)`';
  if (numericKind(underlyingOfNullable(type) ?? type) !== null) return "compare it with something: `> 0`";
  return isToken(type) ? "cast it: `(bool)…`" : "compare it with something: `!= null`";
}

const isToken = (type: Type): boolean =>
  type.kind === "named" && type.definition.fullName.startsWith("Newtonsoft.Json.Linq.");

function numberHint(type: Type): string | null {
  return isToken(type) ? "cast it: `(int)…`" : "give a number";
}
