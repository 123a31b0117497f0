/**
 * What every parsing function works on: the tokens, a position among them, and the diagnostics so far.
 *
 * A mistake is reported once: further complaints at the same token are swallowed, because they are nearly always
 * consequences. Something missing between two tokens is reported where the previous token ends; something wrong is
 * reported over the token that is wrong.
 */
import type { Scanned } from "./scanner.ts";
import type { Span } from "./tree.ts";
import type { Token } from "./tokens.ts";
import { KEYWORDS } from "./tokens.ts";
import { type SyntaxDiagnostic, type SyntaxMessageId, syntaxDiagnostic } from "./parser-messages.ts";

/** Brackets, operators and statements inside each other; the parser's own recursion is bounded by it. */
export const MAX_NESTING = 256;

/** More mistakes than this in one expression help nobody. */
export const MOST_DIAGNOSTICS = 50;

/** Thrown by `Cursor.enter` and caught by `parseExpression`; carries nothing because the diagnostic is already there. */
export class TooDeep extends Error {}

export interface CursorOptions {
  /** Newer syntax is an error instead of a warning. */
  readonly strict: boolean;
}

export class Cursor {
  readonly source: string;
  readonly tokens: readonly Token[];
  /** Partner of each bracket, or -1. */
  readonly partners: Int32Array;
  readonly diagnostics: SyntaxDiagnostic[];
  /** Index of the current token. */
  index = 0;
  /** Remembered answers of `typeEnd`: 0 unknown, -1 no type, otherwise the index after the type. */
  readonly typeEnds: Int32Array;
  readonly typeArgumentEnds: Int32Array;
  /** Inside a query, where `select`, `where` … cannot be names. */
  queryDepth = 0;
  /** Inside a pattern or a case guard, where `x =>` is the arm of a switch expression and no lambda. */
  noLambda = false;
  readonly #strict: boolean;
  #depth = 0;
  #lastErrorIndex = -1;

  constructor(source: string, scanned: Scanned, options: CursorOptions) {
    this.source = source;
    this.tokens = scanned.tokens;
    this.partners = scanned.partners;
    this.diagnostics = [...scanned.diagnostics];
    this.typeEnds = new Int32Array(scanned.tokens.length + 1);
    this.typeArgumentEnds = new Int32Array(scanned.tokens.length + 1);
    this.#strict = options.strict;
    for (const { feature, version, start, end } of scanned.newer) this.newer(feature, version, start, end);
  }

  // ── Looking ───────────────────────────────────────────────────────────────────────────────────────────────────────

  get token(): Token {
    return this.tokens[this.index]!;
  }

  get kind(): string {
    return this.tokens[this.index]!.kind;
  }

  /** The token `count` further on; `eof` beyond the end. */
  peek(count: number): Token {
    return this.tokens[Math.min(this.index + count, this.tokens.length - 1)]!;
  }

  /** Start of the current token. */
  get start(): number {
    return this.tokens[this.index]!.start;
  }

  /** End of the token before the current one. */
  get lastEnd(): number {
    return this.index === 0 ? 0 : this.tokens[this.index - 1]!.end;
  }

  is(kind: string): boolean {
    return this.tokens[this.index]!.kind === kind;
  }

  /** Whether the current token is this contextual keyword. */
  isWord(word: string, count = 0): boolean {
    const token = this.peek(count);
    return token.kind === "identifier" && token.text === word && !token.escaped;
  }

  // ── Moving ────────────────────────────────────────────────────────────────────────────────────────────────────────

  next(): Token {
    const token = this.tokens[this.index]!;
    if (token.kind !== "eof") this.index++;
    return token;
  }

  /** Takes the current token if it is of this kind. */
  take(kind: string): boolean {
    if (this.tokens[this.index]!.kind !== kind) return false;
    this.index++;
    return true;
  }

  takeWord(word: string): boolean {
    if (!this.isWord(word)) return false;
    this.index++;
    return true;
  }

  /** Takes a token of this kind or reports that it is missing. */
  expect(kind: string, hint?: string): boolean {
    if (this.take(kind)) return true;
    this.missing(quoted(kind), hint);
    return false;
  }

