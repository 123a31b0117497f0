/** System.Tuple: the class, with one to seven items. `(a, b)` is something else, see `../tuple.ts`. */
import { checkLength, spend } from "../budget.ts";
import { defineType, generic, lookupType } from "../define.ts";
import { argumentError } from "../errors.ts";
import { type NamedType, type Type, instantiate } from "../type.ts";
import { type NetObject, TYPE, box, equal, hashOf, textOf } from "../values.ts";
import { compareValues } from "./comparers.ts";

const MOST_ITEMS = 7;

export class Tuple implements NetObject {
  readonly type: NamedType;
  /** Raw, in the representation of the type arguments. */
  readonly items: readonly unknown[];

  constructor(type: NamedType, items: readonly unknown[]) {
    this.type = type;
    this.items = items;
  }
  get [TYPE](): Type {
    return this.type;
  }
  #boxed(): unknown[] {
    // `t = Tuple.Create(t, t)` forty times is small to make, but has 2⁴⁰ items to whoever compares or prints it.
    spend(this.items.length);
    return this.items.map((item, i) => box(item, this.type.args[i]!));
  }
  netToString(): string {
    const texts = this.#boxed().map(textOf);
    checkLength(texts.reduce((length, text) => length + text.length + 2, 0));
    return `(${texts.join(", ")})`;
  }
  netEquals(other: unknown): boolean {
    if (!(other instanceof Tuple) || other.type !== this.type) return false;
    const theirs = other.#boxed();
    return this.#boxed().every((item, i) => equal(item, theirs[i]));
  }
  netHashCode(): number {
    let hash = 0;
    for (const item of this.#boxed())
      hash = ((Math.imul(hash, 33) | 0) ^ (item === null ? 0 : hashOf(item))) | 0;
    return hash;
  }
  netCompareTo(other: unknown): number {
    if (!(other instanceof Tuple) || other.type !== this.type) {
      throw argumentError(`Argument must be of type ${this.type.name}.`, "other");
    }
    const theirs = other.#boxed();
    for (const [i, item] of this.#boxed().entries()) {
      const order = compareValues(item, theirs[i]);
      if (order !== 0) return order;
    }
    return 0;
  }
}

const factories: Record<string, ReturnType<typeof generic>> = {};
for (let count = 1; count <= MOST_ITEMS; count++) {
  const names = Array.from({ length: count }, (_, i) => `T${i + 1}`);
  const parameters = names.map((name, i) => `${name} item${i + 1}`).join(", ");
  const make = generic((args) => {
    const type = instantiate(lookupType("System.Tuple", count), args);
    return (...items: unknown[]) => new Tuple(type, items);
  });
  const items: Record<string, (tuple: Tuple) => unknown> = {};
  names.forEach((name, i) => {
    items[`${name} Item${i + 1} { get; }`] = (tuple: Tuple) => tuple.items[i];
  });
  defineType(`class System.Tuple<${names.join(", ")}> : IComparable`, {
    [`Tuple(${parameters})`]: make,
    ...items,
  });
  factories[`static Tuple<${names.join(", ")}> Create<${names.join(", ")}>(${parameters})`] = make;
}
defineType("static System.Tuple", factories);
