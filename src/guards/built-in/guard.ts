/**
 * The guard behind `backend-id="built-in"`, and behind backends whose URL is `built-in:`: detectors in this process, no
 * service, no network. Besides the four categories of the service it knows `Secrets`, `PersonalData` and
 * `PromptInjection`. Long texts are read in windows, one per turn of the event loop.
 */
import { inSlices } from "../../llm/counting/slices.ts";
import { HARM_CATEGORIES, type HarmCategory, harmSeverities } from "../detectors/categories.ts";
import type { Finding } from "../detectors/finding.ts";
import { fold } from "../detectors/fold.ts";
import { scoreInjection } from "../detectors/injection.ts";
import { findPersonalData } from "../detectors/personal-data.ts";
import { findSecrets } from "../detectors/secrets.ts";
import {
  type AnalyzeQuestion,
  type Analysis,
  type Guard,
  GuardUnavailable,
  type ShieldQuestion,
  type ShieldVerdict,
} from "../guard.ts";
import { type BuiltInGuardSettings, DEFAULT_GUARD } from "./settings.ts";

/** As the service's; no limit of ours. */
const MOST_CHARACTERS = 10_000;
/** One window takes at most about 3 ms, whatever is in it. What is longer than the overlap may be missed at a seam. */
const WINDOW = 4096;
const OVERLAP = 512;

export const BUILT_IN_CATEGORIES = [
  ...HARM_CATEGORIES,
  "Secrets",
  "PersonalData",
  "PromptInjection",
] as const;

export function createBuiltInGuard(settings: BuiltInGuardSettings = DEFAULT_GUARD): Guard {
  return {
    mostCharacters: MOST_CHARACTERS,
    analyze: (question) => analyze(settings, question),
    shield: (question) => shield(settings, question),
  };
}

async function analyze(settings: BuiltInGuardSettings, question: AnalyzeQuestion): Promise<Analysis> {
  const { text, categories, blocklists, outputType } = question;
  for (const category of categories)
    if (!(BUILT_IN_CATEGORIES as readonly string[]).includes(category))
      throw new GuardUnavailable(`The built-in guard knows no category ${category}.`);
  const lists = blocklists.map((name) => {
    const list = settings.blocklists.get(name);
    if (list === undefined) throw new GuardUnavailable(`The built-in guard has no blocklist ${name}.`);
    return list;
  });
  const severities = categories.map(() => 0);
  const blocklistMatches = new Map<string, string>();
  await inWindows(text, (window) => {
    const found = severitiesOf(settings, window, categories);
    found.forEach((severity, i) => (severities[i] = Math.max(severities[i]!, severity)));
    if (lists.length === 0) return;
    const folded = fold(window).text;
    const plain = fold(window, true).text;
    for (const list of lists) {
      if (blocklistMatches.has(list.name)) continue;
      const item = list.match(folded, plain);
      if (item !== null) blocklistMatches.set(list.name, item);
    }
  });
  const eight = outputType === "EightSeverityLevels";
  return {
    severities: categories.map((category, i) => {
      const severity = severities[i]!;
      // Of eight levels, pairs make four: 0, 2, 4, 6.
      return { category, severity: eight ? severity : severity - (severity % 2) };
    }),
    blocklistMatches: [...blocklistMatches].map(([blocklist, item]) => ({ blocklist, item })),
  };
}

function severitiesOf(settings: BuiltInGuardSettings, text: string, categories: readonly string[]): number[] {
  const harms = categories.filter((name): name is HarmCategory =>
    (HARM_CATEGORIES as readonly string[]).includes(name),
  );
  const harm = harms.length === 0 ? [] : harmSeverities(text, harms);
  return categories.map((category) => {
    switch (category) {
      case "Secrets":
        return gravest(findSecrets(text));
      case "PersonalData":
        return gravest(findPersonalData(text, settings.personalKinds));
      case "PromptInjection":
        return Math.min(7, Math.round((4 * scoreInjection(text, false).score) / settings.shieldThreshold));
      default:
        return harm[harms.indexOf(category as HarmCategory)]!;
    }
  });
}

function gravest(findings: readonly Finding[]): number {
  return findings.reduce((most, { severity }) => Math.max(most, severity), 0);
}

async function shield(settings: BuiltInGuardSettings, question: ShieldQuestion): Promise<ShieldVerdict> {
  const isAttack = async (text: string, document: boolean): Promise<boolean> => {
    let attack = false;
    await inWindows(text, (window) => {
      attack ||= scoreInjection(window, document).score >= settings.shieldThreshold;
      return attack;
    });
    return attack;
  };
  const documentAttacks: boolean[] = [];
  const userPromptAttack = await isAttack(question.userPrompt, false);
  for (const document of question.documents) documentAttacks.push(await isAttack(document, true));
  return { userPromptAttack, documentAttacks };
}

/** @param read true: the rest is not wanted */
async function inWindows(text: string, read: (window: string) => boolean | void): Promise<void> {
  if (text.length <= WINDOW) {
    read(text);
    return;
  }
  let from = 0;
  await inSlices(() => {
    const done = read(text.slice(from, from + WINDOW)) === true;
    from += WINDOW - OVERLAP;
    return done || from + OVERLAP >= text.length;
  });
}
