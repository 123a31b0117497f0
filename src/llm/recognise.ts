/** Which dialect a request speaks: by its line, else by its body (`ai-policies.md` §0.3). */
import type { Dialect, DialectName, RequestLine } from "./dialect.ts";
import { DIALECTS } from "./providers/index.ts";

/** @returns null when the line does not say, or when no model is asked */
export function recogniseLine(line: RequestLine): Dialect | null {
  for (const dialect of DIALECTS) if (dialect.matchesLine(line)) return dialect;
  return null;
}

/**
 * @param body parsed JSON; null when it is none
 * @returns null when no model is asked, or in no dialect known here
 */
export function recognise(line: RequestLine, body: Readonly<Record<string, unknown>> | null): Dialect | null {
  const byLine = recogniseLine(line);
  if (byLine !== null || body === null || line.method !== "POST" || ASKS_NO_MODEL.test(line.path))
    return byLine;
  for (const dialect of DIALECTS) if (dialect.matchesBody?.(body, line) === true) return dialect;
  return null;
}

/** Paths of the same providers whose bodies look like a call of a model and are none. */
const ASKS_NO_MODEL =
  /\/(?:moderations|rerank|count[_-]tokens|input_tokens|tokenize|detokenize|assistants|threads|fine_tuning|batches|evals|conversations|vector_stores|client_secrets|sessions|videos)(?:\/|:|%3a|$)|\/(?:responses|chat\/completions)\/./i;

/** @returns null when there is no such dialect */
export function dialectNamed(name: DialectName): Dialect | null {
  return DIALECTS.find((dialect) => dialect.name === name) ?? null;
}
