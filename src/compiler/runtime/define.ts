/**
 * The allow-list: every .NET type and member that expressions may see is declared through `defineType`, as a C#
 * signature next to the JavaScript behind it. There is no other way from a name in a policy to code in this
 * program.
 *
 * ```ts
 * defineType("class System.String : IEnumerable<char>", {
 *   "int Length { get; }": (text: string) => text.length,
 *   "string Substring(int startIndex)": substring,
 *   "static string Join(string separator, params string[] values)": join,
 *   "static string Empty { get; }": () => "",
 *   "char this[int index] { get; }": charAt,
 *   "static implicit operator Foo(string text)": …,      "static bool operator ==(Foo a, Foo b)": …,
 *   "String(char c, int count)": …,                      // a constructor: the short name, no return type
 *   "static int Count<T>(this IEnumerable<T> source)": generic(([T]) => (source) => …),
 * });
 * ```
 *
 * Signatures name types by keyword, short or full name; a short name must be unique among all definitions. They are
 * resolved on first use, so files may refer to each other freely.
 */
import { parseHeader, parseSignature, resolveName } from "./signature.ts";
import {
  type Implementation,
  type Member,
  type MemberFacts,
  type NamedType,
  type Type,
  type TypeDefinition,
  type TypeKind,
  type TypeParameter,
} from "./type.ts";
import { enumValue } from "./values.ts";

type Code = ((...args: any[]) => unknown) | Declared | string | number | bigint | boolean;

/** An implementation with more to say than its code; made by `generic`, `accessor`, `constant`, `withFacts`. */
export interface Declared {
  readonly implementation: Implementation;
  readonly facts: MemberFacts;
}

export type Members = Readonly<Record<string, Code>>;

export interface TypeOptions {
  /** `default(T)`; structs must give it. */
  readonly defaultValue?: unknown;
  /** For enums, in order of declaration. */
  readonly values?: Readonly<Record<string, number>>;
  /** For enums whose values combine (`[Flags]`). */
  readonly flags?: boolean;
  /** May appear in source; default true. */
  readonly nameable?: boolean;
}

class Definition implements TypeDefinition {
  readonly kind: TypeKind;
  readonly fullName: string;
  readonly shortName: string;
  readonly parameters: readonly TypeParameter[];
  readonly enumValues: ReadonlyMap<string, number> | null;
  readonly isFlags: boolean;
  readonly nameable: boolean;
  readonly #defaultValue: unknown;
  readonly #bases: readonly string[];
  readonly #sources: Members[];
  #resolvedBases: { base: NamedType | null; interfaces: NamedType[] } | null = null;
  #members: Map<string, Member[]> | null = null;

  constructor(header: string, members: Members, options: TypeOptions) {
    const parsed = parseHeader(header);
    this.kind = parsed.kind;
    this.fullName = parsed.fullName;
    this.shortName = parsed.fullName.slice(parsed.fullName.lastIndexOf(".") + 1);
    this.parameters = parsed.parameters.map((name) => ({ kind: "parameter", name }));
    this.#bases = parsed.bases;
    this.#sources = [members];
    this.#defaultValue = options.defaultValue ?? null;
    this.enumValues = options.values === undefined ? null : new Map(Object.entries(options.values));
    this.isFlags = options.flags ?? false;
    this.nameable = options.nameable ?? true;
  }

  get defaultValue(): unknown {
    return this.kind === "enum" ? enumValue(this, 0) : this.#defaultValue;
  }

