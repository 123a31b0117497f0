/** What callers are told by token limits (`ai-policies.md` §0.5, §1.6). */
import { GatewayError } from "../errors.ts";

/** @param seconds until it may fit; null = never, then no header says when */
export function tokenLimitExceeded(
  source: string,
  retryHeader: string,
  seconds: number | null,
): GatewayError {
  return refusal(
    source,
    "rate",
    `Token limit is exceeded.${again(seconds, plainSeconds)}`,
    retryHeader,
    seconds,
  );
}

/** @param estimated there is room, but less than the prompt needs */
export function tokenQuotaExceeded(
  source: string,
  retryHeader: string,
  seconds: number | null,
  estimated: boolean,
): GatewayError {
  const what = estimated ? "Token quota will exceed its limit." : "Token quota is exceeded.";
  return refusal(source, "quota", `${what}${again(seconds, duration)}`, retryHeader, seconds);
}

function refusal(
  source: string,
  what: "rate" | "quota",
  message: string,
  retryHeader: string,
  seconds: number | null,
): GatewayError {
  return new GatewayError({
    source,
    reason: what === "rate" ? "OpenAITokenLimitExceeded" : "OpenAITokenQuotaExceeded",
    message,
    status: what === "rate" ? 429 : 403,
    headers: seconds === null ? [] : [retryHeader, String(seconds)],
    code: what === "rate" ? "token_limit_exceeded" : "token_quota_exceeded",
  });
}

function again(seconds: number | null, say: (seconds: number) => string): string {
  return seconds === null ? "" : ` Try again in ${say(seconds)}.`;
}

function plainSeconds(seconds: number): string {
  return `${seconds} seconds`;
}

/** `21 minutes and 33 seconds`, `1 day, 2 hours and 5 seconds`. */
export function duration(seconds: number): string {
  const parts: string[] = [];
  const add = (amount: number, unit: string): void => {
    if (amount > 0) parts.push(`${amount} ${unit}${amount === 1 ? "" : "s"}`);
  };
  add(Math.floor(seconds / 86_400), "day");
  add(Math.floor(seconds / 3600) % 24, "hour");
  add(Math.floor(seconds / 60) % 60, "minute");
  add(seconds % 60, "second");
  const last = parts.pop() ?? "0 seconds";
  return parts.length === 0 ? last : `${parts.join(", ")} and ${last}`;
}

export function numberInvalid(source: string, attribute: string, given: string): GatewayError {
  return new GatewayError({
    source,
    reason: "TokenLimitInvalid",
    message: `The ${attribute} is "${given.slice(0, 80)}"; it must be a whole number, 0 or more.`,
    status: 500,
    code: "token_limit_invalid",
  });
}

export function periodInvalid(source: string, given: string): GatewayError {
  return new GatewayError({
    source,
    reason: "TokenQuotaPeriodInvalid",
    message: `The token-quota-period is "${given.slice(0, 80)}"; it must be Hourly, Daily, Weekly, Monthly or Yearly.`,
    status: 500,
    code: "token_quota_period_invalid",
  });
}
