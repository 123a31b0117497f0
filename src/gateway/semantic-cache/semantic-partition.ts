/**
 * What an answer depends on besides the words that are compared (`ai-policies.md` §2.4): nothing is found across it. Of
 * the request's JSON that is everything but these words and what only concerns bookkeeping, known members or not:
 * tools and forms of the answer as well as calls and results of tools, names of speakers, documents, the order of turns.
 */
import { hash } from "node:crypto";
import type { Prompt } from "../../llm/prompt.ts";
import type { Exchange } from "../exchange.ts";
import type { ModelCall } from "../models/model-call.ts";

/** Members that change who is billed, how fast or how surely an answer comes, not what it answers. */
const NEUTRAL: ReadonlySet<string> = new Set([
  "model",
  "stream",
  "user",
  "metadata",
  "requestMetadata",
  "safety_identifier",
  "prompt_cache_key",
  "prompt_cache_retention",
  "service_tier",
  "performanceConfig",
  "store",
  "temperature",
  "top_p",
]);

/** Members that are a system message as a whole. */
const SYSTEM: ReadonlySet<string> = new Set([
  "system",
  "instructions",
  "systemInstruction",
  "system_instruction",
]);

/** Headers by which providers change what an answer looks like. */
const HEADERS = ["anthropic-version", "anthropic-beta", "openai-beta"] as const;

/** Parameters that are keys; an API may name one of its own. */
const KEYS: ReadonlySet<string> = new Set(["key", "api-key", "subscription-key", "access_token"]);

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * @param prompt as far as its words are compared
 * @param withoutSystem system messages are not looked at
 * @param more what the policy adds
 * @returns null for a body that is nested too deep to be looked through
 */
export function partitionOf(
  exchange: Exchange,
  call: ModelCall,
  prompt: Prompt,
  withoutSystem: boolean,
  more: readonly unknown[],
): string | null {
  const { api, operation, request, workspace } = exchange;
  const { model, deployment, stream } = call.request;
  const parts = [
    workspace?.id ?? "",
    api?.id ?? "",
    api?.revision ?? "",
    api?.version ?? "",
    operation?.id ?? "",
    call.dialect.name,
    call.line.path,
    queryWithoutKeys(call.line.query, api?.subscriptionKeyParameterNames.query ?? ""),
    HEADERS.map((name) => request.headers.get(name)),
    [deployment, model],
    stream,
    withoutSystem,
    more,
  ];
  try {
    return hash(
      "sha256",
      `${JSON.stringify(parts)}${withoutWords(call.body ?? {}, prompt, withoutSystem)}`,
      "base64url",
    );
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** The body as JSON, with the words of `prompt` left empty. */
function withoutWords(body: JsonObject, prompt: Prompt, withoutSystem: boolean): string {
  const words = new Set<unknown>();
  for (const { parts } of prompt.messages)
    for (const part of parts) if (part.kind === "text") words.add(part.text);
  const rest: Record<string, unknown> = {};
  for (const name of Object.keys(body).sort()) {
    if (NEUTRAL.has(name) || (withoutSystem && SYSTEM.has(name))) continue;
    const value = body[name];
    rest[name] = withoutSystem && Array.isArray(value) ? value.filter((turn) => !isSystem(turn)) : value;
  }
  return JSON.stringify(rest, (_name, value: unknown) =>
    typeof value === "string" && words.has(value) ? "" : value,
  );
}

function isSystem(turn: unknown): boolean {
  const role = turn !== null && typeof turn === "object" ? (turn as JsonObject)["role"] : null;
  return role === "system" || role === "developer";
}

function queryWithoutKeys(query: string, keyName: string): string {
  if (query === "") return "";
  const isKept = (pair: string): boolean => {
    const name = pair.split("=", 1)[0]!.toLowerCase();
    return !KEYS.has(name) && name !== keyName.toLowerCase();
  };
  return query.split("&").filter(isKept).join("&");
}
