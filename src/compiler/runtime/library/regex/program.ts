/**
 * Tree → program of the matching machine (`machine.ts`). Inside a lookbehind everything is compiled to run from right
 * to left: sequences are reversed and units are read backwards, as .NET does.
 *
 * Atomic groups and assertions remember the height of the backtracking stack and cut it off when they are through.
 * Loops over a single unit, by far the commonest, are one instruction; other loops count in registers that are
 * restored when the machine backtracks.
 */
import { CharSet, single } from "./charset.ts";
import type { Anchor, Node, Pattern } from "./tree.ts";

export const MATCH = 0;
/** a: code, b: direction (1, -1). */
export const CHAR = 1;
/** a: set, b: direction. */
export const SET = 2;
/** a: target. */
export const JUMP = 3;
/** a: where to go on when what follows fails. */
export const SPLIT = 4;
/** a: register that takes the position. */
export const STORE = 5;
/** a: register that gives it back. */
export const RESTORE = 6;
/** a: group, b: register of the other end, c: group to pop or -1. */
export const CAPTURE = 7;
/** a: index into `ANCHORS`. */
export const ANCHOR = 8;
/** a: group, b: direction, c: 1 to ignore case. */
export const BACKREFERENCE = 9;
/** a: register := 0, b: register := -1. */
export const LOOP_START = 10;
/** a: counter, b: register of the last position, c: index into `loops`. */
export const LOOP = 11;
/** Enters the body: counts and notes the position. Same operands. */
export const LOOP_BODY = 12;
/** a: set, b: direction, c: index into `loops`. */
export const GREEDY = 13;
/** a: register that takes the stack's height. */
export const MARK = 14;
/** a: register whose height the stack is cut to. */
export const CUT = 15;
export const FAIL = 16;
/** a: group, b: where to go when it has no capture. */
export const IF_GROUP = 17;

export const ANCHORS: readonly Anchor[] = [
  "start",
  "lineStart",
  "endOrFinalLine",
  "lineEnd",
  "end",
  "lastEnd",
  "word",
  "notWord",
  "ecmaWord",
  "ecmaNotWord",
];

export interface Loop {
  readonly min: number;
  readonly max: number;
  readonly lazy: boolean;
  /** Address after the loop; address of the body. */
  exit: number;
  body: number;
}

export interface Program {
  /** Four numbers an instruction: code, a, b, c. */
  readonly code: Int32Array;
  readonly sets: readonly CharSet[];
  readonly loops: readonly Loop[];
  readonly registers: number;
  /** Highest group number. */
  readonly lastGroup: number;
  /** Text every match starts with; may be empty. */
  readonly prefix: string;
  /** ASCII units a match may start with (others always may); null when anything goes. */
  readonly first: Uint8Array | null;
  /** Where alone a match can begin. */
  readonly anchored: "start" | "lastEnd" | null;
}

export function compileProgram(pattern: Pattern): Program {
  const compiler = new Compiler();
  compiler.node(pattern.root, 1);
  compiler.emit(MATCH);
  return {
    code: Int32Array.from(compiler.code),
    sets: compiler.sets,
    loops: compiler.loops,
    registers: compiler.registers,
    lastGroup: Math.max(...pattern.numbers),
    prefix: prefixOf(pattern.root),
    first: firstTable(pattern.root),
    anchored: anchorOf(pattern.root),
  };
}

class Compiler {
  readonly code: number[] = [];
  readonly sets: CharSet[] = [];
  readonly loops: Loop[] = [];
  registers = 0;

  /** @returns the address of the instruction */
  emit(op: number, a = 0, b = 0, c = 0): number {
    this.code.push(op, a, b, c);
    return this.code.length - 4;
  }

  get here(): number {
    return this.code.length;
  }

