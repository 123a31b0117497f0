/** "Did you mean …?": the likeliest of the known names for one that is not known. */

const longestName = 80;

/**
 * @returns the candidate nearest to `name`, or null when none is near enough to be worth saying
 */
export function suggest(name: string, candidates: Iterable<string>): string | null {
  if (name === "" || name.length > longestName) return null;
  let best: string | null = null;
  let bestCost = Infinity;
  for (const candidate of candidates) {
    const cost = unlikeness(name, candidate);
    if (cost < bestCost) [best, bestCost] = [candidate, cost];
  }
  return best;
}

/** 0 and up: the less the likelier; Infinity: not alike. */
function unlikeness(name: string, candidate: string): number {
  if (candidate === name || candidate.length > longestName) return Infinity;
  const a = name.toLowerCase();
  const b = candidate.toLowerCase();
  if (a === b) return 0;
  if (a.replace(/[-_. ]/g, "") === b.replace(/[-_. ]/g, "")) return 0.1;
  const wordsA = words(name);
  const wordsB = words(candidate);
  if (sameWords(wordsA, wordsB)) return 0.2;
  const longer = Math.max(a.length, b.length);
  const allowed = longer <= 3 ? 1 : Math.max(1, Math.floor(longer / 3));
  if (Math.abs(a.length - b.length) <= allowed) {
    const distance = editDistance(a, b);
    if (distance <= allowed && distance < longer) return distance;
  }
  // `per-minute` for `tokens-per-minute`, `forward` for `forward-request`: better than nothing, if the part is telling.
  if (a.length >= 4 && (isPart(wordsA, wordsB) || isPart(wordsB, wordsA))) {
    return 20 + Math.abs(wordsA.length - wordsB.length);
  }
  return Infinity;
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
