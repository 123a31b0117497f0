/** The policies that the compiler knows, by element name, with what it needs to explain a wrong name. */
import type { ElementShape, PolicyDefinition } from "./policy.ts";
import { azurePolicies } from "./known-policies.ts";

export class Catalogue {
  readonly #byElement: ReadonlyMap<string, PolicyDefinition>;
  /** Child element → names of the policies that it is a part of. */
  readonly #parents = new Map<string, string[]>();

  constructor(policies: Iterable<PolicyDefinition>) {
    this.#byElement = new Map([...policies].map((policy) => [policy.element, policy]));
    for (const [name, { shape }] of this.#byElement) this.#noteChildren(name, shape);
  }

  find(element: string): PolicyDefinition | undefined {
    return this.#byElement.get(element);
  }

  /** A policy of Azure API Management that has no definition here. */
  isNotBuilt(element: string): boolean {
    return azurePolicies.has(element) && !this.#byElement.has(element);
  }

  /** Elements whose child this is, without being a policy itself. */
  parentsOf(child: string): readonly string[] {
    return this.#parents.get(child) ?? [];
  }

  /** What may be written in a section, for suggestions. */
  names(): string[] {
    return [...new Set(["base", "include-fragment", ...this.#byElement.keys(), ...azurePolicies])];
  }

  get policies(): Iterable<PolicyDefinition> {
    return this.#byElement.values();
  }

  #noteChildren(parent: string, shape: ElementShape): void {
    for (const [child, childShape] of Object.entries(shape.children ?? {})) {
      const parents = this.#parents.get(child) ?? [];
      if (!parents.includes(parent)) parents.push(parent);
      this.#parents.set(child, parents);
      this.#noteChildren(child, childShape);
    }
  }
}
