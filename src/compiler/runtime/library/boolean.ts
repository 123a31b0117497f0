/** System.Boolean. */
import { defineType } from "../define.ts";
import { argumentError, argumentNull, formatError } from "../errors.ts";
import type { OutCell } from "../values.ts";

defineType(
  "struct System.Boolean : IComparable, IComparable<bool>, IEquatable<bool>",
  {
    "const string TrueString": "True",
    "const string FalseString": "False",
    "static bool Parse(string value)": parseBoolean,
    "static bool TryParse(string value, out bool result)": (text: string | null, result: OutCell) => {
      const value = text === null ? null : readBoolean(text);
      result.value = value ?? false;
      return value !== null;
    },
    "string ToString()": (value: boolean) => (value ? "True" : "False"),
    "bool Equals(bool obj)": (a: boolean, b: boolean) => a === b,
    "bool Equals(object obj)": (a: boolean, b: unknown) => a === b,
    "int GetHashCode()": (value: boolean) => (value ? 1 : 0),
    "int CompareTo(bool value)": (a: boolean, b: boolean) => Number(a) - Number(b),
    "int CompareTo(object obj)": (a: boolean, b: unknown) => {
      if (b === null) return 1;
      if (typeof b !== "boolean") throw argumentError("Object must be of type Boolean.");
      return Number(a) - Number(b);
    },
  },
  { defaultValue: false },
);

/** `true`/`false` in any case, white space and NULs around it allowed; null when it is something else. */
export function readBoolean(text: string): boolean | null {
  const word = /^[\s\0]*(true|false)[\s\0]*$/i.exec(text)?.[1];
  return word === undefined ? null : word.length === 4;
}

/** `bool.Parse`. */
export function parseBoolean(text: string | null): boolean {
  if (text === null) throw argumentNull("value");
  const value = readBoolean(text);
  if (value === null) throw formatError("String was not recognized as a valid Boolean.");
  return value;
}
