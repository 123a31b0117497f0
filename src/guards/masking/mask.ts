/** Puts placeholders in the place of personal data, in a request's JSON or in plain text. */
import { inSlices } from "../../llm/counting/slices.ts";
import { type Finding, withoutOverlaps } from "../detectors/finding.ts";
import { PERSONAL_KINDS, type PersonalKind, findPersonalData } from "../detectors/personal-data.ts";
import { findSecrets } from "../detectors/secrets.ts";
import { Placeholders, lookalikeForm } from "./placeholders.ts";
import { RequestSpots, type Spot } from "./request-spots.ts";

/** `secret`: keys, tokens and passwords. */
export type MaskKind = PersonalKind | "secret";
export const MASK_KINDS: readonly MaskKind[] = [...PERSONAL_KINDS, "secret"];

export interface MaskRules {
  readonly kinds: readonly MaskKind[];
  readonly form: string;
}

export interface Masked {
  /** The same string when nothing was found. */
  readonly text: string;
  /** Value by placeholder. */
  readonly values: ReadonlyMap<string, string>;
  /** JSON is asked for as the answer's text. */
  readonly wantsJson: boolean;
}

/** Longer texts are looked through in windows, which overlap by more than most of what is looked for is long. */
const WINDOW = 8192;
const OVERLAP = 1024;
/** What is looked through at once; more is done in turns of the event loop. */
const AT_ONCE = 16 * 1024;
const JSON_FORMAT =
  /"(?:type|responseMimeType|response_mime_type|responseFormat)"\s{0,8}:\s{0,8}"(?:json_schema|json_object|application\/json)"/;

/**
 * Masks a request's body.
 *
 * @param body JSON
 * @returns null when it is no JSON; a promise only for long texts
 */
export function maskRequest(body: string, rules: MaskRules): Masked | Promise<Masked> | null {
  const request = RequestSpots.of(body);
  if (request === null) return null;
  const taken = takenIn(request.spots, body, rules.form);
  const placeholders = new Placeholders(rules.form, taken);
  const done = (): Masked => ({
    text: placeholders.values.size === 0 ? body : request.written(),
    values: placeholders.values,
    wantsJson: JSON_FORMAT.test(body),
  });
  const work = maskSpots(request.spots, rules, placeholders);
  return work === null ? done() : work.then(done);
}

/** As `maskRequest`, for what is no JSON. */
export function maskText(text: string, rules: MaskRules): Masked | Promise<Masked> {
  const spot: Spot = { text, isNumber: false, replacement: null };
  const placeholders = new Placeholders(rules.form, takenIn([spot], "", rules.form));
  const done = (): Masked => ({
    text: spot.replacement ?? text,
    values: placeholders.values,
    wantsJson: false,
  });
  const work = maskSpots([spot], rules, placeholders);
  return work === null ? done() : work.then(done);
}

function takenIn(spots: readonly Spot[], body: string, form: string): ReadonlySet<string> {
  const lookalike = lookalikeForm(form);
  const taken = new Set<string>();
  for (const { text } of spots) for (const [found] of text.matchAll(lookalike)) taken.add(found);
  // Strings that are no text may hold one, too, and may hold it escaped.
  const unescaped = body.includes("\\u")
    ? body.replace(/\\u([0-9a-fA-F]{4})/g, (_, code: string) => String.fromCharCode(parseInt(code, 16)))
    : body;
  for (const [found] of unescaped.matchAll(lookalike)) taken.add(found);
  return taken;
}

/** @returns null when it is done */
function maskSpots(
  spots: readonly Spot[],
  rules: MaskRules,
  placeholders: Placeholders,
): Promise<void> | null {
  const total = spots.reduce((sum, { text }) => sum + text.length, 0);
  if (total <= AT_ONCE) {
    for (const spot of spots) replace(spot, find(spot.text, rules), placeholders);
    return null;
  }
  const steps = slowly(spots, rules, placeholders);
  return inSlices(() => steps.next().done === true);
}

function* slowly(spots: readonly Spot[], rules: MaskRules, placeholders: Placeholders): Generator<void> {
  let since = 0;
  for (const spot of spots) {
    const { text } = spot;
    const findings: Finding[] = [];
    for (let from = 0; ; from += WINDOW - OVERLAP) {
      for (const { kind, start, end, severity } of find(text.slice(from, from + WINDOW), rules))
        findings.push({ kind, start: start + from, end: end + from, severity });
      since += Math.min(WINDOW, text.length);
      if (since >= WINDOW) {
        since = 0;
        yield;
      }
      if (from + WINDOW >= text.length) break;
    }
    replace(spot, withoutOverlaps(findings), placeholders);
  }
}

function find(text: string, { kinds }: MaskRules): Finding[] {
  if (!kinds.includes("secret")) return findPersonalData(text, kinds as readonly PersonalKind[]);
  const personal = findPersonalData(
    text,
    kinds.filter((kind) => kind !== "secret"),
  );
  const secrets = findSecrets(text).map((finding) => ({ ...finding, kind: "secret" }));
  if (secrets.length === 0) return personal;
  return personal.length === 0 ? secrets : withoutOverlaps([...personal, ...secrets]);
}

function replace(spot: Spot, findings: readonly Finding[], placeholders: Placeholders): void {
  if (findings.length === 0) return;
  const { text, isNumber } = spot;
  let made = "";
  let at = 0;
  for (const { kind, start, end } of findings) {
    if (isNumber && (start > 0 || end < text.length)) continue;
    made += text.slice(at, start) + placeholders.of(kind, text.slice(start, end));
    at = end;
  }
  if (at > 0) spot.replacement = made + text.slice(at);
}
