/**
 * .NET pattern → tree (`expressions.md` §5.10). Read twice: the first time to learn the groups, because unnamed ones
 * are numbered before named ones and `\10` is a reference only if group 10 exists; the second time for the tree.
 */
import { NetException, argumentError } from "../../errors.ts";
import { CharSet, type Part, classPart, namedPart, otherCases, range, single } from "./charset.ts";
import {
  type Anchor,
  ECMA_SCRIPT,
  EXPLICIT_CAPTURE,
  IGNORE_CASE,
  IGNORE_WHITE_SPACE,
  MULTILINE,
  type Node,
  type Pattern,
  RIGHT_TO_LEFT,
  SINGLELINE,
} from "./tree.ts";

const MAX_NESTING = 250;
const EMPTY: Node = { kind: "empty" };

/** @throws ArgumentException `parsing "…" - …` */
export function parsePattern(pattern: string, options: number): Pattern {
  if ((options & RIGHT_TO_LEFT) !== 0) {
    throw argumentError("RegexOptions.RightToLeft is not supported within expressions.", "options");
  }
  const first = new Parser(pattern, options, null);
  first.whole();
  const groups = first.assignNumbers();
  const root = new Parser(pattern, options, groups).whole();
  return { root, numbers: [...groups.slots].sort((a, b) => a - b), names: groups.names, options };
}

interface Groups {
  readonly slots: Set<number>;
  readonly names: Map<string, number>;
}

class Parser {
  readonly #text: string;
  #options: number;
  #at = 0;
  #depth = 0;
  #unnamed = 1;
  readonly #groups: Groups | null;
  readonly #slots = new Set<number>([0]);
  readonly #names: string[] = [];

  /** @param groups null in the first reading */
  constructor(text: string, options: number, groups: Groups | null) {
    this.#text = text;
    this.#options = options;
    this.#groups = groups;
  }

