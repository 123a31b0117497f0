/**
 * When V8's own engine may run a pattern instead of the machine: where both mean the same and the worst case is known
 * to be small.
 *
 * *The same*: the text is ASCII (so classes, case and word boundaries are plain lists of letters) and the pattern has
 * nothing on which the engines differ: no captures inside loops (.NET keeps all of them, JavaScript resets them), no
 * loops over something that may be empty (JavaScript refuses empty iterations), no back references (JavaScript's match
 * when the group did not), no atomic groups, conditionals, balancing, `\G`.
 *
 * *Small*: a bound on the paths a backtracking engine can take, `constant · length^degree`, is read off the tree; a
 * pattern with ambiguous nested loops has none. A search that may start anywhere adds one to the degree. V8 gets the
 * text only if the bound stays under a few million steps, a handful of milliseconds. Measured on Node 24, V8 takes
 * 1–2 ns a step and the machine 10–20, so for ordinary patterns on headers and paths it is V8; `(a+)+$` never.
 */
import type { CharSet } from "./charset.ts";
import { unitSet } from "./program.ts";
import type { Node, Pattern } from "./tree.ts";

/** Steps that V8 may take at worst. */
const MOST_STEPS = 3_000_000;

export interface Native {
  /** Longest text it may be given. */
  readonly longest: number;
  /** For positions of the whole match. */
  readonly plain: RegExp;
  /** With positions of groups; made when wanted. */
  withGroups(): RegExp;
  /** JavaScript's group number → ours. */
  readonly groups: readonly number[];
}

/** null when the pattern must be left to the machine. */
export function nativeFor(pattern: Pattern): Native | null {
  const bound = pathsOf(pattern.root);
  if (bound === null) return null;
  const groups: number[] = [];
  const source = translate(pattern.root, groups, false);
  if (source === null || new Set(groups).size !== groups.length || source.length > 20_000) return null;
  const degree = bound.degree + (startsAtStart(pattern.root) ? 0 : 1);
  const perPath = bound.constant * sizeOf(pattern.root);
  const longest = degree === 0 ? Infinity : Math.floor((MOST_STEPS / perPath) ** (1 / degree));
  if (longest < 16) return null;
  // A linear search is fine for any text there can be.
  const unlimited = degree === 1 && perPath <= 64;
  let full: RegExp | null = null;
  return {
    longest: unlimited ? Infinity : longest,
    plain: new RegExp(source, "g"),
    withGroups: () => (full ??= new RegExp(source, "dg")),
    groups,
  };
}

interface Bound {
  readonly constant: number;
  readonly degree: number;
}

const ONE: Bound = { constant: 1, degree: 0 };

/** How many ways a node can match from one position, at worst; null = exponentially many. */
function pathsOf(node: Node): Bound | null {
  switch (node.kind) {
    case "empty":
    case "char":
    case "set":
    case "anchor":
      return ONE;
    case "sequence": {
      let constant = 1;
      let degree = 0;
      for (const part of node.nodes) {
        const bound = pathsOf(part);
        if (bound === null) return null;
        constant *= bound.constant;
        degree += bound.degree;
      }
      return limited(constant, degree);
    }
    case "choice": {
      let constant = 0;
      let degree = 0;
      for (const part of node.nodes) {
        const bound = pathsOf(part);
        if (bound === null) return null;
        constant += bound.constant;
        degree = Math.max(degree, bound.degree);
      }
      return limited(constant, degree);
    }
    case "capture":
    case "look":
      return pathsOf(node.node);
    case "loop": {
      const bound = pathsOf(node.node);
      if (bound === null) return null;
      const fixed = bound.constant === 1 && bound.degree === 0;
      if (node.max === Infinity) return fixed ? { constant: 1, degree: 1 } : null;
      if (node.max > 64 && fixed) return { constant: 1, degree: 1 };
      return limited(bound.constant ** node.max * (node.max - node.min + 1), bound.degree * node.max);
    }
    default:
      return null;
  }
}

function limited(constant: number, degree: number): Bound | null {
  return constant > 1e6 || degree > 8 ? null : { constant, degree };
}

