/**
 * XPath 1.0 text → tree. One function per level of precedence, named after the grammar (§3 of the Recommendation).
 * Prefixes are resolved here, by what is in scope where the expression stands.
 */
export type Axis =
  | "ancestor"
  | "ancestor-or-self"
  | "attribute"
  | "child"
  | "descendant"
  | "descendant-or-self"
  | "following"
  | "following-sibling"
  | "namespace"
  | "parent"
  | "preceding"
  | "preceding-sibling"
  | "self";

const AXES: ReadonlySet<string> = new Set<Axis>([
  "ancestor",
  "ancestor-or-self",
  "attribute",
  "child",
  "descendant",
  "descendant-or-self",
  "following",
  "following-sibling",
  "namespace",
  "parent",
  "preceding",
  "preceding-sibling",
  "self",
]);

export type NodeTest =
  /** null: any name, any namespace. */
  | { readonly kind: "name"; readonly local: string | null; readonly uri: string | null }
  | { readonly kind: "node" | "text" | "comment" }
  | { readonly kind: "instruction"; readonly target: string | null };

export interface Step {
  readonly axis: Axis;
  readonly test: NodeTest;
  readonly predicates: readonly Expression[];
}

export type Operator =
  | "or"
  | "and"
  | "="
  | "!="
  | "<"
  | "<="
  | ">"
  | ">="
  | "+"
  | "-"
  | "*"
  | "div"
  | "mod"
  | "|";

export type Expression =
  | { readonly kind: "literal"; readonly value: string | number }
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "call"; readonly name: string; readonly args: readonly Expression[] }
  | {
      readonly kind: "binary";
      readonly operator: Operator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: "negate"; readonly operand: Expression }
  | { readonly kind: "filter"; readonly base: Expression; readonly predicates: readonly Expression[] }
  /** From the root, from the context node (`base` null), or from what `base` gives. */
  | {
      readonly kind: "path";
      readonly isAbsolute: boolean;
      readonly base: Expression | null;
      readonly steps: readonly Step[];
    };

export class XPathMistake extends Error {}

/** @param resolve prefix → namespace, null when it is not declared */
export function parseXPath(text: string, resolve: (prefix: string) => string | null): Expression {
  return new Parser(text, resolve).whole();
}

interface Token {
  readonly kind: "name" | "number" | "text" | "symbol" | "end";
  readonly text: string;
}

const TOKEN =
  /\s*(?:(\d+(?:\.\d*)?|\.\d+)|"([^"]*)"|'([^']*)'|(\.\.|::|\/\/|!=|<=|>=|[()[\]@,|+\-=<>*/$.])|([\p{L}_][\p{L}\p{N}_.\-\u00b7]*(?::(?!:)(?:\*|[\p{L}_][\p{L}\p{N}_.\-\u00b7]*))?))/uy;
const LONGEST = 20_000;
const DEEPEST = 100;

function scan(text: string): Token[] {
  if (text.length > LONGEST) throw new XPathMistake("the expression is too long");
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length && text.slice(at).trim() !== "") {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (match === null) throw new XPathMistake(`unexpected \`${text.slice(at).trim()[0]}\` in \`${text}\``);
    at = TOKEN.lastIndex;
    const [, number, double, single, symbol, name] = match;
    if (number !== undefined) tokens.push({ kind: "number", text: number });
    else if (name !== undefined) tokens.push({ kind: "name", text: name });
    else if (symbol !== undefined) tokens.push({ kind: "symbol", text: symbol });
    else tokens.push({ kind: "text", text: double ?? single ?? "" });
  }
  tokens.push({ kind: "end", text: "" });
  return tokens;
}

const LEVELS: readonly (readonly Operator[])[] = [
  ["or"],
  ["and"],
  ["=", "!="],
  ["<", "<=", ">", ">="],
  ["+", "-"],
  ["*", "div", "mod"],
];
const NODE_TYPES = new Set(["node", "text", "comment", "processing-instruction"]);

class Parser {
  readonly #source: string;
  readonly #tokens: readonly Token[];
  readonly #resolve: (prefix: string) => string | null;
  #at = 0;
  #depth = 0;

  constructor(text: string, resolve: (prefix: string) => string | null) {
    this.#source = text;
    this.#tokens = scan(text);
    this.#resolve = resolve;
  }

