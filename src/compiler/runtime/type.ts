/**
 * .NET types as the compiler and the runtime see them. Types are interned: two mentions of `List<string>` are the
 * same object, so `===` compares types everywhere.
 */

export type Type = NamedType | ArrayType | TypeParameter | SpecialType;

/** A class, struct, interface, enum or delegate, with its type arguments. */
export interface NamedType {
  readonly kind: "named";
  readonly definition: TypeDefinition;
  readonly args: readonly Type[];
  /** Full .NET name as `Object.ToString()` prints it: ``System.Collections.Generic.List`1[System.String]``. */
  readonly name: string;
}

export interface ArrayType {
  readonly kind: "array";
  readonly element: Type;
  readonly name: string;
}

/** `T` inside a declaration of the library; never in a bound program. */
export interface TypeParameter {
  readonly kind: "parameter";
  readonly name: string;
}

/** `null` literal, `void`, or a place where binding failed (`error` converts to and from everything silently). */
export interface SpecialType {
  readonly kind: "null" | "void" | "error";
  readonly name: string;
}

export type TypeKind = "class" | "struct" | "interface" | "enum" | "delegate" | "static";

/** An open type: `String`, `List<>`, `Func<,>`. One object per .NET type; members come from `define.ts`. */
export interface TypeDefinition {
  readonly kind: TypeKind;
  /** Full name without arity: `System.Collections.Generic.List`. */
  readonly fullName: string;
  /** Last part: `List`. */
  readonly shortName: string;
  readonly parameters: readonly TypeParameter[];
  /** Base class over the definition's own parameters; null for object, interfaces and static classes. */
  readonly base: NamedType | null;
  readonly interfaces: readonly NamedType[];
  /** Members declared here (not inherited), by name; constructors under `.ctor`, indexers under `this[]`. */
  readonly members: ReadonlyMap<string, readonly Member[]>;
  /** `default(T)`: null for reference types. */
  readonly defaultValue: unknown;
  /** Name → number, for enums. */
  readonly enumValues: ReadonlyMap<string, number> | null;
  /** An enum whose values combine, and print as a list of names. */
  readonly isFlags?: boolean;
  /** May be named in source. False for types that only appear in signatures. */
  readonly nameable: boolean;
}

export type MemberKind =
  | "method"
  | "property"
  | "indexer"
  | "constructor"
  | "constant"
  | "operator"
  | "conversion";

export interface Member {
  readonly kind: MemberKind;
  readonly name: string;
  readonly declaring: TypeDefinition;
  readonly isStatic: boolean;
  /** First parameter carries `this`. */
  readonly isExtension: boolean;
  /** Type parameters of a generic method. */
  readonly typeParameters: readonly TypeParameter[];
  readonly parameters: readonly Parameter[];
  /** Return type, property type; for constructors the type itself. */
  readonly returns: Type;
  /** For `conversion`. */
  readonly implicit: boolean;
  readonly implementation: Implementation;
  /** As written in the library, for error messages. */
  readonly signature: string;
  readonly facts: MemberFacts;
}

export interface Parameter {
  readonly name: string;
  readonly type: Type;
  readonly mode: "value" | "out" | "params";
  /** Present when the parameter may be left out. */
  readonly optional?: { readonly value: unknown };
}

/** What the compiler must know of a member beyond its signature. */
export interface MemberFacts {
  /** Reading it needs this body in memory. */
  readonly needs?: "request-body" | "response-body" | "body";
  /** Looks at constant arguments (undefined = not constant) when the document is saved; returns what is wrong, or null. */
  readonly verify?: (args: readonly unknown[]) => string | null;
  /** Looks at the type arguments (of the type, then of the method); returns what is wrong with them, or null. */
  readonly verifyTypes?: (types: readonly Type[]) => string | null;
  /** Said as a warning where it is used. */
  readonly warning?: string;
}

/**
 * JavaScript behind a member, over the representation of `values.ts`:
 * instance members get the receiver first, never null; `out` parameters get an `OutCell`; delegates are functions;
 * `params` arrives as a `NetArray`. A `generic` implementation is asked once per call site.
 */
export type Implementation =
  | { readonly kind: "function"; readonly call: (...args: any[]) => unknown }
  | { readonly kind: "generic"; readonly specialise: (types: readonly Type[]) => (...args: any[]) => unknown }
  | {
      readonly kind: "accessor";
      readonly get: (...args: any[]) => unknown;
      readonly set: (...args: any[]) => void;
    }
  | { readonly kind: "constant"; readonly value: unknown };

