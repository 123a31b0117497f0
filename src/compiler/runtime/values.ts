/**
 * How .NET values live in JavaScript (`expressions.md` §3.2).
 *
 * | .NET                                   | here                                                       |
 * | null                                   | `null`, never `undefined`                                  |
 * | string, bool                           | string, boolean                                            |
 * | (s)byte, (u)short, (u)int, float, double, char | number (char: its UTF-16 code unit)                |
 * | long, ulong                            | bigint                                                     |
 * | byte[]                                 | `Uint8Array`                                               |
 * | other arrays                           | `NetArray`                                                 |
 * | enums                                  | `EnumValue`, one per value                                 |
 * | delegates                              | function                                                   |
 * | `T?`                                   | null or the value                                          |
 * | everything else                        | a class of the library with a `[TYPE]` property            |
 *
 * A slot of static type `object` (or an interface a struct implements) holds **boxed** values: strings, booleans and
 * Int32 stay as they are, so a bare number there is always Int32; every other number, bigint and char sits in a
 * `Box`. Objects that carry `[TYPE]` (decimal, DateTime, Guid, enums, …) describe themselves and need no box.
 */
import { BudgetError, argumentError, formatError, nullReference, invalidOperation } from "./errors.ts";
import { hasten, spend } from "./budget.ts";
import { type NamedType, type Type, type TypeDefinition, arrayOf, instantiate } from "./type.ts";
import { lookupType } from "./define.ts";

/** The .NET type of a runtime object. */
export const TYPE = Symbol("type");

/** What every object of the library implements, so that the rest can print, compare and cast it without knowing it. */
export interface NetObject {
  readonly [TYPE]: Type;
  /** `Object.ToString()`; absent: the type's name. */
  netToString?(): string;
  /** `Object.Equals(other)`, `other` boxed and not null; absent: identity. */
  netEquals?(other: unknown): boolean;
  /** Consistent with `netEquals`; absent: an identity hash. */
  netHashCode?(): number;
  /** `IComparable.CompareTo(other)`; absent: not comparable. */
  netCompareTo?(other: unknown): number;
  /** `IFormattable.ToString(format)`; absent: the format is ignored. */
  netFormat?(format: string): string;
  /** `IEnumerable`: elements in the representation of the element type. */
  [Symbol.iterator]?(): Iterator<unknown>;
}

/** A value type other than Int32 and Boolean, seen as `object`. Frozen. */
export class Box {
  readonly type: NamedType;
  readonly value: number | bigint;
  constructor(type: NamedType, value: number | bigint) {
    this.type = type;
    this.value = value;
  }
}

/** Any array but `byte[]`. */
export class NetArray implements NetObject {
  readonly elementType: Type;
  readonly items: unknown[];
  constructor(elementType: Type, items: unknown[]) {
    this.elementType = elementType;
    this.items = items;
  }
  get [TYPE](): Type {
    return arrayOf(this.elementType);
  }
  [Symbol.iterator](): Iterator<unknown> {
    return this.items[Symbol.iterator]();
  }
}

export class EnumValue implements NetObject {
  readonly definition: TypeDefinition;
  readonly number: number;
  /** Name, or for flag combinations the names joined by `, `, or the digits. */
  readonly text: string;
  constructor(definition: TypeDefinition, number: number, text: string) {
    this.definition = definition;
    this.number = number;
    this.text = text;
  }
  get [TYPE](): Type {
    return instantiate(this.definition);
  }
  netToString(): string {
    return this.text;
  }
  netHashCode(): number {
    return this.number;
  }
  netCompareTo(other: unknown): number {
    if (!(other instanceof EnumValue) || other.definition !== this.definition) {
      throw argumentError("Object must be the same type as the enum.");
    }
    return this.number - other.number;
  }
  /** G and F: names, D: digits, X: hexadecimal. */
  netFormat(format: string): string {
    switch (format.toUpperCase()) {
      case "":
      case "G":
      case "F":
        return this.text;
      case "D":
        return String(this.number);
      case "X":
        return (this.number >>> 0).toString(16).toUpperCase().padStart(8, "0");
      default:
        throw formatError('Format string can be only "G", "g", "X", "x", "F", "f", "D" or "d".');
    }
  }
}

