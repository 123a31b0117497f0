/**
 * What was built for one snapshot and may serve the next. A part is kept with everything it was made of, and used again
 * when all of that is the same, by identity: the store and the compiler give the same objects as long as nothing
 * changed. So a part's inputs must name everything that its making reads; what is made lazily counts as read.
 */
interface Part {
  readonly inputs: readonly unknown[];
  readonly value: unknown;
}

export type Parts = ReadonlyMap<string, Part>;

export class Kept {
  readonly #before: Parts;
  readonly #now = new Map<string, Part>();

  /** @param before parts of the last snapshot that was built without errors */
  constructor(before: Parts) {
    this.#before = before;
  }

  /** For the next snapshot; only when this one has no errors. */
  get parts(): Parts {
    return this.#now;
  }

  /**
   * @param name  of the part; each is used once in a build
   * @param inputs numbers where lists of any length begin, so that no two lists look alike
   */
  use<T>(name: string, inputs: readonly unknown[], make: () => T): T {
    const known = this.#before.get(name);
    if (known !== undefined && sameItems(known.inputs, inputs)) {
      this.#now.set(name, known);
      return known.value as T;
    }
    const value = make();
    this.#now.set(name, { inputs, value });
    return value;
  }
}

function sameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