  /**
   * Takes the bracket that closes the one at `opener`. When something else stands here, it is reported, and the
   * rest up to the closing bracket is skipped.
   */
  close(opener: number, kind: string): void {
    if (this.take(kind)) return;
    const partner = this.partners[opener]!;
    const open = this.tokens[opener]!;
    if (partner > this.index) {
      this.unexpected("expectedInstead", [
        kind === "holeEnd" ? quoted(kind) : `"," or ${quoted(kind)}`,
        this.describe(),
      ]);
      this.index = partner + 1;
      return;
    }
    if (open.kind === "holeStart" && this.#hasUnterminated()) return;
    const args = [quoted(kind), quoted(open.kind === "holeStart" ? "{" : open.kind)];
    this.errorAt("unclosed", this.lastEnd, this.lastEnd, args);
  }

  // ── Saying ────────────────────────────────────────────────────────────────────────────────────────────────────────

  error(id: SyntaxMessageId, at: Span = this.token, args: readonly string[] = [], hint?: string): void {
    this.errorAt(id, at.start, at.end, args, hint);
  }

  errorAt(
    id: SyntaxMessageId,
    start: number,
    end: number,
    args: readonly string[] = [],
    hint?: string,
  ): void {
    if (this.#lastErrorIndex === this.index) return;
    this.#lastErrorIndex = this.index;
    this.report(id, start, end, args, hint);
  }

  /** Something stands where nothing can: says what the author probably meant, or `id` with `args`. */
  unexpected(id: SyntaxMessageId, args: readonly string[]): void {
    const before = this.tokens[this.index - 1];
    const stands = isText(this.token) || this.is("identifier") || this.is("literal");
    const stood =
      before !== undefined && (isText(before) || ["identifier", "literal", ")", "]"].includes(before.kind));
    if (this.is("=>")) this.error("arrowMisuse");
    else if (stands && stood && (isText(this.token) || isText(before))) this.error("missingPlus");
    else this.error(id, this.token, args);
  }

  /** Reports even when something was already said here. */
  report(id: SyntaxMessageId, start: number, end: number, args: readonly string[] = [], hint?: string): void {
    // The scanner has seen the same place first: a string without end explains whatever is missing behind it.
    if (this.diagnostics.length > MOST_DIAGNOSTICS) return;
    if (!this.is("eof") || !this.#hasUnterminated())
      this.diagnostics.push(syntaxDiagnostic(id, start, end, args, hint));
  }

  /** Reports that something is missing between the previous token and this one. */
  missing(what: string, hint?: string): void {
    // A string without end has swallowed it.
    if (this.diagnostics.some((d) => d.end === this.lastEnd && UNTERMINATED.has(d.code))) return;
    this.errorAt("expected", this.lastEnd, this.lastEnd, [what], hint);
  }

  /** Whether an error was reported at the current token. */
  get hasFailedHere(): boolean {
    return this.#lastErrorIndex === this.index;
  }

  outOfScope(what: string, at: Span = this.token, hint?: string): void {
    this.error("outOfScope", at, [what], hint);
  }

  newer(feature: string, version: string, start: number, end: number): void {
    const severity = this.#strict ? "error" : "warning";
    this.diagnostics.push(
      syntaxDiagnostic("newerSyntax", start, end, [feature, version], undefined, severity),
    );
  }

  /** The current token for a message; never the text of a name or literal. */
  describe(): string {
    const { kind, literal } = this.token;
    if (kind === "eof") return "the end";
    if (kind === "identifier") return "a name";
    if (kind === "interpolatedStart") return "a string";
    if (kind === "holeFormat") return '":"';
    if (kind === "holeEnd") return '"}"';
    if (kind === "literal")
      return literal!.type === "string" ? "a string" : literal!.type === "char" ? "a character" : "a value";
    return quoted(kind);
  }

  #hasUnterminated(): boolean {
    return this.diagnostics.some((d) => UNTERMINATED.has(d.code));
  }

  // ── Depth ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  enter(): void {
    if (++this.#depth <= MAX_NESTING) return;
    this.report("tooDeep", this.start, this.token.end);
    throw new TooDeep();
  }

  leave(): void {
    this.#depth--;
  }
}

const UNTERMINATED = new Set(
  ["unterminatedString", "unterminatedVerbatim", "unterminatedHole"].map(
    (id) => syntaxDiagnostic(id as SyntaxMessageId, 0, 0).code,
  ),
);

export function quoted(kind: string): string {
  if (KEYWORDS.has(kind)) return `"${kind}"`;
  if (kind === "identifier") return "a name";
  if (kind === "holeEnd") return '"}"';
  return `"${kind}"`;
}

function isText(token: Token | undefined): boolean {
  return (
    token !== undefined &&
    (token.literal?.type === "string" ||
      token.kind === "interpolatedEnd" ||
      token.kind === "interpolatedStart")
  );
}
