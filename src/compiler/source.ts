/**
 * Where things stand in a file, and texts that remember where they came from.
 *
 * The compiler works on values that differ from the file: entities are decoded, named values are put in. A `MappedText`
 * carries for every character the place in the file that it stands for, so that a mistake inside
 * `@(a &amp;&amp; {{limit}})` is shown where the author can see it.
 */

/** `offset` in UTF-16 units from the start of the text; `line` and `column` count from 1, `column` in UTF-16 units. */
export interface Position {
  readonly offset: number;
  readonly line: number;
  readonly column: number;
}

/** Half open: `end` is the first position after it. */
export interface Range {
  readonly start: Position;
  readonly end: Position;
}

/** The text of one file, with its lines. `\n`, `\r\n` and a lone `\r` end a line; a byte order mark has no column. */
export class SourceText {
  readonly text: string;
  /** As shown to people; a document that came over REST may have none. */
  readonly file: string | undefined;
  #lineStarts: number[] | null = null;

  constructor(text: string, file?: string) {
    this.text = text;
    this.file = file;
  }

  positionAt(offset: number): Position {
    const at = Math.max(0, Math.min(offset, this.text.length));
    const starts = this.#starts();
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= at) low = middle;
      else high = middle - 1;
    }
    return { offset: at, line: low + 1, column: Math.max(0, at - starts[low]!) + 1 };
  }

  rangeAt(start: number, end: number): Range {
    return { start: this.positionAt(start), end: this.positionAt(Math.max(start, end)) };
  }

  /** The text of a line (1-based) without its line end; empty beyond the last. */
  lineText(line: number): string {
    const starts = this.#starts();
    const start = starts[line - 1];
    if (start === undefined) return "";
    let end = starts[line] ?? this.text.length;
    while (end > start && isLineEnd(this.text.charCodeAt(end - 1))) end--;
    return this.text.slice(start, end);
  }

  #starts(): number[] {
    if (this.#lineStarts !== null) return this.#lineStarts;
    const { text } = this;
    const starts = [text.charCodeAt(0) === 0xfeff ? 1 : 0];
    for (let i = 0; i < text.length; i++) {
      const c = text.charCodeAt(i);
      if (c === 10 || (c === 13 && text.charCodeAt(i + 1) !== 10)) starts.push(i + 1);
    }
    this.#lineStarts = starts;
    return starts;
  }
}

function isLineEnd(c: number): boolean {
  return c === 10 || c === 13;
}

/**
 * One stretch of a mapped text, from `at` to the next stretch. A copied one stands in the file character for
 * character; any other stands as a whole for the whole of `offset`..`offset + sourceLength` (an entity, a `{{name}}`).
 */
export interface Stretch {
  readonly at: number;
  readonly offset: number;
  readonly sourceLength: number;
  readonly copied: boolean;
  /** The named value put in here. */
  readonly namedValue?: string;
  /** Its value must not be shown to anyone. */
  readonly secret?: boolean;
}

/** A text and, for every index in it, a place in the file. */
export class MappedText {
  readonly text: string;
  /** File offset of the first character, and of the end of the last. */
  readonly start: number;
  readonly end: number;
  /** `null`: copied from the file as one piece, by far the most common. Sorted by `at`. */
  readonly stretches: readonly Stretch[] | null;

  constructor(text: string, start: number, end: number, stretches: readonly Stretch[] | null = null) {
    this.text = text;
    this.start = start;
    this.end = end;
    this.stretches = stretches;
  }

  /** The file offset at which the character at `index` begins. */
  startOf(index: number): number {
    if (this.stretches === null) return this.start + index;
    if (index >= this.text.length) return this.end;
    const s = this.#stretchAt(index);
    return s.copied ? s.offset + (index - s.at) : s.offset;
  }

  /** The file offset at which a range ending before `index` ends. */
  endOf(index: number): number {
    if (this.stretches === null) return this.start + index;
    if (index <= 0) return this.start;
    const s = this.#stretchAt(Math.min(index, this.text.length) - 1);
    return s.copied ? Math.min(s.offset + (index - s.at), this.end) : s.offset + s.sourceLength;
  }

