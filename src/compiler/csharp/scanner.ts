/**
 * Source text → tokens, in one pass over the text.
 *
 * C# cannot be scanned without knowing where one stands: inside `$"…{` the characters are code again until the
 * matching `}`, and there a `:` outside brackets starts a format. So the scanner keeps a stack of open interpolated
 * strings; a nested one is just pushed on top, and nothing recurses. Besides the tokens it records which bracket
 * closes which, so that the parser can look ahead over a pair of brackets, or skip one, in a single step.
 *
 * Mistakes never stop it: each gives a diagnostic and the token the author most likely meant.
 */
import type { LiteralValue } from "./tree.ts";
import { KEYWORDS, type Token } from "./tokens.ts";
import { type SyntaxDiagnostic, type SyntaxMessageId, syntaxDiagnostic } from "./parser-messages.ts";
import {
  isDigit,
  isHexDigit,
  isInvisible,
  isLineEnd,
  isNamePart,
  isNameStart,
  isSmartQuote,
  isSpace,
} from "./scanner-characters.ts";
import { scanNumber } from "./scanner-numbers.ts";
import { rawContents, rawText } from "./scanner-raw.ts";

export interface Scanned {
  /** The last one is `eof`. */
  readonly tokens: readonly Token[];
  /** For every bracket the index of its partner, otherwise -1. */
  readonly partners: Int32Array;
  readonly diagnostics: readonly SyntaxDiagnostic[];
  /** Syntax newer than C# 7 that only the scanner sees. */
  readonly newer: readonly NewerSyntax[];
}

export interface NewerSyntax {
  readonly feature: string;
  readonly version: string;
  readonly start: number;
  readonly end: number;
}

export function scan(source: string): Scanned {
  return new Scanner(source).run();
}

/** An interpolated string whose hole is being scanned. */
interface OpenString {
  readonly start: number;
  readonly style: "regular" | "verbatim" | "raw";
  /** Raw strings: braces that open a hole, and quotes that close the string. */
  readonly braces: number;
  readonly quotes: number;
  /** Token indexes: texts of this string, and of a raw one also its holes, in order. */
  readonly parts: number[];
  hasLineEnd: boolean;
  /** Already reported as never closed. */
  isBroken: boolean;
}

/** Longest first within the same first character. `>` stands alone, see `tokens.ts`. */
const MARKS = (
  "??= ?? ? <<= << <= < => == = != ! >= > += ++ + -= -- -> - *= * /= / %= % &= && & |= || | ^= ^ " +
  "~ .. . , ; :: : ( ) [ ] { }"
).split(" ");

const MARKS_BY_FIRST = new Map<number, string[]>();
for (const mark of MARKS) {
  const first = mark.charCodeAt(0);
  MARKS_BY_FIRST.set(first, [...(MARKS_BY_FIRST.get(first) ?? []), mark]);
}

/** Brackets open since the last hole began. Knowing there are none of a kind spares a search through all of them. */
type OpenCounts = Record<"(" | "[" | "{", number>;

const CLOSERS: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}", holeStart: "holeEnd" };

