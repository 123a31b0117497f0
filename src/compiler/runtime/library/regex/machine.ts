/**
 * The backtracking machine: runs a program over a text with a stack of its own, so that no pattern can exhaust ours,
 * and pays for its instructions, so that none can hold the thread: the evaluation's budget ends it, or the pattern's
 * own timeout when that is shorter.
 *
 * Everything that backtracking must undo (registers, captures) goes through the trail: changes are noted there, and
 * going back to an entry of the stack undoes them down to the entry's mark.
 */
import { monotonicMs, spend } from "../../budget.ts";
import { BudgetError, NetException } from "../../errors.ts";
import { ECMA_WORD, WORD, type CharSet } from "./charset.ts";
import * as op from "./program.ts";
import type { Program } from "./program.ts";

/** A span captured by a group, newest first. */
export interface Capture {
  readonly start: number;
  readonly end: number;
  readonly before: Capture | null;
}

export interface MachineMatch {
  readonly start: number;
  readonly end: number;
  /** By group number; 0 is unused. */
  readonly captures: readonly (Capture | null)[];
}

/** Instructions between two payments; sixteen of them cost about as much as one step of an expression. */
const PAY_EVERY = 1024;
const PRICE = PAY_EVERY / 16;
/** Numbers on the stack: 32 MiB. */
const STACK_LIMIT = 8 * 1024 * 1024;

export class Machine {
  readonly #program: Program;
  readonly #text: string;
  readonly #deadline: number;
  readonly #timeoutText: string;
  #registers: number[];
  #captures: (Capture | null)[];
  #stack: number[] = [];
  #trailWhere: number[] = [];
  #trailWhat: unknown[] = [];
  /** Instructions left until the next payment. */
  #credit = PAY_EVERY;
  #lastEnd = 0;

  /** @param timeoutMs the pattern's own, or Infinity */
  constructor(program: Program, text: string, timeoutMs: number) {
    this.#program = program;
    this.#text = text;
    this.#deadline = timeoutMs === Infinity ? Infinity : monotonicMs() + timeoutMs;
    this.#timeoutText = `${timeoutMs} ms`;
    this.#registers = [];
    this.#captures = [];
  }

  /**
   * The first match at or after `from`.
   *
   * @param lastEnd what `\G` means
   * @throws RegexMatchTimeoutException, BudgetError
   */
  find(from: number, lastEnd: number): MachineMatch | null {
    const { anchored, prefix, first } = this.#program;
    const text = this.#text;
    this.#lastEnd = lastEnd;
    if (anchored === "start") return from === 0 ? this.#matchAt(0) : null;
    if (anchored === "lastEnd") return this.#matchAt(lastEnd);
    for (let at = from; at <= text.length; at++) {
      if (prefix !== "") {
        const found = text.indexOf(prefix, at);
        if (found < 0) return null;
        at = found;
      } else if (first !== null) {
        let c = text.charCodeAt(at);
        while (at < text.length && c < 128 && first[c] === 0) {
          if (--this.#credit <= 0) this.#pay();
          c = text.charCodeAt(++at);
        }
        if (at >= text.length) return null;
      }
      const match = this.#matchAt(at);
      if (match !== null) return match;
    }
    return null;
  }

  #pay(): void {
    spend(Math.ceil((PRICE * (PAY_EVERY - this.#credit)) / PAY_EVERY));
    this.#credit = PAY_EVERY;
    if (this.#deadline !== Infinity && monotonicMs() > this.#deadline) {
      throw new NetException(
        "System.Text.RegularExpressions.RegexMatchTimeoutException",
        `The Regex engine has timed out after ${this.#timeoutText} while trying to match a pattern to an input string.`,
      );
    }
    if (this.#stack.length > STACK_LIMIT || this.#trailWhere.length > STACK_LIMIT) {
      throw new BudgetError("regex", "A regular expression needs too much memory for this text.");
    }
  }

  #set(register: number, value: number): void {
    this.#trailWhere.push(register);
    this.#trailWhat.push(this.#registers[register]);
    this.#registers[register] = value;
  }

  #setCapture(group: number, value: Capture | null): void {
    this.#trailWhere.push(-1 - group);
    this.#trailWhat.push(this.#captures[group]);
    this.#captures[group] = value;
  }

  #undo(height: number): void {
    const where = this.#trailWhere;
    const what = this.#trailWhat;
    while (where.length > height) {
      const place = where.pop()!;
      if (place >= 0) this.#registers[place] = what.pop() as number;
      else this.#captures[-1 - place] = what.pop() as Capture | null;
    }
  }

  /** Three numbers an entry: address, position, height of the trail; a run of positions has a fourth, its other end. */
  #push(address: number, position: number, end: number): void {
    this.#stack.push(address, position, this.#trailWhere.length, end);
  }

