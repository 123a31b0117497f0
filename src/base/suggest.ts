/** "Did you mean …?": the likeliest of the known names for one that is not known. Spelling first, then words. */

const longestName = 80;

/**
 * @returns the candidate nearest to `name`, or null when none is near enough to be worth saying
 */
export function suggest(name: string, candidates: Iterable<string>): string | null {
  if (name === "" || name.length > longestName) return null;
  const known = [...candidates].filter((candidate) => candidate !== name && candidate.length <= longestName);
  const bySpelling = nearest(known, spellingCost(name), name);
  if (bySpelling !== null && bySpelling.cost <= 1) return bySpelling.candidate;
  // Splitting into words is dear, so it is tried only when the spelling does not decide.
  const byWords = nearest(known, wordsCost(name), name);
  if (byWords !== null && (bySpelling === null || byWords.cost === 0)) return byWords.candidate;
  return (bySpelling ?? nearest(known, beginningCost(name), name))?.candidate ?? null;
}

type Cost = (candidate: string) => number;

/** The cheapest; of equals one that begins with the very same letter (`Strin`: `String`, not `string`). */
function nearest(
  candidates: readonly string[],
  cost: Cost,
  name: string,
): { candidate: string; cost: number } | null {
  let best: string | null = null;
  let lowest = Infinity;
  for (const candidate of candidates) {
    const one = cost(candidate);
    if (
      one < lowest ||
      (one === lowest && one !== Infinity && best![0] !== name[0] && candidate[0] === name[0])
    )
      [best, lowest] = [candidate, one];
  }
  return best === null ? null : { candidate: best, cost: lowest };
}

/** 0: the same but for case and separators; else the number of edits, Infinity when they are too many. */
function spellingCost(name: string): Cost {
  const a = name.toLowerCase();
  const squeezed = squeeze(a);
  return (candidate) => {
    const b = candidate.toLowerCase();
    const longer = Math.max(a.length, b.length);
    const allowed = longer <= 3 ? 1 : Math.max(1, Math.floor(longer / 3));
    if (Math.abs(a.length - b.length) > allowed) return Infinity;
    if (squeezed === squeeze(b)) return 0;
    const distance = editDistance(a, b);
    return distance <= allowed && distance < longer ? distance : Infinity;
  };
}

/**
 * 0: the same words in any order; from 1: the words of one are part of the other's (`per-minute` for
 * `tokens-per-minute`), which is better than nothing if the part is telling.
 */
function wordsCost(name: string): Cost {
  const a = words(name);
  return (candidate) => {
    const b = words(candidate);
    if (sameWords(a, b)) return 0;
    if (name.length < 4 || !(isPart(a, b) || isPart(b, a))) return Infinity;
    return Math.abs(a.length - b.length);
  };
}

/** `Req` for `Request`: the shortest of those that begin so. */
function beginningCost(name: string): Cost {
  const a = name.toLowerCase();
  return (candidate) =>
    a.length >= 3 && candidate.toLowerCase().startsWith(a) ? candidate.length : Infinity;
}

function squeeze(name: string): string {
  return name.replace(/[-_. ]/g, "");
}

/** `tokensPerMinute`, `token_per_minute` and `tokens-per-minute` have the same words. */
function words(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "")
    .map((word) => (word.length > 3 && word.endsWith("s") ? word.slice(0, -1) : word))
    .sort();
}

function sameWords(a: readonly string[], b: readonly string[]): boolean {
  return a.length > 0 && a.length === b.length && a.every((word, i) => word === b[i]);
}

function isPart(part: readonly string[], whole: readonly string[]): boolean {
  return part.length > 0 && part.length < whole.length && part.every((word) => whole.includes(word));
}

/** Damerau-Levenshtein, optimal string alignment: a swap of two neighbours costs one. */
export function editDistance(a: string, b: string): number {
  const width = b.length + 1;
  const rows = new Uint16Array((a.length + 1) * width);
  for (let i = 0; i <= a.length; i++) rows[i * width] = i;
  for (let j = 0; j <= b.length; j++) rows[j] = j;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(
        rows[(i - 1) * width + j]! + 1,
        rows[i * width + j - 1]! + 1,
        rows[(i - 1) * width + j - 1]! + (same ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, rows[(i - 2) * width + j - 2]! + 1);
      }
      rows[i * width + j] = cost;
    }
  }
  return rows[a.length * width + b.length]!;
}