const interned = new Map<TypeDefinition, Map<string, NamedType>>();
const arrays = new Map<Type, ArrayType>();
let nextId = 0;
const ids = new WeakMap<Type, number>();

function idOf(type: Type): number {
  let id = ids.get(type);
  if (id === undefined) ids.set(type, (id = ++nextId));
  return id;
}

/** Of a closed type, its arguments included; bounds how many types it is made of. */
const LONGEST_NAME = 8192;

/** A type of types of types … that is longer than anybody writes on purpose. */
export class TypeTooLarge extends Error {}

/**
 * The closed type `definition<args>`.
 *
 * @throws TypeTooLarge
 */
export function instantiate(definition: TypeDefinition, args: readonly Type[] = []): NamedType {
  let forms = interned.get(definition);
  if (forms === undefined) interned.set(definition, (forms = new Map()));
  const key = args.length === 0 ? "" : args.map(idOf).join(",");
  let type = forms.get(key);
  if (type === undefined) {
    // Each `var b = (a, a);` doubles the type; whoever walks it would never come back.
    let length = definition.fullName.length;
    for (const arg of args) length += arg.name.length;
    if (length > LONGEST_NAME) throw new TypeTooLarge();
    const suffix = args.length === 0 ? "" : `\`${args.length}[${args.map((a) => a.name).join(",")}]`;
    type = { kind: "named", definition, args, name: definition.fullName + suffix };
    forms.set(key, type);
  }
  return type;
}

export function arrayOf(element: Type): ArrayType {
  let type = arrays.get(element);
  if (type === undefined) arrays.set(element, (type = { kind: "array", element, name: `${element.name}[]` }));
  return type;
}

export const NULL_TYPE: SpecialType = { kind: "null", name: "<null>" };
export const VOID: SpecialType = { kind: "void", name: "System.Void" };
export const ERROR_TYPE: SpecialType = { kind: "error", name: "<error>" };

/** Replaces type parameters by arguments throughout `type`. */
export function substitute(type: Type, map: ReadonlyMap<TypeParameter, Type>): Type {
  if (map.size === 0) return type;
  switch (type.kind) {
    case "parameter":
      return map.get(type) ?? type;
    case "array":
      return arrayOf(substitute(type.element, map));
    case "named":
      return type.args.length === 0
        ? type
        : instantiate(
            type.definition,
            type.args.map((arg) => substitute(arg, map)),
          );
    default:
      return type;
  }
}

/** Parameter → argument map of a closed type. */
export function bindings(type: NamedType): ReadonlyMap<TypeParameter, Type> {
  const map = new Map<TypeParameter, Type>();
  type.definition.parameters.forEach((parameter, i) => {
    const arg = type.args[i];
    if (arg !== undefined) map.set(parameter, arg);
  });
  return map;
}

export function isValueType(type: Type): boolean {
  return type.kind === "named" && (type.definition.kind === "struct" || type.definition.kind === "enum");
}

/** For `T?` over a value type: T; otherwise null. */
export function underlyingOfNullable(type: Type): Type | null {
  return type.kind === "named" && type.definition.fullName === "System.Nullable" ? type.args[0]! : null;
}

/** The name as C# writes it in messages: `int`, `string[]`, `List<string>`, `int?`. */
export function displayName(type: Type): string {
  switch (type.kind) {
    case "array":
      return `${displayName(type.element)}[]`;
    case "named": {
      const inner = underlyingOfNullable(type);
      if (inner !== null) return `${displayName(inner)}?`;
      const keyword = KEYWORDS.get(type.definition.fullName);
      if (keyword !== undefined) return keyword;
      const args = type.args.length === 0 ? "" : `<${type.args.map(displayName).join(", ")}>`;
      return type.definition.shortName + args;
    }
    default:
      return type.name;
  }
}

/** .NET names with a C# keyword. */
export const KEYWORDS: ReadonlyMap<string, string> = new Map([
  ["System.Object", "object"],
  ["System.String", "string"],
  ["System.Boolean", "bool"],
  ["System.Char", "char"],
  ["System.SByte", "sbyte"],
  ["System.Byte", "byte"],
  ["System.Int16", "short"],
  ["System.UInt16", "ushort"],
  ["System.Int32", "int"],
  ["System.UInt32", "uint"],
  ["System.Int64", "long"],
  ["System.UInt64", "ulong"],
  ["System.Single", "float"],
  ["System.Double", "double"],
  ["System.Decimal", "decimal"],
  ["System.Void", "void"],
]);