  whole(): Expression {
    const expression = this.#binary(0);
    if (this.#peek().kind !== "end") throw this.#unexpected();
    return expression;
  }

  #peek(ahead = 0): Token {
    return this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)]!;
  }

  #is(text: string, ahead = 0): boolean {
    const token = this.#peek(ahead);
    return token.kind === "symbol" && token.text === text;
  }

  #take(text: string): boolean {
    if (!this.#is(text)) return false;
    this.#at++;
    return true;
  }

  #expect(text: string): void {
    if (!this.#take(text)) throw this.#unexpected(` where \`${text}\` is expected`);
  }

  #unexpected(more = ""): XPathMistake {
    const token = this.#peek();
    const found = token.kind === "end" ? "the end" : `\`${token.text}\``;
    return new XPathMistake(`unexpected ${found}${more} in \`${this.#source}\``);
  }

  /** After an operand, `*`, `div`, `and` … are operators (§3.7). */
  #binary(level: number): Expression {
    const operators = LEVELS[level];
    if (operators === undefined) return this.#unary();
    let left = this.#binary(level + 1);
    for (;;) {
      const { kind, text } = this.#peek();
      if ((kind !== "symbol" && kind !== "name") || !operators.includes(text as Operator)) return left;
      this.#at++;
      left = { kind: "binary", operator: text as Operator, left, right: this.#binary(level + 1) };
    }
  }

  #unary(): Expression {
    if (++this.#depth > DEEPEST) throw new XPathMistake("the expression is nested too deeply");
    try {
      if (this.#take("-")) return { kind: "negate", operand: this.#unary() };
      let left = this.#pathExpression();
      while (this.#take("|")) left = { kind: "binary", operator: "|", left, right: this.#pathExpression() };
      return left;
    } finally {
      this.#depth--;
    }
  }

  #pathExpression(): Expression {
    if (!this.#startsFilter()) return this.#locationPath();
    const primary = this.#primary();
    const predicates = this.#predicates();
    const base: Expression =
      predicates.length === 0 ? primary : { kind: "filter", base: primary, predicates };
    if (this.#is("/") || this.#is("//"))
      return { kind: "path", isAbsolute: false, base, steps: this.#moreSteps([]) };
    return base;
  }

  #startsFilter(): boolean {
    const { kind, text } = this.#peek();
    if (kind === "number" || kind === "text") return true;
    if (kind === "symbol") return text === "$" || text === "(";
    return kind === "name" && this.#is("(", 1) && !NODE_TYPES.has(text);
  }

  #primary(): Expression {
    const { kind, text } = this.#peek();
    this.#at++;
    if (kind === "number") return { kind: "literal", value: Number(text) };
    if (kind === "text") return { kind: "literal", value: text };
    if (kind === "name") return { kind: "call", name: this.#functionName(text), args: this.#arguments() };
    if (text === "$") {
      const name = this.#peek();
      if (name.kind !== "name") throw this.#unexpected();
      this.#at++;
      return { kind: "variable", name: name.text };
    }
    const inner = this.#binary(0);
    this.#expect(")");
    return inner;
  }

  /** `{uri}local` for those with a prefix. */
  #functionName(name: string): string {
    const at = name.indexOf(":");
    return at < 0 ? name : `{${this.#uri(name.slice(0, at))}}${name.slice(at + 1)}`;
  }

  #arguments(): Expression[] {
    this.#expect("(");
    const args: Expression[] = [];
    if (this.#take(")")) return args;
    do args.push(this.#binary(0));
    while (this.#take(","));
    this.#expect(")");
    return args;
  }

  #predicates(): Expression[] {
    const predicates: Expression[] = [];
    while (this.#take("[")) {
      predicates.push(this.#binary(0));
      this.#expect("]");
    }
    return predicates;
  }

  #locationPath(): Expression {
    const isAbsolute = this.#is("/") || this.#is("//");
    if (!isAbsolute) return { kind: "path", isAbsolute, base: null, steps: this.#moreSteps([this.#step()]) };
    if (this.#is("/") && !this.#startsStep(1)) {
      this.#at++;
      return { kind: "path", isAbsolute, base: null, steps: [] };
    }
    return { kind: "path", isAbsolute, base: null, steps: this.#moreSteps([]) };
  }

  #startsStep(ahead: number): boolean {
    const { kind, text } = this.#peek(ahead);
    return kind === "name" || (kind === "symbol" && ["*", "@", ".", ".."].includes(text));
  }

  #moreSteps(steps: Step[]): Step[] {
    for (;;) {
      if (this.#take("//"))
        steps.push({ axis: "descendant-or-self", test: { kind: "node" }, predicates: [] });
      else if (!this.#take("/")) return steps;
      steps.push(this.#step());
    }
  }

  #step(): Step {
    if (this.#take(".")) return { axis: "self", test: { kind: "node" }, predicates: [] };
    if (this.#take("..")) return { axis: "parent", test: { kind: "node" }, predicates: [] };
    let axis: Axis = "child";
    if (this.#take("@")) axis = "attribute";
    else if (this.#peek().kind === "name" && this.#is("::", 1)) {
      const { text } = this.#peek();
      if (!AXES.has(text)) throw new XPathMistake(`there is no axis \`${text}\``);
      axis = text as Axis;
      this.#at += 2;
    }
    return { axis, test: this.#nodeTest(), predicates: this.#predicates() };
  }

  #nodeTest(): NodeTest {
    if (this.#take("*")) return { kind: "name", local: null, uri: null };
    const { kind, text } = this.#peek();
    if (kind !== "name") throw this.#unexpected();
    this.#at++;
    if (NODE_TYPES.has(text) && this.#take("(")) {
      const target = this.#peek().kind === "text" ? this.#tokens[this.#at++]!.text : null;
      this.#expect(")");
      return text === "processing-instruction"
        ? { kind: "instruction", target }
        : { kind: text as "node" | "text" | "comment" };
    }
    const at = text.indexOf(":");
    if (at < 0) return { kind: "name", local: text, uri: "" };
    const local = text.slice(at + 1);
    return { kind: "name", local: local === "*" ? null : local, uri: this.#uri(text.slice(0, at)) };
  }

  #uri(prefix: string): string {
    const uri = this.#resolve(prefix);
    if (uri === null) throw new XPathMistake(`the prefix \`${prefix}\` is not declared`);
    return uri;
  }
}
