/**
 * `T?`: null or the value itself. The only type whose instance members get a null receiver, so they are safe on it.
 */
import { defaultOf } from "../cast.ts";
import { defineType, generic } from "../define.ts";
import { invalidOperation } from "../errors.ts";
import { box, equal, hashOf, textOf } from "../values.ts";

defineType("struct System.Nullable<T>", {
  "Nullable(T value)": (value: unknown) => value,
  "bool HasValue { get; }": (value: unknown) => value !== null,
  "T Value { get; }": valueOf,
  "T GetValueOrDefault()": generic(([type]) => {
    const fallback = defaultOf(type!);
    return (value: unknown) => value ?? fallback;
  }),
  "T GetValueOrDefault(T defaultValue)": (value: unknown, fallback: unknown) => value ?? fallback,
  "bool Equals(object other)": generic(
    ([type]) =>
      (value: unknown, other: unknown) =>
        equal(box(value, type!), other),
  ),
  "int GetHashCode()": generic(
    ([type]) =>
      (value: unknown) =>
        value === null ? 0 : hashOf(box(value, type!)),
  ),
  "string ToString()": generic(
    ([type]) =>
      (value: unknown) =>
        textOf(box(value, type!)),
  ),
  "static implicit operator T?(T value)": (value: unknown) => value,
  "static explicit operator T(T? value)": valueOf,
});

function valueOf(value: unknown): unknown {
  if (value === null) throw invalidOperation("Nullable object must have a value.");
  return value;
}
