/**
 * JSON text with the positions of its parts, for edits that leave everything else as it was, octet by octet: order, blanks,
 * numbers as they were written, members that nobody knows, even those that come twice.
 */

interface Part {
  /** UTF-16 units of the text. */
  readonly start: number;
  readonly end: number;
}
export interface StringPart extends Part {
  readonly kind: "string";
  readonly value: string;
}
export interface NumberPart extends Part {
  readonly kind: "number";
  readonly value: number;
}
export interface ObjectPart extends Part {
  readonly kind: "object";
  readonly members: readonly { readonly key: StringPart; readonly value: JsonPart }[];
}
export interface ArrayPart extends Part {
  readonly kind: "array";
  readonly items: readonly JsonPart[];
}
export interface LiteralPart extends Part {
  readonly kind: "literal";
}
export type JsonPart = StringPart | NumberPart | ObjectPart | ArrayPart | LiteralPart;

/** Deeper texts are not read. */
const DEEPEST = 200;
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const BLANK = /[ \t\r\n]*/y;
const LITERAL = /true|false|null/y;

/** @returns null when it is no JSON, or too deep */
export function readJson(text: string): JsonPart | null {
  try {
    const reader = new Reader(text);
    const part = reader.value(0);
    return reader.atEnd() ? part : null;
  } catch (error) {
    if (error instanceof NotJson || error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Says only that reading ends here. */
class NotJson extends Error {}

class Reader {
  readonly #text: string;
  #at: number;
  #backslash = -1;

  constructor(text: string) {
    this.#text = text;
    this.#at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  }

  atEnd(): boolean {
    this.#blank();
    return this.#at === this.#text.length;
  }

  value(depth: number): JsonPart {
    if (depth > DEEPEST) throw new NotJson();
    this.#blank();
    switch (this.#text.charCodeAt(this.#at)) {
      case 0x22:
        return this.#string();
      case 0x7b:
        return this.#object(depth);
      case 0x5b:
        return this.#array(depth);
      default:
        return this.#scalar();
    }
  }

  #blank(): void {
    const code = this.#text.charCodeAt(this.#at);
    if (code > 0x20 || Number.isNaN(code)) return;
    BLANK.lastIndex = this.#at;
    BLANK.test(this.#text);
    this.#at = BLANK.lastIndex;
  }

  #take(character: string): boolean {
    this.#blank();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #string(): StringPart {
    const text = this.#text;
    const start = this.#at;
    let end = text.indexOf('"', start + 1);
    let escape = this.#backslashFrom(start + 1);
    const plain = escape > end;
    // Each escape is stepped over once, whatever it is of.
    while (escape < end) {
      if (escape + 1 === end) end = text.indexOf('"', end + 1);
      escape = this.#backslashFrom(escape + 2);
    }
    if (end < 0) throw new NotJson();
    this.#at = end + 1;
    const value = plain ? text.slice(start + 1, end) : (JSON.parse(text.slice(start, end + 1)) as string);
    return { kind: "string", start, end: end + 1, value };
  }

  /** Looked for once and then only behind where it was found; Infinity: there is none. */
  #backslashFrom(from: number): number {
    if (this.#backslash < from) {
      const found = this.#text.indexOf("\\", from);
      this.#backslash = found < 0 ? Infinity : found;
    }
    return this.#backslash;
  }

  #object(depth: number): ObjectPart {
    const start = this.#at++;
    const members: { key: StringPart; value: JsonPart }[] = [];
    if (this.#take("}")) return { kind: "object", start, end: this.#at, members };
    do {
      this.#blank();
      if (this.#text[this.#at] !== '"') throw new NotJson();
      const key = this.#string();
      if (!this.#take(":")) throw new NotJson();
      members.push({ key, value: this.value(depth + 1) });
    } while (this.#take(","));
    if (!this.#take("}")) throw new NotJson();
    return { kind: "object", start, end: this.#at, members };
  }

  #array(depth: number): ArrayPart {
    const start = this.#at++;
    const items: JsonPart[] = [];
    if (this.#take("]")) return { kind: "array", start, end: this.#at, items };
    do items.push(this.value(depth + 1));
    while (this.#take(","));
    if (!this.#take("]")) throw new NotJson();
    return { kind: "array", start, end: this.#at, items };
  }

  #scalar(): JsonPart {
    const start = this.#at;
    NUMBER.lastIndex = start;
    if (NUMBER.test(this.#text)) {
      const end = (this.#at = NUMBER.lastIndex);
      return { kind: "number", start, end, value: Number(this.#text.slice(start, end)) };
    }
    LITERAL.lastIndex = start;
    if (!LITERAL.test(this.#text)) throw new NotJson();
    return { kind: "literal", start, end: (this.#at = LITERAL.lastIndex) };
  }
}

/** The last member of that name, as parsers have it; null without one, and for what is no object. */
export function member(part: JsonPart | null | undefined, name: string): JsonPart | null {
  if (part?.kind !== "object") return null;
  let found: JsonPart | null = null;
  for (const { key, value } of part.members) if (key.value === name) found = value;
  return found;
}

export function textOf(part: JsonPart | null): string | null {
  return part?.kind === "string" ? part.value : null;
}

export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** @param edits none overlapping, in any order */
export function edited(text: string, edits: readonly Edit[]): string {
  if (edits.length === 0) return text;
  const pieces: string[] = [];
  let at = 0;
  for (const { start, end, text: replacement } of [...edits].sort((a, b) => a.start - b.start)) {
    pieces.push(text.slice(at, start), replacement);
    at = end;
  }
  pieces.push(text.slice(at));
  return pieces.join("");
}
