/**
 * Questions about .NET types that the binder asks everywhere: which of them are numbers, delegates or collections,
 * and the few it must know by name.
 */
import { allBases, argumentsOf } from "../runtime/cast.ts";
import { findDefinition, lookupType } from "../runtime/define.ts";
import { isTupleType } from "../runtime/tuple.ts";
import {
  type Member,
  type NamedType,
  type Type,
  type TypeDefinition,
  ERROR_TYPE,
  NULL_TYPE,
  arrayOf,
  bindings,
  displayName,
  instantiate,
  isValueType,
  substitute,
  underlyingOfNullable,
} from "../runtime/type.ts";
import { typeNamed } from "../runtime/values.ts";
import type { NumericKind } from "./bound.ts";

const named = (fullName: string) => (): NamedType => typeNamed(fullName);

/** Well-known types, looked up when first asked: the library may not be loaded yet. */
export const known = {
  object: named("System.Object"),
  string: named("System.String"),
  bool: named("System.Boolean"),
  char: named("System.Char"),
  int: named("System.Int32"),
  uint: named("System.UInt32"),
  long: named("System.Int64"),
  ulong: named("System.UInt64"),
  double: named("System.Double"),
  decimal: named("System.Decimal"),
  exception: named("System.Exception"),
  disposable: named("System.IDisposable"),
} as const;

const KIND_OF: ReadonlyMap<string, NumericKind> = new Map([
  ["System.SByte", "sbyte"],
  ["System.Byte", "byte"],
  ["System.Int16", "short"],
  ["System.UInt16", "ushort"],
  ["System.Int32", "int"],
  ["System.UInt32", "uint"],
  ["System.Int64", "long"],
  ["System.UInt64", "ulong"],
  ["System.Char", "char"],
  ["System.Single", "float"],
  ["System.Double", "double"],
  ["System.Decimal", "decimal"],
]);
const NAME_OF = new Map([...KIND_OF].map(([name, kind]) => [kind, name]));

/** `int` for System.Int32 …; null for everything that is no number or char. */
export function numericKind(type: Type): NumericKind | null {
  return type.kind === "named" ? (KIND_OF.get(type.definition.fullName) ?? null) : null;
}

export function numericType(kind: NumericKind): NamedType {
  return typeNamed(NAME_OF.get(kind)!);
}

export function isIntegralKind(kind: NumericKind): boolean {
  return kind !== "float" && kind !== "double" && kind !== "decimal";
}

/** A named type whose definition is an enum. */
export type EnumType = NamedType & { readonly enumeration?: true };

export function isEnum(type: Type): type is EnumType {
  return type.kind === "named" && type.definition.kind === "enum";
}

export function isNamed(type: Type, fullName: string): type is NamedType {
  return type.kind === "named" && type.definition.fullName === fullName;
}

export const isBool = (type: Type): boolean => isNamed(type, "System.Boolean");
export const isString = (type: Type): boolean => isNamed(type, "System.String");
export const isObject = (type: Type): boolean => isNamed(type, "System.Object");
export const isVoid = (type: Type): boolean => type.kind === "void";
export const isError = (type: Type): boolean => type.kind === "error";

/** Classes, interfaces, delegates, arrays: what null is a value of. */
export function isReferenceType(type: Type): boolean {
  return type.kind === "array" || type.kind === "null" || (type.kind === "named" && !isValueType(type));
}

/** Null is one of its values: reference types and `T?`. */
export function admitsNull(type: Type): boolean {
  return isReferenceType(type) || underlyingOfNullable(type) !== null;
}

/** `T?`; the type itself where it already admits null. */
export function nullableOf(type: Type): Type {
  if (!isValueType(type) || underlyingOfNullable(type) !== null) return type;
  return instantiate(lookupType("System.Nullable", 1), [type]);
}

/** `T` of `T?`, else the type itself. */
export function unwrapped(type: Type): Type {
  return underlyingOfNullable(type) ?? type;
}

export interface DelegateSignature {
  readonly parameters: readonly Type[];
  readonly returns: Type;
}

const signatures = new WeakMap<NamedType, DelegateSignature>();

/** Parameters and result of a delegate type; null for other types. Over type parameters for open ones. */
export function delegateSignature(type: Type): DelegateSignature | null {
  if (type.kind !== "named" || type.definition.kind !== "delegate") return null;
  let signature = signatures.get(type);
  if (signature === undefined) {
    const invoke = type.definition.members.get("Invoke")?.[0];
    if (invoke === undefined) return null;
    const map = bindings(type);
    signature = {
      parameters: invoke.parameters.map((p) => substitute(p.type, map)),
      returns: substitute(invoke.returns, map),
    };
    signatures.set(type, signature);
  }
  return signature;
}

/** The delegate's `Invoke`, for parameter names. */
export function invokeMember(type: NamedType): Member | null {
  return type.definition.members.get("Invoke")?.[0] ?? null;
}

let enumerableDefinition: TypeDefinition | null = null;

function enumerable(): TypeDefinition {
  return (enumerableDefinition ??= lookupType("System.Collections.Generic.IEnumerable", 1));
}

export function enumerableOf(element: Type): NamedType {
  return instantiate(enumerable(), [element]);
}

/** What `foreach (var x in …)` gives, or null when the type cannot be enumerated. */
export function elementTypeOf(type: Type): Type | null {
  if (type.kind === "array") return type.element;
  if (isString(type)) return known.char();
  if (type.kind !== "named") return null;
  const own = ownEnumerator(type);
  if (own !== null) return own.element;
  const args = argumentsOf(type, enumerable());
  if (args !== null) return args[0]!;
  const plain = findDefinition("System.Collections.IEnumerable", 0);
  return plain !== null && argumentsOf(type, plain) !== null ? known.object() : null;
}

/** Whether the type is an `IEnumerable<T>` for more than one T. */
export function isAmbiguousSequence(type: NamedType): boolean {
  return allBases(type).filter((base) => base.definition === enumerable()).length > 1;
}

export interface OwnEnumerator {
  readonly member: Member;
  readonly declaring: NamedType;
  readonly element: Type;
}

/** `GetEnumerator()` of the class itself: C# asks it first. A JObject gives pairs there, properties as a JToken. */
export function ownEnumerator(type: NamedType): OwnEnumerator | null {
  for (let declaring: NamedType | null = type; declaring !== null; declaring = baseOf(declaring)) {
    for (const member of declaring.definition.members.get("GetEnumerator") ?? []) {
      if (member.parameters.length > 0 || member.isStatic) continue;
      const returns = substitute(member.returns, bindings(declaring));
      if (returns.kind === "named" && returns.args.length === 1)
        return { member, declaring, element: returns.args[0]! };
    }
  }
  return null;
}

/** The base class with its arguments; null for object and interfaces. */
export function baseOf(type: NamedType): NamedType | null {
  const { base } = type.definition;
  return base === null ? null : (substitute(base, bindings(type)) as NamedType);
}

export { arrayOf, displayName, instantiate, isTupleType, isValueType, substitute, underlyingOfNullable };
export { ERROR_TYPE, NULL_TYPE };