  /** Adds members from another file (`extendType`). */
  extend(members: Members): void {
    if (this.#members !== null) throw new Error(`${this.fullName} is in use and cannot be extended any more`);
    this.#sources.push(members);
  }

  get base(): NamedType | null {
    return this.#resolveBases().base;
  }

  get interfaces(): readonly NamedType[] {
    return this.#resolveBases().interfaces;
  }

  #resolveBases(): { base: NamedType | null; interfaces: NamedType[] } {
    if (this.#resolvedBases !== null) return this.#resolvedBases;
    let base: NamedType | null = null;
    const interfaces: NamedType[] = [];
    for (const text of this.#bases) {
      const type = resolveTypeName(text, this.parameters) as NamedType;
      if (type.definition.kind === "interface") interfaces.push(type);
      else base = type;
    }
    if (base === null && this.kind === "enum") base = resolveTypeName("System.Enum", []) as NamedType;
    if (
      base === null &&
      this.fullName !== "System.Object" &&
      (this.kind === "class" || this.kind === "struct" || this.kind === "enum" || this.kind === "delegate")
    ) {
      base = resolveTypeName("System.Object", []) as NamedType;
    }
    return (this.#resolvedBases = { base, interfaces });
  }

  get members(): ReadonlyMap<string, readonly Member[]> {
    if (this.#members !== null) return this.#members;
    const members = new Map<string, Member[]>();
    for (const source of this.#sources) {
      for (const [signature, code] of Object.entries(source)) {
        const member = parseSignature(signature, this, declared(code), resolveTypeName);
        const group = members.get(member.name);
        if (group === undefined) members.set(member.name, [member]);
        else group.push(member);
      }
    }
    return (this.#members = members);
  }
}

const byFullName = new Map<string, Definition>();
/** Short name → definitions (several when arities or namespaces differ). */
const byShortName = new Map<string, Definition[]>();
const extensionSources: Definition[] = [];

/**
 * Declares a type.
 *
 * @param header  `class|struct|interface|enum|delegate|static Full.Name<T> : Base, IFace<T>`
 * @param members C# signature → JavaScript
 */
export function defineType(header: string, members: Members = {}, options: TypeOptions = {}): TypeDefinition {
  const definition = new Definition(header, members, options);
  const key = `${definition.fullName}\`${definition.parameters.length}`;
  if (byFullName.has(key)) throw new Error(`${key} is defined twice`);
  byFullName.set(key, definition);
  const same = byShortName.get(definition.shortName);
  if (same === undefined) byShortName.set(definition.shortName, [definition]);
  else same.push(definition);
  if (definition.kind === "static") extensionSources.push(definition);
  return definition;
}

/** Adds members to a type declared elsewhere. */
export function extendType(fullName: string, members: Members): void {
  (lookupType(fullName) as Definition).extend(members);
}

/** @param fullName without arity; `arity` picks among `Func<>`, `Func<,>`, … @throws Error when there is none */
export function lookupType(fullName: string, arity?: number): TypeDefinition {
  const found = findDefinition(fullName, arity);
  if (found === null) throw new Error(`no .NET type ${fullName}`);
  return found;
}

/** By full or short name; null when unknown. With `arity` undefined the only or the non-generic one. */
export function findDefinition(name: string, arity?: number): TypeDefinition | null {
  if (arity !== undefined) {
    const exact = byFullName.get(`${name}\`${arity}`);
    if (exact !== undefined) return exact;
    return byShortName.get(name)?.find((definition) => definition.parameters.length === arity) ?? null;
  }
  for (let n = 0; n < 18; n++) {
    const exact = byFullName.get(`${name}\`${n}`);
    if (exact !== undefined) return exact;
  }
  const candidates = byShortName.get(name);
  return candidates?.find((d) => d.parameters.length === 0) ?? candidates?.[0] ?? null;
}

/** All definitions of a short name, for the binder's name lookup and its hints. */
export function definitionsNamed(shortName: string): readonly TypeDefinition[] {
  return byShortName.get(shortName) ?? [];
}

export function allDefinitions(): Iterable<TypeDefinition> {
  return byFullName.values();
}

let extensionIndex: Map<string, Member[]> | null = null;

/** Extension methods of all static classes, by name. */
export function extensionMethods(name: string): readonly Member[] {
  if (extensionIndex === null) {
    extensionIndex = new Map();
    for (const source of extensionSources) {
      for (const group of source.members.values()) {
        for (const member of group) {
          if (!member.isExtension) continue;
          const known = extensionIndex.get(member.name);
          if (known === undefined) extensionIndex.set(member.name, [member]);
          else known.push(member);
        }
      }
    }
  }
  return extensionIndex.get(name) ?? [];
}

/** For members of generic types and generic methods: asked once per call site for the code of these arguments. */
export function generic(
  specialise: (types: readonly Type[]) => (...args: any[]) => unknown,
  facts: MemberFacts = {},
): Declared {
  return { implementation: { kind: "generic", specialise }, facts };
}

/** A property or indexer that can be written. */
export function accessor(
  get: (...args: any[]) => unknown,
  set: (...args: any[]) => void,
  facts: MemberFacts = {},
): Declared {
  return { implementation: { kind: "accessor", get, set }, facts };
}

export function withFacts(call: (...args: any[]) => unknown, facts: MemberFacts): Declared {
  return { implementation: { kind: "function", call }, facts };
}

export function constant(value: unknown): Declared {
  return { implementation: { kind: "constant", value }, facts: {} };
}

function declared(code: Code): Declared {
  if (typeof code === "function") return { implementation: { kind: "function", call: code }, facts: {} };
  if (typeof code === "object") return code;
  return constant(code);
}

/** A type written in a signature, with the type parameters in scope. @throws Error when a name is unknown */
export function resolveTypeName(text: string, parameters: readonly TypeParameter[]): Type {
  return resolveName(text, parameters, findDefinition);
}
