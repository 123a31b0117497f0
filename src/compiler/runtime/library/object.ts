/** System.Object, and the small interfaces that everything else implements. */
import { defineType, generic } from "../define.ts";
import type { Type } from "../type.ts";
import { type NetObject, TYPE, box, equal, formatted, hashOf, textOf, typeNamed } from "../values.ts";
import { compareValues } from "./comparers.ts";

defineType("class System.Object", {
  "Object()": () => new PlainObject(),
  "string ToString()": textOf,
  "bool Equals(object obj)": equal,
  "int GetHashCode()": hashOf,
  "static bool Equals(object objA, object objB)": equal,
});

/** `new object()`: nothing but an identity. */
class PlainObject implements NetObject {
  get [TYPE](): Type {
    return typeNamed("System.Object");
  }
}

defineType("interface System.IComparable", { "int CompareTo(object obj)": compareValues });
defineType("interface System.IComparable<T>", {
  "int CompareTo(T other)": generic(
    ([type]) =>
      (self: unknown, other: unknown) =>
        compareValues(self, box(other, type!)),
  ),
});
defineType("interface System.IEquatable<T>", {
  "bool Equals(T other)": generic(
    ([type]) =>
      (self: unknown, other: unknown) =>
        equal(self, box(other, type!)),
  ),
});
defineType("interface System.IFormattable", {
  "string ToString(string format, IFormatProvider formatProvider)": (self: unknown, format: string | null) =>
    format === null ? textOf(self) : formatted(self, format),
});
/** Cultures cannot be named in expressions, so the only value is null: the invariant one. */
defineType("interface System.IFormatProvider", {}, { nameable: false });
defineType("interface System.IDisposable", { "void Dispose()": dispose });

/** Runs an object's `dispose`, if it has one. `using` ends with it. */
export function dispose(self: unknown): void {
  const disposable = self as { dispose?: unknown };
  if (typeof self === "object" && self !== null && TYPE in self && typeof disposable.dispose === "function") {
    disposable.dispose();
  }
}

/** What `typeof(T)` gives: allowed only as an argument, such as that of `Enum.Parse`. */
export class TypeObject implements NetObject {
  readonly type: Type;
  constructor(type: Type) {
    this.type = type;
  }
  get [TYPE](): Type {
    return typeNamed("System.Type");
  }
  netToString(): string {
    return this.type.name;
  }
  netEquals(other: unknown): boolean {
    return other instanceof TypeObject && other.type === this.type;
  }
}
defineType("class System.Type", {}, { nameable: false });
