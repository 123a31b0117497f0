/**
 * Text → JSON, as lenient as Newtonsoft's `JsonTextReader` (`expressions.md` §5.8): comments, single quotes, unquoted
 * names, trailing and repeated commas, NaN and Infinity, hexadecimal and octal integers. Nesting ends at 64. Messages
 * carry path, line and position like the original's.
 */
import { checkSize, spend } from "../../budget.ts";
import { NetException } from "../../errors.ts";
import {
  type Raw,
  type RawArray,
  type RawDate,
  type RawObject,
  RawDate as DateText,
  UNDEFINED,
  rawFloat,
} from "./raw.ts";

/** As Newtonsoft 13 and `expressions.md` §6 have it. */
export const MAX_DEPTH = 64;

export interface ReadOptions {
  /** Dates remember their text (message bodies). */
  readonly keepDateText?: boolean;
  /** ISO texts become dates; default true. */
  readonly dates?: boolean;
  /** Default `MAX_DEPTH`. */
  readonly maxDepth?: number;
}

/**
 * Reads one JSON value and nothing after it.
 *
 * @param what   the type that asked, for messages: `JObject`, `JArray`, `JToken`
 * @throws JsonReaderException
 */
export function readJson(
  text: string,
  what: "JObject" | "JArray" | "JToken",
  options: ReadOptions = {},
): Raw {
  return new Reader(text, options).document(what);
}

const QUOTE = 34;
const APOSTROPHE = 39;
const BACKSLASH = 92;
const COMMA = 44;
const COLON = 58;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const SLASH = 47;

class Reader {
  readonly #text: string;
  readonly #end: number;
  readonly #dates: boolean;
  readonly #keepDateText: boolean;
  readonly #maxDepth: number;
  #at = 0;
  #depth = 0;
  #nodes = 0;
  /** Where we are, outermost first: a property's name, an array's index, or null right after the opening bracket. */
  readonly #path: (string | number | null)[] = [];

  constructor(text: string, options: ReadOptions) {
    this.#text = text;
    this.#end = text.length;
    this.#dates = options.dates ?? true;
    this.#keepDateText = options.keepDateText ?? false;
    this.#maxDepth = options.maxDepth ?? MAX_DEPTH;
  }

  document(what: "JObject" | "JArray" | "JToken"): Raw {
    this.#skip();
    if (this.#at >= this.#end) throw this.#error(`Error reading ${what} from JsonReader.`);
    this.#expect(what);
    const value = this.#value(what);
    this.#skip();
    if (this.#at < this.#end) {
      throw this.#error(
        `Additional text encountered after finished reading JSON content: ${this.#text[this.#at]!}.`,
      );
    }
    return value;
  }

