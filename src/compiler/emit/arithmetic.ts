/**
 * The built-in operators of C# over the representation of `runtime/values.ts`: one JavaScript function per operator,
 * operand kind and overflow mode. Integers wrap to their width after each operation; `checked` throws instead.
 */
import { divideByZero, overflow } from "../runtime/errors.ts";
import {
  addDecimal,
  compareDecimal,
  divideDecimal,
  equalDecimal,
  multiplyDecimal,
} from "../runtime/library/decimal-arithmetic.ts";
import {
  type Decimal,
  negateDecimal,
  remainderDecimal,
  subtractDecimal,
} from "../runtime/library/decimal-arithmetic.ts";
import { isValueType, type TypeDefinition } from "../runtime/type.ts";
import { EnumValue, enumValue, typeOf } from "../runtime/values.ts";
import type { BoundOperator, OperandKind } from "../csharp/bound.ts";

export type Binary = (a: any, b: any) => any;
export type Unary = (a: any) => any;

const MIN_INT = -2147483648;
const MAX_INT = 2147483647;
const MAX_UINT = 4294967295;
const MIN_LONG = -(1n << 63n);

type Operators = Partial<Record<BoundOperator, Binary>>;

/** `<` and its like on numbers and bigints. */
const COMPARISONS: Operators = {
  "<": (a, b) => a < b,
  ">": (a, b) => a > b,
  "<=": (a, b) => a <= b,
  ">=": (a, b) => a >= b,
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
};

function int(exact: number): number {
  if (exact > MAX_INT || exact < MIN_INT) throw overflow();
  return exact | 0;
}

const INT: Operators = {
  ...COMPARISONS,
  "+": (a: number, b: number) => (a + b) | 0,
  "-": (a: number, b: number) => (a - b) | 0,
  "*": Math.imul,
  "/": (a: number, b: number) => {
    if (b === 0) throw divideByZero();
    if (b === -1 && a === MIN_INT) throw overflow();
    return (a / b) | 0;
  },
  "%": (a: number, b: number) => {
    if (b === 0) throw divideByZero();
    if (b === -1 && a === MIN_INT) throw overflow();
    return (a % b) | 0;
  },
  "<<": (a: number, b: number) => a << b,
  ">>": (a: number, b: number) => a >> b,
  "&": (a: number, b: number) => a & b,
  "|": (a: number, b: number) => a | b,
  "^": (a: number, b: number) => a ^ b,
};

const CHECKED_INT: Operators = {
  ...INT,
  "+": (a: number, b: number) => int(a + b),
  "-": (a: number, b: number) => int(a - b),
  // The product may be inexact, but then it is out of range anyway.
  "*": (a: number, b: number) => int(a * b),
};

function uint(exact: number): number {
  if (exact > MAX_UINT || exact < 0) throw overflow();
  return exact;
}

const UINT: Operators = {
  ...COMPARISONS,
  "+": (a: number, b: number) => (a + b) >>> 0,
  "-": (a: number, b: number) => (a - b) >>> 0,
  "*": (a: number, b: number) => Math.imul(a, b) >>> 0,
  "/": (a: number, b: number) => {
    if (b === 0) throw divideByZero();
    return (a / b) >>> 0;
  },
  "%": (a: number, b: number) => {
    if (b === 0) throw divideByZero();
    return a % b;
  },
  "<<": (a: number, b: number) => (a << b) >>> 0,
  ">>": (a: number, b: number) => a >>> b,
  "&": (a: number, b: number) => (a & b) >>> 0,
  "|": (a: number, b: number) => (a | b) >>> 0,
  "^": (a: number, b: number) => (a ^ b) >>> 0,
};

const CHECKED_UINT: Operators = {
  ...UINT,
  "+": (a: number, b: number) => uint(a + b),
  "-": (a: number, b: number) => uint(a - b),
  "*": (a: number, b: number) => uint(a * b),
};

/** The 64-bit kinds differ in how they wrap. */
function wide(wrap: (value: bigint) => bigint, isSigned: boolean, checked: boolean): Operators {
  const fit = checked
    ? (exact: bigint): bigint => {
        if (wrap(exact) !== exact) throw overflow();
        return exact;
      }
    : wrap;
  const divisor = (a: bigint, b: bigint): void => {
    if (b === 0n) throw divideByZero();
    if (isSigned && b === -1n && a === MIN_LONG) throw overflow();
  };
  return {
    ...COMPARISONS,
    "+": (a: bigint, b: bigint) => fit(a + b),
    "-": (a: bigint, b: bigint) => fit(a - b),
    "*": (a: bigint, b: bigint) => fit(a * b),
    "/": (a: bigint, b: bigint) => {
      divisor(a, b);
      return a / b;
    },
    "%": (a: bigint, b: bigint) => {
      divisor(a, b);
      return a % b;
    },
    // The right side of a shift is an int; only its low six bits count.
    "<<": (a: bigint, b: number) => wrap(a << BigInt(b & 63)),
    ">>": (a: bigint, b: number) => a >> BigInt(b & 63),
    "&": (a: bigint, b: bigint) => a & b,
    "|": (a: bigint, b: bigint) => a | b,
    "^": (a: bigint, b: bigint) => a ^ b,
  };
}

const signed = (value: bigint): bigint => BigInt.asIntN(64, value);
const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value);

const DOUBLE: Operators = {
  ...COMPARISONS,
  "+": (a: number, b: number) => a + b,
  "-": (a: number, b: number) => a - b,
  "*": (a: number, b: number) => a * b,
  "/": (a: number, b: number) => a / b,
  "%": (a: number, b: number) => a % b,
};