  /** Names get the first free numbers after the unnamed groups. */
  assignNumbers(): Groups {
    const names = new Map<string, number>();
    let next = this.#unnamed;
    for (const name of this.#names) {
      if (names.has(name)) continue;
      while (this.#slots.has(next)) next++;
      names.set(name, next);
      this.#slots.add(next);
    }
    for (const slot of this.#slots) if (![...names.values()].includes(slot)) names.set(String(slot), slot);
    return { slots: this.#slots, names };
  }

  whole(): Node {
    const node = this.#choice();
    if (this.#at < this.#text.length) throw this.#error("Too many )'s.");
    return node;
  }

  #error(message: string): NetException {
    return argumentError(`parsing "${this.#text}" - ${message}`);
  }

  #has(option: number): boolean {
    return (this.#options & option) !== 0;
  }

  #peek(offset = 0): string {
    return this.#text[this.#at + offset] ?? "";
  }

  #take(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  /** White space and `#` comments under option x, and `(?#…)` always. */
  #skip(): void {
    for (;;) {
      const c = this.#peek();
      if (this.#has(IGNORE_WHITE_SPACE) && c !== "" && /\s/.test(c)) this.#at++;
      else if (this.#has(IGNORE_WHITE_SPACE) && c === "#") {
        while (this.#peek() !== "" && this.#peek() !== "\n") this.#at++;
      } else if (this.#text.startsWith("(?#", this.#at)) {
        const end = this.#text.indexOf(")", this.#at);
        if (end < 0) throw this.#error("Unterminated (?#...) comment.");
        this.#at = end + 1;
      } else return;
    }
  }

  /** Alternatives up to `)` or the end. Options set inside hold to its end. */
  #choice(): Node {
    if (++this.#depth > MAX_NESTING) throw this.#error("The pattern is nested too deeply.");
    const outer = this.#options;
    const nodes = [this.#sequence()];
    while (this.#take("|")) nodes.push(this.#sequence());
    this.#options = outer;
    this.#depth--;
    return nodes.length === 1 ? nodes[0]! : { kind: "choice", nodes };
  }

  #sequence(): Node {
    const nodes: Node[] = [];
    for (;;) {
      this.#skip();
      const c = this.#peek();
      if (c === "" || c === "|" || c === ")") break;
      const node = this.#atom();
      if (node === null) continue;
      nodes.push(this.#quantified(node));
    }
    return nodes.length === 0 ? EMPTY : nodes.length === 1 ? nodes[0]! : { kind: "sequence", nodes };
  }

  /** @returns null for what stands for nothing, such as `(?i)` */
  #atom(): Node | null {
    const c = this.#peek();
    switch (c) {
      case "(":
        return this.#group();
      case "[":
        this.#at++;
        return this.#setNode(this.#charClass());
      case ".":
        this.#at++;
        return this.#setNode(new CharSet(this.#has(SINGLELINE) ? [] : [single(10)], true));
      case "^":
        this.#at++;
        return anchor(this.#has(MULTILINE) ? "lineStart" : "start");
      case "$":
        this.#at++;
        return anchor(this.#has(MULTILINE) ? "lineEnd" : "endOrFinalLine");
      case "\\":
        return this.#escape();
      case "*":
      case "+":
      case "?":
        throw this.#error("Quantifier {x,y} following nothing.");
      case "{":
        if (this.#quantifier(false) !== null) throw this.#error("Quantifier {x,y} following nothing.");
    }
    this.#at++;
    return this.#char(c.charCodeAt(0));
  }

  #setNode(set: CharSet): Node {
    return { kind: "set", set };
  }

  #char(code: number): Node {
    if (this.#has(IGNORE_CASE)) {
      const others = otherCases(code);
      if (others.length > 0) return this.#setNode(new CharSet([code, ...others].map(single)));
    }
    return { kind: "char", code };
  }

  #quantified(node: Node): Node {
    this.#skip();
    const bounds = this.#quantifier(true);
    if (bounds === null) return node;
    const lazy = this.#take("?");
    this.#skip();
    const again = this.#quantifier(false);
    if (again !== null) throw this.#error(`Nested quantifier ${this.#peek()}.`);
    const [min, max] = bounds;
    if (min > max) throw this.#error("Illegal {x,y} with x > y.");
    if (min === 1 && max === 1) return node;
    return { kind: "loop", node, min, max, lazy };
  }

  /** `* + ? {n} {n,} {n,m}`; null when there is none here. */
  #quantifier(consume: boolean): [number, number] | null {
    const c = this.#peek();
    const short: [number, number] | null =
      c === "*" ? [0, Infinity] : c === "+" ? [1, Infinity] : c === "?" ? [0, 1] : null;
    if (short !== null) {
      if (consume) this.#at++;
      return short;
    }
    if (c !== "{") return null;
    const match = /^\{(\d+)(?:,(\d*))?\}/.exec(this.#text.slice(this.#at, this.#at + 40));
    if (match === null) return null;
    const min = this.#count(match[1]!);
    const max = match[2] === undefined ? min : match[2] === "" ? Infinity : this.#count(match[2]);
    if (consume) this.#at += match[0].length;
    return [min, max];
  }

  #count(digits: string): number {
    const value = Number(digits);
    if (value > 0x7fffffff)
      throw this.#error("Capture group numbers must be less than or equal to Int32.MaxValue.");
    return value;
  }

  #group(): Node | null {
    this.#at++;
    if (this.#peek() !== "?") {
      if (this.#has(EXPLICIT_CAPTURE)) return this.#closed(this.#choice());
      const group = this.#unnamed++;
      this.#slots.add(group);
      return { kind: "capture", node: this.#closed(this.#choice()), group, pops: -1 };
    }
    this.#at++;
    if (this.#take(":")) return this.#closed(this.#choice());
    if (this.#take("=")) return this.#look(false, false);
    if (this.#take("!")) return this.#look(false, true);
    if (this.#take("<=")) return this.#look(true, false);
    if (this.#take("<!")) return this.#look(true, true);
    if (this.#take(">")) return { kind: "atomic", node: this.#closed(this.#choice()) };
    if (this.#take("(")) return this.#conditional();
    if (this.#take("<")) return this.#named(">");
    if (this.#take("'")) return this.#named("'");
    return this.#inlineOptions();
  }

  #closed(node: Node): Node {
    if (!this.#take(")")) throw this.#error("Not enough )'s.");
    return node;
  }

  #look(behind: boolean, negative: boolean): Node {
    return { kind: "look", node: this.#closed(this.#choice()), behind, negative };
  }

  #named(close: string): Node {
    const match = /^(\w*)(?:-(\w+))?/u.exec(this.#text.slice(this.#at))!;
    const name = match[1]!;
    this.#at += match[0].length;
    if ((name === "" && match[2] === undefined) || !this.#take(close)) {
      throw this.#error("Invalid group name: Group names must begin with a word character.");
    }
    const group = name === "" ? -1 : this.#register(name);
    const pops = match[2] === undefined ? -1 : this.#reference(match[2]);
    return { kind: "capture", node: this.#closed(this.#choice()), group, pops };
  }

  #register(name: string): number {
    if (/^\d/.test(name)) {
      if (!/^\d{1,9}$/.test(name))
        throw this.#error("Invalid group name: Group names must begin with a word character.");
      if (Number(name) === 0) throw this.#error("Capture number cannot be zero.");
      this.#slots.add(Number(name));
      return Number(name);
    }
    if (!this.#names.includes(name)) this.#names.push(name);
    return this.#groups?.names.get(name) ?? 0;
  }

  /** The number of a group mentioned by name or number. */
  #reference(name: string): number {
    if (this.#groups === null) return 0;
    if (/^\d+$/.test(name)) {
      if (!this.#groups.slots.has(Number(name)))
        throw this.#error(`Reference to undefined group number ${name}.`);
      return Number(name);
    }
    const number = this.#groups.names.get(name);
    if (number === undefined) throw this.#error(`Reference to undefined group name ${name}.`);
    return number;
  }

  /** `(?(1)yes|no)`, `(?(name)yes|no)`, `(?(?=…)yes|no)`, `(?(expression)yes|no)`. */
  #conditional(): Node {
    const match = /^(\w+)\)/u.exec(this.#text.slice(this.#at));
    let group = -1;
    let look: Node | null = null;
    const named =
      match !== null &&
      (this.#groups === null || this.#groups.names.has(match[1]!) || /^\d+$/.test(match[1]!));
    if (named && match !== null) {
      this.#at += match[0].length;
      group = this.#reference(match[1]!);
    } else {
      this.#at--;
      look = this.#assertion();
    }
    const body = this.#closed(this.#choice());
    const nodes = body.kind === "choice" ? body.nodes : [body];
    if (nodes.length > 2) throw this.#error("Too many | in (?()|).");
    return { kind: "conditional", group, look, yes: nodes[0]!, no: nodes[1] ?? EMPTY };
  }

  #assertion(): Node {
    const start = this.#text.slice(this.#at);
    if (/^\(\?(?:=|!|<=|<!)/.test(start)) return this.#group()!;
    this.#at++;
    return { kind: "look", node: this.#closed(this.#choice()), behind: false, negative: false };
  }

  /** `(?i-m)` and `(?i-m:…)`. */
  #inlineOptions(): Node | null {
    const match = /^([a-zA-Z]*)(?:-([a-zA-Z]*))?/.exec(this.#text.slice(this.#at))!;
    this.#at += match[0].length;
    const c = this.#peek();
    if (c !== ")" && c !== ":") throw this.#error("Unrecognized grouping construct.");
    let options = this.#options;
    for (const letter of match[1]!) options |= this.#option(letter);
    for (const letter of match[2] ?? "") options &= ~this.#option(letter);
    this.#at++;
    if (c === ")") {
      this.#options = options;
      return null;
    }
    const outer = this.#options;
    this.#options = options;
    const node = this.#choice();
    this.#options = outer;
    return this.#closed(node);
  }

  #option(letter: string): number {
    switch (letter.toLowerCase()) {
      case "i":
        return IGNORE_CASE;
      case "m":
        return MULTILINE;
      case "n":
        return EXPLICIT_CAPTURE;
      case "s":
        return SINGLELINE;
      case "x":
        return IGNORE_WHITE_SPACE;
      default:
        throw this.#error("Unrecognized grouping construct.");
    }
  }

  #escape(): Node {
    this.#at++;
    const c = this.#peek();
    const ecma = this.#has(ECMA_SCRIPT);
    switch (c) {
      case "":
        throw this.#error("Illegal \\ at end of pattern.");
      case "A":
        return this.#anchorHere("start");
      case "Z":
        return this.#anchorHere("endOrFinalLine");
      case "z":
        return this.#anchorHere("end");
      case "G":
        return this.#anchorHere("lastEnd");
      case "b":
        return this.#anchorHere(ecma ? "ecmaWord" : "word");
      case "B":
        return this.#anchorHere(ecma ? "ecmaNotWord" : "notWord");
      case "d":
      case "D":
      case "w":
      case "W":
      case "s":
      case "S":
        this.#at++;
        return this.#setNode(new CharSet([classPart(c, ecma)]));
      case "p":
      case "P":
        return this.#setNode(new CharSet([this.#category()]));
      case "k":
        return this.#namedReference();
    }
    if (c >= "1" && c <= "9") {
      const reference = this.#numberedReference();
      if (reference !== null) return reference;
    }
    return this.#char(this.#escapedCode(false));
  }

  #anchorHere(kind: Anchor): Node {
    this.#at++;
    return anchor(kind);
  }

  #category(): Part {
    const negated = this.#peek() === "P";
    const match = /^[pP]\{([^}]*)\}/.exec(this.#text.slice(this.#at, this.#at + 60));
    if (match === null) throw this.#error("Incomplete \\p{X} character escape.");
    const part = namedPart(match[1]!, negated);
    if (part === null) throw this.#error(`Unknown property '${match[1]!}'.`);
    this.#at += match[0].length;
    return part;
  }

  #namedReference(): Node {
    const match = /^k(?:<(\w+)>|'(\w+)')/u.exec(this.#text.slice(this.#at));
    if (match === null) throw this.#error("Malformed \\k<...> named back reference.");
    this.#at += match[0].length;
    return this.#backreference(this.#reference((match[1] ?? match[2])!));
  }

  /** `\1`; null when the digits are an octal code instead. */
  #numberedReference(): Node | null {
    const digits = /^\d+/.exec(this.#text.slice(this.#at, this.#at + 10))![0];
    const known = this.#groups === null || this.#groups.slots.has(Number(digits));
    if (!known) {
      if (digits.length === 1) throw this.#error(`Reference to undefined group number ${digits}.`);
      return null;
    }
    this.#at += digits.length;
    return this.#backreference(Number(digits));
  }

  #backreference(group: number): Node {
    return { kind: "backreference", group, ignoreCase: this.#has(IGNORE_CASE) };
  }

  /** The unit an escape stands for; stands at the character after the backslash. */
  #escapedCode(inClass: boolean): number {
    const c = this.#peek();
    this.#at++;
    switch (c) {
      case "a":
        return 7;
      case "b":
        if (inClass) return 8;
        break;
      case "e":
        return 27;
      case "f":
        return 12;
      case "n":
        return 10;
      case "r":
        return 13;
      case "t":
        return 9;
      case "v":
        return 11;
      case "x":
        return this.#hex(2);
      case "u":
        return this.#hex(4);
      case "c": {
        const control = this.#peek().toUpperCase();
        if (control === "") throw this.#error("Missing control character.");
        if (control < "@" || control > "_") throw this.#error("Unrecognized control character.");
        this.#at++;
        return control.charCodeAt(0) - 64;
      }
    }
    if (c >= "0" && c <= "7") {
      this.#at--;
      const digits = /^[0-7]{1,3}/.exec(this.#text.slice(this.#at, this.#at + 3))![0];
      this.#at += digits.length;
      return parseInt(digits, 8) & 0xff;
    }
    if (/\w/u.test(c)) throw this.#error(`Unrecognized escape sequence \\${c}.`);
    return c.charCodeAt(0);
  }

  #hex(length: number): number {
    const digits = this.#text.slice(this.#at, this.#at + length);
    if (digits.length < length || !/^[0-9a-fA-F]+$/.test(digits))
      throw this.#error("Insufficient hexadecimal digits.");
    this.#at += length;
    return parseInt(digits, 16);
  }

  /** Inside of `[…]`; stands after the opening bracket. */
  #charClass(): CharSet {
    if (++this.#depth > MAX_NESTING) throw this.#error("The pattern is nested too deeply.");
    const negated = this.#take("^");
    const parts: Part[] = [];
    let minus: CharSet | null = null;
    for (let first = true; ; first = false) {
      const c = this.#peek();
      if (c === "") throw this.#error("Unterminated [] set.");
      if (c === "]" && !first) break;
      if (!first && c === "-" && this.#peek(1) === "[") {
        this.#at += 2;
        minus = this.#charClass();
        if (this.#peek() !== "]")
          throw this.#error("A subtraction must be the last element in a character class.");
        break;
      }
      this.#classItem(parts);
    }
    this.#at++;
    this.#depth--;
    return new CharSet(parts, negated, minus, this.#has(IGNORE_CASE));
  }

  #classItem(parts: Part[]): void {
    const shorthand = this.#classEscape();
    if (shorthand !== null) {
      parts.push(shorthand);
      return;
    }
    const from = this.#classCode();
    const next = this.#peek(1);
    if (this.#peek() !== "-" || next === "]" || next === "" || next === "[") {
      parts.push(single(from));
      return;
    }
    this.#at++;
    if (this.#classEscape() !== null) throw this.#error("Cannot include class in character range.");
    const to = this.#classCode();
    if (from > to) throw this.#error("[x-y] range in reverse order.");
    parts.push(range(from, to));
  }

  /** `\d`, `\p{…}` and their like inside a class. */
  #classEscape(): Part | null {
    if (this.#peek() !== "\\") return null;
    const c = this.#peek(1);
    if (c !== "" && "dDwWsS".includes(c)) {
      this.#at += 2;
      return classPart(c, this.#has(ECMA_SCRIPT));
    }
    if (c === "p" || c === "P") {
      this.#at++;
      return this.#category();
    }
    return null;
  }

  #classCode(): number {
    if (this.#peek() === "\\") {
      this.#at++;
      if (this.#peek() === "") throw this.#error("Unterminated [] set.");
      return this.#escapedCode(true);
    }
    return this.#text.charCodeAt(this.#at++);
  }
}

function anchor(kind: Anchor): Node {
  return { kind: "anchor", anchor: kind };
}
