/** System.Double and System.Single. Their operators are the compiler's; here are the members. */
import { checkLength } from "../budget.ts";
import { type Members, defineType } from "../define.ts";
import { argumentError, formatError } from "../errors.ts";
import { type OutCell, Box, hashOf, typeNamed } from "../values.ts";
import { compareNumbers } from "./comparison.ts";
import { floatingText, numberText } from "./format-standard.ts";
import { readDouble, requireText } from "./number-parse.ts";

defineFloating("Double", "double", (value) => value, {
  "const double MinValue": -Number.MAX_VALUE,
  "const double MaxValue": Number.MAX_VALUE,
  "const double Epsilon": Number.MIN_VALUE,
});
defineFloating("Single", "float", Math.fround, {
  "const float MinValue": -3.4028234663852886e38,
  "const float MaxValue": 3.4028234663852886e38,
  "const float Epsilon": 1.401298464324817e-45,
});

/** `double.Parse`, for Convert too. @throws FormatException, ArgumentNullException */
export function parseDouble(text: string | null): number {
  const value = readDouble(requireText(text));
  if (value === "format") throw formatError();
  return value;
}

/** `float.Parse`: the double nearest to the text, rounded once more, as close as a float gets. */
export function parseSingle(text: string | null): number {
  return Math.fround(parseDouble(text));
}

function defineFloating(name: string, k: string, narrow: (value: number) => number, limits: Members): void {
  const fullName = `System.${name}`;
  const single = name === "Single";
  defineType(
    `struct ${fullName} : IComparable, IFormattable, IComparable<${k}>, IEquatable<${k}>`,
    {
      ...limits,
      [`const ${k} PositiveInfinity`]: Infinity,
      [`const ${k} NegativeInfinity`]: -Infinity,
      [`const ${k} NaN`]: NaN,
      [`static bool IsNaN(${k} value)`]: Number.isNaN,
      [`static bool IsInfinity(${k} value)`]: (value: number) => value === Infinity || value === -Infinity,
      [`static bool IsPositiveInfinity(${k} value)`]: (value: number) => value === Infinity,
      [`static bool IsNegativeInfinity(${k} value)`]: (value: number) => value === -Infinity,
      [`static bool IsFinite(${k} value)`]: Number.isFinite,
      [`static bool IsNegative(${k} value)`]: (value: number) => value < 0 || Object.is(value, -0),
      [`static ${k} Parse(string s)`]: (text: string | null) => narrow(parseDouble(text)),
      [`static bool TryParse(string s, out ${k} result)`]: (text: string | null, result: OutCell) => {
        const value = text === null ? "format" : readDouble(text);
        result.value = value === "format" ? 0 : narrow(value);
        return value !== "format";
      },
      "string ToString()": (value: number) => floatingText(value, single),
      "string ToString(string format)": (value: number, format: string | null) => {
        const text = numberText(value, typeNamed(fullName), format);
        checkLength(text.length);
        return text;
      },
      [`bool Equals(${k} obj)`]: sameNumber,
      "bool Equals(object obj)": (a: number, b: unknown) =>
        b instanceof Box && b.type === typeNamed(fullName) && sameNumber(a, b.value as number),
      "int GetHashCode()": (value: number) => hashOf(new Box(typeNamed(fullName), value)),
      [`int CompareTo(${k} value)`]: compareNumbers,
      "int CompareTo(object value)": (a: number, b: unknown) => {
        if (b === null) return 1;
        if (!(b instanceof Box) || b.type !== typeNamed(fullName))
          throw argumentError(`Object must be of type ${name}.`);
        return compareNumbers(a, b.value);
      },
    },
    { defaultValue: 0 },
  );
}

/** `Equals`: NaN equals itself here, unlike with `==`. */
function sameNumber(a: number, b: number): boolean {
  return a === b || (a !== a && b !== b);
}
