/** Card numbers and bank accounts. */
import { ibanIsValid, luhn } from "./check-digits.ts";
import type { Detect } from "./finding.ts";

const SEVERITY = 6;
/** Digits with at most one separator between two. */
const DIGITS = /(?<![\w.,-])\d(?:[ -]?\d){12,22}/g;
/** By the first digits: how long a number can be. */
const ISSUERS: readonly (readonly [RegExp, readonly number[]])[] = [
  [/^4/, [13, 16, 19]],
  [/^(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, [16]],
  [/^3[47]/, [15]],
  [/^(?:6011|64[4-9]|65)/, [16, 19]],
  [/^35(?:2[89]|[3-8])/, [16, 17, 18, 19]],
  [/^3(?:0[0-5]|095|[689])/, [14, 16, 19]],
  [/^(?:62|81)/, [16, 17, 18, 19]],
  [/^(?:50|5[6-9]|6)/, [16, 18, 19]],
];

/** Luhn's check digit, an issuer's first digits, a length that the issuer gives out; not one digit over and over. */
export const findCards: Detect = (text, add) => {
  for (const match of text.matchAll(DIGITS)) {
    const length = cardLength(match[0], text[match.index + match[0].length]);
    if (length > 0) add("card", match.index, match.index + length, SEVERITY);
  }
};

/** @returns UTF-16 units of the card number at the beginning of `run`; 0 without one */
function cardLength(run: string, after: string | undefined): number {
  const lengths = ISSUERS.find(([prefix]) => prefix.test(run.replace(/[ -]/g, "")))?.[1];
  if (lengths === undefined) return 0;
  let digits = "";
  let best = 0;
  for (let i = 0; i < run.length; i++) {
    if (run[i] === " " || run[i] === "-") continue;
    digits += run[i];
    const next = i + 1 < run.length ? run[i + 1]! : (after ?? "");
    if (!lengths.includes(digits.length) || /[\w]/.test(next)) continue;
    if (luhn(digits) && !/^(\d)\1*$/.test(digits)) best = i + 1;
  }
  return best;
}

const IBAN_START = /(?<![A-Za-z\d])[A-Za-z]{2}\d{2}(?=[ -]?[A-Za-z\d]{2})/g;
/** Characters by country, check digits and country included. */
const IBAN_LENGTHS = new Map(
  (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18 FR27 GB22 GE22 " +
    "GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 " +
    "MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SD18 SE24 SI19 SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20"
  )
    .split(" ")
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
);

/** As long as the country's are, and with the right remainder of 97. */
export const findIbans: Detect = (text, add) => {
  for (const { index } of text.matchAll(IBAN_START)) {
    const length = IBAN_LENGTHS.get(text.slice(index, index + 2).toUpperCase());
    if (length === undefined) continue;
    const end = endOf(text, index, length);
    if (end > 0 && ibanIsValid(text.slice(index, end).replace(/[ -]/g, "").toUpperCase()))
      add("iban", index, end, SEVERITY);
  }
};

/** Where `length` letters and digits end, single separators left out; 0 when there are fewer, or more. */
function endOf(text: string, from: number, length: number): number {
  let at = from;
  for (let taken = 0; taken < length; at++) {
    const character = text[at];
    if (character === undefined) return 0;
    if (/[A-Za-z\d]/.test(character)) taken++;
    else if (character !== " " && character !== "-") return 0;
    else if (!/[A-Za-z\d]/.test(text[at + 1] ?? "")) return 0;
  }
  return /[A-Za-z\d]/.test(text[at] ?? "") ? 0 : at;
}
