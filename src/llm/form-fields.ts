/**
 * The fields of a form with files (`multipart/form-data`, RFC 7578), read as it passes: uploads of speech and pictures say
 * their model in such a field, before the file or after it. Files are passed over; nothing of them is held but what may be
 * the beginning of a delimiter.
 */

/** Text of one field that is kept, in octets; of what is longer, the beginning. */
const MOST_VALUE = 64 * 1024;
const MOST_IN_ALL = 256 * 1024;
const MOST_HEAD = 4 * 1024;
const MOST_PARTS = 1000;

const EMPTY: Buffer = Buffer.alloc(0);
const HEAD_END = Buffer.from("\r\n\r\n");
/** Everything in a form is text; these fields mean something else. */
const NUMBERS = new Set(["n", "temperature"]);
const FLAGS = new Set(["stream"]);

export type FormValue = string | number | boolean;

/** @returns null when it is no form, or does not say where its parts end */
export function formBoundary(contentType: string | null): string | null {
  if (contentType === null || !/^\s*multipart\/form-data\s*;/i.test(contentType)) return null;
  const found = /;\s*boundary=(?:"([^"]+)"|([^;\s"]+))/i.exec(contentType);
  const boundary = found?.[1] ?? found?.[2] ?? null;
  return boundary !== null && boundary.length <= 200 ? boundary : null;
}

export class FormFields {
  /** What has come so far, by name; of several of one name the first. Files are not among them. */
  readonly fields: Record<string, FormValue> = {};
  readonly #delimiter: Buffer;
  /** The end of what came: it may be a part of the delimiter, or of a part's head. A form begins as if after a line. */
  #tail: Buffer = Buffer.from("\r\n");
  #inHead = false;
  /** Of the field under way; null for files, and before the first part. */
  #name: string | null = null;
  #value: Buffer[] = [];
  #valueLength = 0;
  #kept = 0;
  #parts = 0;
  #over = false;

  constructor(boundary: string) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`);
  }

  /** No further field will come: the form has ended, or is none. */
  get over(): boolean {
    return this.#over;
  }

  /** @param chunk borrowed: nothing of it is kept */
  write(chunk: Uint8Array): void {
    const octets = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let at = 0;
    while (at < octets.length && !this.#over) {
      at = this.#inHead ? this.#readHead(octets, at) : this.#readContent(octets, at);
    }
  }

  /** What broke off is no field. */
  end(): void {
    this.#over = true;
    this.#value = [];
    this.#tail = EMPTY;
  }

  /** Up to the next delimiter, which may lie across the seam of two chunks. */
  #readContent(octets: Buffer, from: number): number {
    const delimiter = this.#delimiter;
    const tail = this.#tail;
    const most = delimiter.length - 1;
    if (tail.length > 0) {
      const seam = Buffer.concat([tail, octets.subarray(from, from + most)]);
      const at = seam.indexOf(delimiter);
      if (at >= 0) {
        this.#keep(seam.subarray(0, at));
        return this.#endPart(from + at + delimiter.length - tail.length);
      }
      if (octets.length - from < most) return this.#holdBack(seam, 0, octets.length);
      this.#keep(tail);
    }
    const at = octets.indexOf(delimiter, from);
    if (at < 0) return this.#holdBack(octets, from, octets.length);
    this.#keep(octets.subarray(from, at));
    return this.#endPart(at + delimiter.length);
  }

  /** @returns `next` */
  #holdBack(octets: Buffer, from: number, next: number): number {
    const cut = Math.max(from, octets.length - this.#delimiter.length + 1);
    this.#keep(octets.subarray(from, cut));
    this.#tail = Buffer.from(octets.subarray(cut));
    return next;
  }

  #keep(octets: Buffer): void {
    if (this.#name === null || octets.length === 0) return;
    const room = Math.min(MOST_VALUE - this.#valueLength, MOST_IN_ALL - this.#kept);
    if (room <= 0) return;
    const piece = Buffer.from(octets.subarray(0, room));
    this.#value.push(piece);
    this.#valueLength += piece.length;
    this.#kept += piece.length;
  }

  /** @returns `next` */
  #endPart(next: number): number {
    const name = this.#name;
    if (name !== null) {
      const text = Buffer.concat(this.#value).toString("utf8");
      Object.defineProperty(this.fields, name, { value: valueOf(name, text), enumerable: true });
    }
    this.#name = null;
    this.#value = [];
    this.#valueLength = 0;
    this.#tail = EMPTY;
    this.#inHead = true;
    return next;
  }

  /** After a delimiter: `--` at the form's end, else the rest of the line and the part's headers. */
  #readHead(octets: Buffer, from: number): number {
    const before = this.#tail.length;
    const head = Buffer.concat([this.#tail, octets.subarray(from, from + MOST_HEAD)]);
    if (head.length >= 2 && head[0] === 0x2d && head[1] === 0x2d) this.#over = true;
    const end = head.indexOf(HEAD_END, Math.max(0, before - HEAD_END.length));
    if (end < 0) {
      if (head.length >= MOST_HEAD) this.#over = true;
      this.#tail = head;
      return octets.length;
    }
    if (++this.#parts > MOST_PARTS) this.#over = true;
    this.#inHead = false;
    this.#tail = EMPTY;
    const name = fieldIn(head.toString("utf8", 0, end));
    this.#name = name !== null && !Object.hasOwn(this.fields, name) ? name : null;
    return from + end + HEAD_END.length - before;
  }
}

/** The name of a field; null for a file, and for what is no part of a form. */
function fieldIn(head: string): string | null {
  const line = /^content-disposition:\s*form-data\s*(;.*)$/im.exec(head)?.[1];
  if (line === undefined || /;\s*filename\*?\s*=/i.test(line)) return null;
  const found = /;\s*name\s*=\s*(?:"([^"]*)"|([^;\s]+))/i.exec(line);
  return found?.[1] ?? found?.[2] ?? null;
}

function valueOf(name: string, text: string): FormValue {
  if (FLAGS.has(name)) return /^(?:true|1)$/i.test(text.trim());
  if (!NUMBERS.has(name)) return text;
  const number = Number(text);
  return text.trim() !== "" && Number.isFinite(number) ? number : text;
}