  #matchAt(start: number): MachineMatch | null {
    const { code, sets, loops, registers, lastGroup } = this.#program;
    const text = this.#text;
    const stack = this.#stack;
    stack.length = 0;
    this.#trailWhere.length = 0;
    this.#trailWhat.length = 0;
    this.#registers = new Array<number>(registers).fill(-1);
    this.#captures = new Array<Capture | null>(lastGroup + 1).fill(null);
    let pc = 0;
    let at = start;
    for (;;) {
      if (--this.#credit <= 0) this.#pay();
      const a = code[pc + 1]!;
      let ok = true;
      switch (code[pc]) {
        case op.MATCH:
          return { start, end: at, captures: this.#captures };
        case op.CHAR:
          if (code[pc + 2] === 1) ok = at < text.length && text.charCodeAt(at++) === a;
          else ok = at > 0 && text.charCodeAt(--at) === a;
          pc += 4;
          break;
        case op.SET:
          if (code[pc + 2] === 1) ok = at < text.length && sets[a]!.has(text.charCodeAt(at++));
          else ok = at > 0 && sets[a]!.has(text.charCodeAt(--at));
          pc += 4;
          break;
        case op.JUMP:
          pc = a;
          break;
        case op.SPLIT:
          this.#push(a, at, -1);
          pc += 4;
          break;
        case op.STORE:
          this.#set(a, at);
          pc += 4;
          break;
        case op.RESTORE:
          at = this.#registers[a]!;
          pc += 4;
          break;
        case op.CAPTURE:
          ok = this.#capture(a, this.#registers[code[pc + 2]!]!, at, code[pc + 3]!);
          pc += 4;
          break;
        case op.ANCHOR:
          ok = this.#anchor(a, at);
          pc += 4;
          break;
        case op.BACKREFERENCE: {
          const end = this.#backreference(a, at, code[pc + 2]!, code[pc + 3] === 1);
          ok = end >= 0;
          at = end;
          pc += 4;
          break;
        }
        case op.LOOP_START:
          this.#set(a, 0);
          this.#set(code[pc + 2]!, -1);
          pc += 4;
          break;
        case op.LOOP: {
          const loop = loops[code[pc + 3]!]!;
          const count = this.#registers[a]!;
          // An iteration that matched nothing would match nothing for ever.
          const stuck = this.#registers[code[pc + 2]!] === at;
          if (count < loop.min && !stuck) pc = loop.body;
          else if (count >= loop.max || stuck) pc = loop.exit;
          else if (loop.lazy) {
            this.#push(loop.body, at, -1);
            pc = loop.exit;
          } else {
            this.#push(loop.exit, at, -1);
            pc = loop.body;
          }
          break;
        }
        case op.LOOP_BODY:
          this.#set(a, this.#registers[a]! + 1);
          this.#set(code[pc + 2]!, at);
          pc += 4;
          break;
        case op.GREEDY: {
          const loop = loops[code[pc + 3]!]!;
          const direction = code[pc + 2]!;
          const most = this.#run(sets[a]!, at, direction, loop.max);
          const least = at + direction * loop.min;
          pc += 4;
          ok = direction === 1 ? most >= least : most <= least;
          if (ok && most !== least) this.#push(pc, most - direction, least);
          at = most;
          break;
        }
        case op.MARK:
          this.#set(a, stack.length);
          pc += 4;
          break;
        case op.CUT:
          stack.length = this.#registers[a]!;
          pc += 4;
          break;
        case op.FAIL:
          ok = false;
          break;
        case op.IF_GROUP:
          pc = this.#captures[a] === null ? code[pc + 2]! : pc + 4;
          break;
      }
      if (ok) continue;
      // Back to the last choice.
      if (stack.length === 0) return null;
      const end = stack.pop()!;
      this.#undo(stack.pop()!);
      at = stack.pop()!;
      pc = stack.pop()!;
      if (end >= 0 && at !== end) this.#push(pc, at > end ? at - 1 : at + 1, end);
    }
  }

  /** How far a run of units of the set goes. */
  #run(set: CharSet, from: number, direction: number, max: number): number {
    const text = this.#text;
    const { ascii } = set;
    let at = from;
    if (direction === 1) {
      const limit = Math.min(text.length, max === 0x7fffffff ? text.length : from + max);
      while (at < limit) {
        const c = text.charCodeAt(at);
        if (c < 128 ? ascii[c] === 0 : !set.has(c)) break;
        at++;
      }
    } else {
      const limit = Math.max(0, max === 0x7fffffff ? 0 : from - max);
      while (at > limit && set.has(text.charCodeAt(at - 1))) at--;
    }
    // Reading a run is cheaper than single instructions, but not free.
    this.#credit -= Math.abs(at - from) >>> 3;
    return at;
  }

