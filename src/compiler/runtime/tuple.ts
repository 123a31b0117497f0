/**
 * Values that C# makes without naming a class: `(1, "x")` and `new { a = 1 }`. Both keep their elements raw, in the
 * representation of the type arguments. Element names of tuples live in the compiler only, as in C#.
 */
import { checkLength, spend } from "./budget.ts";
import { defaultOf, setStructDefault } from "./cast.ts";
import { defineType, lookupType } from "./define.ts";
import {
  type Member,
  type NamedType,
  type Type,
  type TypeDefinition,
  type TypeParameter,
  instantiate,
} from "./type.ts";
import { type NetObject, TYPE, box, equal, hashOf, textOf } from "./values.ts";

/** A `System.ValueTuple<…>`, frozen: assignment to an element makes a new one. */
export class TupleValue implements NetObject {
  readonly type: NamedType;
  readonly items: readonly unknown[];

  constructor(type: NamedType, items: readonly unknown[]) {
    this.type = type;
    this.items = items;
  }

  get [TYPE](): Type {
    return this.type;
  }

  netToString(): string {
    return joined("(", boxedItems(this).map(textOf), ")");
  }

  netEquals(other: unknown): boolean {
    return other instanceof TupleValue && other.type === this.type && sameItems(this, other);
  }

  netHashCode(): number {
    return hashItems(this);
  }

  netCompareTo(other: unknown): number {
    const mine = boxedItems(this);
    const theirs = boxedItems(other as TupleValue);
    for (const [i, value] of mine.entries()) {
      const order = compareBoxed(value, theirs[i]);
      if (order !== 0) return order;
    }
    return 0;
  }
}

/** An object of an anonymous type. Names are data: they never become JavaScript property names. */
export class AnonymousValue implements NetObject {
  readonly type: NamedType;
  /** In order of declaration. */
  readonly names: readonly string[];
  readonly items: readonly unknown[];

  constructor(type: NamedType, names: readonly string[], items: readonly unknown[]) {
    this.type = type;
    this.names = names;
    this.items = items;
  }

  get [TYPE](): Type {
    return this.type;
  }

  netToString(): string {
    if (this.names.length === 0) return "{ }";
    return joined(
      "{ ",
      boxedItems(this).map((value, i) => `${this.names[i]!} = ${textOf(value)}`),
      " }",
    );
  }

  netEquals(other: unknown): boolean {
    return other instanceof AnonymousValue && other.type === this.type && sameItems(this, other);
  }

  netHashCode(): number {
    return hashItems(this);
  }
}

interface Items {
  readonly type: NamedType;
  readonly items: readonly unknown[];
}

/** The elements as `object`s. */
export function boxedItems(value: Items): unknown[] {
  // `t = (t, t)` forty times is small to make, but has 2⁴⁰ elements to whoever compares or prints it.
  spend(value.items.length);
  return value.items.map((item, i) => box(item, value.type.args[i]!));
}

function joined(open: string, texts: readonly string[], close: string): string {
  let length = 0;
  for (const text of texts) length += text.length + 2;
  checkLength(length);
  return open + texts.join(", ") + close;
}

function sameItems(a: Items, b: Items): boolean {
  const theirs = boxedItems(b);
  return boxedItems(a).every((item, i) => equal(item, theirs[i]));
}

function hashItems(value: Items): number {
  let hash = 17;
  for (const item of boxedItems(value)) hash = (Math.imul(hash, 31) + (item === null ? 0 : hashOf(item))) | 0;
  return hash;
}

function compareBoxed(a: any, b: any): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  if (typeof a.netCompareTo === "function") return a.netCompareTo(b);
  const x = a.value ?? a;
  const y = b.value ?? b;
  return x < y ? -1 : x > y ? 1 : 0;
}

const definitions = new Map<string, TypeDefinition>();
const definitionNames = new WeakMap<TypeDefinition, readonly string[]>();

/** The anonymous type with these member names in this order, open over their types. One object per list of names. */
export function anonymousDefinition(names: readonly string[]): TypeDefinition {
  const key = names.join(",");
  let definition = definitions.get(key);
  if (definition === undefined) {
    // Policies of a long-lived process come and go: do not keep what every one of them invented.
    if (definitions.size >= 10_000) definitions.clear();
    definitions.set(key, (definition = defineAnonymous(names)));
    definitionNames.set(definition, names);
  }
  return definition;
}

/** Member names of an anonymous type; null for other types. */
export function anonymousNames(type: Type): readonly string[] | null {
  return type.kind === "named" ? (definitionNames.get(type.definition) ?? null) : null;
}

function defineAnonymous(names: readonly string[]): TypeDefinition {
  const parameters = names.map((name): TypeParameter => ({ kind: "parameter", name: `<${name}>T` }));
  const members = new Map<string, readonly Member[]>();
  const definition: TypeDefinition = {
    kind: "class",
    fullName: "<>f__AnonymousType",
    shortName: "anonymous type",
    parameters,
    get base() {
      return instantiate(lookupType("System.Object"));
    },
    interfaces: [],
    members,
    defaultValue: null,
    enumValues: null,
    nameable: false,
  };
  names.forEach((name, i) => {
    members.set(name, [
      {
        kind: "property",
        name,
        declaring: definition,
        isStatic: false,
        isExtension: false,
        typeParameters: [],
        parameters: [],
        returns: parameters[i]!,
        implicit: false,
        implementation: { kind: "function", call: (value: AnonymousValue) => value.items[i] },
        signature: `${name} { get; }`,
        facts: {},
      },
    ]);
  });
  return definition;
}

/** Most elements of a tuple; C# nests longer ones. */
export const MAX_TUPLE = 7;

for (let n = 2; n <= MAX_TUPLE; n++) {
  const parameters = Array.from({ length: n }, (_, i) => `T${i + 1}`).join(", ");
  defineType(`struct System.ValueTuple<${parameters}>`);
}

setStructDefault("System.ValueTuple", (type) => new TupleValue(type, type.args.map(defaultOf)));

/** A `System.ValueTuple`; the mark tells TypeScript that other types may be named, too. */
export type TupleType = NamedType & { readonly tuple?: true };

/** `System.ValueTuple<…>` over 2 to 7 element types. */
export function tupleType(elements: readonly Type[]): NamedType {
  return instantiate(lookupType("System.ValueTuple", elements.length), elements);
}

export function isTupleType(type: Type): type is TupleType {
  return type.kind === "named" && type.definition.fullName === "System.ValueTuple";
}
