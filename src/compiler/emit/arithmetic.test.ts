import { expect, test } from "vitest";
import "../runtime/library/index.ts";
import type { BoundOperator, NumericKind, OperandKind } from "../csharp/bound.ts";
import { NetException } from "../runtime/errors.ts";
import { Decimal } from "../runtime/library/decimal-arithmetic.ts";
import { Box, typeNamed } from "../runtime/values.ts";
import { binaryOperator, lifted, unaryOperator } from "./arithmetic.ts";
import { numeric } from "./conversions.ts";

const MIN_LONG = -(1n << 63n);
const MAX_LONG = (1n << 63n) - 1n;
const MAX_ULONG = (1n << 64n) - 1n;
const OVERFLOW = "System.OverflowException";
const DIVIDE = "System.DivideByZeroException";

function outcome(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    if (error instanceof NetException) return error.typeName;
    throw error;
  }
}

type Row = readonly [
  left: unknown,
  operator: BoundOperator,
  right: unknown,
  kind: OperandKind,
  unchecked: unknown,
  checked?: unknown,
];

/** `checked` where it differs. Results follow the C# specification, §12.10 to §12.13. */
const BINARY: readonly Row[] = [
  [2147483647, "+", 1, "int", -2147483648, OVERFLOW],
  [-2147483648, "-", 1, "int", 2147483647, OVERFLOW],
  [65536, "*", 65536, "int", 0, OVERFLOW],
  [123456789, "*", 1000, "int", -1097262584, OVERFLOW],
  [0, "*", -5, "int", 0],
  [7, "/", 2, "int", 3],
  [-7, "/", 2, "int", -3],
  [-7, "%", 3, "int", -1],
  [7, "%", -3, "int", 1],
  [1, "/", 0, "int", DIVIDE],
  [1, "%", 0, "int", DIVIDE],
  [-2147483648, "/", -1, "int", OVERFLOW],
  [1, "<<", 33, "int", 2],
  [-8, ">>", 1, "int", -4],
  [6, "^", 3, "int", 5],
  [6, "&", 3, "int", 2],
  [6, "|", 3, "int", 7],
  [4294967295, "+", 1, "uint", 0, OVERFLOW],
  [0, "-", 1, "uint", 4294967295, OVERFLOW],
  [65536, "*", 65536, "uint", 0, OVERFLOW],
  [2147483648, ">>", 31, "uint", 1],
  [1, "<<", 31, "uint", 2147483648],
  [4294967295, "/", 2, "uint", 2147483647],
  [4294967295, "^", 1, "uint", 4294967294],
  [MAX_LONG, "+", 1n, "long", MIN_LONG, OVERFLOW],
  [MIN_LONG, "/", -1n, "long", OVERFLOW],
  [-7n, "/", 2n, "long", -3n],
  [-7n, "%", 3n, "long", -1n],
  [1n, "/", 0n, "long", DIVIDE],
  [1n, "<<", 65, "long", 2n],
  [-1n, ">>", 63, "long", -1n],
  [1n, "==", 1n, "long", true],
  [MAX_ULONG, "+", 1n, "ulong", 0n, OVERFLOW],
  [0n, "-", 1n, "ulong", MAX_ULONG, OVERFLOW],
  [MAX_ULONG, ">>", 63, "ulong", 1n],
  [1, "/", 0, "double", Infinity],
  [-5.5, "%", 2, "double", -1.5],
  [NaN, "==", NaN, "double", false],
  [NaN, "!=", NaN, "double", true],
  [0.1, "+", 0.2, "double", 0.30000000000000004],
  [Math.fround(0.1), "+", Math.fround(0.2), "float", Math.fround(0.3)],
  [true, "&", false, "bool", false],
  [true, "^", true, "bool", false],
  ["a", "==", "a", "string", true],
  [null, "==", null, "string", true],
  [null, "!=", "a", "string", true],
  ["a", "==", "a", "object", true],
  [1, "==", 1, "object", false],
  [true, "!=", true, "object", true],
  [null, "==", null, "object", true],
];

test.each(BINARY.map((row) => ({ row })))(
  "$row",
  ({ row: [left, operator, right, kind, unchecked, checked = unchecked] }) => {
    expect(outcome(() => binaryOperator(operator, kind, false, null)(left, right))).toBe(unchecked);
    expect(outcome(() => binaryOperator(operator, kind, true, null)(left, right))).toBe(checked);
  },
);