const SIMPLE_ESCAPES: ReadonlyMap<string, string> = new Map([
  ["'", "'"],
  ['"', '"'],
  ["\\", "\\"],
  ["0", "\0"],
  ["a", "\x07"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["v", "\v"],
]);

const QUOTE = 34;
const BACKSLASH = 92;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

class Scanner {
  readonly #source: string;
  #at = 0;
  readonly #tokens: Token[] = [];
  readonly #openBrackets: number[] = [];
  readonly #openCounts: OpenCounts[] = [{ "(": 0, "[": 0, "{": 0 }];
  readonly #partners: number[] = [];
  readonly #strings: OpenString[] = [];
  readonly #diagnostics: SyntaxDiagnostic[] = [];
  readonly #newer: NewerSyntax[] = [];

  constructor(source: string) {
    this.#source = source;
  }

  run(): Scanned {
    for (this.#skipTrivia(); this.#at < this.#source.length; this.#skipTrivia()) this.#scanToken();
    for (const open of this.#strings) this.#reportHole(open);
    const end = this.#source.length;
    this.#push("eof", end, end);
    const partners = new Int32Array(this.#tokens.length).fill(-1);
    this.#partners.forEach((partner, i) => (partners[i] = partner));
    return { tokens: this.#tokens, partners, diagnostics: this.#diagnostics, newer: this.#newer };
  }

  // ── Between tokens ────────────────────────────────────────────────────────────────────────────────────────────────

  #skipTrivia(): void {
    const source = this.#source;
    while (this.#at < source.length) {
      const c = source.charCodeAt(this.#at);
      if (isLineEnd(c)) this.#lineEnd();
      else if (isSpace(c)) this.#at++;
      else if (c === 47 && source.charCodeAt(this.#at + 1) === 47) this.#skipLine();
      else if (c === 47 && source.charCodeAt(this.#at + 1) === 42) this.#skipBlockComment();
      else if (c === 35 && this.#isFirstOnLine()) this.#directive();
      else if (isInvisible(c)) {
        const code = c.toString(16).toUpperCase().padStart(4, "0");
        this.#report("invisibleCharacter", this.#at, this.#at + 1, [code]);
        this.#at++;
      } else return;
    }
  }

  #lineEnd(): void {
    this.#at++;
    const open = this.#strings.at(-1);
    if (open === undefined || open.style !== "regular" || open.hasLineEnd) return;
    open.hasLineEnd = true;
    const feature = "A line end inside a hole of an interpolated string";
    this.#newer.push({ feature, version: "11", start: this.#at - 1, end: this.#at });
  }

  #skipLine(): void {
    while (this.#at < this.#source.length && !isLineEnd(this.#source.charCodeAt(this.#at))) this.#at++;
  }

  #skipBlockComment(): void {
    const end = this.#source.indexOf("*/", this.#at + 2);
    if (end < 0) this.#report("unterminatedComment", this.#at, this.#at + 2);
    this.#at = end < 0 ? this.#source.length : end + 2;
  }

  #isFirstOnLine(): boolean {
    let at = this.#at - 1;
    while (at >= 0 && isSpace(this.#source.charCodeAt(at))) at--;
    return at < 0 || isLineEnd(this.#source.charCodeAt(at));
  }

  #directive(): void {
    const start = this.#at;
    this.#skipLine();
    const line = this.#source.slice(start + 1, this.#at).trim();
    if (!/^(end)?region\b/.test(line)) this.#report("directive", start, this.#at);
  }

  // ── Tokens ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #scanToken(): void {
    const source = this.#source;
    const start = this.#at;
    const c = source.charCodeAt(start);
    if (isNameStart(c)) this.#name(start, start, false);
    else if (isDigit(c) || (c === 46 && isDigit(source.charCodeAt(start + 1)))) this.#number();
    else if (c === QUOTE) this.#plainString();
    else if (c === 39) this.#char();
    else if (c === 64 || c === 36) this.#prefixed();
    else if (c === 96) this.#foreignString("backtick", "`");
    else if (isSmartQuote(c)) this.#smartString();
    else if (c === BACKSLASH && /^\\u[0-9a-fA-F]{4}/.test(source.slice(start, start + 6)))
      this.#name(start, start, false);
    else this.#mark();
  }

  /** Reads a name at `from`; `start` is earlier for `@name`. */
  #name(start: number, from: number, escaped: boolean): void {
    const source = this.#source;
    let at = from;
    while (at < source.length && isNamePart(source.charCodeAt(at))) at++;
    let text = source.slice(from, at);
    // \u0041 inside a name is that letter.
    for (let m; (m = /^\\u([0-9a-fA-F]{4})/.exec(source.slice(at, at + 6))) !== null;) {
      const unit = parseInt(m[1]!, 16);
      if (!isNamePart(unit) || (text === "" && !isNameStart(unit))) break;
      text += String.fromCharCode(unit);
      at += 6;
      escaped = true;
      while (at < source.length && isNamePart(source.charCodeAt(at))) text += source[at++]!;
    }
    if (text === "") {
      this.#report("strayCharacter", start, start + 1);
      this.#at = Math.max(at, start + 1);
      return;
    }
    this.#at = at;
    if (escaped) this.#push("identifier", start, at, text, null, true);
    else if (text === "true" || text === "false")
      this.#literal(start, { type: "bool", value: text === "true" });
    else if (text === "null") this.#literal(start, { type: "null", value: null });
    else this.#push(KEYWORDS.has(text) ? text : "identifier", start, at, text);
  }

  #number(): void {
    const start = this.#at;
    const { end, literal, problem, type } = scanNumber(this.#source, start);
    this.#at = end;
    if (problem === "malformed") this.#report("badNumber", start, end);
    if (problem === "tooLarge") this.#report("numberTooLarge", start, end, [type]);
    this.#literal(start, literal);
  }

  #mark(): void {
    const start = this.#at;
    const source = this.#source;
    if (this.#foreignMark()) return;
    const open = this.#strings.at(-1);
    const mark = MARKS_BY_FIRST.get(source.charCodeAt(start))?.find((m) => source.startsWith(m, start));
    if (mark === undefined) {
      this.#at++;
      this.#report("strayCharacter", start, this.#at);
      return;
    }
    if (open !== undefined) {
      const counts = this.#openCounts.at(-1)!;
      if (mark === "}" && counts["{"] === 0) return this.#endHole(open);
      if (mark === ":" && counts["("] + counts["["] + counts["{"] === 0) return this.#format(open);
    }
    this.#at += mark.length;
    if (mark === "(" || mark === "[" || mark === "{") {
      this.#openCounts.at(-1)![mark]++;
      this.#openBracket(mark, start);
    } else if (mark === ")" || mark === "]" || mark === "}") {
      const opener = mark === ")" ? "(" : mark === "]" ? "[" : "{";
      if (this.#openCounts.at(-1)![opener] > 0) this.#closeBracket(mark, start);
      else this.#push(mark, start, this.#at);
    } else {
      this.#push(mark, start, this.#at);
    }
  }

  /** Marks of other languages: read as what was meant, with a word about it. */
  #foreignMark(): boolean {
    const start = this.#at;
    const source = this.#source;
    const first = source.charCodeAt(start);
    if (first !== 33 && first !== 38 && first !== 61) return false;
    const three = source.slice(start, start + 3);
    if (three === "===" || three === "!==") {
      this.#at += 3;
      this.#report("strictEquality", start, this.#at, [three, three.slice(0, 2)]);
      this.#push(three.slice(0, 2), start, this.#at);
      return true;
    }
    if (three.startsWith("=<")) {
      this.#at += 2;
      this.#report("swappedOperator", start, this.#at, ["=<", "<="]);
      this.#push("<=", start, this.#at);
      return true;
    }
    const entity = /^&(quot|apos|amp;&amp|amp|lt|gt|#\d+|#x[0-9a-fA-F]+);/.exec(
      source.slice(start, start + 12),
    );
    if (entity === null) return false;
    const [text, name] = entity;
    if (name === "quot" && source.indexOf(text, start + 1) > 0) {
      this.#foreignString("doubleEncoded", text);
      return true;
    }
    this.#at += text.length;
    this.#report("doubleEncoded", start, this.#at);
    const mark = ({ lt: "<", gt: ">", amp: "&", "amp;&amp": "&&" } as Record<string, string>)[name!];
    if (mark !== undefined) this.#push(mark, start, this.#at);
    return true;
  }

  #openBracket(kind: string, start: number): void {
    this.#openBrackets.push(this.#tokens.length);
    this.#push(kind, start, this.#at);
  }

  /** Pairs a closing bracket with the nearest open one of its kind; what was opened in between stays unclosed. */
  #closeBracket(kind: string, start: number): void {
    const counts = this.#openCounts.at(-1)!;
    for (;;) {
      const index = this.#openBrackets.pop()!;
      const opener = this.#tokens[index]!.kind;
      if (opener === "holeStart") this.#openCounts.pop();
      else counts[opener as keyof OpenCounts]--;
      if (CLOSERS[opener] !== kind) continue;
      this.#partners[index] = this.#tokens.length;
      this.#partners[this.#tokens.length] = index;
      break;
    }
    this.#push(kind, start, this.#at);
  }

  // ── Strings and characters ────────────────────────────────────────────────────────────────────────────────────────

  #plainString(): void {
    const start = this.#at;
    const quotes = this.#runLength(start, QUOTE);
    if (quotes >= 3) return this.#rawString(start, quotes);
    this.#at++;
    let text = "";
    for (let from = this.#at; ;) {
      const c = this.#source.charCodeAt(this.#at);
      if (c === QUOTE || c === BACKSLASH || Number.isNaN(c) || isLineEnd(c)) {
        text += this.#source.slice(from, this.#at);
        if (c === BACKSLASH) {
          text += this.#escape();
          from = this.#at;
          continue;
        }
        const open = this.#strings.at(-1);
        if (c === QUOTE) this.#at++;
        // Inside a hole this was most likely the quote that should have ended the outer string.
        else if (open !== undefined) this.#reportHole(open);
        else this.#report("unterminatedString", start, this.#at);
        break;
      }
      this.#at++;
    }
    this.#literal(start, { type: "string", value: text });
  }

  /** `@"…"`, `$"…"`, `$@"…"`, `@$"…"`, `$$"""…"""`, `@name`. */
  #prefixed(): void {
    const source = this.#source;
    const start = this.#at;
    const dollars = this.#runLength(start, 36);
    const afterDollars = start + dollars;
    if (dollars > 0 && this.#runLength(afterDollars, QUOTE) >= 3) {
      return this.#openRaw(start, dollars, this.#runLength(afterDollars, QUOTE));
    }
    if (dollars === 1 && source.charCodeAt(start + 1) === QUOTE) return this.#openString(start, 2, "regular");
    if (source.startsWith('$@"', start)) return this.#openString(start, 3, "verbatim");
    if (source.startsWith('@$"', start)) {
      this.#newer.push({ feature: 'the order @$"', version: "8", start, end: start + 3 });
      return this.#openString(start, 3, "verbatim");
    }
    if (source.startsWith('@"', start)) return this.#verbatimString();
    if (source.charCodeAt(start) === 64) {
      const next = source.charCodeAt(start + 1);
      if (isNameStart(next)) return this.#name(start, start + 1, true);
      this.#at++;
      this.#report(next === 40 || next === OPEN_BRACE ? "nestedAt" : "strayCharacter", start, this.#at);
      return;
    }
    this.#at += dollars;
    this.#report("strayCharacter", start, this.#at);
  }

  #verbatimString(): void {
    const start = this.#at;
    this.#at += 2;
    let text = "";
    for (;;) {
      const end = this.#source.indexOf('"', this.#at);
      if (end < 0) {
        this.#report("unterminatedVerbatim", start, start + 2);
        text += this.#source.slice(this.#at);
        this.#at = this.#source.length;
        break;
      }
      text += this.#source.slice(this.#at, end);
      this.#at = end + 1;
      if (this.#source.charCodeAt(this.#at) !== QUOTE) break;
      text += '"';
      this.#at++;
    }
    this.#literal(start, { type: "string", value: text });
  }

  #rawString(start: number, quotes: number): void {
    const end = this.#source.indexOf('"'.repeat(quotes), start + quotes);
    if (end < 0) {
      this.#report("unterminatedVerbatim", start, start + quotes);
      this.#at = this.#source.length;
      this.#literal(start, { type: "string", value: "" });
      return;
    }
    this.#at = end + quotes;
    // Further quotes belong to the content's end: """"a""" is not legal anyway, "a"""" + quotes is.
    while (this.#source.charCodeAt(this.#at) === QUOTE) this.#at++;
    const { text, problem } = rawText(this.#source.slice(start + quotes, this.#at - quotes));
    if (problem !== null) this.#report("rawString", start, this.#at, [problem]);
    this.#newer.push({ feature: "a raw string literal", version: "11", start, end: this.#at });
    this.#literal(start, { type: "string", value: text });
  }

  #char(): void {
    const start = this.#at;
    const source = this.#source;
    this.#at++;
    let text = "";
    while (this.#at < source.length && source.charCodeAt(this.#at) !== 39) {
      const c = source.charCodeAt(this.#at);
      if (isLineEnd(c)) break;
      if (c === BACKSLASH) text += this.#escape();
      else {
        text += source[this.#at]!;
        this.#at++;
      }
    }
    if (source.charCodeAt(this.#at) === 39) this.#at++;
    else {
      // An apostrophe with no partner: give back all but the first word.
      const word = /^'(?:\\.|[\p{L}\p{N}_]+|[^\r\n])?/u.exec(source.slice(start, start + 64))!;
      this.#at = start + word[0].length;
      this.#report("unterminatedChar", start, this.#at);
      this.#literal(start, { type: "char", value: text === "" ? 0 : text.charCodeAt(0) });
      return;
    }
    if (text.length === 1) return this.#literal(start, { type: "char", value: text.charCodeAt(0) });
    this.#report(text === "" ? "emptyChar" : "longChar", start, this.#at);
    this.#literal(start, { type: "string", value: text });
  }

  /** A string in delimiters that C# does not have, up to the same mark again. */
  #foreignString(id: SyntaxMessageId, mark: string): void {
    const start = this.#at;
    const from = start + mark.length;
    const end = this.#source.indexOf(mark, from);
    this.#at = end < 0 ? this.#source.length : end + mark.length;
    this.#report(id, start, this.#at);
    this.#literal(start, { type: "string", value: this.#source.slice(from, end < 0 ? undefined : end) });
  }

  #smartString(): void {
    const start = this.#at;
    let at = start + 1;
    while (at < this.#source.length) {
      const c = this.#source.charCodeAt(at);
      if (isSmartQuote(c) || c === QUOTE || isLineEnd(c)) break;
      at++;
    }
    const text = this.#source.slice(start + 1, at);
    const isClosed = at < this.#source.length && !isLineEnd(this.#source.charCodeAt(at));
    this.#at = isClosed ? at + 1 : at;
    this.#report("smartQuote", start, start + 1);
    this.#literal(start, { type: "string", value: text });
  }

  /** Reads the escape at the current backslash and moves behind it. */
  #escape(): string {
    const start = this.#at;
    const source = this.#source;
    const letter = source[start + 1] ?? "";
    const simple = SIMPLE_ESCAPES.get(letter);
    if (simple !== undefined) {
      this.#at += 2;
      return simple;
    }
    const [least, most] =
      letter === "x" ? [1, 4] : letter === "u" ? [4, 4] : letter === "U" ? [8, 8] : [0, 0];
    let end = start + 2;
    while (end < start + 2 + most && isHexDigit(source.charCodeAt(end))) end++;
    const digits = source.slice(start + 2, end);
    const code = parseInt(digits, 16);
    if (least > 0 && digits.length >= least && code <= 0x10ffff) {
      this.#at = end;
      return code > 0xffff ? String.fromCodePoint(code) : String.fromCharCode(code);
    }
    const isBroken = letter === "" || isLineEnd(letter.charCodeAt(0));
    this.#at = isBroken ? start + 1 : end;
    this.#report("badEscape", start, this.#at);
    return isBroken ? "" : letter;
  }

  // ── Interpolated strings ──────────────────────────────────────────────────────────────────────────────────────────

  #openString(start: number, prefix: number, style: "regular" | "verbatim"): void {
    this.#at = start + prefix;
    this.#push("interpolatedStart", start, this.#at);
    const open: OpenString = {
      start,
      style,
      braces: 1,
      quotes: 1,
      parts: [],
      hasLineEnd: false,
      isBroken: false,
    };
    this.#strings.push(open);
    this.#interpolatedText(open);
  }

  #openRaw(start: number, braces: number, quotes: number): void {
    this.#at = start + braces + quotes;
    this.#newer.push({ feature: "a raw string literal", version: "11", start, end: this.#at });
    this.#push("interpolatedStart", start, this.#at);
    const open: OpenString = {
      start,
      style: "raw",
      braces,
      quotes,
      parts: [],
      hasLineEnd: true,
      isBroken: false,
    };
    this.#strings.push(open);
    this.#rawInterpolatedText(open);
  }

  /** Text up to the next hole or the end of the string. */
  #interpolatedText(open: OpenString): void {
    const source = this.#source;
    const start = this.#at;
    let text = "";
    for (;;) {
      const c = source.charCodeAt(this.#at);
      if (c === QUOTE && open.style === "verbatim" && source.charCodeAt(this.#at + 1) === QUOTE) {
        text += '"';
        this.#at += 2;
      } else if (c === QUOTE || Number.isNaN(c) || (open.style === "regular" && isLineEnd(c))) {
        this.#text(start, text);
        this.#closeString(open, c === QUOTE ? 1 : 0);
        return;
      } else if (c === BACKSLASH && open.style === "regular") {
        text += this.#escape();
      } else if (c === OPEN_BRACE || c === CLOSE_BRACE) {
        if (source.charCodeAt(this.#at + 1) === c) {
          this.#at++;
        } else if (c === OPEN_BRACE) {
          this.#text(start, text);
          return this.#startHole(open);
        } else {
          this.#report("strayBrace", this.#at, this.#at + 1);
        }
        text += source[this.#at]!;
        this.#at++;
      } else {
        text += source[this.#at]!;
        this.#at++;
      }
    }
  }

  #rawInterpolatedText(open: OpenString): void {
    const source = this.#source;
    const start = this.#at;
    while (this.#at < source.length) {
      const c = source.charCodeAt(this.#at);
      if (c === QUOTE || c === OPEN_BRACE) {
        const run = this.#runLength(this.#at, c);
        if (c === QUOTE && run >= open.quotes) {
          this.#at += run - open.quotes;
          this.#rawPart(open, start);
          this.#closeString(open, open.quotes);
          return;
        }
        if (c === OPEN_BRACE && run >= open.braces) {
          this.#at += run - open.braces;
          this.#rawPart(open, start);
          return this.#startHole(open);
        }
        this.#at += run;
      } else this.#at++;
    }
    this.#rawPart(open, start);
    this.#closeString(open, 0);
  }

  #rawPart(open: OpenString, start: number): void {
    open.parts.push(this.#tokens.length);
    this.#push("interpolatedText", start, this.#at, this.#source.slice(start, this.#at));
  }

  #text(start: number, text: string): void {
    if (text !== "") this.#push("interpolatedText", start, this.#at, text);
  }

  #startHole(open: OpenString): void {
    const start = this.#at;
    this.#at += open.braces;
    this.#openCounts.push({ "(": 0, "[": 0, "{": 0 });
    this.#openBracket("holeStart", start);
  }

  #endHole(open: OpenString): void {
    const start = this.#at;
    this.#at += Math.min(open.braces, this.#runLength(start, CLOSE_BRACE));
    this.#closeBracket("holeEnd", start);
    if (open.style === "raw") this.#rawInterpolatedText(open);
    else this.#interpolatedText(open);
  }

  /** The format after a top-level colon: text up to the closing brace. */
  #format(open: OpenString): void {
    const source = this.#source;
    const start = this.#at++;
    let text = "";
    for (;;) {
      const c = source.charCodeAt(this.#at);
      if (Number.isNaN(c) || c === QUOTE || (open.style === "regular" && isLineEnd(c))) {
        this.#push("holeFormat", start, this.#at, text);
        this.#reportHole(open);
        this.#strings.pop();
        if (c === QUOTE) this.#at++;
        this.#closeBracket("holeEnd", this.#at);
        this.#push("interpolatedEnd", this.#at, this.#at);
        return;
      }
      if (c === CLOSE_BRACE && source.charCodeAt(this.#at + 1) !== CLOSE_BRACE) break;
      if (c === CLOSE_BRACE && open.style === "raw") break;
      if (c === OPEN_BRACE || c === CLOSE_BRACE) {
        text += source[this.#at]!;
        this.#at += source.charCodeAt(this.#at + 1) === c ? 2 : 1;
      } else if (c === BACKSLASH && open.style === "regular") text += this.#escape();
      else text += source[this.#at++]!;
    }
    this.#push("holeFormat", start, this.#at, text);
    this.#endHole(open);
  }

  #closeString(open: OpenString, quotes: number): void {
    const start = this.#at;
    this.#at += quotes;
    this.#strings.pop();
    this.#push("interpolatedEnd", start, this.#at);
    if (quotes === 0) {
      const id = open.style === "regular" ? "unterminatedString" : "unterminatedVerbatim";
      this.#report(id, open.start, open.style === "regular" ? this.#at : open.start + 3);
    } else if (open.style === "raw") this.#finishRaw(open);
  }

  /** Takes the indentation of the closing line off the texts of a raw interpolated string. */
  #finishRaw(open: OpenString): void {
    const { texts, problem } = rawContents(open.parts.map((i) => this.#tokens[i]!.text));
    if (problem !== null) this.#report("rawString", open.start, this.#at, [problem]);
    open.parts.forEach((i, n) => {
      this.#tokens[i] = { ...this.#tokens[i]!, text: texts[n]! };
    });
  }

  #reportHole(open: OpenString): void {
    if (!open.isBroken) this.#report("unterminatedHole", open.start, open.start + 2);
    open.isBroken = true;
  }

  // ── Small things ──────────────────────────────────────────────────────────────────────────────────────────────────

  #runLength(from: number, c: number): number {
    let at = from;
    while (this.#source.charCodeAt(at) === c) at++;
    return at - from;
  }

  #literal(start: number, literal: LiteralValue): void {
    this.#push("literal", start, this.#at, "", literal);
  }

  #push(
    kind: string,
    start: number,
    end: number,
    text = "",
    literal: LiteralValue | null = null,
    escaped = false,
  ): void {
    this.#tokens.push({ kind, start, end, text, literal, escaped });
  }

  #report(id: SyntaxMessageId, start: number, end: number, args: readonly string[] = []): void {
    // The parser keeps 50 of them; a megabyte of the same complaint is of no use to it.
    if (this.#diagnostics.length > 200) return;
    this.#diagnostics.push(syntaxDiagnostic(id, start, Math.min(end, this.#source.length), args));
  }
}