const enumValues = new Map<TypeDefinition, Map<number, EnumValue>>();

/** The one object for this number of this enum (so `===` compares enums). */
export function enumValue(definition: TypeDefinition, number: number): EnumValue {
  let known = enumValues.get(definition);
  if (known === undefined) enumValues.set(definition, (known = new Map()));
  let value = known.get(number);
  if (value === undefined) {
    value = new EnumValue(definition, number, enumText(definition, number));
    if (known.size < 4096) known.set(number, value);
  }
  return value;
}

function enumText(definition: TypeDefinition, number: number): string {
  const names: string[] = [];
  let rest = number;
  for (const [name, value] of definition.enumValues ?? []) if (value === number) return name;
  if (!definition.isFlags) return String(number);
  for (const [name, value] of definition.enumValues ?? []) {
    if (value !== 0 && (rest & value) === value) {
      names.push(name);
      rest &= ~value;
    }
  }
  return rest === 0 && names.length > 0 ? names.join(", ") : String(number);
}

/** Where an `out` argument's value is put. */
export interface OutCell {
  value: unknown;
}

/** Static type of numbers etc. by name; resolved late because the library defines them. */
const cache = new Map<string, NamedType>();
export function typeNamed(fullName: string): NamedType {
  let type = cache.get(fullName);
  if (type === undefined) cache.set(fullName, (type = instantiate(lookupType(fullName))));
  return type;
}

/** Boxes `value` of static type `type` for an `object` slot. */
export function box(value: unknown, type: Type): unknown {
  if (value === null || value === undefined) return null;
  switch (typeof value) {
    case "number":
    case "bigint": {
      let named = type as NamedType;
      if (named.definition.fullName === "System.Nullable") named = named.args[0] as NamedType;
      // In an `object` slot it is boxed already.
      return BOXED.has(named.definition.fullName) ? new Box(named, value) : value;
    }
    default:
      return value;
  }
}

/** Whether values of `type` change when boxed; false = `box` is the identity. */
export function needsBoxing(type: Type): boolean {
  if (type.kind !== "named") return false;
  if (type.definition.fullName === "System.Nullable") return needsBoxing(type.args[0]!);
  return BOXED.has(type.definition.fullName);
}

const BOXED = new Set(
  ["SByte", "Byte", "Int16", "UInt16", "UInt32", "Int64", "UInt64", "Single", "Double", "Char"].map(
    (name) => `System.${name}`,
  ),
);

/** The raw value in a boxed one (what a slot of its own type holds). */
export function unboxed(value: unknown): unknown {
  return value instanceof Box ? value.value : value;
}

/** Types of the host's own objects (`host.ts`), which carry no `[TYPE]`; filled by the library (`context.ts`). */
let hostType: (value: object) => Type = () => typeNamed("System.Object");
let hostText: (value: object) => string = (value) => hostType(value).name;
export function setHostType(implementation: (value: object) => Type, text: (value: object) => string): void {
  hostType = implementation;
  hostText = text;
}

/** The dynamic .NET type of a boxed, non-null value. */
export function typeOf(value: unknown): Type {
  switch (typeof value) {
    case "string":
      return typeNamed("System.String");
    case "boolean":
      return typeNamed("System.Boolean");
    case "number":
      return typeNamed("System.Int32");
    case "bigint":
      return typeNamed("System.Int64");
    case "function":
      return typeNamed("System.Object");
    default:
      if (value instanceof Box) return value.type;
      if (value instanceof Uint8Array) return arrayOf(typeNamed("System.Byte"));
      if (value === null || value === undefined) throw nullReference();
      return (value as Partial<NetObject>)[TYPE] ?? hostType(value);
  }
}

