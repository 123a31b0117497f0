/** Reads the text of a JSONPath (`path.ts` says what it means). @see Newtonsoft `JPath` */
import { late } from "../late.ts";
import { type Filter, type Operand, type Operator, type Test, pathError } from "./path.ts";
import { readJson } from "./reader.ts";
import { JValue, tokenOf } from "./token.ts";

const cache = new Map<string, readonly Filter[]>();

/** Filters of a path. Paths are usually constants, so the last few hundred are kept. @throws JsonException */
export function parsePath(text: string): readonly Filter[] {
  let filters = cache.get(text);
  if (filters === undefined) {
    filters = new PathParser(text).whole();
    if (cache.size >= 500) cache.clear();
    if (text.length < 500) cache.set(text, filters);
  }
  return filters;
}

const newRegexMatch = late("System.Text.RegularExpressions.Regex", "IsMatch", [
  "System.String",
  "System.String",
]);

class PathParser {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): Filter[] {
    const filters: Filter[] = [];
    this.#spaces();
    if (this.#at >= this.#text.length) return filters;
    let name = true;
    if (this.#peek() === "$") {
      const next = this.#text[this.#at + 1];
      if (this.#text.length === 1) return filters;
      if (next === "." || next === "[") {
        this.#at++;
        name = false;
      }
    }
    this.#steps(filters, name, false);
    if (this.#at < this.#text.length)
      throw pathError(`Unexpected character while parsing path: ${this.#peek()}`);
    return filters;
  }

  #peek(): string {
    return this.#text[this.#at] ?? "";
  }

  #spaces(): void {
    while (this.#peek() === " ") this.#at++;
  }

  /**
   * Steps up to the end, or inside a query up to whatever cannot belong to a path.
   *
   * @param name a bare name may come first
   */
  #steps(filters: Filter[], name: boolean, inQuery: boolean): void {
    let scan = false;
    let expectName = name;
    for (;;) {
      const c = this.#peek();
      if (c === "") break;
      if (c === "[") {
        filters.push(this.#brackets(scan));
        scan = false;
        expectName = false;
      } else if (c === ".") {
        this.#at++;
        if (this.#peek() === ".") {
          this.#at++;
          scan = true;
        }
        expectName = true;
        if (this.#at >= this.#text.length) throw pathError("Unexpected end while parsing path.");
      } else if (inQuery && /[\s=<>!&|)~]/.test(c)) break;
      else if (!inQuery && c === " ") {
        this.#spaces();
        if (this.#at < this.#text.length) throw pathError(`Unexpected character while parsing path:  `);
      } else if (expectName) {
        const start = this.#at;
        while (this.#at < this.#text.length && !this.#endsName(inQuery)) this.#at++;
        if (this.#at === start) throw pathError(`Unexpected character while parsing path: ${c}`);
        const member = this.#text.slice(start, this.#at);
        filters.push({ kind: scan ? "scan" : "field", names: member === "*" ? null : [member] });
        scan = false;
        expectName = false;
      } else throw pathError(`Unexpected character following indexer: ${c}`);
    }
    if (scan) throw pathError("Unexpected end while parsing path.");
  }

  #endsName(inQuery: boolean): boolean {
    const c = this.#peek();
    return (
      c === "." ||
      c === "[" ||
      c === " " ||
      c === "]" ||
      c === ")" ||
      c === "(" ||
      (inQuery && /[=<>!&|~]/.test(c))
    );
  }

  #brackets(scan: boolean): Filter {
    this.#at++;
    this.#spaces();
    const c = this.#peek();
    if (c === "'" || c === '"') return this.#quotedNames(scan);
    if (c === "?") return this.#query(scan);
    return this.#indexer();
  }

  #close(): void {
    this.#spaces();
    if (this.#peek() === "") throw pathError("Path ended with open indexer.");
    if (this.#peek() !== "]")
      throw pathError(`Unexpected character while parsing path indexer: ${this.#peek()}`);
    this.#at++;
  }

  #quotedNames(scan: boolean): Filter {
    const names: string[] = [];
    for (;;) {
      this.#spaces();
      const quote = this.#peek();
      if (quote !== "'" && quote !== '"')
        throw pathError(`Unexpected character while parsing path indexer: ${quote}`);
      names.push(this.#quoted(quote));
      this.#spaces();
      if (this.#peek() !== ",") break;
      this.#at++;
    }
    this.#close();
    return { kind: scan ? "scan" : "field", names };
  }

  #quoted(quote: string): string {
    let text = "";
    for (this.#at++; this.#at < this.#text.length; this.#at++) {
      const c = this.#peek();
      if (c === quote) {
        this.#at++;
        return text;
      }
      if (c === "\\") {
        const escaped = this.#text[++this.#at] ?? "";
        const short: Record<string, string> = { b: "\b", t: "\t", n: "\n", f: "\f", r: "\r" };
        if (Object.hasOwn(short, escaped)) text += short[escaped]!;
        else if (escaped === "\\" || escaped === "'" || escaped === '"' || escaped === "/") text += escaped;
        else throw pathError(`Unknown escape character: \\${escaped}`);
      } else text += c;
    }
    throw pathError("Path ended with an open string.");
  }

  #indexer(): Filter {
    const end = this.#text.indexOf("]", this.#at);
    if (end < 0) throw pathError("Path ended with open indexer.");
    const inside = this.#text.slice(this.#at, end).trim();
    this.#at = end + 1;
    if (inside === "") throw pathError("Array index expected.");
    if (inside === "*") return { kind: "index", indexes: null };
    if (inside.includes(":")) {
      const parts = inside.split(":").map((part) => this.#integer(part.trim(), true));
      if (parts.length > 3) throw pathError("Unexpected character while parsing path indexer: :");
      return { kind: "slice", start: parts[0] ?? null, end: parts[1] ?? null, step: parts[2] ?? null };
    }
    return { kind: "index", indexes: inside.split(",").map((part) => this.#integer(part.trim(), false)!) };
  }

  #integer(text: string, optional: boolean): number | null {
    if (text === "" && optional) return null;
    if (text === "") throw pathError("Array index expected.");
    if (!/^-?\d{1,9}$/.test(text)) {
      throw pathError(`Unexpected character while parsing path indexer: ${/[^\d-]/.exec(text)?.[0] ?? text}`);
    }
    return Number(text);
  }

  #query(scan: boolean): Filter {
    this.#at++;
    this.#spaces();
    if (this.#peek() !== "(")
      throw pathError(`Unexpected character while parsing path indexer: ${this.#peek()}`);
    this.#at++;
    const test = this.#test();
    this.#spaces();
    if (this.#peek() !== ")")
      throw pathError(`Unexpected character while parsing path query: ${this.#peek()}`);
    this.#at++;
    this.#close();
    return { kind: "query", test, scan };
  }

  /** `a || b`, where `&&` binds tighter. */
  #test(): Test {
    if (++this.#depth > 64) throw pathError("The path query is nested too deeply.");
    const alternatives: Test[] = [];
    do {
      const all: Test[] = [];
      do all.push(this.#comparison());
      while (this.#take("&&"));
      alternatives.push(all.length === 1 ? all[0]! : { kind: "and", tests: all });
    } while (this.#take("||"));
    this.#depth--;
    return alternatives.length === 1 ? alternatives[0]! : { kind: "or", tests: alternatives };
  }

  #take(word: string): boolean {
    this.#spaces();
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  #comparison(): Test {
    this.#spaces();
    if (this.#peek() === "(") {
      this.#at++;
      const test = this.#test();
      this.#spaces();
      if (this.#peek() !== ")") throw pathError("Path ended with open query.");
      this.#at++;
      return test;
    }
    const left = this.#operand();
    this.#spaces();
    const c = this.#peek();
    if (c === ")" || c === "&" || c === "|")
      return { kind: "compare", operator: "exists", left, right: null };
    const operator = this.#operator();
    this.#spaces();
    return { kind: "compare", operator, left, right: this.#operand() };
  }

  #operator(): Operator {
    for (const operator of ["===", "==", "=~", "!==", "!=", "<>", "<=", "<", ">=", ">"] as const) {
      if (this.#take(operator)) return operator === "<>" ? "!=" : operator;
    }
    if (this.#peek() === "") throw pathError("Path ended with open query.");
    throw pathError("Could not read query operator.");
  }

  #operand(): Operand {
    this.#spaces();
    const c = this.#peek();
    if (c === "@" || c === "$") {
      this.#at++;
      const filters: Filter[] = [];
      this.#steps(filters, false, true);
      return { kind: "path", fromRoot: c === "$", filters };
    }
    if (c === "'" || c === '"') return { kind: "value", value: tokenOf(this.#quoted(c)) as JValue };
    if (c === "/") return this.#regex();
    const literal = /^(?:true|false|null|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/.exec(
      this.#text.slice(this.#at, this.#at + 64),
    );
    if (literal === null) throw pathError(`Unexpected character while parsing path query: ${c}`);
    this.#at += literal[0].length;
    return { kind: "value", value: tokenOf(readJson(literal[0], "JToken")) as JValue };
  }

  #regex(): Operand {
    const start = ++this.#at;
    while (this.#peek() !== "/") {
      if (this.#peek() === "") throw pathError("Path ended with an open regex.");
      this.#at += this.#peek() === "\\" ? 2 : 1;
    }
    const pattern = this.#text.slice(start, this.#at);
    const options = /^[a-z]*/.exec(this.#text.slice(++this.#at))![0];
    this.#at += options.length;
    const known = [...options].filter((c) => "imsx".includes(c)).join("");
    const full = known === "" ? pattern : `(?${known})${pattern}`;
    return { kind: "regex", matches: (text) => newRegexMatch(text, full) as boolean };
  }
}
