/**
 * Finds where a policy expression ends: the bracket that matches the one of `@(` or `@{`.
 *
 * Counting brackets is not enough: `")"`, `'{'` and comments hold brackets that count for nothing. So this walks over
 * C# as a lexer does, but remembers only what it is inside of: strings (regular, verbatim, interpolated with holes
 * inside holes, raw), character literals and both kinds of comment. One pass, no recursion.
 *
 * Spec: policies-document.md §2.2, expressions.md §1.1 and §2.1.
 */

export interface ExpressionEnd {
  /** Index behind the closing bracket; -1 when there is none. */
  readonly end: number;
  /** What was left open; null when the end was found. */
  readonly failure: "bracket" | "string" | "hole" | "comment" | null;
  /** Where that began. */
  readonly failureAt: number;
  /**
   * The first quote is written as an entity (`&quot;`, `&apos;`): the whole expression is entity-encoded, and its end
   * is where the XML value ends. Then `end` is -1 without a failure.
   */
  readonly encoded: boolean;
  /** Where entities stand in the code, outside of strings and comments; null without. */
  readonly codeEntities: readonly number[] | null;
  /** An XML comment stands in the code; null without. */
  readonly comment: { readonly start: number; readonly end: number } | null;
  /** How far the text was looked at; for callers that bound their work. */
  readonly scannedTo: number;
}

/** True if a policy expression begins at `index`: `@(` or `@{`. */
export function isExpressionStart(text: string, index: number): boolean {
  if (text.charCodeAt(index) !== AT) return false;
  const next = text.charCodeAt(index + 1);
  return next === OPEN_PAREN || next === OPEN_BRACE;
}

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const QUOTE = 34;
const HASH = 35;
const DOLLAR = 36;
const AMPERSAND = 38;
const APOSTROPHE = 39;
const OPEN_PAREN = 40;
const CLOSE_PAREN = 41;
const STAR = 42;
const SLASH = 47;
const COLON = 58;
const LESS = 60;
const AT = 64;
const OPEN_BRACKET = 91;
const BACKSLASH = 92;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

