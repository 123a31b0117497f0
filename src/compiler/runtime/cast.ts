/**
 * Type tests and casts at run time: `is`, `as`, `(T)object`, `OfType<T>`, `GetValueOrDefault<T>`. They work on boxed
 * values (`values.ts`) and know the reference conversions of C#: bases, interfaces, array and interface covariance.
 */
import { invalidCast, NetException, nullReference } from "./errors.ts";
import { findDefinition, lookupType } from "./define.ts";
import {
  type NamedType,
  type Type,
  type TypeDefinition,
  bindings,
  instantiate,
  isValueType,
  substitute,
  underlyingOfNullable,
} from "./type.ts";
import { box, Box, enumValue, needsBoxing, typeOf, unboxed } from "./values.ts";

/** Interfaces whose parameters are all `out`: `IEnumerable<string>` is an `IEnumerable<object>`. */
const COVARIANT = new Set([
  "System.Collections.Generic.IEnumerable",
  "System.Collections.Generic.IEnumerator",
  "System.Collections.Generic.IReadOnlyCollection",
  "System.Collections.Generic.IReadOnlyList",
  "System.Linq.IGrouping",
  "Newtonsoft.Json.Linq.IJEnumerable",
]);

/** What every one-dimensional array implements over its element type. */
const ARRAY_INTERFACES = ["IList", "ICollection", "IEnumerable", "IReadOnlyList", "IReadOnlyCollection"].map(
  (name) => `System.Collections.Generic.${name}`,
);

const known = new WeakMap<Type, WeakMap<Type, boolean>>();

/** Whether a value of dynamic type `from` is a `to` (identity, base, interface, variance). No numeric conversions. */
export function isAssignable(from: Type, to: Type): boolean {
  if (from === to) return true;
  let answers = known.get(from);
  if (answers === undefined) known.set(from, (answers = new WeakMap()));
  let answer = answers.get(to);
  if (answer === undefined) answers.set(to, (answer = decide(from, to)));
  return answer;
}

function decide(from: Type, to: Type): boolean {
  if (to.kind === "named" && to.definition.fullName === "System.Object") return from.kind !== "void";
  const inner = underlyingOfNullable(to);
  if (inner !== null) return from === inner;
  if (from.kind === "array") {
    if (to.kind === "array") return !isValueType(from.element) && isAssignable(from.element, to.element);
    if (to.kind !== "named") return false;
    for (const name of ARRAY_INTERFACES) {
      if (to.definition.fullName !== name || to.args.length !== 1) continue;
      return (
        from.element === to.args[0] || (!isValueType(from.element) && isAssignable(from.element, to.args[0]!))
      );
    }
    const array = findDefinition("System.Array", 0);
    return array !== null && decide(instantiate(array), to);
  }
  if (from.kind !== "named" || to.kind !== "named") return false;
  for (const base of allBases(from)) {
    if (base === to) return true;
    if (base.definition === to.definition && varies(base, to)) return true;
  }
  return false;
}

function varies(from: NamedType, to: NamedType): boolean {
  return (
    COVARIANT.has(from.definition.fullName) &&
    from.args.every((arg, i) => arg === to.args[i] || (!isValueType(arg) && isAssignable(arg, to.args[i]!)))
  );
}

const bases = new WeakMap<NamedType, readonly NamedType[]>();

/** The type, its bases and all their interfaces, nearest first, over the type's own arguments. */
export function allBases(type: NamedType): readonly NamedType[] {
  const found = bases.get(type);
  if (found !== undefined) return found;
  const list: NamedType[] = [type];
  for (let i = 0; i < list.length; i++) {
    const current = list[i]!;
    const map = bindings(current);
    const { base, interfaces } = current.definition;
    for (const next of base === null ? interfaces : [base, ...interfaces]) {
      const closed = substitute(next, map) as NamedType;
      if (!list.includes(closed)) list.push(closed);
    }
  }
  bases.set(type, list);
  return list;
}

/** The arguments with which `type` implements the interface, or null: `List<int>`, `IEnumerable` → `[int]`. */
export function argumentsOf(type: Type, definition: TypeDefinition): readonly Type[] | null {
  if (type.kind === "array") {
    return ARRAY_INTERFACES.includes(definition.fullName) && definition.parameters.length === 1
      ? [type.element]
      : null;
  }
  if (type.kind !== "named") return null;
  return allBases(type).find((base) => base.definition === definition)?.args ?? null;
}

let enumerable: TypeDefinition | null = null;

/** Type of the elements that a runtime collection yields; `object` where it does not say. */
export function elementTypeOf(collection: unknown): Type {
  enumerable ??= lookupType("System.Collections.Generic.IEnumerable", 1);
  return argumentsOf(typeOf(collection), enumerable)?.[0] ?? instantiate(lookupType("System.Object"));
}

/** `value is type` for a boxed value. */
export function isInstance(value: unknown, type: Type): boolean {
  if (value === null || value === undefined) return false;
  return isAssignable(typeOf(value), type);
}

/** What turns a raw value of `type` into a boxed one; null when that changes nothing. */
export function boxer(type: Type): ((value: unknown) => unknown) | null {
  return needsBoxing(type) ? (value) => box(value, type) : null;
}

/** The cast `(type)value` from `object`: boxed in, raw out. Unboxing is exact, as in .NET. */
export function unboxerTo(type: Type): (value: any) => unknown {
  if (type.kind === "named") {
    switch (type.definition.fullName) {
      case "System.Object":
        return (value) => value;
      case "System.String":
        return (value) => (typeof value === "string" || value === null ? value : fail(value, type));
      case "System.Int32":
        return (value) => (typeof value === "number" ? value : failUnboxing(value));
      case "System.Boolean":
        return (value) => (typeof value === "boolean" ? value : failUnboxing(value));
    }
  }
  const inner = underlyingOfNullable(type);
  if (inner !== null) {
    const cast = unboxerTo(inner);
    return (value) => (value === null ? null : cast(value));
  }
  if (needsBoxing(type)) {
    return (value) => (value instanceof Box && value.type === type ? value.value : failUnboxing(value));
  }
  if (isValueType(type)) {
    return (value) => (value !== null && typeOf(value) === type ? unboxed(value) : failUnboxing(value));
  }
  return (value) => (value === null || isAssignable(typeOf(value), type) ? value : fail(value, type));
}

function fail(value: unknown, type: Type): never {
  throw invalidCast(typeOf(value).name, type.name);
}

function failUnboxing(value: unknown): never {
  if (value === null || value === undefined) throw nullReference();
  throw new NetException("System.InvalidCastException", "Specified cast is not valid.");
}

/** Structs whose default depends on their arguments, by full name. */
const structDefaults = new Map<string, (type: NamedType) => unknown>();

/** Says what `default(T)` of a generic struct is. */
export function setStructDefault(fullName: string, make: (type: NamedType) => unknown): void {
  structDefaults.set(fullName, make);
}

/** `default(T)` of a closed type, raw. */
export function defaultOf(type: Type | undefined): unknown {
  if (type === undefined || type.kind !== "named") return null;
  const { definition } = type;
  if (definition.kind === "enum") return enumValue(definition, 0);
  if (definition.kind !== "struct") return null;
  const make = structDefaults.get(definition.fullName);
  return make === undefined ? definition.defaultValue : make(type);
}