const FLOAT: Operators = {
  ...COMPARISONS,
  "+": (a: number, b: number) => Math.fround(a + b),
  "-": (a: number, b: number) => Math.fround(a - b),
  "*": (a: number, b: number) => Math.fround(a * b),
  "/": (a: number, b: number) => Math.fround(a / b),
  "%": (a: number, b: number) => Math.fround(a % b),
};

const DECIMAL: Operators = {
  "+": addDecimal,
  "-": subtractDecimal,
  "*": multiplyDecimal,
  "/": divideDecimal,
  "%": remainderDecimal,
  "<": (a: Decimal, b: Decimal) => compareDecimal(a, b) < 0,
  ">": (a: Decimal, b: Decimal) => compareDecimal(a, b) > 0,
  "<=": (a: Decimal, b: Decimal) => compareDecimal(a, b) <= 0,
  ">=": (a: Decimal, b: Decimal) => compareDecimal(a, b) >= 0,
  "==": equalDecimal,
  "!=": (a: Decimal, b: Decimal) => !equalDecimal(a, b),
};

const BOOL: Operators = {
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  "&": (a: boolean, b: boolean) => a && b,
  "|": (a: boolean, b: boolean) => a || b,
  "^": (a: boolean, b: boolean) => a !== b,
};

const IDENTITY: Operators = { "==": (a, b) => a === b, "!=": (a, b) => a !== b };

/** Two boxes are never the same object; strings compare by value because policies rely on interned literals. */
function isSameObject(a: unknown, b: unknown): boolean {
  if (a !== b) return false;
  switch (typeof a) {
    case "number":
    case "boolean":
      return false;
    case "object":
      return a === null || !isValueType(typeOf(a));
    default:
      return true;
  }
}

const OBJECT: Operators = { "==": isSameObject, "!=": (a, b) => !isSameObject(a, b) };

const number = (value: EnumValue | number): number => (typeof value === "number" ? value : value.number);

const ENUM: Operators = {
  "<": (a: EnumValue, b: EnumValue) => a.number < b.number,
  ">": (a: EnumValue, b: EnumValue) => a.number > b.number,
  "<=": (a: EnumValue, b: EnumValue) => a.number <= b.number,
  ">=": (a: EnumValue, b: EnumValue) => a.number >= b.number,
  "==": (a: EnumValue, b: EnumValue) => a.number === b.number,
  "!=": (a: EnumValue, b: EnumValue) => a.number !== b.number,
};

const UNCHECKED: Readonly<Record<OperandKind, Operators>> = {
  int: INT,
  uint: UINT,
  long: wide(signed, true, false),
  ulong: wide(unsigned, false, false),
  float: FLOAT,
  double: DOUBLE,
  decimal: DECIMAL,
  bool: BOOL,
  string: IDENTITY,
  enum: ENUM,
  reference: IDENTITY,
  object: OBJECT,
};

const CHECKED: Readonly<Record<OperandKind, Operators>> = {
  ...UNCHECKED,
  int: CHECKED_INT,
  uint: CHECKED_UINT,
  long: wide(signed, true, true),
  ulong: wide(unsigned, false, true),
};

/** @param enumType of the result, where it is an enum */
export function binaryOperator(
  operator: BoundOperator,
  kind: OperandKind,
  checked: boolean,
  enumType: TypeDefinition | null,
): Binary {
  if (kind === "enum" && !(operator in ENUM)) {
    const operate = (checked ? CHECKED_INT : INT)[operator]!;
    if (enumType === null) return (a, b) => operate(number(a), number(b));
    return (a, b) => enumValue(enumType, operate(number(a), number(b)));
  }
  const found = (checked ? CHECKED : UNCHECKED)[kind][operator];
  if (found === undefined) throw new Error(`no operator ${operator} over ${kind}`);
  return found;
}

/** The operator over nullable operands: null in, null (or false) out. */
export function lifted(operator: BoundOperator, kind: OperandKind, operate: Binary): Binary {
  if (operator === "==") return (a, b) => (a === null || b === null ? a === b : operate(a, b));
  if (operator === "!=") return (a, b) => (a === null || b === null ? a !== b : operate(a, b));
  if (operator === "<" || operator === ">" || operator === "<=" || operator === ">=") {
    return (a, b) => a !== null && b !== null && operate(a, b);
  }
  // Three values: what is certain in spite of null is the result.
  if (kind === "bool" && operator === "&")
    return (a, b) => (a === false || b === false ? false : a === null ? null : b);
  if (kind === "bool" && operator === "|")
    return (a, b) => (a === true || b === true ? true : a === null ? null : b);
  return (a, b) => (a === null || b === null ? null : operate(a, b));
}

export function unaryOperator(
  operator: "-" | "~" | "!",
  kind: OperandKind,
  checked: boolean,
  enumType: TypeDefinition | null,
): Unary {
  if (operator === "!") return (a: boolean) => !a;
  switch (kind) {
    case "int":
      if (operator === "~") return (a: number) => ~a;
      return checked ? (a: number) => int(-a) : (a: number) => -a | 0;
    case "uint":
      return (a: number) => ~a >>> 0;
    case "long":
      if (operator === "~") return (a: bigint) => ~a;
      if (!checked) return (a: bigint) => signed(-a);
      return (a: bigint) => {
        if (a === MIN_LONG) throw overflow();
        return -a;
      };
    case "ulong":
      return (a: bigint) => unsigned(~a);
    case "decimal":
      return negateDecimal;
    case "enum":
      return (a: EnumValue) => enumValue(enumType ?? a.definition, ~a.number);
    default:
      return (a: number) => -a;
  }
}
