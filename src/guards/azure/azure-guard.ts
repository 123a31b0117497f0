/**
 * Azure AI Content Safety, and whatever else speaks its two calls (`docs/guide/moderation-contract.md`, `ai-policies.md`
 * §4.4). An answer that does not say everything that was asked is no answer: silence is never taken for consent.
 */
import { isJsonObject, type JsonObject } from "../../base/json-object.ts";
import {
  type Analysis,
  type AnalyzeQuestion,
  type Guard,
  GuardUnavailable,
  type ShieldQuestion,
  type ShieldVerdict,
} from "../guard.ts";

/** Of both calls, in Unicode characters; UTF-16 units are never fewer. */
const MOST_CHARACTERS = 10_000;
export const SAFETY_API_VERSION = "api-version=2024-09-01";

/**
 * Sends one POST below the service's URL.
 *
 * @throws whatever it throws means: no answer
 */
export type Post = (path: string, json: unknown) => Promise<{ status: number; body: Uint8Array }>;

export function createAzureGuard(post: Post): Guard {
  return {
    mostCharacters: MOST_CHARACTERS,
    analyze: async (question) => {
      const answer = await asked(post, "/contentsafety/text:analyze", analyzeBody(question));
      return readAnalysis(answer, question);
    },
    shield: async (question) => {
      const answer = await asked(post, "/contentsafety/text:shieldPrompt", {
        userPrompt: question.userPrompt,
        documents: question.documents,
      });
      return readShield(answer, question);
    },
  };
}

function analyzeBody({ text, categories, blocklists, outputType }: AnalyzeQuestion): JsonObject {
  const body: JsonObject = { text, outputType };
  if (categories.length > 0) body["categories"] = categories;
  if (blocklists.length > 0) {
    body["blocklistNames"] = blocklists;
    // One match decides; what the text would score besides is of no use.
    body["haltOnBlocklistHit"] = true;
  }
  return body;
}

async function asked(post: Post, path: string, json: unknown): Promise<JsonObject> {
  let status: number;
  let body: Uint8Array;
  try {
    ({ status, body } = await post(path, json));
  } catch (cause) {
    throw new GuardUnavailable(cause instanceof Error ? cause.message : String(cause), { cause });
  }
  if (status !== 200) throw new GuardUnavailable(`the service answered ${status}`);
  let answer: unknown;
  try {
    answer = JSON.parse(new TextDecoder().decode(body));
  } catch {
    throw new GuardUnavailable("the service's answer is no JSON");
  }
  if (!isJsonObject(answer)) throw new GuardUnavailable("the service's answer is no JSON object");
  return answer;
}

function readAnalysis(answer: JsonObject, { categories, blocklists }: AnalyzeQuestion): Analysis {
  const matches = readMatches(answer["blocklistsMatch"]);
  if (matches === null && blocklists.length > 0) throw partial("blocklistsMatch");
  const severities = readSeverities(answer["categoriesAnalysis"]);
  // After a match the service may leave the rest undone, as it was asked to.
  if (matches === null || matches.length === 0) {
    for (const wanted of categories) {
      const name = wanted.toLowerCase();
      if (!severities.some(({ category }) => category.toLowerCase() === name)) throw partial(wanted);
    }
  }
  return { severities, blocklistMatches: matches ?? [] };
}

function readMatches(value: unknown): { blocklist: string; item: string }[] | null {
  if (!Array.isArray(value)) return null;
  return value.map((match: unknown) => {
    const { blocklistName, blocklistItemId } = isJsonObject(match) ? match : {};
    return {
      blocklist: typeof blocklistName === "string" ? blocklistName : "",
      item: typeof blocklistItemId === "string" ? blocklistItemId : "",
    };
  });
}

function readSeverities(value: unknown): { category: string; severity: number }[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((one: unknown) => {
    const { category, severity } = isJsonObject(one) ? one : {};
    return typeof category === "string" && typeof severity === "number" && Number.isFinite(severity)
      ? [{ category, severity }]
      : [];
  });
}

function readShield(answer: JsonObject, { documents }: ShieldQuestion): ShieldVerdict {
  const user = attackIn(answer["userPromptAnalysis"]);
  if (user === null) throw partial("userPromptAnalysis");
  const listed = answer["documentsAnalysis"];
  const found = Array.isArray(listed) ? listed.map(attackIn) : [];
  const documentAttacks = documents.map((_, i) => {
    const attack = found[i] ?? null;
    if (attack === null) throw partial("documentsAnalysis");
    return attack;
  });
  return { userPromptAttack: user, documentAttacks };
}

function attackIn(value: unknown): boolean | null {
  const detected = isJsonObject(value) ? value["attackDetected"] : null;
  return typeof detected === "boolean" ? detected : null;
}

function partial(missing: string): GuardUnavailable {
  return new GuardUnavailable(`the service's answer does not say ${missing}`);
}