const anyEntity = /&(?:lt|gt|amp|quot|apos|#\d{1,7}|#[xX][\da-fA-F]{1,6});/y;
const quoteEntity = /^&(?:quot|#0*34|#[xX]0*22);$/;
const apostropheEntity = /^&(?:apos|#0*39|#[xX]0*27);$/;
/** The rest of a character literal of which the quotes are encoded. */
const encodedCharacter = /^(?:\\.[\da-fA-F]{0,8}|&\w+;|[^\r\n])(&(?:apos|#0*39|#[xX]0*27);)/;

/** An interpolated string whose hole is being read. */
interface Hole {
  /** Where its `{` stands. */
  readonly start: number;
  readonly verbatim: boolean;
  readonly stringStart: number;
  /** Brackets of any kind open inside the hole. */
  depth: number;
}

/**
 * @param text the file, or a decoded value
 * @param start index of the `@`
 * @param entities whether `&quot;` and the like may stand for quotes (text that has not been decoded)
 */
export function findExpressionEnd(text: string, start: number, entities: boolean): ExpressionEnd {
  return new Walk(text, start, entities).run();
}

class Walk {
  readonly #text: string;
  readonly #start: number;
  readonly #entities: boolean;
  readonly #open: number;
  readonly #close: number;
  readonly #holes: Hole[] = [];
  #at: number;
  #depth = 0;
  #sawQuote = false;
  readonly #codeEntities: number[] = [];
  #comment: { start: number; end: number } | null = null;
  #noMoreCommentEnds = false;

  constructor(text: string, start: number, entities: boolean) {
    this.#text = text;
    this.#start = start;
    this.#entities = entities;
    this.#open = text.charCodeAt(start + 1);
    this.#close = this.#open === OPEN_PAREN ? CLOSE_PAREN : CLOSE_BRACE;
    this.#at = start + 1;
  }

  run(): ExpressionEnd {
    const text = this.#text;
    while (this.#at < text.length) {
      const c = text.charCodeAt(this.#at);
      const failure = this.#step(c);
      if (failure !== null) return failure;
    }
    return this.#result(-1, "bracket", this.#start);
  }

  /** One piece of code; a result when the walk is over. */
  #step(c: number): ExpressionEnd | null {
    const text = this.#text;
    switch (c) {
      case QUOTE:
        return this.#string();
      case APOSTROPHE:
        this.#character();
        return null;
      case DOLLAR:
      case AT:
        return this.#prefixed();
      case SLASH:
        return this.#slash();
      case HASH:
        if (this.#isFirstOnLine()) this.#skipLine();
        else this.#at++;
        return null;
      case AMPERSAND:
        return this.#entities ? this.#entity() : this.#advance();
      case LESS:
        if (text.startsWith("<!--", this.#at)) this.#xmlComment();
        else this.#at++;
        return null;
      default:
        return this.#bracket(c);
    }
  }

  #advance(): null {
    this.#at++;
    return null;
  }

  #bracket(c: number): ExpressionEnd | null {
    const hole = this.#holes.at(-1);
    if (hole !== undefined) return this.#inHole(c, hole);
    this.#at++;
    if (c === this.#open) this.#depth++;
    else if (c === this.#close && --this.#depth === 0) return this.#result(this.#at, null, -1);
    return null;
  }

  #inHole(c: number, hole: Hole): ExpressionEnd | null {
    this.#at++;
    if (c === OPEN_BRACE || c === OPEN_PAREN || c === OPEN_BRACKET) hole.depth++;
    else if (c === CLOSE_BRACE && hole.depth <= 0) {
      this.#holes.pop();
      return this.#interpolated(hole.verbatim, hole.stringStart);
    } else if (c === CLOSE_BRACE || c === CLOSE_PAREN || c === CLOSE_BRACKET) hole.depth--;
    else if (c === COLON && hole.depth === 0) return this.#format(hole);
    return null;
  }

  /** The format behind a `:` in a hole is text up to the `}`. */
  #format(hole: Hole): ExpressionEnd | null {
    const text = this.#text;
    if (text.charCodeAt(this.#at) === COLON) return this.#advance(); // `global::System`
    for (; this.#at < text.length; this.#at++) {
      const c = text.charCodeAt(this.#at);
      if (c === CLOSE_BRACE) return null; // the walk meets it next and closes the hole
      const ends = c === QUOTE || (!hole.verbatim && (c === LF || c === CR));
      if (ends) return this.#result(-1, "string", hole.stringStart);
    }
    return null;
  }

  /** `$"`, `@"`, `$@"`, `@$"`, `$$"""`, or just the character. */
  #prefixed(): ExpressionEnd | null {
    const text = this.#text;
    const start = this.#at;
    let at = start;
    let dollars = 0;
    let verbatim = false;
    for (; ; at++) {
      const c = text.charCodeAt(at);
      if (c === DOLLAR) dollars++;
      else if (c === AT && !verbatim) verbatim = true;
      else break;
    }
    this.#at = at;
    if (text.charCodeAt(at) !== QUOTE) return null;
    this.#sawQuote = true;
    if (!verbatim && text.startsWith('"""', at)) return this.#rawString(at);
    this.#at = at + 1;
    if (dollars > 0) return this.#interpolated(verbatim, start);
    return verbatim ? this.#verbatim(start) : this.#regular(start);
  }

  #string(): ExpressionEnd | null {
    const start = this.#at;
    this.#sawQuote = true;
    if (this.#text.startsWith('"""', start)) return this.#rawString(start);
    this.#at++;
    return this.#regular(start);
  }

  #regular(start: number): ExpressionEnd | null {
    const text = this.#text;
    for (let i = this.#at; i < text.length; i++) {
      const c = text.charCodeAt(i);
      if (c === BACKSLASH) i++;
      else if (c === QUOTE) return this.#moveTo(i + 1);
      else if (c === LF || c === CR) return this.#failAt(i, start);
    }
    return this.#failAt(text.length, start);
  }

  #verbatim(start: number): ExpressionEnd | null {
    const text = this.#text;
    for (let i = text.indexOf('"', this.#at); i !== -1; i = text.indexOf('"', i + 2)) {
      if (text.charCodeAt(i + 1) !== QUOTE) return this.#moveTo(i + 1);
    }
    return this.#failAt(text.length, start);
  }

  /** Ends at as many quotes as it began with; holes in it need no care, since they cannot hold that many. */
  #rawString(at: number): ExpressionEnd | null {
    const text = this.#text;
    let i = at;
    while (text.charCodeAt(i) === QUOTE) i++;
    const count = i - at;
    let run = 0;
    for (; i < text.length; i++) {
      run = text.charCodeAt(i) === QUOTE ? run + 1 : 0;
      if (run === count) return this.#moveTo(i + 1);
    }
    return this.#failAt(text.length, at);
  }

  /** The literal part of an interpolated string, up to a hole or its end. */
  #interpolated(verbatim: boolean, start: number): ExpressionEnd | null {
    const text = this.#text;
    for (let i = this.#at; i < text.length; i++) {
      const c = text.charCodeAt(i);
      if (c === OPEN_BRACE) {
        if (text.charCodeAt(i + 1) === OPEN_BRACE) i++;
        else {
          this.#holes.push({ start: i, verbatim, stringStart: start, depth: 0 });
          return this.#moveTo(i + 1);
        }
      } else if (c === QUOTE) {
        if (!verbatim || text.charCodeAt(i + 1) !== QUOTE) return this.#moveTo(i + 1);
        i++;
      } else if (!verbatim) {
        if (c === BACKSLASH) i++;
        else if (c === LF || c === CR) return this.#failAt(i, start);
      }
    }
    return this.#failAt(text.length, start);
  }

  /** `'x'`, `'\''`, `'\u0041'`; a lone apostrophe is left to the C# lexer to complain about. */
  #character(): void {
    const text = this.#text;
    const start = this.#at;
    this.#sawQuote = true;
    for (let i = start + 1; i < text.length && i < start + 16; i++) {
      const c = text.charCodeAt(i);
      if (c === BACKSLASH) i++;
      else if (c === LF || c === CR) break;
      else if (c === APOSTROPHE && i > start + 1) return void (this.#at = i + 1);
    }
    this.#at = start + 1;
  }

  #slash(): ExpressionEnd | null {
    const text = this.#text;
    const next = text.charCodeAt(this.#at + 1);
    if (next === SLASH) this.#skipLine();
    else if (next === STAR) {
      const end = text.indexOf("*/", this.#at + 2);
      if (end === -1) {
        const start = this.#at;
        this.#at = text.length;
        return this.#result(-1, "comment", start);
      }
      this.#at = end + 2;
    } else this.#at++;
    return null;
  }

  #skipLine(): void {
    const text = this.#text;
    let i = this.#at;
    for (; i < text.length; i++) {
      const c = text.charCodeAt(i);
      if (c === LF || c === CR) break;
    }
    this.#at = i;
  }

  /** Directives such as `#region don't` stand first on their line. */
  #isFirstOnLine(): boolean {
    for (let i = this.#at - 1; i > this.#start; i--) {
      const c = this.#text.charCodeAt(i);
      if (c === LF || c === CR) return true;
      if (c !== SPACE && c !== TAB) return false;
    }
    return false;
  }

  #entity(): ExpressionEnd | null {
    const text = this.#text;
    const start = this.#at;
    anyEntity.lastIndex = start;
    const entity = anyEntity.exec(text)?.[0];
    if (entity === undefined) return this.#advance();
    const isApostrophe = apostropheEntity.test(entity);
    if (!this.#sawQuote && (isApostrophe || quoteEntity.test(entity)))
      return this.#result(-1, null, -1, true);
    this.#codeEntities.push(start);
    this.#at += entity.length;
    if (!isApostrophe) return null;
    const literal = encodedCharacter.exec(text.slice(this.#at, this.#at + 24));
    if (literal === null) return null;
    this.#codeEntities.push(this.#at + literal[0].length - literal[1]!.length);
    return this.#moveTo(this.#at + literal[0].length);
  }

  #xmlComment(): void {
    const end = this.#noMoreCommentEnds ? -1 : this.#text.indexOf("-->", this.#at + 4);
    if (end === -1) {
      this.#noMoreCommentEnds = true;
      this.#at++;
      return;
    }
    this.#comment ??= { start: this.#at, end: end + 3 };
    this.#at = end + 3;
  }

  #moveTo(index: number): null {
    this.#at = index;
    return null;
  }

  #failAt(index: number, start: number): ExpressionEnd {
    this.#at = index;
    // Directly behind a value no string begins: the quote was meant to end the string around the hole.
    const hole = this.#holes.at(-1);
    const isBehindValue = /[\w)\]]\s*$/.test(this.#text.slice(Math.max(this.#start, start - 20), start));
    if (hole !== undefined && start > hole.start && isBehindValue)
      return this.#result(-1, "hole", hole.start);
    return this.#result(-1, "string", start);
  }

  #result(end: number, failure: ExpressionEnd["failure"], failureAt: number, encoded = false): ExpressionEnd {
    const codeEntities = this.#codeEntities.length === 0 ? null : this.#codeEntities;
    return { end, failure, failureAt, encoded, codeEntities, comment: this.#comment, scannedTo: this.#at };
  }
}
