/** Answers of token endpoints: RFC 6749 §5.1, and what Azure's managed identities make of it. */
import type { JsonObject } from "../../base/json-object.ts";
import { CredentialError } from "../../gateway/identity.ts";
import type { Fetched } from "./token-cache.ts";

/**
 * @param nowMs ms since the epoch
 * @throws CredentialError when there is no token in it, or no word on how long it lasts
 */
export function readTokenAnswer(answer: JsonObject, who: string, nowMs: number): Fetched<string> {
  const token = answer["access_token"];
  // What goes into a header has no line break and no space in it.
  if (typeof token !== "string" || !/^[\x21-\x7e]+$/.test(token))
    throw new CredentialError(`${who} answered without an access token`);
  const lifetimeMs = lifetimeOf(answer, nowMs);
  if (Number.isNaN(lifetimeMs)) throw new CredentialError(`${who} does not say how long its token lasts`);
  return { value: token, lifetimeMs };
}

/**
 * `expires_on` comes first: managed identities keep tokens, and `expires_in` may count from when they were made. Both are
 * numbers, or text with numbers in it.
 */
function lifetimeOf(answer: JsonObject, nowMs: number): number {
  const expiresOn = seconds(answer["expires_on"]);
  return Number.isNaN(expiresOn) ? seconds(answer["expires_in"]) * 1000 : expiresOn * 1000 - nowMs;
}

function seconds(value: unknown): number {
  return typeof value === "number"
    ? value
    : typeof value === "string" && /^\d{1,15}$/.test(value.trim())
      ? Number(value)
      : NaN;
}