  #patch(at: number, operand: 1 | 2 | 3): void {
    this.code[at + operand] = this.here;
  }

  #set(set: CharSet): number {
    return this.sets.push(set) - 1;
  }

  /** @param direction 1 forwards, -1 inside lookbehinds */
  node(node: Node, direction: 1 | -1): void {
    switch (node.kind) {
      case "empty":
        return;
      case "char":
        this.emit(CHAR, node.code, direction);
        return;
      case "set":
        this.emit(SET, this.#set(node.set), direction);
        return;
      case "sequence":
        if (direction === 1) for (const part of node.nodes) this.node(part, 1);
        else for (let i = node.nodes.length - 1; i >= 0; i--) this.node(node.nodes[i]!, -1);
        return;
      case "choice":
        this.#choice(node.nodes, direction);
        return;
      case "loop":
        this.#loop(node, direction);
        return;
      case "capture": {
        const register = this.registers++;
        this.emit(STORE, register);
        this.node(node.node, direction);
        this.emit(CAPTURE, node.group, register, node.pops);
        return;
      }
      case "look":
        this.#look(node);
        return;
      case "atomic": {
        const mark = this.registers++;
        this.emit(MARK, mark);
        this.node(node.node, direction);
        this.emit(CUT, mark);
        return;
      }
      case "backreference":
        this.emit(BACKREFERENCE, node.group, direction, node.ignoreCase ? 1 : 0);
        return;
      case "anchor":
        this.emit(ANCHOR, ANCHORS.indexOf(node.anchor));
        return;
      case "conditional":
        this.#conditional(node, direction);
    }
  }

  #choice(nodes: readonly Node[], direction: 1 | -1): void {
    const ends: number[] = [];
    nodes.forEach((node, i) => {
      if (i === nodes.length - 1) return this.node(node, direction);
      const split = this.emit(SPLIT);
      this.node(node, direction);
      ends.push(this.emit(JUMP));
      this.#patch(split, 1);
    });
    for (const end of ends) this.#patch(end, 1);
  }

  #loop(node: Extract<Node, { kind: "loop" }>, direction: 1 | -1): void {
    const max = node.max === Infinity ? 0x7fffffff : node.max;
    if (max === 0) return;
    const unit = unitSet(node.node);
    const loop: Loop = { min: node.min, max, lazy: node.lazy, exit: 0, body: 0 };
    const index = this.loops.push(loop) - 1;
    if (unit !== null && !node.lazy) {
      this.emit(GREEDY, this.#set(unit), direction, index);
      return;
    }
    const counter = this.registers++;
    const last = this.registers++;
    this.emit(LOOP_START, counter, last);
    const head = this.emit(LOOP, counter, last, index);
    loop.body = this.emit(LOOP_BODY, counter, last, index);
    this.node(node.node, direction);
    this.emit(JUMP, head);
    loop.exit = this.here;
  }

  /** Positive: mark, store, X, cut, restore. Negative: mark, split on, X, cut, fail. */
  #look(node: Extract<Node, { kind: "look" }>): void {
    const direction = node.behind ? -1 : 1;
    const mark = this.registers++;
    this.emit(MARK, mark);
    if (node.negative) {
      const split = this.emit(SPLIT);
      this.node(node.node, direction);
      this.emit(CUT, mark);
      this.emit(FAIL);
      this.#patch(split, 1);
      return;
    }
    const position = this.registers++;
    this.emit(STORE, position);
    this.node(node.node, direction);
    this.emit(CUT, mark);
    this.emit(RESTORE, position);
  }

  #conditional(node: Extract<Node, { kind: "conditional" }>, direction: 1 | -1): void {
    if (node.look === null) {
      const test = this.emit(IF_GROUP, node.group);
      this.node(node.yes, direction);
      const end = this.emit(JUMP);
      this.#patch(test, 2);
      this.node(node.no, direction);
      this.#patch(end, 1);
      return;
    }
    const look = node.look as Extract<Node, { kind: "look" }>;
    const [onMatch, onFailure] = look.negative ? [node.no, node.yes] : [node.yes, node.no];
    const mark = this.registers++;
    const position = this.registers++;
    this.emit(MARK, mark);
    const split = this.emit(SPLIT);
    this.emit(STORE, position);
    this.node(look.node, look.behind ? -1 : 1);
    this.emit(CUT, mark);
    this.emit(RESTORE, position);
    this.node(onMatch, direction);
    const end = this.emit(JUMP);
    this.#patch(split, 1);
    this.node(onFailure, direction);
    this.#patch(end, 1);
  }
}

/** The set of a node that is exactly one unit; else null. */
export function unitSet(node: Node): CharSet | null {
  if (node.kind === "set") return node.set;
  return node.kind === "char" ? new CharSet([single(node.code)]) : null;
}

function prefixOf(node: Node): string {
  if (node.kind === "char") return String.fromCharCode(node.code);
  if (node.kind === "capture" && node.pops < 0) return prefixOf(node.node);
  if (node.kind !== "sequence") return "";
  let text = "";
  for (const part of node.nodes) {
    if (part.kind === "char") text += String.fromCharCode(part.code);
    else return text === "" ? prefixOf(part) : text;
  }
  return text;
}

function firstTable(root: Node): Uint8Array | null {
  const first = firstOf(root);
  return first === null || first.empty ? null : first.table;
}

/** What a match of the node can start with. `empty`: it may be empty, so what follows counts too. */
function firstOf(node: Node): { table: Uint8Array; empty: boolean } | null {
  switch (node.kind) {
    case "empty":
    case "anchor":
    case "look":
      return { table: new Uint8Array(128), empty: true };
    case "char":
    case "set":
      return { table: unitSet(node)!.ascii, empty: false };
    case "capture":
    case "atomic":
      return firstOf(node.node);
    case "loop": {
      const inner = firstOf(node.node);
      return inner === null ? null : { table: inner.table, empty: inner.empty || node.min === 0 };
    }
    case "choice":
      return union(node.nodes.map(firstOf), (flags) => flags.some((empty) => empty));
    case "sequence": {
      const parts: ({ table: Uint8Array; empty: boolean } | null)[] = [];
      for (const part of node.nodes) {
        const first = firstOf(part);
        parts.push(first);
        if (first === null || !first.empty) break;
      }
      return union(parts, (flags) => flags.every((empty) => empty));
    }
    default:
      return null;
  }
}

function union(
  parts: readonly ({ table: Uint8Array; empty: boolean } | null)[],
  empty: (flags: boolean[]) => boolean,
): { table: Uint8Array; empty: boolean } | null {
  const table = new Uint8Array(128);
  const flags: boolean[] = [];
  for (const part of parts) {
    if (part === null) return null;
    for (let c = 0; c < 128; c++) if (part.table[c] === 1) table[c] = 1;
    flags.push(part.empty);
  }
  return { table, empty: empty(flags) };
}

function anchorOf(node: Node): "start" | "lastEnd" | null {
  if (node.kind === "anchor")
    return node.anchor === "start" || node.anchor === "lastEnd" ? node.anchor : null;
  if (node.kind === "sequence") return anchorOf(node.nodes[0]!);
  if (node.kind === "capture" || node.kind === "atomic") return anchorOf(node.node);
  if (node.kind === "choice") {
    const anchors = new Set(node.nodes.map(anchorOf));
    return anchors.size === 1 ? [...anchors][0]! : null;
  }
  return null;
}
