/**
 * Sets of UTF-16 units, as character classes mean them in .NET: Unicode categories, ranges, negation, subtraction.
 * A set answers from a table for ASCII and by asking its parts for the rest.
 */

/** One unit, a range or a category. */
export type Part =
  | { readonly kind: "range"; readonly from: number; readonly to: number }
  | { readonly kind: "category"; readonly test: RegExp; readonly negated: boolean };

export class CharSet {
  /** 1 for members below 128. */
  readonly ascii: Uint8Array;
  readonly #parts: readonly Part[];
  readonly #negated: boolean;
  readonly #minus: CharSet | null;
  readonly #ignoreCase: boolean;

  constructor(parts: readonly Part[], negated = false, minus: CharSet | null = null, ignoreCase = false) {
    this.#parts = parts;
    this.#negated = negated;
    this.#minus = minus;
    this.#ignoreCase = ignoreCase;
    this.ascii = new Uint8Array(128);
    for (let c = 0; c < 128; c++) this.ascii[c] = this.#contains(c) ? 1 : 0;
  }

  has(c: number): boolean {
    return c < 128 ? this.ascii[c] === 1 : this.#contains(c);
  }

  #contains(c: number): boolean {
    let found = this.#listed(c);
    if (!found && this.#ignoreCase) found = otherCases(c).some((other) => this.#listed(other));
    if (found === this.#negated) return false;
    return this.#minus === null || !this.#minus.has(c);
  }

  #listed(c: number): boolean {
    for (const part of this.#parts) {
      if (part.kind === "range") {
        if (c >= part.from && c <= part.to) return true;
      } else if (part.test.test(String.fromCharCode(c)) !== part.negated) return true;
    }
    return false;
  }
}

/** The same letter in the other case, where that is one unit. */
export function otherCases(c: number): number[] {
  const text = String.fromCharCode(c);
  const cases: number[] = [];
  for (const other of [text.toLowerCase(), text.toUpperCase()]) {
    if (other.length === 1 && other !== text) cases.push(other.charCodeAt(0));
  }
  return cases;
}

export const single = (c: number): Part => ({ kind: "range", from: c, to: c });
export const range = (from: number, to: number): Part => ({ kind: "range", from, to });

const category = (source: string, negated = false): Part => ({
  kind: "category",
  test: new RegExp(source, "u"),
  negated,
});

/** `\d \w \s` and their negations; ASCII only under ECMAScript. */
export function classPart(letter: string, ecma: boolean): Part {
  const source = (ecma ? ECMA_CLASSES : CLASSES)[letter.toLowerCase() as "d" | "w" | "s"];
  return category(source, letter !== letter.toLowerCase());
}

const CLASSES = {
  d: "^\\p{Nd}$",
  w: "^[\\p{L}\\p{Mn}\\p{Nd}\\p{Pc}]$",
  s: "^[\\f\\n\\r\\t\\v\\x85\\p{Z}]$",
} as const;
const ECMA_CLASSES = { d: "^[0-9]$", w: "^[0-9A-Za-z_]$", s: "^[\\f\\n\\r\\t\\v ]$" } as const;

/** What `\b` takes for part of a word: letters, digits, connectors, and the two joiners. */
export const WORD = new CharSet([classPart("w", false), range(0x200c, 0x200d)]);
export const ECMA_WORD = new CharSet([classPart("w", true)]);

/** `\p{name}`; null when there is no such category or block. */
export function namedPart(name: string, negated: boolean): Part | null {
  if (/^(?:L[ulmto]?|M[nce]?|N[dlo]?|P[cdseifo]?|S[mcko]?|Z[slp]?|C[cfson]?)$/.test(name)) {
    return category(`^\\p{${name}}$`, negated);
  }
  const block = BLOCKS.get(name);
  if (block === undefined) return null;
  const hex = (n: number): string => `\\u{${n.toString(16)}}`;
  return category(`^[${hex(block[0])}-${hex(block[1])}]$`, negated);
}

