/**
 * Whether two prompts that are near by their vectors also say the same: all embeddings rank "same shape, other answer"
 * (Germany for France, enable for disable, chapter 3 for chapter 7) above true paraphrases. Two prompts part here when they
 * differ in numbers, in the parity of negations, in opposites or names; when one thing was put in another's place; when the
 * same words stand in another order around "from" and "to"; and, if they are long, when they are not nearly the same words.
 *
 * English; in other languages numbers, names and things put in another's place are seen, as far as words are spaced.
 */
import {
  DIRECTIONS,
  FUNCTION_WORDS,
  NEGATIONS,
  NO_NEGATION,
  NUMBER_WORDS,
  OPPOSITE,
  SYNONYM,
} from "./lexical-words.ts";

/** Longer prompts are never the same unless they are equal. */
const LONGEST = 20_000;
/** From so many words on a vector says too little about a single sentence. */
const LONG_WORDS = 120;
/** By so many words long prompts may differ. */
const LONG_DIFFERENCE = 2;
/** Up to so many words, a name that only one has makes it another question. */
const SHORT_WORDS = 14;
/** What was put in another's place, in words; and how many must stand around it. */
const MOST_REPLACED = 3;
const LEAST_FRAME = 2;

/** @returns false when the words say that the answers differ */
export function sameMeaning(a: string, b: string): boolean {
  if (a === b) return true;
  if (a.length > LONGEST || b.length > LONGEST) return false;
  const one = read(a);
  const other = read(b);
  if (one.negations % 2 !== other.negations % 2) return false;
  if (!sameSet(one.numbers, other.numbers)) return false;
  const onlyOne = lacking(one, other);
  const onlyOther = lacking(other, one);
  if (onlyOne.length === 0 && onlyOther.length === 0) return sameOrder(one, other);
  for (const word of onlyOne)
    for (const opposite of OPPOSITE.get(word) ?? [])
      if (other.words.has(opposite) && !one.words.has(opposite)) return false;
  if (!sameNames(one, other)) return false;
  const left = onlyOne.filter(isContent);
  const right = onlyOther.filter(isContent);
  if (one.list.length > LONG_WORDS || other.list.length > LONG_WORDS)
    return left.length + right.length <= LONG_DIFFERENCE;
  if (left.length === 1 && right.length === 1) return mayReplace(left[0]!, right[0]!);
  return !isReplaced(one, other);
}

interface Words {
  /** In order, lower case. */
  readonly list: readonly string[];
  readonly words: ReadonlySet<string>;
  readonly numbers: ReadonlySet<string>;
  /** Capitalised within a sentence, lower case. */
  readonly names: ReadonlySet<string>;
  readonly negations: number;
}

const WORD = /\p{L}[\p{L}\p{M}]*(?:['’]\p{L}+)?[+#]*|\d+(?:[.,]\d+)*/gu;
const NINE = 57;

function read(text: string): Words {
  const list: string[] = [];
  const numbers = new Set<string>();
  const names = new Set<string>();
  let negations = 0;
  let negated = false;
  let end = 0;
  WORD.lastIndex = 0;
  for (let match = WORD.exec(text); match !== null; match = WORD.exec(text)) {
    const word = match[0];
    const lower = withoutPossessive(word.toLowerCase());
    list.push(lower);
    if (word.charCodeAt(0) <= NINE) numbers.add(word.replaceAll(",", ""));
    else {
      if (
        isCapital(word) &&
        word !== "I" &&
        !lower.startsWith("i'") &&
        !beginsSentence(text, end, match.index)
      )
        names.add(lower);
      const number = NUMBER_WORDS.get(lower);
      if (number !== undefined) numbers.add(number);
    }
    if (negated && NO_NEGATION.has(lower)) negations--;
    negated = NEGATIONS.has(lower) || /n['’]t$/.test(lower);
    if (negated) negations++;
    end = WORD.lastIndex;
  }
  return { list, words: new Set(list), numbers, names, negations };
}

/** France's is France. */
function withoutPossessive(word: string): string {
  return word.length > 2 && word.endsWith("s") && "'’".includes(word.at(-2)!) ? word.slice(0, -2) : word;
}

function isCapital(word: string): boolean {
  return word[0] !== word[0]!.toLowerCase();
}

/** @param end where the word before ended */
function beginsSentence(text: string, end: number, at: number): boolean {
  if (end === 0) return true;
  for (let i = end; i < at; i++) if ('.!?:\n"“('.includes(text[i]!)) return true;
  return false;
}

/** Words of `a` that `b` does not have, each once. */
function lacking(a: Words, b: Words): string[] {
  const missing: string[] = [];
  for (const word of a.words) if (!b.words.has(word)) missing.push(word);
  return missing;
}

function isContent(word: string): boolean {
  return !FUNCTION_WORDS.has(word) && word.charCodeAt(0) > NINE;
}

function sameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  if (a.size !== b.size) return false;
  for (const value of a) if (!b.has(value)) return false;
  return true;
}

/** A name that the other lacks on both sides: another one is meant. In short prompts one side is enough. */
function sameNames(a: Words, b: Words): boolean {
  const left = lacksOne(a.names, b.words);
  const right = lacksOne(b.names, a.words);
  if (left && right) return false;
  const isShort = a.list.length <= SHORT_WORDS && b.list.length <= SHORT_WORDS;
  return !(isShort && (left || right));
}

function lacksOne(names: ReadonlySet<string>, words: ReadonlySet<string>): boolean {
  for (const name of names) if (!words.has(name)) return true;
  return false;
}

/** The same words around a word of direction: from whom to whom must be the same, too. */
function sameOrder({ list, words }: Words, other: Words): boolean {
  let directed = false;
  for (const word of words) if (DIRECTIONS.has(word)) directed = true;
  if (!directed) return true;
  const content = (word: string): boolean => !FUNCTION_WORDS.has(word);
  const left = list.filter(content);
  const right = other.list.filter(content);
  return left.length !== right.length || left.every((word, i) => word === right[i]);
}

/** Whether the prompts are alike but for a few words in one place, and these name something else. */
function isReplaced({ list: a, words }: Words, { list: b, words: otherWords }: Words): boolean {
  const most = Math.min(a.length, b.length);
  let start = 0;
  while (start < most && a[start] === b[start]) start++;
  let end = 0;
  while (end < most - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  if (start + end < LEAST_FRAME) return false;
  const left = a.slice(start, a.length - end).filter((word) => isContent(word) && !otherWords.has(word));
  const right = b.slice(start, b.length - end).filter((word) => isContent(word) && !words.has(word));
  if (left.length === 0 || left.length !== right.length || left.length > MOST_REPLACED) return false;
  return !left.every((word, i) => mayReplace(word, right[i]!));
}

/** Another form of the same word, a slip of the pen, or one of the synonyms. */
function mayReplace(a: string, b: string): boolean {
  if (a === b) return true;
  const group = SYNONYM.get(a);
  if (group !== undefined && group === SYNONYM.get(b)) return true;
  const shorter = Math.min(a.length, b.length);
  const longer = Math.max(a.length, b.length);
  let start = 0;
  while (start < shorter && a[start] === b[start]) start++;
  if (start >= Math.max(3, shorter - 3) && longer - start <= 3) return true;
  let end = 0;
  while (end < shorter - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  return start >= 1 && longer >= 5 && start + end >= longer - 1;
}
