/**
 * Texts made comparable: compatibility forms (NFKC), look-alike letters and digits of other scripts, invisible characters.
 * Whoever finds something in the folded text can say where it stands in the original.
 */

export interface Folded {
  readonly text: string;
  /** Where the unit at `index` of `text` stands in the original (UTF-16 units); `text.length` is the original's end. */
  readonly at: (index: number) => number;
}

/** Marks that one character may carry before the rest is taken for noise. */
const MOST_MARKS = 8;
const ASCII = /^[\x00-\x7f]*$/;
const MARK = /^\p{M}$/u;
/**
 * Soft hyphen, zero-width characters, bidirectional controls, word joiners, variation selectors, tags, Hangul fillers.
 */
const INVISIBLE =
  /^[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\u{e0000}-\u{e01ef}]$/u;
const DIGIT = /^\p{Nd}$/u;

/** Letters of other scripts that look like Latin ones. */
const LOOKALIKES = new Map<string, string>();
for (const [latin, others] of [
  ["a", "аɑα"],
  ["b", "ЬƄ"],
  ["c", "сϲ"],
  ["d", "ԁɗ"],
  ["e", "еєҽ"],
  ["f", "ғ"],
  ["g", "ɡց"],
  ["h", "һհ"],
  ["i", "іıɩι"],
  ["j", "јϳ"],
  ["k", "кκ"],
  ["l", "ӏⅼ"],
  ["m", "м"],
  ["n", "ոпη"],
  ["o", "оοօσ"],
  ["p", "рρ"],
  ["q", "ԛ"],
  ["r", "гᴦ"],
  ["s", "ѕʂ"],
  ["t", "тτ"],
  ["u", "սυц"],
  ["v", "ѵν"],
  ["w", "ԝшω"],
  ["x", "хχ"],
  ["y", "уүγ"],
  ["z", "ᴢ"],
  ["A", "АΑ"],
  ["B", "ВΒ"],
  ["C", "СϹ"],
  ["E", "ЕΕ"],
  ["H", "НΗ"],
  ["I", "ІΙӀ"],
  ["J", "Ј"],
  ["K", "КΚ"],
  ["M", "МΜ"],
  ["N", "Ν"],
  ["O", "ОΟ"],
  ["P", "РΡ"],
  ["S", "Ѕ"],
  ["T", "ТΤ"],
  ["X", "ХΧ"],
  ["Y", "УΥҮ"],
  ["Z", "Ζ"],
  ["'", "’‘ʼ′"],
  ['"', "“”„″"],
  ["-", "‐‑‒–—−"],
] as const) {
  for (const other of others) LOOKALIKES.set(other, latin);
}

const identity = (index: number): number => index;

/**
 * @param plain for comparing words: lower case, and without marks (é is e)
 */
export function fold(text: string, plain = false): Folded {
  if (ASCII.test(text)) return { text: plain ? text.toLowerCase() : text, at: identity };
  return foldSlowly(text, plain);
}

function foldSlowly(text: string, plain: boolean): Folded {
  const offsets = new OffsetList();
  let folded = "";
  let i = 0;
  while (i < text.length) {
    const start = i;
    const code = text.codePointAt(i)!;
    i += code > 0xffff ? 2 : 1;
    let piece: string;
    if (code < 0x80) piece = text[start]!;
    else {
      const character = String.fromCodePoint(code);
      if (INVISIBLE.test(character)) continue;
      piece = character;
    }
    i = skipMarks(text, i);
    if (i - start > 1 || code >= 0x80) piece = known(text.slice(start, i), piece, plain);
    if (plain) piece = piece.toLowerCase();
    for (let unit = 0; unit < piece.length; unit++) offsets.add(start);
    folded += piece;
  }
  const positions = offsets.positions;
  const { length } = folded;
  return { text: folded, at: (index) => (index >= length ? text.length : positions[index]!) };
}

/** The position behind the marks that follow a character, invisible ones between them included. */
function skipMarks(text: string, from: number): number {
  let at = from;
  while (at < text.length && text.charCodeAt(at) >= 0x300) {
    const code = text.codePointAt(at)!;
    if (!MARK.test(String.fromCodePoint(code))) break;
    at += code > 0xffff ? 2 : 1;
  }
  return at;
}

/** Characters met lately; texts use few. */
const seen = new Map<string, string>();
const seenPlain = new Map<string, string>();
const MOST_SEEN = 4096;

function known(cluster: string, base: string, plain: boolean): string {
  const memory = plain ? seenPlain : seen;
  const found = memory.get(cluster);
  if (found !== undefined) return found;
  const made = foldCluster(cluster, base, plain);
  if (memory.size >= MOST_SEEN) memory.clear();
  if (cluster.length <= MOST_MARKS) memory.set(cluster, made);
  return made;
}

function foldCluster(cluster: string, base: string, plain: boolean): string {
  const alike = LOOKALIKES.get(base);
  if (alike !== undefined) return alike;
  if (DIGIT.test(base)) return digit(base);
  const marked = cluster.length - base.length > MOST_MARKS ? base : cluster;
  if (!plain) return lookalikes(marked.normalize("NFKC"));
  return lookalikes(marked.normalize("NFKD").replace(/\p{M}/gu, ""));
}

/** A mathematical or full-width form may decompose to a letter of another script. */
function lookalikes(text: string): string {
  let made = "";
  for (const character of text) made += LOOKALIKES.get(character) ?? character;
  return made;
}

/** Digits of every script stand in runs of ten. */
function digit(character: string): string {
  const compatible = character.normalize("NFKC");
  if (compatible >= "0" && compatible <= "9") return compatible;
  let value = 0;
  const code = character.codePointAt(0)!;
  while (value < 9 && DIGIT.test(String.fromCodePoint(code - value - 1))) value++;
  return String(value);
}

class OffsetList {
  #positions = new Uint32Array(256);
  #length = 0;

  add(position: number): void {
    if (this.#length === this.#positions.length) {
      const larger = new Uint32Array(this.#length * 2);
      larger.set(this.#positions);
      this.#positions = larger;
    }
    this.#positions[this.#length++] = position;
  }

  get positions(): Uint32Array {
    return this.#positions;
  }
}