test("an object is itself, but no two boxes are the same", () => {
  const same = binaryOperator("==", "object", false, null);
  const list = {};
  expect(same(list, {})).toBe(false);
  const box = new Box(typeNamed("System.Int64"), 1n);
  expect(same(box, box)).toBe(false);
});

test.each([
  ["+", "int", 1, null, null],
  ["+", "int", null, null, null],
  ["<", "int", 1, null, false],
  [">=", "int", null, null, false],
  ["==", "int", null, null, true],
  ["!=", "int", 1, null, true],
  ["==", "int", 1, 1, true],
  ["&", "bool", false, null, false],
  ["&", "bool", null, false, false],
  ["&", "bool", true, null, null],
  ["|", "bool", null, true, true],
  ["|", "bool", false, null, null],
  ["&", "bool", true, true, true],
] as const)("lifted %s over %s: %s and %s", (operator, kind, left, right, expected) => {
  expect(lifted(operator, kind, binaryOperator(operator, kind, false, null))(left, right)).toBe(expected);
});

test.each([
  ["-", "int", -2147483648, -2147483648, OVERFLOW],
  ["-", "int", 0, 0, 0],
  ["~", "int", 5, -6, -6],
  ["~", "uint", 0, 4294967295, 4294967295],
  ["-", "long", MIN_LONG, MIN_LONG, OVERFLOW],
  ["~", "ulong", 0n, MAX_ULONG, MAX_ULONG],
  ["-", "double", 1.5, -1.5, -1.5],
  ["!", "bool", true, false, false],
] as const)("unary %s as %s of %s", (operator, kind, value, unchecked, checked) => {
  expect(outcome(() => unaryOperator(operator, kind, false, null)(value))).toBe(unchecked);
  expect(outcome(() => unaryOperator(operator, kind, true, null)(value))).toBe(checked);
});

type Conversion = readonly [
  from: NumericKind,
  to: NumericKind,
  value: unknown,
  unchecked: unknown,
  checked?: unknown,
];

const CONVERSIONS: readonly Conversion[] = [
  ["int", "byte", 300, 44, OVERFLOW],
  ["int", "sbyte", 200, -56, OVERFLOW],
  ["int", "short", 70000, 4464, OVERFLOW],
  ["int", "char", 65, 65],
  ["int", "uint", -1, 4294967295, OVERFLOW],
  ["int", "ulong", -1, MAX_ULONG, OVERFLOW],
  ["int", "long", -1, -1n],
  ["byte", "ulong", 7, 7n],
  ["uint", "int", 4294967295, -1, OVERFLOW],
  ["long", "int", 4294967297n, 1, OVERFLOW],
  ["long", "byte", 256n, 0, OVERFLOW],
  ["long", "ulong", -1n, MAX_ULONG, OVERFLOW],
  ["ulong", "long", MAX_ULONG, -1n, OVERFLOW],
  ["long", "double", 5n, 5],
  ["double", "int", 3.9, 3],
  ["double", "int", -3.9, -3],
  ["double", "int", -0.5, 0],
  ["double", "int", 1e10, 1410065408, OVERFLOW],
  ["double", "int", NaN, 0, OVERFLOW],
  ["double", "long", 1e15, 1000000000000000n],
  ["double", "long", Infinity, 0n, OVERFLOW],
  ["double", "byte", 257.5, 1, OVERFLOW],
  ["double", "float", 0.1, Math.fround(0.1)],
  ["int", "float", 16777217, 16777216],
  ["char", "int", 65, 65],
];

test.each(CONVERSIONS.map((row) => ({ row })))(
  "$row",
  ({ row: [from, to, value, unchecked, checked = unchecked] }) => {
    const run = (isChecked: boolean): unknown => {
      const convert = numeric(from, to, isChecked);
      return outcome(() => (convert === null ? value : convert(value)));
    };
    expect(run(false)).toBe(unchecked);
    expect(run(true)).toBe(checked);
  },
);

test("decimal and integers", () => {
  expect(numeric("decimal", "int", false)!(new Decimal(-19n, 1))).toBe(-1);
  expect(outcome(() => numeric("decimal", "byte", false)!(new Decimal(300n, 0)))).toBe(OVERFLOW);
  expect(numeric("decimal", "long", false)!(new Decimal(5n, 0))).toBe(5n);
  expect(String((numeric("int", "decimal", false)!(7) as Decimal).netToString())).toBe("7");
});
