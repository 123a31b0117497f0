/** A compiled pattern: finds matches with V8's engine where that is safe (`native.ts`), else with the machine. */
import { spend } from "../../budget.ts";
import { BudgetError } from "../../errors.ts";
import { type Capture, Machine } from "./machine.ts";
import { type Native, nativeFor } from "./native.ts";
import { parsePattern } from "./parser.ts";
import { type Program, compileProgram } from "./program.ts";
import type { Pattern } from "./tree.ts";

/** `expressions.md` §6. */
export const LONGEST_SUBJECT = 1024 * 1024;

export interface Found {
  readonly start: number;
  readonly end: number;
  /** Captures of a group, newest first; null when it did not match. */
  capture(group: number): Capture | null;
}

export class Engine {
  readonly source: string;
  readonly pattern: Pattern;
  #program: Program | null = null;
  #native: Native | null | undefined = undefined;

  /** @throws ArgumentException */
  constructor(source: string, options: number) {
    this.source = source;
    this.pattern = parsePattern(source, options);
  }

  get program(): Program {
    return (this.#program ??= compileProgram(this.pattern));
  }

  get native(): Native | null {
    if (this.#native === undefined) this.#native = nativeFor(this.pattern);
    return this.#native;
  }

  /**
   * Something that finds matches in one text.
   *
   * @param timeoutMs the pattern's own, or Infinity
   */
  over(text: string, timeoutMs: number): Search {
    if (text.length > LONGEST_SUBJECT) {
      throw new BudgetError(
        "regex",
        `A regular expression may search ${LONGEST_SUBJECT} characters at most.`,
      );
    }
    return new Search(this, text, timeoutMs);
  }
}

const ASCII = /^[\x00-\x7f]*$/;

export class Search {
  readonly engine: Engine;
  readonly text: string;
  readonly #native: Native | null;
  readonly #timeoutMs: number;
  #machine: Machine | null = null;

  constructor(engine: Engine, text: string, timeoutMs: number) {
    this.engine = engine;
    this.text = text;
    this.#timeoutMs = timeoutMs;
    const { native } = engine;
    this.#native = native !== null && text.length <= native.longest && ASCII.test(text) ? native : null;
  }

  /** Whether there is a match at or after `from`. */
  test(from: number): boolean {
    if (this.#native === null) return this.#run(from, from) !== null;
    const { plain } = this.#native;
    plain.lastIndex = from;
    const found = plain.test(this.text);
    this.#pay(from, found ? plain.lastIndex : this.text.length);
    return found;
  }

  /** @param lastEnd where `\G` matches */
  find(from: number, lastEnd = from): Found | null {
    if (this.#native === null) return this.#run(from, lastEnd);
    const plain = this.#native.groups.length === 0;
    const regexp = plain ? this.#native.plain : this.#native.withGroups();
    regexp.lastIndex = from;
    const match = regexp.exec(this.text);
    this.#pay(from, match === null ? this.text.length : regexp.lastIndex);
    return match === null ? null : nativeFound(match, this.#native.groups);
  }

  /** For what was read, so that many short finds in a long text cost no more than one long one. */
  #pay(from: number, to: number): void {
    spend(1 + ((to - from) >>> 6));
  }

  #run(from: number, lastEnd: number): Found | null {
    this.#machine ??= new Machine(this.engine.program, this.text, this.#timeoutMs);
    const match = this.#machine.find(from, lastEnd);
    if (match === null) return null;
    const { captures } = match;
    return { start: match.start, end: match.end, capture: (group) => captures[group] ?? null };
  }
}

function nativeFound(match: RegExpExecArray, groups: readonly number[]): Found {
  const start = match.index;
  const { indices } = match;
  return {
    start,
    end: start + match[0].length,
    capture: (group) => {
      const span = indices?.[groups.indexOf(group) + 1];
      return group === 0 || span === undefined || !groups.includes(group)
        ? null
        : { start: span[0], end: span[1], before: null };
    },
  };
}

const KEPT = 1000;
/** Options → pattern → engine: a look-up builds no key. */
const engines = new Map<number, Map<string, Engine>>();
let kept = 0;

/** The engine of a pattern; the last thousand or so are kept. @throws ArgumentException */
export function engineFor(source: string, options: number): Engine {
  let known = engines.get(options);
  if (known === undefined) engines.set(options, (known = new Map()));
  let engine = known.get(source);
  if (engine === undefined) {
    spend(1 + (source.length >>> 2));
    engine = new Engine(source, options);
    if (source.length >= 4096) return engine;
    if (kept >= KEPT) {
      engines.clear();
      kept = 0;
      engines.set(options, (known = new Map()));
    }
    known.set(source, engine);
    kept++;
  }
  return engine;
}