  slice(from: number, to: number): MappedText {
    const text = this.text.slice(from, to);
    if (this.stretches === null) return new MappedText(text, this.start + from, this.start + to);
    const builder = new MappedTextBuilder(this.startOf(from));
    builder.appendPart(this, from, to);
    return builder.build(this.endOf(to));
  }

  /** The named values that went into `from`..`to`. */
  namedValuesIn(from: number, to: number): Stretch[] {
    const found: Stretch[] = [];
    const all = this.stretches ?? [];
    for (let i = 0; i < all.length; i++) {
      const s = all[i]!;
      const end = all[i + 1]?.at ?? this.text.length;
      // An empty range touches the stretch it stands in or beside, so that nothing slips through at a border.
      if (s.namedValue !== undefined && s.at <= to && end >= from) found.push(s);
    }
    return found;
  }

  /** What stands in one of this text's own stretches. */
  textOf(stretch: Stretch): string {
    const next = this.stretches?.find((other) => other.at > stretch.at);
    return this.text.slice(stretch.at, next?.at ?? this.text.length);
  }

  get hasSecret(): boolean {
    return this.stretches !== null && this.stretches.some((s) => s.secret === true);
  }

  #stretchAt(index: number): Stretch {
    const all = this.stretches!;
    let low = 0;
    let high = all.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (all[middle]!.at <= index) low = middle;
      else high = middle - 1;
    }
    return all[low]!;
  }
}

/** Puts a mapped text together, piece by piece. */
export class MappedTextBuilder {
  readonly #parts: string[] = [];
  readonly #stretches: Stretch[] = [];
  readonly #start: number;
  #length = 0;

  /** @param start file offset at which the text begins, also when it turns out empty */
  constructor(start: number) {
    this.#start = start;
  }

  /** Text that stands at `offset` in the file as it is. */
  copy(text: string, offset: number): void {
    if (text === "") return;
    const last = this.#stretches.at(-1);
    const joins = last !== undefined && last.copied && last.offset + (this.#length - last.at) === offset;
    if (!joins) this.#stretches.push({ at: this.#length, offset, sourceLength: text.length, copied: true });
    this.#push(text);
  }

  /** Text that stands for something else in the file. */
  replace(
    text: string,
    offset: number,
    sourceLength: number,
    origin?: Pick<Stretch, "namedValue" | "secret">,
  ): void {
    this.#stretches.push({ at: this.#length, offset, sourceLength, copied: false, ...named(origin) });
    this.#push(text);
  }

  append(part: MappedText): void {
    this.appendPart(part, 0, part.text.length);
  }

  appendPart(part: MappedText, from: number, to: number): void {
    if (part.stretches === null) {
      this.copy(part.text.slice(from, to), part.start + from);
      return;
    }
    for (let i = 0; i < part.stretches.length; i++) {
      const s = part.stretches[i]!;
      const next = part.stretches[i + 1]?.at ?? part.text.length;
      const a = Math.max(from, s.at);
      const b = Math.min(to, next);
      if (a > b || (a === b && (s.copied || next > s.at))) continue;
      if (s.copied) this.copy(part.text.slice(a, b), s.offset + (a - s.at));
      else this.replace(part.text.slice(a, b), s.offset, s.sourceLength, s);
    }
  }

  /** @param end file offset at which the text ends */
  build(end: number): MappedText {
    const text = this.#parts.join("");
    const only = this.#stretches.length === 1 ? this.#stretches[0]! : null;
    if (only === null && this.#stretches.length === 0) return new MappedText("", this.#start, end);
    if (only !== null && only.copied && only.offset === this.#start && only.offset + text.length === end) {
      return new MappedText(text, this.#start, end);
    }
    return new MappedText(text, this.#start, end, this.#stretches);
  }

  #push(text: string): void {
    this.#parts.push(text);
    this.#length += text.length;
  }
}

function named(
  origin: Pick<Stretch, "namedValue" | "secret"> | undefined,
): Pick<Stretch, "namedValue" | "secret"> {
  return origin?.namedValue === undefined ? {} : { namedValue: origin.namedValue, secret: origin.secret };
}