/** The named blocks of .NET that fit in one range each. */
const BLOCKS: ReadonlyMap<string, readonly [number, number]> = new Map([
  ["IsBasicLatin", [0x0000, 0x007f]],
  ["IsLatin-1Supplement", [0x0080, 0x00ff]],
  ["IsLatinExtended-A", [0x0100, 0x017f]],
  ["IsLatinExtended-B", [0x0180, 0x024f]],
  ["IsIPAExtensions", [0x0250, 0x02af]],
  ["IsSpacingModifierLetters", [0x02b0, 0x02ff]],
  ["IsCombiningDiacriticalMarks", [0x0300, 0x036f]],
  ["IsGreek", [0x0370, 0x03ff]],
  ["IsGreekandCoptic", [0x0370, 0x03ff]],
  ["IsCyrillic", [0x0400, 0x04ff]],
  ["IsCyrillicSupplement", [0x0500, 0x052f]],
  ["IsArmenian", [0x0530, 0x058f]],
  ["IsHebrew", [0x0590, 0x05ff]],
  ["IsArabic", [0x0600, 0x06ff]],
  ["IsSyriac", [0x0700, 0x074f]],
  ["IsThaana", [0x0780, 0x07bf]],
  ["IsDevanagari", [0x0900, 0x097f]],
  ["IsBengali", [0x0980, 0x09ff]],
  ["IsGurmukhi", [0x0a00, 0x0a7f]],
  ["IsGujarati", [0x0a80, 0x0aff]],
  ["IsOriya", [0x0b00, 0x0b7f]],
  ["IsTamil", [0x0b80, 0x0bff]],
  ["IsTelugu", [0x0c00, 0x0c7f]],
  ["IsKannada", [0x0c80, 0x0cff]],
  ["IsMalayalam", [0x0d00, 0x0d7f]],
  ["IsSinhala", [0x0d80, 0x0dff]],
  ["IsThai", [0x0e00, 0x0e7f]],
  ["IsLao", [0x0e80, 0x0eff]],
  ["IsTibetan", [0x0f00, 0x0fff]],
  ["IsMyanmar", [0x1000, 0x109f]],
  ["IsGeorgian", [0x10a0, 0x10ff]],
  ["IsHangulJamo", [0x1100, 0x11ff]],
  ["IsEthiopic", [0x1200, 0x137f]],
  ["IsCherokee", [0x13a0, 0x13ff]],
  ["IsKhmer", [0x1780, 0x17ff]],
  ["IsMongolian", [0x1800, 0x18af]],
  ["IsLatinExtendedAdditional", [0x1e00, 0x1eff]],
  ["IsGreekExtended", [0x1f00, 0x1fff]],
  ["IsGeneralPunctuation", [0x2000, 0x206f]],
  ["IsSuperscriptsandSubscripts", [0x2070, 0x209f]],
  ["IsCurrencySymbols", [0x20a0, 0x20cf]],
  ["IsLetterlikeSymbols", [0x2100, 0x214f]],
  ["IsNumberForms", [0x2150, 0x218f]],
  ["IsArrows", [0x2190, 0x21ff]],
  ["IsMathematicalOperators", [0x2200, 0x22ff]],
  ["IsMiscellaneousTechnical", [0x2300, 0x23ff]],
  ["IsBoxDrawing", [0x2500, 0x257f]],
  ["IsBlockElements", [0x2580, 0x259f]],
  ["IsGeometricShapes", [0x25a0, 0x25ff]],
  ["IsMiscellaneousSymbols", [0x2600, 0x26ff]],
  ["IsDingbats", [0x2700, 0x27bf]],
  ["IsBraillePatterns", [0x2800, 0x28ff]],
  ["IsCJKRadicalsSupplement", [0x2e80, 0x2eff]],
  ["IsCJKSymbolsandPunctuation", [0x3000, 0x303f]],
  ["IsHiragana", [0x3040, 0x309f]],
  ["IsKatakana", [0x30a0, 0x30ff]],
  ["IsBopomofo", [0x3100, 0x312f]],
  ["IsHangulCompatibilityJamo", [0x3130, 0x318f]],
  ["IsCJKCompatibility", [0x3300, 0x33ff]],
  ["IsCJKUnifiedIdeographsExtensionA", [0x3400, 0x4dbf]],
  ["IsCJKUnifiedIdeographs", [0x4e00, 0x9fff]],
  ["IsYiSyllables", [0xa000, 0xa48f]],
  ["IsHangulSyllables", [0xac00, 0xd7af]],
  ["IsHighSurrogates", [0xd800, 0xdb7f]],
  ["IsLowSurrogates", [0xdc00, 0xdfff]],
  ["IsPrivateUse", [0xe000, 0xf8ff]],
  ["IsPrivateUseArea", [0xe000, 0xf8ff]],
  ["IsCJKCompatibilityIdeographs", [0xf900, 0xfaff]],
  ["IsAlphabeticPresentationForms", [0xfb00, 0xfb4f]],
  ["IsArabicPresentationForms-A", [0xfb50, 0xfdff]],
  ["IsCombiningHalfMarks", [0xfe20, 0xfe2f]],
  ["IsArabicPresentationForms-B", [0xfe70, 0xfeff]],
  ["IsHalfwidthandFullwidthForms", [0xff00, 0xffef]],
  ["IsSpecials", [0xfff0, 0xffff]],
]);
