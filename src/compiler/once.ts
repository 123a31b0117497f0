/** Policies that may stand only once in a document or section. */
import type { PolicyDefinition, Section } from "./policy.ts";

/** Of a once-only policy in branches that exclude each other; further ones are not compared. */
const mostOccurrences = 64;

/** `choose` branches around a policy: the place of the `choose` → the place of the branch. */
export type Branches = ReadonlyMap<string, string>;

interface Occurrence {
  readonly section: Section | null;
  readonly branches: Branches;
  readonly line: number;
}

export class OncePolicies {
  readonly #met = new Map<string, Occurrence[]>();

  /**
   * Notes a policy. Two that can never both run, in different branches of one `choose`, count as one.
   *
   * @returns the line of the one that it repeats, or null
   */
  note(
    { element, once }: PolicyDefinition,
    section: Section | null,
    branches: Branches,
    line: number,
  ): number | null {
    if (once === undefined) return null;
    const met = this.#met.get(element) ?? [];
    this.#met.set(element, met);
    const other = met.find(
      (earlier) =>
        (once === "document" || earlier.section === section) && canBothRun(earlier.branches, branches),
    );
    if (other === undefined && met.length < mostOccurrences) met.push({ section, branches, line });
    return other?.line ?? null;
  }
}

function canBothRun(a: Branches, b: Branches): boolean {
  for (const [choose, branch] of a) {
    const other = b.get(choose);
    if (other !== undefined && other !== branch) return false;
  }
  return true;
}
