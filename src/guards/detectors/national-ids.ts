/** Numbers that states give to people, told by their form and check digits; where these say little, by a word before them. */
import {
  bsn,
  chineseId,
  codiceFiscale,
  cpf,
  frenchNir,
  germanTaxNumber,
  hetu,
  isDate,
  luhn,
  nhsNumber,
  pesel,
  spanishId,
  verhoeff,
} from "./check-digits.ts";
import type { Detect } from "./finding.ts";

interface NationalId {
  /** With flags `g`; every quantifier bounded. */
  readonly form: RegExp;
  /** Of the number without separators, upper case. */
  readonly valid: (bare: string) => boolean;
  /** Must stand in the 48 units before. */
  readonly context?: RegExp;
}

const IDS: readonly NationalId[] = [
  { form: /(?<![A-Za-z\d])(?:\d{8}|[XYZxyz]-?\d{7})[- ]?[A-Za-z](?![A-Za-z\d])/g, valid: spanishId },
  {
    form: /(?<![A-Za-z\d])[A-Za-z]{6}\d{2}[A-EHLMPRSTa-ehlmprst]\d{2}[A-Za-z]\d{3}[A-Za-z](?![A-Za-z\d])/g,
    valid: codiceFiscale,
  },
  {
    form: /(?<![A-Za-z\d])[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}(?![A-Za-z\d])/g,
    valid: frenchNir,
  },
  {
    form: /(?<![A-Za-z\d])\d{2}[ /]?\d{3}[ /]?\d{3}[ /]?\d{3}(?![A-Za-z\d])/g,
    valid: germanTaxNumber,
    context: /steuer|tax|idnr|\btin\b/i,
  },
  {
    // The United Kingdom's national insurance number has no check digit: its letters are.
    form: /(?<![A-Za-z\d])(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D](?![A-Za-z\d])/g,
    valid: () => true,
  },
  { form: /(?<![A-Za-z\d])\d{3}[ -]?\d{3}[ -]?\d{4}(?![A-Za-z\d])/g, valid: nhsNumber, context: /\bnhs\b/i },
  {
    form: /(?<![A-Za-z\d])\d{4}[ .]?\d{2}[ .]?\d{3}(?![A-Za-z\d])/g,
    valid: bsn,
    context: /bsn|burgerservice|sofi/i,
  },
  {
    form: /(?<![A-Za-z\d.,-])\d{11}(?![A-Za-z\d.,-])/g,
    valid: pesel,
    context: /pesel|polish|polski|id\b|number|numer/i,
  },
  {
    form: /(?<![A-Za-z\d])(?:19|20)?\d{6}[-+]\d{4}(?![A-Za-z\d])/g,
    valid: (bare) => {
      const digits = bare.slice(-10);
      return isDate("2000", digits.slice(2, 4), String(Number(digits.slice(4, 6)) % 60)) && luhn(digits);
    },
  },
  { form: /(?<![A-Za-z\d])\d{6}[-+A]\d{3}[\dA-Y](?![A-Za-z\d])/g, valid: () => true },
  { form: /(?<![A-Za-z\d])\d{3}\.\d{3}\.\d{3}-\d{2}(?![A-Za-z\d])/g, valid: cpf },
  { form: /(?<![A-Za-z\d])\d{11}(?![A-Za-z\d])/g, valid: cpf, context: /\bcpf\b/i },
  { form: /(?<![A-Za-z\d-])[2-9]\d{3}[ -]\d{4}[ -]\d{4}(?![ -]?[A-Za-z\d])/g, valid: verhoeff },
  { form: /(?<![A-Za-z\d])[2-9]\d{11}(?![A-Za-z\d])/g, valid: verhoeff, context: /aadhaar|uidai/i },
  {
    form: /(?<![A-Za-z\d])[A-Z]{3}[ABCFGHLJPT][A-Z]\d{4}[A-Z](?![A-Za-z\d])/g,
    valid: () => true,
    context: /\bpan\b/i,
  },
  { form: /(?<![A-Za-z\d])[1-9]\d{16}[\dXx](?![A-Za-z\d])/g, valid: chineseId },
  {
    form: /(?<![A-Za-z\d-])\d{3}[- ]\d{3}[- ]\d{3}(?![- ]?[A-Za-z\d])/g,
    valid: luhn,
    context: /\bsin\b|social insurance/i,
  },
];

const FINNISH = 9;
const CONTEXT = 48;
const SEVERITY = 6;

export const findNationalIds: Detect = (text, add) => {
  IDS.forEach(({ form, valid, context }, index) => {
    for (const match of text.matchAll(form)) {
      const { index: start } = match;
      const found = match[0];
      // The mark of the century belongs to the number.
      const bare = index === FINNISH ? found : found.replace(/[ ./+-]/g, "").toUpperCase();
      if (!(index === FINNISH ? hetu(bare) : valid(bare))) continue;
      if (context !== undefined && !context.test(text.slice(Math.max(0, start - CONTEXT), start))) continue;
      add("national-id", start, start + found.length, SEVERITY);
    }
  });
};

/** The United States: never 000, 666 or 9xx, no group of zeros; nine bare digits only where a word says what they are. */
export const findSsn: Detect = (text, add) => {
  for (const match of text.matchAll(SSN)) add("ssn", match.index, match.index + match[0].length, SEVERITY);
  for (const match of text.matchAll(BARE_SSN)) {
    const before = text.slice(Math.max(0, match.index - CONTEXT), match.index);
    if (/\bssn\b|social security/i.test(before)) add("ssn", match.index, match.index + 9, SEVERITY);
  }
};

const SSN = /(?<![\w-])(?!000|666|9\d\d)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?![\w-]|\.\d)/g;
const BARE_SSN = /(?<![\w-])(?!000|666|9\d\d)\d{3}(?!00)\d{2}(?!0000)\d{4}(?![\w-])/g;

/** Nine characters or fewer where a word says that they are a passport's. */
export const findPassports: Detect = (text, add) => {
  for (const match of text.matchAll(PASSPORT)) {
    const end = match.index + match[0].length;
    add("passport", end - match[1]!.length, end, SEVERITY);
  }
};

const PASSPORT =
  /\b(?:passport|passeport|reisepass|pasaporte|passaporto)(?:[ -]?(?:number|num|no|nr|id|card))?\.?[ :#]{0,3}(?:is |n[°o]\.? ?)?([A-Za-z]{0,2}\d{6,9}|[CFGHJKLMNPRTVWXYZ\d]{9})(?![A-Za-z\d])/gi;
