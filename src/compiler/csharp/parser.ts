/**
 * The parser of policy expressions: hand-written recursive descent over the tokens of `scanner.ts`, with precedence
 * climbing for operators (spec: expressions.md §2).
 *
 * How it works. Each `parse…` function reads one construct of the grammar from a `Cursor` and leaves the cursor behind
 * it. Where the grammar needs to look further than a token or two (is `a < b > (c)` a call of a generic method? is
 * `(T)` a cast?) `parser-lookahead.ts` answers without building anything and remembers the answer, so nothing is
 * parsed twice and time is linear in the source.
 *
 * It never fails: `parseExpression` returns a tree for any input, with diagnostics for what was wrong and `missing`
 * nodes where something was left out. Nesting is bounded (`MAX_NESTING`), so neither the parser nor what walks its
 * trees can run out of stack; chains such as `a + b + c …`, which make deep trees without nesting, have `MAX_HEIGHT`.
 *
 * The parts: `parser-expressions.ts` (start there), `-creation` (`new`), `-lambda`, `-query`, `-patterns`, `-types`,
 * `-statements`, `-branches` (switch, try), `-functions`.
 */
import { Cursor, MOST_DIAGNOSTICS, TooDeep } from "./parser-cursor.ts";
import { parseExpressionOrThrow } from "./parser-expressions.ts";
import { parseStatements } from "./parser-statements.ts";
import { type SyntaxDiagnostic, syntaxDiagnostic } from "./parser-messages.ts";
import { scan } from "./scanner.ts";
import type { BlockStatement, Expression, SyntaxRoot } from "./tree.ts";

/** UTF-16 units. */
export const MAX_SOURCE_LENGTH = 64 * 1024;

/** Nodes from the root to the deepest leaf. */
export const MAX_HEIGHT = 1024;

export interface ParseOptions {
  /** `@( … )` or `@{ … }`. */
  readonly kind: "expression" | "block";
  /** "7" refuses newer syntax; "latest" (the default) accepts it with a warning. */
  readonly languageVersion?: "7" | "latest";
}

export interface ParseResult {
  /** Of kind `block` for a block, always. */
  readonly tree: SyntaxRoot;
  /** In the order of the source. */
  readonly diagnostics: readonly SyntaxDiagnostic[];
}

/** Parses the text between the brackets of `@( … )` or `@{ … }`. Never throws. */
export function parseExpression(source: string, options: ParseOptions): ParseResult {
  if (source.length > MAX_SOURCE_LENGTH) {
    return nothing(source, options, [syntaxDiagnostic("tooLong", 0, 0, [String(MAX_SOURCE_LENGTH / 1024)])]);
  }
  const p = new Cursor(source, scan(source), { strict: options.languageVersion === "7" });
  if (p.is("eof")) {
    const found =
      p.diagnostics.length > 0 ? p.diagnostics : [syntaxDiagnostic("emptySource", 0, source.length)];
    return nothing(source, options, inOrder(found));
  }
  try {
    const tree = options.kind === "block" ? parseWholeBlock(p) : parseWholeExpression(p);
    if (p.tokens.length > MAX_HEIGHT && heightOf(tree) > MAX_HEIGHT) {
      p.diagnostics.push(syntaxDiagnostic("tooDeep", tree.start, tree.end));
      return nothing(source, options, inOrder(p.diagnostics));
    }
    return { tree, diagnostics: inOrder(p.diagnostics) };
  } catch (error) {
    if (!(error instanceof TooDeep)) throw error;
    return nothing(source, options, inOrder(p.diagnostics));
  }
}

function nothing(
  source: string,
  options: ParseOptions,
  diagnostics: readonly SyntaxDiagnostic[],
): ParseResult {
  const span = { start: 0, end: source.length };
  const tree: SyntaxRoot =
    options.kind === "block" ? { kind: "block", statements: [], ...span } : { kind: "missing", ...span };
  return { tree, diagnostics };
}

function inOrder(diagnostics: readonly SyntaxDiagnostic[]): SyntaxDiagnostic[] {
  const kept = diagnostics.length > MOST_DIAGNOSTICS ? diagnostics.slice(0, MOST_DIAGNOSTICS) : diagnostics;
  return [...kept].sort((a, b) => a.start - b.start);
}

function parseWholeBlock(p: Cursor): BlockStatement {
  const statements = parseStatements(p, () => false);
  return { kind: "block", statements, start: 0, end: p.source.length };
}

const STATEMENT_STARTS = new Set("return if foreach for while switch try using do throw".split(" "));

function parseWholeExpression(p: Cursor): Expression {
  if (STATEMENT_STARTS.has(p.kind) || (p.isWord("var") && p.peek(1).kind === "identifier")) {
    const { start, end, kind, text } = p.token;
    p.errorAt("statementInExpression", start, end, [`"${kind === "identifier" ? text : kind}"`]);
    return { kind: "missing", start: 0, end: p.source.length };
  }
  const expression = parseExpressionOrThrow(p);
  if (p.is("eof")) return expression;
  if (p.is(";") && p.peek(1).kind === "eof") p.error("trailingSemicolon");
  else if (p.is(")") || p.is("]") || p.is("}")) p.error("extraClosing", p.token, [`"${p.kind}"`]);
  else p.unexpected("trailing", [p.describe()]);
  return expression;
}

/** Walks the tree without recursion: this is what decides whether others may recurse. */
function heightOf(root: SyntaxRoot): number {
  let height = 0;
  let level: object[] = [root];
  while (level.length > 0) {
    const below: object[] = [];
    for (const node of level) {
      for (const value of Object.values(node)) {
        if (Array.isArray(value)) for (const item of value) pushNode(below, item);
        else pushNode(below, value);
      }
    }
    if (++height > MAX_HEIGHT) break;
    level = below;
  }
  return height;
}

function pushNode(nodes: object[], value: unknown): void {
  if (value !== null && typeof value === "object") nodes.push(value);
}