function sizeOf(node: Node): number {
  switch (node.kind) {
    case "sequence":
    case "choice":
      return node.nodes.reduce((sum, part) => sum + sizeOf(part), 1);
    case "loop":
      return sizeOf(node.node) * (node.max === Infinity ? Math.max(1, node.min) : Math.max(1, node.max)) + 1;
    case "capture":
    case "look":
    case "atomic":
      return sizeOf(node.node) + 1;
    default:
      return 1;
  }
}

function mayBeEmpty(node: Node): boolean {
  switch (node.kind) {
    case "char":
    case "set":
      return false;
    case "sequence":
      return node.nodes.every(mayBeEmpty);
    case "choice":
      return node.nodes.some(mayBeEmpty);
    case "capture":
    case "atomic":
      return mayBeEmpty(node.node);
    case "loop":
      return node.min === 0 || mayBeEmpty(node.node);
    default:
      return true;
  }
}

function startsAtStart(node: Node): boolean {
  if (node.kind === "anchor") return node.anchor === "start";
  if (node.kind === "sequence") return startsAtStart(node.nodes[0]!);
  if (node.kind === "capture") return startsAtStart(node.node);
  return false;
}

/** JavaScript source over ASCII; null when the engines would differ. `groups` collects group numbers in order. */
function translate(node: Node, groups: number[], inLoop: boolean): string | null {
  switch (node.kind) {
    case "empty":
      return "(?:)";
    case "char":
      return node.code < 128 ? escaped(node.code) : "[]";
    case "set":
      return classSource(node.set);
    case "sequence":
      return all(node.nodes, groups, inLoop, "");
    case "choice": {
      const source = all(node.nodes, groups, inLoop, "|");
      return source === null ? null : `(?:${source})`;
    }
    case "capture": {
      if (inLoop || node.pops >= 0) return null;
      groups.push(node.group);
      const source = translate(node.node, groups, inLoop);
      return source === null ? null : `(${source})`;
    }
    case "look": {
      const before = groups.length;
      const source = translate(node.node, groups, inLoop);
      if (source === null || groups.length !== before) return null;
      return `(?${node.behind ? "<" : ""}${node.negative ? "!" : "="}${source})`;
    }
    case "loop": {
      if (mayBeEmpty(node.node)) return null;
      const source = translate(node.node, groups, true);
      if (source === null || (node.max !== Infinity && node.max > 10_000) || node.min > 10_000) return null;
      const unit = unitSet(node.node) === null ? `(?:${source})` : source;
      return unit + quantifier(node.min, node.max) + (node.lazy ? "?" : "");
    }
    case "anchor":
      return ANCHOR_SOURCES.get(node.anchor) ?? null;
    default:
      return null;
  }
}

const ANCHOR_SOURCES: ReadonlyMap<string, string> = new Map([
  ["start", "^"],
  ["lineStart", "(?<![^\\n])"],
  ["endOrFinalLine", "(?=\\n?$)"],
  ["lineEnd", "(?=\\n|$)"],
  ["end", "$"],
  ["word", "\\b"],
  ["notWord", "\\B"],
  ["ecmaWord", "\\b"],
  ["ecmaNotWord", "\\B"],
]);

function all(nodes: readonly Node[], groups: number[], inLoop: boolean, between: string): string | null {
  const parts: string[] = [];
  for (const node of nodes) {
    const source = translate(node, groups, inLoop);
    if (source === null) return null;
    parts.push(source);
  }
  return parts.join(between);
}

function quantifier(min: number, max: number): string {
  if (max === Infinity) return min === 0 ? "*" : min === 1 ? "+" : `{${min},}`;
  if (min === 0 && max === 1) return "?";
  return min === max ? `{${min}}` : `{${min},${max}}`;
}

function escaped(code: number): string {
  const c = String.fromCharCode(code);
  return /[0-9A-Za-z]/.test(c) ? c : `\\x${code.toString(16).padStart(2, "0")}`;
}

/** The ASCII members, as ranges. */
function classSource(set: CharSet): string {
  let source = "";
  for (let from = 0; from < 128; from++) {
    if (set.ascii[from] === 0) continue;
    let to = from;
    while (to < 127 && set.ascii[to + 1] === 1) to++;
    source += to === from ? escaped(from) : `${escaped(from)}-${escaped(to)}`;
    from = to;
  }
  return `[${source}]`;
}
