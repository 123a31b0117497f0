/** How people are reached: mail, phone, network, home; and when they were born. */
import { parseAddress } from "../../base/addresses.ts";
import type { Detect } from "./finding.ts";

const MAIL =
  /(?<![\p{L}\d._%+-])[\p{L}\d_][\p{L}\d._%+'-]{0,63}@(?:[\p{L}\d][\p{L}\d-]{0,62}\.){1,6}(?:\p{L}{2,24}|xn--[a-z\d-]{2,40})(?![\p{L}\d]|\.[\p{L}\d])/gu;

export const findMail: Detect = (text, add) => {
  if (!text.includes("@")) return;
  for (const match of text.matchAll(MAIL)) add("email", match.index, match.index + match[0].length, 4);
};

/** A plus and 8 to 15 digits. */
const INTERNATIONAL = /(?<![\w+])(?:\+|\b00(?=[1-9]))[ ]?\(?[1-9](?:[ .()/-]{0,2}\d){7,14}(?![\w]|[.,-]?\d)/g;
/** North America: area and exchange never begin with 0 or 1. */
const AMERICAN =
  /(?<![\w.+-])(?:1[-. ])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[-. ])[2-9]\d{2}[-. ]\d{4}(?![\w-]|\.\d)/g;
/** Elsewhere a nought leads, and separators make it a phone number. */
const NATIONAL = /(?<![\w.,+/-])\(?0[1-9]\d{0,4}\)?(?:[ /-]\d{2,8}){1,4}(?![\w/-]|[.,]\d)/g;
/** Whatever a word before it says. */
const NAMED =
  /\b(?:phone|telephone|tel|mobile|cell|fax|call(?: me)?(?: at| on)?|text me at|whatsapp|handy|telefon|portable)(?: (?:number|no|is))?[.:# ]{1,3}(?:is |at |on )?(\(?\d(?:[ .()/-]{0,2}\d){6,13})(?![\w-])/gi;

export const findPhones: Detect = (text, add) => {
  for (const match of text.matchAll(INTERNATIONAL))
    add("phone", match.index, match.index + match[0].length, 4);
  for (const match of text.matchAll(AMERICAN)) add("phone", match.index, match.index + match[0].length, 4);
  for (const match of text.matchAll(NATIONAL)) {
    const digits = match[0].replace(/\D/g, "").length;
    if (digits >= 9 && digits <= 13 && !DATE.test(match[0]))
      add("phone", match.index, match.index + match[0].length, 4);
  }
  for (const match of text.matchAll(NAMED)) {
    const end = match.index + match[0].length;
    add("phone", end - match[1]!.length, end, 4);
  }
};

const DATE = /^\d{1,2}[ /-]\d{1,2}[ /-](?:\d{2}|\d{4})\b/;

const V4 = /(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)/g;
const V6 = /(?<![\w:.])[\da-fA-F:]{2,39}(?![\w:]|\.\d)/g;
const VERSION = /\b(?:v|version|release|build)[ .:]?$/i;
/** Addresses that are nobody's: unspecified, loopback, broadcast. */
const NOBODYS = /^(?:0\.|127\.|255\.255\.255\.255$|::1?$)/;

export const findAddresses: Detect = (text, add) => {
  for (const [form, needed] of [
    [V4, "."],
    [V6, ":"],
  ] as const) {
    for (const match of text.matchAll(form)) {
      const found = match[0];
      if (!found.includes(needed) || NOBODYS.test(found) || parseAddress(found) === null) continue;
      if (needed === ":" && !/[\da-f]/i.test(found)) continue;
      if (VERSION.test(text.slice(Math.max(0, match.index - 9), match.index))) continue;
      add("ip", match.index, match.index + found.length, 2);
    }
  }
};

const MONTHS =
  "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)";
const BIRTH = new RegExp(
  `\\b(?:d\\.?o\\.?b\\.?|date of birth|birth ?(?:date|day)|born|geboren|geburtsdatum|née?|nacid[oa]|nat[oa])(?: (?:is|was|on|am|el|le|il|in))?[ :,=\\-]{0,3}(?:is |on |am |le |el )?` +
    `(\\d{1,2}[./ -]\\d{1,2}[./ -]\\d{2,4}|\\d{4}[./-]\\d{1,2}[./-]\\d{1,2}|\\d{1,2}(?:st|nd|rd|th|\\.)? (?:of )?${MONTHS}\\.?,? \\d{4}|${MONTHS}\\.? \\d{1,2}(?:st|nd|rd|th)?,? \\d{4})(?![\\w])`,
  "gi",
);

/** A date is nobody's birthday unless a word before it says so. */
export const findBirthDates: Detect = (text, add) => {
  for (const match of text.matchAll(BIRTH)) {
    const end = match.index + match[0].length;
    add("date-of-birth", end - match[1]!.length, end, 4);
  }
};

const WORD = "[\\p{Lu}\\d][\\p{L}\\d'.-]{0,20}";
/** Number first, then a name and a word for street; what may follow: flat, town, state and postcode. */
const ENGLISH = new RegExp(
  `(?<![\\w.,$€£#-])\\d{1,5}[A-Za-z]? (?:(?:N|S|E|W|NE|NW|SE|SW|North|South|East|West)\\.? )?(?:${WORD} ){1,4}` +
    `(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Square|Sq|Place|Pl|Terrace|Way|Close|Crescent|Highway|Hwy|Parkway|Pkwy)(?![\\p{L}\\d])\\.?` +
    `(?:,? (?:Apt|Apartment|Suite|Ste|Unit|Flat|#)\\.? ?[\\w-]{1,6})?` +
    `(?:,? (?:${WORD} ?){1,3}, (?:[A-Z]{2} \\d{5}(?:-\\d{4})?|[A-Z]{1,2}\\d[A-Z\\d]? ?\\d[A-Z]{2}))?`,
  "gu",
);
/** Street and number, then postcode and town. */
const GERMAN =
  /(?<![\p{L}\d])\p{Lu}\p{L}{1,24}(?:straße|strasse|str\.|weg|platz|allee|gasse|ring|damm|ufer) ?\d{1,4} ?[a-z]?(?![\p{L}\d])(?:, ?\d{5} \p{Lu}\p{L}{2,24})?/gu;
const BOX = /\bP\.? ?O\.? Box \d{1,6}\b/gi;

export const findHomes: Detect = (text, add) => {
  for (const form of [ENGLISH, GERMAN, BOX])
    for (const match of text.matchAll(form))
      add("address", match.index, match.index + match[0].trimEnd().length, 4);
};
