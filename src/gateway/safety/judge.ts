/** Asks a guard and decides (`ai-policies.md` §4.3). */
import { type Guard, GuardUnavailable, type OutputType, type ShieldQuestion } from "../../guards/guard.ts";
import { type Questions, packed } from "./questions.ts";

export interface Rules {
  readonly categories: readonly { readonly name: string; readonly threshold: number }[];
  readonly blocklists: readonly string[];
  readonly outputType: OutputType;
  readonly shieldsPrompt: boolean;
}

/** What a text was refused for. */
export type Finding =
  | {
      readonly kind: "category";
      readonly category: string;
      readonly severity: number;
      readonly threshold: number;
    }
  | { readonly kind: "blocklist"; readonly blocklist: string; readonly item: string }
  | { readonly kind: "attack"; readonly where: "prompt" | "document" };

/** Calls of one request that are under way at a time. */
const MOST_AT_ONCE = 4;

/**
 * @param ignoresFailure what cannot be judged does not end the asking: what can still is
 * @returns the first finding; null when there is none
 * @throws GuardUnavailable when something could not be judged and nothing was found
 */
export function judge(
  guard: Guard,
  rules: Rules,
  questions: Questions,
  ignoresFailure: boolean,
): Promise<Finding | null> {
  const asking = [
    ...questions.shield.map((question) => () => askShield(guard, question)),
    ...(rules.categories.length === 0 && rules.blocklists.length === 0 ? [] : questions.analyze).map(
      (text) => () => askAnalysis(guard, rules, text),
    ),
  ];
  return new Promise((resolve, reject) => {
    let next = 0;
    let open = 0;
    let over = false;
    let failure: unknown = null;
    const begin = (): void => {
      if (over) return;
      for (; open < MOST_AT_ONCE && next < asking.length; open++) asking[next++]!().then(answered, failed);
      if (open > 0) return;
      over = true;
      if (failure === null) resolve(null);
      else reject(failure as Error);
    };
    const answered = (finding: Finding | null): void => {
      open--;
      if (finding !== null && !over) {
        over = true;
        resolve(finding);
      }
      begin();
    };
    const failed = (error: unknown): void => {
      open--;
      failure ??= error;
      if (!ignoresFailure && !over) {
        over = true;
        reject(failure as Error);
      }
      begin();
    };
    begin();
  });
}

/** How long texts are cut: UTF-16 units of a piece, the end of the one before included. */
export interface Pieces {
  readonly most: number;
  readonly overlap: number;
}

/** As `judge`, for what a model wrote: no prompt, so no attack. */
export function judgeTexts(
  guard: Guard,
  rules: Rules,
  texts: readonly string[],
  { most, overlap }: Pieces,
  ignoresFailure: boolean,
): Promise<Finding | null> {
  return judge(guard, rules, { analyze: packed(texts, most, overlap), shield: [] }, ignoresFailure);
}

async function askAnalysis(guard: Guard, rules: Rules, text: string): Promise<Finding | null> {
  const { blocklists, outputType } = rules;
  const categories = rules.categories.map(({ name }) => name);
  const analysis = await guard.analyze({ text: text.toWellFormed(), categories, blocklists, outputType });
  const match = analysis.blocklistMatches[0];
  if (match !== undefined) return { kind: "blocklist", ...match };
  let worst: Extract<Finding, { kind: "category" }> | null = null;
  for (const { name, threshold } of rules.categories) {
    const severity = severityOf(analysis.severities, name);
    if (severity === null) throw new GuardUnavailable(`the answer does not say ${name}`);
    if (severity < threshold || (worst !== null && worst.severity >= severity)) continue;
    worst = { kind: "category", category: name, severity, threshold };
  }
  return worst;
}

function severityOf(
  severities: readonly { readonly category: string; readonly severity: number }[],
  name: string,
): number | null {
  let highest: number | null = null;
  for (const { category, severity } of severities)
    if (category.toLowerCase() === name.toLowerCase()) highest = Math.max(highest ?? 0, severity);
  return highest;
}

async function askShield(guard: Guard, question: ShieldQuestion): Promise<Finding | null> {
  const { userPromptAttack, documentAttacks } = await guard.shield({
    userPrompt: question.userPrompt.toWellFormed(),
    documents: question.documents.map((text) => text.toWellFormed()),
  });
  if (userPromptAttack) return { kind: "attack", where: "prompt" };
  return documentAttacks.includes(true) ? { kind: "attack", where: "document" } : null;
}