/** Text of numbers by type; filled by the library (`numbers.ts`), which knows .NET's formats. */
export interface NumberText {
  /** `ToString()` / `ToString(format)` of a raw number or bigint of `type`. */
  (value: number | bigint, type: NamedType, format: string | null): string;
}
let numberText: NumberText = (value) => String(value);
export function setNumberText(implementation: NumberText): void {
  numberText = implementation;
}

/** `ToString()` of a boxed value; null gives the empty text, as concatenation and interpolation want it. */
export function textOf(value: unknown): string {
  switch (typeof value) {
    case "string":
      return value;
    case "boolean":
      return value ? "True" : "False";
    case "number":
      return String(value);
    case "bigint":
      return value.toString();
    default:
      if (value === null || value === undefined) return "";
      if (value instanceof Box) return numberText(value.value, value.type, null);
      if (typeof value === "object" && TYPE in value) {
        const object = value as NetObject;
        return object.netToString !== undefined ? object.netToString() : object[TYPE].name;
      }
      return typeof value === "object" && !(value instanceof Uint8Array)
        ? hostText(value)
        : typeOf(value).name;
  }
}

/** `ToString(format)` of a boxed value, as `{x:format}` uses it. */
export function formatted(value: unknown, format: string): string {
  if (typeof value === "number") return numberText(value, typeNamed("System.Int32"), format);
  if (value instanceof Box) return numberText(value.value, value.type, format);
  if (value !== null && typeof value === "object" && TYPE in value) {
    const object = value as NetObject;
    if (object.netFormat !== undefined) return object.netFormat(format);
  }
  return textOf(value);
}

/** `Equals` of two boxed values, either may be null. Boxes need the same type. */
export function equal(a: unknown, b: unknown): boolean {
  if (typeof a === "string" && a.length > 4096) hasten(a.length >>> 9);
  if (a === b) return true;
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return false;
  if (a instanceof Box) {
    return (
      b instanceof Box &&
      a.type === b.type &&
      (a.value === b.value || (a.value !== a.value && b.value !== b.value))
    );
  }
  if (TYPE in a) {
    const object = a as NetObject;
    return object.netEquals !== undefined && object.netEquals(b);
  }
  return false;
}

let nextIdentity = 1;
const identities = new WeakMap<object, number>();

/** `GetHashCode()` of a boxed, non-null value: stable within the process. */
export function hashOf(value: unknown): number {
  switch (typeof value) {
    case "string": {
      if (value.length > 64) hasten(value.length >>> 6);
      let hash = 5381;
      for (let i = 0; i < value.length; i++) hash = (Math.imul(hash, 33) ^ value.charCodeAt(i)) | 0;
      return hash;
    }
    case "boolean":
      return value ? 1 : 0;
    case "number":
      return value | 0;
    case "bigint":
      return Number(BigInt.asIntN(32, value ^ (value >> 32n)));
    default: {
      if (value instanceof Box)
        return hashOf(typeof value.value === "number" ? hashDouble(value.value) : value.value);
      const object = value as NetObject;
      if (object.netHashCode !== undefined) return object.netHashCode();
      let id = identities.get(object);
      if (id === undefined) identities.set(object, (id = nextIdentity++));
      return Math.imul(id, 0x9e3779b1) | 0;
    }
  }
}

function hashDouble(value: number): number {
  return Number.isInteger(value) ? value | 0 : hashOf(String(value));
}

/** Elements of any IEnumerable, in the representation of its element type. Strings give code units. Pays per element. */
export function* iterate(source: unknown): Generator<unknown> {
  if (source === null || source === undefined) throw nullReference();
  if (typeof source === "string") {
    for (let i = 0; i < source.length; i++) {
      spend();
      yield source.charCodeAt(i);
    }
    return;
  }
  const iterable = source as Iterable<unknown>;
  if (typeof iterable[Symbol.iterator] !== "function")
    throw invalidOperation("The value cannot be enumerated.");
  for (const element of iterable) {
    spend();
    yield element;
  }
}

/** Whether this is a limit that no `catch` may take. */
export function isUncatchable(error: unknown): boolean {
  return error instanceof BudgetError;
}
