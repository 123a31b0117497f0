/** How texts and numbers are ordered; `comparers.ts` builds .NET's comparers on it. */
import { spendUnits } from "../budget.ts";

/** The invariant culture's order: by alphabet, then accents, then lower before upper case. */
const collator = new Intl.Collator("en");
const collatorIgnoringCase = new Intl.Collator("en", { sensitivity: "accent" });

export function compareCulture(a: string, b: string): number {
  spendUnits(a.length + b.length);
  return a === b ? 0 : collator.compare(a, b);
}

export function compareCultureIgnoreCase(a: string, b: string): number {
  spendUnits(a.length + b.length);
  return a === b ? 0 : collatorIgnoringCase.compare(a, b);
}

/** By code unit. As in .NET the result is the distance of the first units that differ, or of the lengths. */
export function compareOrdinal(a: string, b: string): number {
  if (a === b) return 0;
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    const distance = a.charCodeAt(i) - b.charCodeAt(i);
    if (distance !== 0) return distance;
  }
  return a.length - b.length;
}

/** Raw numbers or bigints of one type; NaN comes first, as in .NET. */
export function compareNumbers(a: number | bigint, b: number | bigint): number {
  if (a < b) return -1;
  if (a > b) return 1;
  if (a === b) return 0;
  if (a !== a) return b !== b ? 0 : -1;
  return b !== b ? 1 : 0;
}
