/** What a token endpoint says (RFC 6749 §5), read with care: providers are strangers. */
import { type JsonObject, isJsonObject } from "../base/json-object.ts";
import { CredentialError } from "../gateway/identity.ts";

/** What was got with one grant. */
export interface TokenSet {
  readonly accessToken: string;
  readonly refreshToken: string | null;
  /** Ms since the epoch. */
  readonly issuedAt: number;
  /** Ms since the epoch; null: the provider did not say. */
  readonly expiresAt: number | null;
  /** The other members of the answer. */
  readonly claims: JsonObject;
}

/** The provider said no, or nothing that can be used. The message holds no secret. */
export class TokenRefused extends CredentialError {
  /** `invalid_grant` and the like (RFC 6749 §5.2); null when the answer was none. */
  readonly code: string | null;

  constructor(message: string, code: string | null, cause?: unknown) {
    super(message, cause);
    this.name = "TokenRefused";
    this.code = code;
  }
}

const LONGEST_TEXT = 300;

/**
 * @param status of the answer
 * @param who    is asked, for messages
 * @param now    ms since the epoch
 * @throws TokenRefused
 */
export function readTokenSet(status: number, text: string, who: string, now: number): TokenSet {
  const answer = membersOf(text);
  const error = textOf(answer?.["error"]);
  // Some say no with 200.
  if (answer === null || status < 200 || status > 299 || error !== null) {
    const said = [error, textOf(answer?.["error_description"])].filter((part) => part !== null).join(": ");
    throw new TokenRefused(`${who} answered ${status}${said === "" ? "" : ` (${shown(said)})`}`, error);
  }
  const { access_token: accessToken, refresh_token: refreshToken, ...claims } = answer;
  // What goes into a header has no line break and no space in it.
  if (typeof accessToken !== "string" || !/^[\x21-\x7e]+$/.test(accessToken))
    throw new TokenRefused(`${who} answered without an access token`, null);
  return {
    accessToken,
    refreshToken: typeof refreshToken === "string" && refreshToken !== "" ? refreshToken : null,
    issuedAt: now,
    expiresAt: expiryOf(answer, now),
    claims,
  };
}

/** JSON, or the form that some still answer with; null when it is neither. */
function membersOf(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : null;
  } catch {
    const form = new URLSearchParams(text);
    return form.has("access_token") || form.has("error") ? Object.fromEntries(form) : null;
  }
}

/** The token is new, so what counts from now on comes first. */
function expiryOf(answer: JsonObject, now: number): number | null {
  const lifetime = seconds(answer["expires_in"]);
  if (lifetime !== null) return now + lifetime * 1000;
  const on = seconds(answer["expires_on"]);
  return on === null ? null : on * 1000;
}

function seconds(value: unknown): number | null {
  const number = typeof value === "string" && /^\d{1,15}$/.test(value.trim()) ? Number(value) : value;
  return typeof number === "number" && number >= 0 && Number.isFinite(number) ? number : null;
}

function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

/** One line of printable text. */
export function shown(text: string): string {
  const line = text.replace(/[^\x20-\x7e]+/g, " ").trim();
  return line.length > LONGEST_TEXT ? `${line.slice(0, LONGEST_TEXT)}…` : line;
}
