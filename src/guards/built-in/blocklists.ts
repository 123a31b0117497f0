/**
 * Blocklists of the built-in guard: words and phrases, compared without case, marks and look-alike letters, as whole
 * words; and patterns between slashes (`/ab[0-9]{3}/i`), of a kind that is linear on every text.
 */
import { fold } from "../detectors/fold.ts";

export interface Blocklist {
  readonly name: string;
  /** Items found in `text`, as they are written in the list; the first of each kind is enough. */
  match(text: string, plain: string): string | null;
}

/** What one list may hold, and how long an item may be. */
const MOST_ITEMS = 10_000;
const LONGEST_ITEM = 512;
/** Patterns are tried one by one, phrases all at once. */
const MOST_PATTERNS = 200;

/** A mistake in a list: which item, and what is wrong with it. */
export class BadBlocklistItem extends Error {}

/** @throws BadBlocklistItem */
export function createBlocklist(name: string, items: readonly string[]): Blocklist {
  if (items.length > MOST_ITEMS)
    throw new BadBlocklistItem(`blocklist \`${name}\` has more than ${MOST_ITEMS} items`);
  const phrases = new PhraseSet();
  const patterns: { readonly item: string; readonly form: RegExp }[] = [];
  for (const item of items) {
    if (item.length > LONGEST_ITEM)
      throw new BadBlocklistItem(
        `an item of blocklist \`${name}\` is longer than ${LONGEST_ITEM} characters`,
      );
    const pattern = /^\/(.+)\/([imsu]{0,4})$/s.exec(item);
    if (pattern === null) phrases.add(item);
    else patterns.push({ item, form: compile(name, item, pattern[1]!, pattern[2]!) });
  }
  if (patterns.length > MOST_PATTERNS)
    throw new BadBlocklistItem(`blocklist \`${name}\` has more than ${MOST_PATTERNS} patterns`);
  return {
    name,
    match: (text, plain) => phrases.find(plain) ?? patterns.find(({ form }) => form.test(text))?.item ?? null,
  };
}

function compile(list: string, item: string, source: string, flags: string): RegExp {
  const bad = (why: string): BadBlocklistItem =>
    new BadBlocklistItem(`blocklist \`${list}\`, item \`${item}\`: ${why}`);
  const trouble = notLinear(source);
  if (trouble !== null) throw bad(trouble);
  try {
    return new RegExp(source, flags);
  } catch (error) {
    throw bad(error instanceof Error ? error.message : "no regular expression");
  }
}

/** The most that one repetition may count to, and the ways in which a pattern may match from one place. */
const MOST_COUNT = 100;
const MOST_WAYS = 300;

/**
 * JavaScript's engine goes back over what it has read, so what could make it go back without end is refused: repetitions
 * without a bound, repeated groups, back-references, and bounded ones that multiply. What is left takes at most a constant
 * time per character.
 *
 * @returns what is wrong; null when nothing is
 */
export function notLinear(source: string): string | null {
  if (/\\[1-9k]/.test(source)) return "back-references are not allowed";
  const bare = source
    .replace(/\\[pP]\{[^}]{0,40}\}|\\u\{[^}]{0,8}\}|\\./gs, "x")
    .replace(/\[[^\]]*\]/g, "x")
    .replace(/\(\?(?::|<?[=!]|<[^>]{1,40}>)/g, "(");
  if (/[*+]|\{\d+,\}/.test(bare))
    return "repetitions need a bound: {0,20} instead of * and {1,20} instead of +";
  if (/\)\{/.test(bare)) return "a group must not be repeated";
  if ([...bare.matchAll(/\{\d+(?:,(\d+))?\}/g)].some(([, most]) => Number(most) > MOST_COUNT))
    return `a repetition of more than ${MOST_COUNT}`;
  return waysOf(bare) > MOST_WAYS ? "there are too many ways to match it" : null;
}

/** Alternatives add, what follows one another multiplies. */
function waysOf(bare: string): number {
  const outer: { sum: number; product: number }[] = [];
  let here = { sum: 0, product: 1 };
  for (const [token, low, high] of bare.matchAll(/\{(\d+)(?:,(\d+))?\}\??|\?\??|[()|]/g)) {
    if (token === "(") {
      outer.push(here);
      here = { sum: 0, product: 1 };
    } else if (token === "|") {
      here.sum += here.product;
      here.product = 1;
    } else if (token === ")") {
      const ways = here.sum + here.product;
      here = outer.pop() ?? { sum: 0, product: 1 };
      here.product *= ways;
    } else if (low === undefined) here.product *= 2;
    else here.product *= Math.max(1, Number(high ?? low) - Number(low) + 1);
  }
  return here.sum + here.product;
}

const WORD = /[\p{L}\p{N}]+/gu;

/** Phrases by their first word: a text is read once, however many there are. */
class PhraseSet {
  readonly #byFirst = new Map<string, { readonly item: string; readonly rest: readonly string[] }[]>();
  /** Items without a word (`%%%`): looked for as they stand. */
  readonly #bare: string[] = [];

  add(item: string): void {
    const [first, ...rest] = wordsOf(fold(item, true).text);
    if (first === undefined) {
      if (item.trim() !== "") this.#bare.push(item);
      return;
    }
    const known = this.#byFirst.get(first);
    if (known === undefined) this.#byFirst.set(first, [{ item, rest }]);
    else known.push({ item, rest });
  }

  find(plain: string): string | null {
    if (this.#byFirst.size > 0) {
      const words = wordsOf(plain);
      for (let i = 0; i < words.length; i++) {
        const candidates = this.#byFirst.get(words[i]!);
        if (candidates === undefined) continue;
        for (const { item, rest } of candidates)
          if (rest.every((word, at) => words[i + 1 + at] === word)) return item;
      }
    }
    return this.#bare.find((item) => plain.includes(item.toLowerCase())) ?? null;
  }
}

function wordsOf(plain: string): string[] {
  return plain.match(WORD) ?? [];
}
