/**
 * Personal data in texts. Heuristics: what has check digits is told well, what has none (addresses, birthdays, phones)
 * modestly, and names are not looked for at all.
 */
import { findAddresses, findBirthDates, findHomes, findMail, findPhones } from "./contact.ts";
import { type Finding, type Detect, withoutOverlaps } from "./finding.ts";
import { fold } from "./fold.ts";
import { findNationalIds, findPassports, findSsn } from "./national-ids.ts";
import { findCards, findIbans } from "./payment.ts";

export const PERSONAL_KINDS = [
  "email",
  "phone",
  "card",
  "iban",
  "ssn",
  "national-id",
  "passport",
  "ip",
  "date-of-birth",
  "address",
] as const;
export type PersonalKind = (typeof PERSONAL_KINDS)[number];

const DETECTORS: Readonly<Record<PersonalKind, Detect>> = {
  email: findMail,
  phone: findPhones,
  card: findCards,
  iban: findIbans,
  ssn: findSsn,
  "national-id": findNationalIds,
  passport: findPassports,
  ip: findAddresses,
  "date-of-birth": findBirthDates,
  address: findHomes,
};

/** All but mail need a digit. */
const NUMBER = /\d/;

/**
 * @param kinds those that are looked for
 * @returns in the order of the text, no two overlapping; offsets are those of `text`
 */
export function findPersonalData(text: string, kinds: readonly PersonalKind[]): Finding[] {
  const folded = fold(text);
  const findings: Finding[] = [];
  const add = (kind: string, start: number, end: number, severity: number): void =>
    void findings.push({ kind, start, end, severity });
  const hasNumber = NUMBER.test(folded.text);
  for (const kind of kinds) if (hasNumber || kind === "email") DETECTORS[kind](folded.text, add);
  const kept = findings.length < 2 ? findings : withoutOverlaps(findings);
  return folded.text === text ? kept : kept.map((finding) => inOriginal(finding, folded.at));
}

export function inOriginal(finding: Finding, at: (index: number) => number): Finding {
  return { ...finding, start: at(finding.start), end: at(finding.end) };
}
