/**
 * Whether two prompts that are near by their vectors also say the same: all embeddings rank "same shape, other answer"
 * (Germany for France, enable for disable, chapter 3 for chapter 7) above true paraphrases. What differs in numbers, in the
 * parity of negations, in opposites or in names is another question. English; other languages agree in numbers and names.
 */

const NUMBER_WORDS: Readonly<Record<string, string>> = {
  zero: "0",
  one: "1",
  two: "2",
  three: "3",
  four: "4",
  five: "5",
  six: "6",
  seven: "7",
  eight: "8",
  nine: "9",
  ten: "10",
  first: "1",
  second: "2",
  third: "3",
};

const NEGATIONS = new Set([
  "not",
  "no",
  "never",
  "without",
  "none",
  "nobody",
  "nothing",
  "neither",
  "nor",
  "cannot",
]);

const OPPOSITES: readonly (readonly [string, string])[] = [
  ["enable", "disable"],
  ["enabled", "disabled"],
  ["on", "off"],
  ["open", "close"],
  ["opened", "closed"],
  ["start", "stop"],
  ["begin", "end"],
  ["increase", "decrease"],
  ["add", "remove"],
  ["before", "after"],
  ["allow", "deny"],
  ["allowed", "forbidden"],
  ["include", "exclude"],
  ["first", "last"],
  ["raw", "cooked"],
  ["up", "down"],
  ["upgrade", "downgrade"],
  ["buy", "sell"],
  ["import", "export"],
  ["encrypt", "decrypt"],
  ["encode", "decode"],
  ["minimum", "maximum"],
  ["min", "max"],
  ["best", "worst"],
  ["more", "less"],
  ["most", "least"],
  ["high", "low"],
  ["highest", "lowest"],
  ["hot", "cold"],
  ["left", "right"],
  ["positive", "negative"],
  ["true", "false"],
  ["accept", "reject"],
  ["input", "output"],
  ["read", "write"],
  ["lock", "unlock"],
  ["install", "uninstall"],
  ["connect", "disconnect"],
  ["subscribe", "unsubscribe"],
  ["lend", "borrow"],
  ["win", "lose"],
  ["always", "never"],
  ["arrive", "depart"],
  ["arrival", "departure"],
  ["old", "new"],
  ["oldest", "newest"],
  ["male", "female"],
  ["north", "south"],
  ["east", "west"],
];

/** Prompts are compared up to this many UTF-16 units; longer ones by their beginnings and ends. */
const LONGEST = 20_000;

/** @returns false when the words say that the answers differ */
export function sameMeaning(a: string, b: string): boolean {
  if (a === b) return true;
  const one = read(a);
  const other = read(b);
  if (!sameSet(one.numbers, other.numbers)) return false;
  if (one.negations % 2 !== other.negations % 2) return false;
  for (const [left, right] of OPPOSITES) {
    if (split(one.words, other.words, left, right) || split(other.words, one.words, left, right))
      return false;
  }
  // A name that the other lacks on both sides: another one is meant.
  return !(lacks(one.names, other.words) && lacks(other.names, one.words));
}

interface Words {
  readonly words: ReadonlySet<string>;
  readonly numbers: ReadonlySet<string>;
  /** Capitalised within a sentence, lower case. */
  readonly names: ReadonlySet<string>;
  readonly negations: number;
}

const WORD = /[\p{L}\p{M}]+(?:['’][\p{L}]+)?|\d+(?:[.,]\d+)*/gu;

function read(text: string): Words {
  const shown = text.length <= LONGEST ? text : text.slice(0, LONGEST / 2) + text.slice(-LONGEST / 2);
  const words = new Set<string>();
  const numbers = new Set<string>();
  const names = new Set<string>();
  let negations = 0;
  for (const match of shown.matchAll(WORD)) {
    const word = match[0];
    const lower = word.toLowerCase();
    if (/^\d/.test(word)) numbers.add(word.replaceAll(",", ""));
    else if (NUMBER_WORDS[lower] !== undefined) numbers.add(NUMBER_WORDS[lower]);
    if (NEGATIONS.has(lower) || /n['’]t$/.test(lower)) negations++;
    words.add(lower);
    if (isCapital(word) && !beginsSentence(shown, match.index)) names.add(lower);
  }
  return { words, numbers, names, negations };
}

function isCapital(word: string): boolean {
  const first = word[0]!;
  return first !== first.toLowerCase() && word !== "I";
}

function beginsSentence(text: string, at: number): boolean {
  const before = text.slice(Math.max(0, at - 4), at).trimEnd();
  return before === "" || /[.!?:\n"“(]$/.test(before);
}

function split(a: ReadonlySet<string>, b: ReadonlySet<string>, left: string, right: string): boolean {
  return a.has(left) && !a.has(right) && b.has(right) && !b.has(left);
}

function sameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((value) => b.has(value));
}

function lacks(names: ReadonlySet<string>, words: ReadonlySet<string>): boolean {
  return [...names].some((name) => !words.has(name));
}
