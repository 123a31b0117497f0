/** Tokens and parsed data → text, as Newtonsoft's `JsonTextWriter` writes it (`expressions.md` §5.8). */
import { checkLength, spend } from "../../budget.ts";
import { environment } from "../../environment.ts";
import { BudgetError } from "../../errors.ts";
import { Box, EnumValue, textOf } from "../../values.ts";
import { bytesToBase64 } from "./base64.ts";
import * as kinds from "./kinds.ts";
import { type Raw, RawDate, UNDEFINED } from "./raw.ts";
import { dateJson, dateOf, floatJson } from "./scalars.ts";

/** Deeper than anything that can be read; beyond it our own stack would be at stake. */
export const MAX_NESTING = 1000;

export function checkNesting(depth: number): void {
  if (depth > MAX_NESTING) throw new BudgetError("depth", `JSON is nested deeper than ${MAX_NESTING}.`);
}

const NEEDS_ESCAPE = /["\\\u0000-\u001f\u0085\u2028\u2029]/;
const ESCAPED = /["\\\u0000-\u001f\u0085\u2028\u2029]/g;
const SHORT: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ["\\", "\\\\"],
  ["\b", "\\b"],
  ["\f", "\\f"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
]);

/** A JSON string literal. */
export function quote(text: string): string {
  if (!NEEDS_ESCAPE.test(text)) return `"${text}"`;
  if (text.length <= PIECE) return `"${text.replace(ESCAPED, escape)}"`;
  // A text of nothing but quotes takes as long as a thousand others: look at the clock on the way.
  let result = "";
  for (let at = 0; at < text.length; at += PIECE) {
    spend(PIECE >>> 8);
    result += text.slice(at, at + PIECE).replace(ESCAPED, escape);
    checkLength(result.length);
  }
  return `"${result}"`;
}

/** Units that are escaped in one go. */
const PIECE = 16_384;

function escape(c: string): string {
  return SHORT.get(c) ?? `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Collects text and keeps an eye on its length. */
export class JsonText {
  readonly indented: boolean;
  readonly #newLine: string;
  #text = "";
  #next = 65_536;

  constructor(indented: boolean) {
    this.indented = indented;
    this.#newLine = environment().newLine;
  }

  get text(): string {
    checkLength(this.#text.length);
    return this.#text;
  }

  add(part: string): void {
    this.#text += part;
    if (this.#text.length > this.#next) {
      checkLength(this.#text.length);
      this.#next = this.#text.length + 65_536;
    }
  }

  /** New line and indentation before an element; nothing when compact. */
  line(depth: number): void {
    if (this.indented) this.add(this.#newLine + "  ".repeat(depth));
  }

  /** `"name": ` or `"name":`. */
  name(name: string): void {
    this.add(this.indented ? `${quote(name)}: ` : `${quote(name)}:`);
  }
}

/** A scalar's JSON text from a `JValue`'s kind and data. */
export function scalarJson(kind: number, data: unknown): string {
  if (data === null) return kind === kinds.UNDEFINED_KIND ? "undefined" : "null";
  switch (typeof data) {
    case "string":
      return kind === kinds.RAW ? data : quote(data);
    case "number":
      return String(data);
    case "bigint":
      return data.toString();
    case "boolean":
      return data ? "true" : "false";
    default:
  }
  if (data instanceof RawDate) return `"${data.keepText ? data.text : dateJson(dateOf(data))}"`;
  if (data instanceof EnumValue) return String(data.number);
  if (data instanceof Uint8Array) return `"${bytesToBase64(data)}"`;
  switch (kind) {
    case kinds.INTEGER:
      return textOf(data instanceof Box ? (data as Box).value : data);
    case kinds.FLOAT:
      return floatJson(data);
    case kinds.DATE:
      return `"${dateJson(data)}"`;
    case kinds.URI:
      return quote((data as { originalString?: string }).originalString ?? textOf(data));
    default:
      return quote(textOf(data));
  }
}

/** Parsed data as JSON, without making tokens of it. */
export function writeRaw(out: JsonText, raw: Raw, depth: number): void {
  if (raw instanceof Map) {
    let first = true;
    out.add("{");
    for (const [name, value] of raw) {
      if (!first) out.add(",");
      first = false;
      out.line(depth + 1);
      out.name(name);
      writeRaw(out, value, depth + 1);
    }
    if (!first) out.line(depth);
    out.add("}");
  } else if (Array.isArray(raw)) {
    out.add("[");
    for (let i = 0; i < raw.length; i++) {
      if (i > 0) out.add(",");
      out.line(depth + 1);
      writeRaw(out, raw[i]!, depth + 1);
    }
    if (raw.length > 0) out.line(depth);
    out.add("]");
  } else out.add(rawScalarJson(raw));
}

function rawScalarJson(raw: Exclude<Raw, Map<string, Raw> | Raw[]>): string {
  if (raw === UNDEFINED) return "undefined";
  return scalarJson(raw instanceof Box ? kinds.FLOAT : kinds.STRING, raw);
}
