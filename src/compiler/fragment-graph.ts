/**
 * Which policy fragments include which: found before anything is bound, so that circles, deep chains and fragments
 * that grow exponentially are refused without being expanded. One depth-first walk over all fragments, no recursion.
 */
import type { ParsedDocument } from "./xml/parser.ts";
import { attributeOf, walkElements } from "./xml/tree.ts";

export interface FragmentShape {
  /** Ids along a circle that can be reached from this fragment, first and last the same; null: none. */
  readonly cycle: readonly string[] | null;
  /** Levels of fragments below and including this one. */
  readonly depth: number;
  /** Elements with everything included in place. */
  readonly size: number;
}

interface Visit {
  readonly id: string;
  readonly includes: readonly string[];
  next: number;
  depth: number;
  size: number;
  cycle: readonly string[] | null;
}

/**
 * @param ids lower-case ids of all fragments
 * @param parse the parsed fragment of an id; null for an unknown one
 */
export function fragmentShapes(
  ids: Iterable<string>,
  parse: (id: string) => ParsedDocument | null,
): ReadonlyMap<string, FragmentShape> {
  const done = new Map<string, FragmentShape>();
  const open = new Map<string, Visit>();
  for (const start of ids) {
    if (done.has(start)) continue;
    const stack = [begin(start, parse)];
    open.set(start, stack[0]!);
    while (stack.length > 0) {
      const visit = stack.at(-1)!;
      const id = visit.includes[visit.next++];
      if (id === undefined) {
        stack.pop();
        open.delete(visit.id);
        const shape = { cycle: visit.cycle, depth: visit.depth, size: visit.size };
        done.set(visit.id, shape);
        const parent = stack.at(-1);
        if (parent !== undefined) add(parent, shape);
      } else if (open.has(id)) {
        const from = stack.findIndex((other) => other.id === id);
        visit.cycle ??= [...stack.slice(from).map((other) => other.id), id];
      } else {
        const known = done.get(id);
        if (known !== undefined) add(visit, known);
        else if (parse(id) !== null) {
          const inner = begin(id, parse);
          open.set(id, inner);
          stack.push(inner);
        }
      }
    }
  }
  return done;
}

function begin(id: string, parse: (id: string) => ParsedDocument | null): Visit {
  const includes: string[] = [];
  let size = 0;
  const root = parse(id)?.root;
  if (root !== null && root !== undefined) {
    walkElements(root, (element) => {
      size++;
      const included = element.name === "include-fragment" ? attributeOf(element, "fragment-id") : undefined;
      if (included !== undefined) includes.push(included.value.text.trim().toLowerCase());
    });
  }
  return { id, includes, next: 0, depth: 1, size, cycle: null };
}

function add(visit: Visit, inner: FragmentShape): void {
  visit.depth = Math.max(visit.depth, inner.depth + 1);
  visit.size = Math.min(visit.size + inner.size, Number.MAX_SAFE_INTEGER);
  visit.cycle ??= inner.cycle;
}
