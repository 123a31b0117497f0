/**
 * Constant folding (C# §12.23). Constants are computed with overflow checking unless the code says `unchecked`, so a
 * fold can fail: the policy is refused then. Values are in the representation of `runtime/values.ts`.
 */
import { NetException } from "../runtime/errors.ts";
import { EnumValue, enumValue } from "../runtime/values.ts";
import type { NamedType } from "../runtime/type.ts";
import {
  type Decimal,
  addDecimal,
  compareDecimal,
  decimalFromDouble,
  decimalFromInteger,
  decimalFromSingle,
  decimalToDouble,
  decimalToInteger,
  divideDecimal,
  multiplyDecimal,
  negateDecimal,
  remainderDecimal,
  subtractDecimal,
} from "../runtime/library/decimal-arithmetic.ts";
import type { BoundOperator, NumericKind, OperandKind } from "./bound.ts";

export type Folded = { readonly value: unknown } | "overflow" | "divideByZero" | null;

const RANGES: Readonly<Record<string, readonly [bigint, bigint]>> = {
  sbyte: [-128n, 127n],
  byte: [0n, 255n],
  short: [-32768n, 32767n],
  ushort: [0n, 65535n],
  char: [0n, 65535n],
  int: [-(2n ** 31n), 2n ** 31n - 1n],
  uint: [0n, 2n ** 32n - 1n],
  long: [-(2n ** 63n), 2n ** 63n - 1n],
  ulong: [0n, 2n ** 64n - 1n],
};

/** Whether the integer fits the kind. */
export function fits(value: bigint, kind: NumericKind): boolean {
  const range = RANGES[kind];
  return range !== undefined && value >= range[0] && value <= range[1];
}

function wrap(value: bigint, kind: NumericKind): bigint {
  const [low, high] = RANGES[kind]!;
  const width = high - low + 1n;
  return ((((value - low) % width) + width) % width) + low;
}

const isBig = (kind: NumericKind): boolean => kind === "long" || kind === "ulong";

/** An integer in the representation of its kind. */
export function integerValue(value: bigint, kind: NumericKind): number | bigint {
  return isBig(kind) ? value : Number(value);
}

function integer(value: bigint, kind: NumericKind, checked: boolean): Folded {
  if (!fits(value, kind)) {
    if (checked) return "overflow";
    value = wrap(value, kind);
  }
  return { value: integerValue(value, kind) };
}

/** Converts a constant between numeric kinds. Implicit conversions never fail. */
export function convertConstant(
  value: unknown,
  from: NumericKind,
  to: NumericKind,
  checked: boolean,
): Folded {
  if (from === to) return { value };
  if (from === "decimal" || to === "decimal") return convertDecimal(value, from, to);
  if (to === "double") return { value: Number(value) };
  if (to === "float") return { value: Math.fround(Number(value)) };
  if (from === "double" || from === "float") {
    const number = Math.trunc(value as number);
    if (!Number.isFinite(number)) return checked ? "overflow" : { value: integerValue(0n, to) };
    return integer(BigInt(number), to, checked);
  }
  return integer(BigInt(value as number | bigint), to, checked);
}

function convertDecimal(value: unknown, from: NumericKind, to: NumericKind): Folded {
  try {
    if (to === "decimal") {
      if (from === "double") return { value: decimalFromDouble(value as number) };
      if (from === "float") return { value: decimalFromSingle(value as number) };
      return { value: decimalFromInteger(value as number | bigint) };
    }
    const decimal = value as Decimal;
    if (to === "double") return { value: decimalToDouble(decimal) };
    if (to === "float") return { value: Math.fround(decimalToDouble(decimal)) };
    return integer(decimalToInteger(decimal), to, true);
  } catch (error) {
    if (error instanceof NetException) return "overflow";
    throw error;
  }
}

/** Both values are of the operand kind, except that shifts have an int on the right. */
export function foldBinary(
  operator: BoundOperator,
  kind: OperandKind,
  a: any,
  b: any,
  checked: boolean,
): Folded {
  switch (kind) {
    case "int":
    case "uint":
    case "long":
    case "ulong":
      return foldInteger(operator, kind, BigInt(a), BigInt(b), checked);
    case "float":
    case "double":
      return foldReal(operator, kind, a, b);
    case "decimal":
      return foldDecimal(operator, a, b);
    case "bool":
      return foldBool(operator, a, b);
    case "string":
      if (operator === "+") return { value: (a ?? "") + (b ?? "") };
      return operator === "==" ? { value: a === b } : operator === "!=" ? { value: a !== b } : null;
    case "enum":
      return foldEnum(operator, a, b);
    default:
      return null;
  }
}