  /** Refuses a document of another kind before it is read, as the original does. */
  #expect(what: "JObject" | "JArray" | "JToken"): void {
    const c = this.#text.charCodeAt(this.#at);
    if (what === "JToken" || (what === "JObject" ? c === OPEN_BRACE : c === OPEN_BRACKET)) return;
    const noun = what === "JObject" ? "an object" : "an array";
    let found: string;
    if (c === OPEN_BRACE || c === OPEN_BRACKET) {
      found = c === OPEN_BRACE ? "StartObject" : "StartArray";
      this.#at++;
    } else {
      found = tokenName(this.#value(what));
    }
    throw this.#error(
      `Error reading ${what} from JsonReader. Current JsonReader item is not ${noun}: ${found}.`,
    );
  }

  /** @param what named when the text ends too early */
  #value(what: string): Raw {
    if ((++this.#nodes & 63) === 0) {
      spend(64);
      checkSize(this.#nodes);
    }
    const c = this.#text.charCodeAt(this.#at);
    switch (c) {
      case QUOTE:
      case APOSTROPHE: {
        const text = this.#string(c);
        return this.#dates && isDate(text) ? new DateText(text, this.#keepDateText) : text;
      }
      case OPEN_BRACE:
        return this.#object(what);
      case OPEN_BRACKET:
        return this.#array(what);
      case COMMA:
        // Nothing between two commas; the caller takes the comma.
        return UNDEFINED;
      case 116: // t
        return this.#literal("true", true, "Error parsing boolean value.");
      case 102: // f
        return this.#literal("false", false, "Error parsing boolean value.");
      case 110: // n
        if (this.#text[this.#at + 1] !== "u") throw this.#unexpected(this.#at + 1);
        return this.#literal("null", null, "Error parsing null value.");
      case 117: // u
        return this.#literal("undefined", UNDEFINED, "Error parsing undefined value.");
      case 78: // N
        return this.#literal("NaN", rawFloat(NaN), "Error parsing NaN value.");
      case 73: // I
        return this.#literal("Infinity", rawFloat(Infinity), "Error parsing positive infinity value.");
      default:
        if (c === 45 && this.#text[this.#at + 1] === "I") {
          return this.#literal("-Infinity", rawFloat(-Infinity), "Error parsing negative infinity value.");
        }
        if (c === 45 || c === 46 || (c >= 48 && c <= 57)) return this.#number();
        throw this.#unexpected(this.#at);
    }
  }

  #object(what: string): RawObject {
    this.#open();
    const members: RawObject = new Map();
    const level = this.#path.length - 1;
    for (;;) {
      this.#skip();
      if (this.#at >= this.#end) throw this.#tooShort(what);
      let c = this.#text.charCodeAt(this.#at);
      if (c === CLOSE_BRACE) break;
      const name = this.#name(c);
      this.#path[level] = name;
      this.#skip();
      c = this.#text.charCodeAt(this.#at);
      if (c !== COLON) {
        throw this.#error(
          `Invalid character after parsing property name. Expected ':' but got: ${this.#text[this.#at] ?? "\0"}.`,
        );
      }
      this.#at++;
      this.#skip();
      if (this.#at >= this.#end) throw this.#tooShort(what);
      members.set(name, this.#value(what));
      this.#skip();
      if (this.#at >= this.#end) throw this.#tooShort(what);
      c = this.#text.charCodeAt(this.#at);
      if (c === COMMA) this.#at++;
      else if (c !== CLOSE_BRACE) throw this.#afterValue();
    }
    this.#close();
    return members;
  }

  #array(what: string): RawArray {
    this.#open();
    const items: RawArray = [];
    const level = this.#path.length - 1;
    for (;;) {
      this.#skip();
      if (this.#at >= this.#end) throw this.#tooShort(what);
      if (this.#text.charCodeAt(this.#at) === CLOSE_BRACKET) break;
      const opens = this.#isOpening();
      if (opens) this.#path[level] = items.length;
      items.push(this.#value(what));
      this.#path[level] = items.length - 1;
      this.#skip();
      if (this.#at >= this.#end) throw this.#tooShort(what);
      const c = this.#text.charCodeAt(this.#at);
      if (c === COMMA) this.#at++;
      else if (c !== CLOSE_BRACKET) throw this.#afterValue();
    }
    this.#close();
    return items;
  }

  #isOpening(): boolean {
    const c = this.#text.charCodeAt(this.#at);
    return c === OPEN_BRACE || c === OPEN_BRACKET;
  }

  #open(): void {
    this.#at++;
    this.#path.push(null);
    if (++this.#depth > this.#maxDepth)
      throw this.#error(`The reader's MaxDepth of ${this.#maxDepth} has been exceeded.`);
  }

  #close(): void {
    this.#at++;
    this.#depth--;
    this.#path.pop();
  }

  #name(c: number): string {
    if (c === QUOTE || c === APOSTROPHE) return this.#string(c);
    if (!isNamePart(c)) throw this.#error(`Invalid property identifier character: ${this.#text[this.#at]!}.`);
    const start = this.#at;
    while (this.#at < this.#end && isNamePart((c = this.#text.charCodeAt(this.#at)))) this.#at++;
    if (this.#at >= this.#end) throw this.#error("Unexpected end while parsing unquoted property name.");
    if (c !== COLON && !isSpace(c)) {
      throw this.#error(`Invalid JavaScript property identifier character: ${this.#text[this.#at]!}.`);
    }
    return this.#text.slice(start, this.#at);
  }

  #string(quote: number): string {
    const text = this.#text;
    let start = ++this.#at;
    let result = "";
    for (;;) {
      let c = text.charCodeAt(this.#at);
      // The hot loop: NaN at the end of the text leaves it too.
      while (c !== quote && c !== BACKSLASH && c === c) c = text.charCodeAt(++this.#at);
      if (c !== c) {
        throw this.#error(`Unterminated string. Expected delimiter: ${String.fromCharCode(quote)}.`);
      }
      const part = text.slice(start, this.#at);
      this.#at++;
      if (c === quote) return result === "" ? part : result + part;
      result += part + this.#escape(quote);
      start = this.#at;
    }
  }

  #escape(quote: number): string {
    const c = this.#text[this.#at++];
    switch (c) {
      case "b":
        return "\b";
      case "t":
        return "\t";
      case "n":
        return "\n";
      case "f":
        return "\f";
      case "r":
        return "\r";
      case "\\":
      case '"':
      case "'":
      case "/":
        return c;
      case "u": {
        const digits = this.#text.slice(this.#at, this.#at + 4);
        if (digits.length < 4) throw this.#error("Unexpected end while parsing Unicode escape sequence.");
        if (!/^[0-9a-fA-F]{4}$/.test(digits))
          throw this.#error(`Invalid Unicode escape sequence: \\u${digits}.`);
        this.#at += 4;
        return String.fromCharCode(parseInt(digits, 16));
      }
      case undefined:
        this.#at--;
        throw this.#error(`Unterminated string. Expected delimiter: ${String.fromCharCode(quote)}.`);
      default:
        throw this.#error(`Bad JSON escape sequence: \\${c}.`);
    }
  }

  #literal(word: string, value: Raw, message: string): Raw {
    if (!this.#text.startsWith(word, this.#at)) throw this.#error(message);
    const after = this.#at + word.length;
    if (after < this.#end && !isSeparator(this.#text.charCodeAt(after))) throw this.#error(message);
    this.#at = after;
    return value;
  }

  #number(): Raw {
    const text = this.#text;
    const start = this.#at;
    let integral = true;
    let c = text.charCodeAt(this.#at);
    if (c === 45) c = text.charCodeAt(++this.#at);
    const firstDigit = this.#at;
    while (c >= 48 && c <= 57) c = text.charCodeAt(++this.#at);
    if (isNumberPart(c)) {
      integral = false;
      while (isNumberPart(c)) c = text.charCodeAt(++this.#at);
    }
    if (c === c && !isSeparator(c)) {
      throw this.#error(`Unexpected character encountered while parsing number: ${text[this.#at]!}.`);
    }
    const length = this.#at - start;
    if (text.charCodeAt(start) === 48 && length > 1) {
      const second = text.charCodeAt(start + 1);
      if (second !== 46 && second !== 69 && second !== 101)
        return this.#otherBase(text.slice(start, this.#at));
    }
    if (integral) {
      if (this.#at === firstDigit) throw this.#badNumber(text.slice(start, this.#at));
      const digits = text.slice(start, this.#at);
      if (length < 16) return Number(digits) + 0;
      if (length > 400) checkSize(length * 1000);
      const big = BigInt(digits);
      const small = Number(big);
      return Number.isSafeInteger(small) ? small : big;
    }
    const digits = text.slice(start, this.#at);
    if (!/^-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(digits)) throw this.#badNumber(digits);
    return rawFloat(Number(digits));
  }

  /** `0x1F` and `017`. */
  #otherBase(digits: string): Raw {
    const hex = /^0[xX][0-9a-fA-F]{1,16}$/.test(digits);
    if (!hex && !/^0[0-7]{1,22}$/.test(digits)) throw this.#badNumber(digits);
    const value = BigInt.asIntN(64, BigInt(hex ? digits : `0o${digits.slice(1)}`));
    const small = Number(value);
    return Number.isSafeInteger(small) ? small : value;
  }

  #badNumber(digits: string): NetException {
    return this.#error(`Input string '${digits}' is not a valid number.`);
  }

  /** White space and comments. */
  #skip(): void {
    const text = this.#text;
    for (;;) {
      const c = text.charCodeAt(this.#at);
      if (c === 32 || c === 10 || c === 13 || c === 9) this.#at++;
      else if (c === SLASH) this.#comment();
      else if (c > 32 && c < 128) return;
      else if (isSpace(c)) this.#at++;
      else return;
    }
  }

  #comment(): void {
    const next = this.#text[this.#at + 1];
    if (next === "*") {
      const end = this.#text.indexOf("*/", this.#at + 2);
      if (end < 0) {
        this.#at = this.#end;
        throw this.#error("Unexpected end while parsing comment.");
      }
      this.#at = end + 2;
    } else if (next === "/") {
      while (this.#at < this.#end && this.#text[this.#at] !== "\n" && this.#text[this.#at] !== "\r")
        this.#at++;
    } else {
      this.#at++;
      throw this.#error(
        next === undefined
          ? "Unexpected end while parsing comment."
          : `Error parsing comment. Expected: *, got ${next}.`,
      );
    }
  }

  #unexpected(at: number): NetException {
    return this.#error(`Unexpected character encountered while parsing value: ${this.#text[at] ?? "\0"}.`);
  }

  #afterValue(): NetException {
    return this.#error(
      `After parsing a value an unexpected character was encountered: ${this.#text[this.#at]!}.`,
    );
  }

  #tooShort(what: string): NetException {
    return this.#error(`Unexpected end of content while loading ${what}.`);
  }

  #error(message: string): NetException {
    const [line, position] = this.#position();
    return new NetException(
      "Newtonsoft.Json.JsonReaderException",
      `${message} Path '${pathText(this.#path)}', line ${line}, position ${position}.`,
    );
  }

  #position(): [number, number] {
    if (this.#at === 0 && this.#depth === 0) return [0, 0];
    let line = 1;
    let lineStart = 0;
    const end = Math.min(this.#at, this.#end);
    for (let i = 0; i < end; i++) {
      const c = this.#text.charCodeAt(i);
      if (c === 10 || (c === 13 && this.#text.charCodeAt(i + 1) !== 10)) {
        line++;
        lineStart = i + 1;
      }
    }
    return [line, end - lineStart];
  }
}

/** `a.b[0]['x y']`. */
export function pathText(path: readonly (string | number | null)[]): string {
  let text = "";
  for (const step of path) {
    if (step === null) continue;
    if (typeof step === "number") text += `[${step}]`;
    else if (/[ '/"[\]()\t\n\r\f\b\\.\u0085\u2028\u2029]/.test(step))
      text += `['${step.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}']`;
    else text += text === "" ? step : `.${step}`;
  }
  return text;
}

function tokenName(value: Raw): string {
  switch (typeof value) {
    case "string":
      return "String";
    case "boolean":
      return "Boolean";
    case "number":
    case "bigint":
      return "Integer";
    case "symbol":
      return "Undefined";
    default:
      return value === null ? "Null" : value instanceof DateText ? "Date" : "Float";
  }
}

function isSpace(c: number): boolean {
  if (c === 32 || (c >= 9 && c <= 13)) return true;
  return c >= 0x85 && /\s|\x85/.test(String.fromCharCode(c)) && c !== 0xfeff;
}

/** What may follow a number or a literal. */
function isSeparator(c: number): boolean {
  return c === COMMA || c === CLOSE_BRACE || c === CLOSE_BRACKET || c === SLASH || c === 41 || isSpace(c);
}

function isNumberPart(c: number): boolean {
  return (
    (c >= 48 && c <= 57) ||
    c === 45 ||
    c === 43 ||
    c === 46 ||
    (c >= 97 && c <= 102) ||
    (c >= 65 && c <= 70) ||
    c === 120 ||
    c === 88
  );
}

/** Letters, digits, `_` and `$`, as the original takes them in unquoted names. */
function isNamePart(c: number): boolean {
  if ((c >= 97 && c <= 122) || (c >= 65 && c <= 90) || (c >= 48 && c <= 57) || c === 95 || c === 36)
    return true;
  return c >= 128 && /[\p{L}\p{Nd}]/u.test(String.fromCharCode(c));
}

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,7})?(?:[Zz]|[+-]\d\d(?::?\d\d)?)?$/;

/** Full ISO form with `T`, of a day that exists. */
function isDate(text: string): boolean {
  const { length } = text;
  if (length < 19 || length > 40 || text.charCodeAt(10) !== 84 || !ISO.test(text)) return false;
  const month = Number(text.slice(5, 7));
  const day = Number(text.slice(8, 10));
  const year = Number(text.slice(0, 4));
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return false;
  return (
    Number(text.slice(11, 13)) < 24 && Number(text.slice(14, 16)) < 60 && Number(text.slice(17, 19)) < 60
  );
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

export type { RawDate };