  /** Ends a group: notes its span and, for `(?<a-b>…)`, takes one away from `b`. */
  #capture(group: number, other: number, at: number, pops: number): boolean {
    let start = Math.min(other, at);
    let end = Math.max(other, at);
    if (pops >= 0) {
      const popped = this.#captures[pops] ?? null;
      if (popped === null) return false;
      this.#setCapture(pops, popped.before);
      if (start >= popped.end) {
        end = start;
        start = popped.end;
      } else if (end <= popped.start) start = popped.start;
      else {
        end = Math.min(end, popped.end);
        start = Math.max(start, popped.start);
      }
    }
    if (group >= 0) this.#setCapture(group, { start, end, before: this.#captures[group] ?? null });
    return true;
  }

  /** @returns the position after the repetition, or -1. A group that did not match never repeats. */
  #backreference(group: number, at: number, direction: number, ignoreCase: boolean): number {
    const capture = this.#captures[group] ?? null;
    if (capture === null) return -1;
    const { length } = this.#text;
    const size = capture.end - capture.start;
    const from = direction === 1 ? at : at - size;
    if (from < 0 || from + size > length) return -1;
    this.#credit -= size >>> 3;
    const wanted = this.#text.slice(capture.start, capture.end);
    const found = this.#text.slice(from, from + size);
    const same = wanted === found || (ignoreCase && wanted.toLowerCase() === found.toLowerCase());
    return same ? (direction === 1 ? at + size : from) : -1;
  }

  #anchor(kind: number, at: number): boolean {
    const text = this.#text;
    switch (op.ANCHORS[kind]) {
      case "start":
        return at === 0;
      case "lineStart":
        return at === 0 || text.charCodeAt(at - 1) === 10;
      case "endOrFinalLine":
        return at === text.length || (at === text.length - 1 && text.charCodeAt(at) === 10);
      case "lineEnd":
        return at === text.length || text.charCodeAt(at) === 10;
      case "end":
        return at === text.length;
      case "lastEnd":
        return at === this.#lastEnd;
      case "word":
        return isBoundary(WORD, text, at);
      case "notWord":
        return !isBoundary(WORD, text, at);
      case "ecmaWord":
        return isBoundary(ECMA_WORD, text, at);
      default:
        return !isBoundary(ECMA_WORD, text, at);
    }
  }
}

function isBoundary(word: CharSet, text: string, at: number): boolean {
  const before = at > 0 && word.has(text.charCodeAt(at - 1));
  const after = at < text.length && word.has(text.charCodeAt(at));
  return before !== after;
}