function compare(operator: BoundOperator, a: any, b: any): Folded {
  switch (operator) {
    case "<":
      return { value: a < b };
    case ">":
      return { value: a > b };
    case "<=":
      return { value: a <= b };
    case ">=":
      return { value: a >= b };
    case "==":
      return { value: a === b };
    case "!=":
      return { value: a !== b };
    default:
      return null;
  }
}

function foldInteger(
  operator: BoundOperator,
  kind: NumericKind,
  a: bigint,
  b: bigint,
  checked: boolean,
): Folded {
  const bits = isBig(kind) ? 63n : 31n;
  switch (operator) {
    case "+":
      return integer(a + b, kind, checked);
    case "-":
      return integer(a - b, kind, checked);
    case "*":
      return integer(a * b, kind, checked);
    case "/":
      return b === 0n ? "divideByZero" : integer(a / b, kind, true);
    case "%":
      return b === 0n ? "divideByZero" : integer(a % b, kind, true);
    case "<<":
      return integer(a << (b & bits), kind, false);
    case ">>":
      return integer(a >> (b & bits), kind, false);
    case "&":
      return integer(a & b, kind, false);
    case "|":
      return integer(a | b, kind, false);
    case "^":
      return integer(a ^ b, kind, false);
    default:
      return compare(operator, a, b);
  }
}

function foldReal(operator: BoundOperator, kind: "float" | "double", a: number, b: number): Folded {
  const round = kind === "float" ? Math.fround : (value: number): number => value;
  switch (operator) {
    case "+":
      return { value: round(a + b) };
    case "-":
      return { value: round(a - b) };
    case "*":
      return { value: round(a * b) };
    case "/":
      return { value: round(a / b) };
    case "%":
      return { value: round(a % b) };
    default:
      return compare(operator, a, b);
  }
}

function foldDecimal(operator: BoundOperator, a: Decimal, b: Decimal): Folded {
  try {
    switch (operator) {
      case "+":
        return { value: addDecimal(a, b) };
      case "-":
        return { value: subtractDecimal(a, b) };
      case "*":
        return { value: multiplyDecimal(a, b) };
      case "/":
        return { value: divideDecimal(a, b) };
      case "%":
        return { value: remainderDecimal(a, b) };
      default:
        return compare(operator, compareDecimal(a, b), 0);
    }
  } catch (error) {
    if (!(error instanceof NetException)) throw error;
    return error.typeName === "System.DivideByZeroException" ? "divideByZero" : "overflow";
  }
}

function foldBool(operator: BoundOperator, a: boolean, b: boolean): Folded {
  switch (operator) {
    case "&":
      return { value: a && b };
    case "|":
      return { value: a || b };
    case "^":
    case "!=":
      return { value: a !== b };
    case "==":
      return { value: a === b };
    default:
      return null;
  }
}

function foldEnum(operator: BoundOperator, a: EnumValue | number, b: EnumValue | number): Folded {
  const left = typeof a === "number" ? a : a.number;
  const right = typeof b === "number" ? b : b.number;
  const definition = a instanceof EnumValue ? a.definition : (b as EnumValue).definition;
  const made = (number: number): Folded => ({ value: enumValue(definition, number | 0) });
  switch (operator) {
    case "+":
      return made(left + right);
    case "-":
      return typeof b === "number" ? made(left - right) : { value: (left - right) | 0 };
    case "&":
      return made(left & right);
    case "|":
      return made(left | right);
    case "^":
      return made(left ^ right);
    default:
      return compare(operator, left, right);
  }
}

export function foldUnary(
  operator: "-" | "~" | "!",
  kind: OperandKind,
  value: any,
  checked: boolean,
): Folded {
  switch (kind) {
    case "bool":
      return { value: !value };
    case "float":
    case "double":
      return { value: -value };
    case "decimal":
      return { value: negateDecimal(value as Decimal) };
    case "enum":
      return { value: enumValue((value as EnumValue).definition, ~(value as EnumValue).number) };
    case "int":
    case "uint":
    case "long":
    case "ulong":
      return integer(operator === "-" ? -BigInt(value) : ~BigInt(value), kind, operator === "-" && checked);
    default:
      return null;
  }
}

/** The enum constant of this number. */
export function enumConstant(type: NamedType, number: number | bigint): EnumValue {
  return enumValue(type.definition, Number(number) | 0);
}
