/**
 * `pool.failover`, our shorthand for the usual `retry` around `forward-request` (`ai-backends-auth.md` §10.4): another
 * member is asked as long as there is one that this exchange has not tried. The last answer stands; nothing is discarded
 * for a member that does not exist.
 */
import { ClientGone, GatewayError } from "../../gateway/errors.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import type { ResponseMessage } from "../../gateway/message.ts";
import type { FailoverRule } from "../../gateway/snapshot.ts";
import type { Backends } from "../backends.ts";
import { CREDENTIAL_UNAVAILABLE } from "../identity/failure.ts";

/** The request cannot have been worked on. */
const NO_CONNECTION: ReadonlySet<string> = new Set([
  "connect_failed",
  "connect_timeout",
  "dns_failed",
  "tls_failed",
  "tls_timeout",
  CREDENTIAL_UNAVAILABLE,
]);

/** @param send one attempt, which picks a member by itself */
export async function sendWithFailover(
  exchange: Exchange,
  rule: FailoverRule,
  backends: Backends,
  send: () => Promise<ResponseMessage>,
): Promise<ResponseMessage> {
  const pool = exchange.request.target!.entity!;
  for (let left = rule.maxAttempts; ; left--) {
    const sent = exchange.attempts.length;
    let response: ResponseMessage | null = null;
    let failure: unknown;
    try {
      response = await send();
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      failure = error;
    }
    if (exchange.abort.aborted) throw new ClientGone();
    const inTime = exchange.deadlineMs === null || exchange.elapsedMs() < exchange.deadlineMs;
    const wanted = inTime && left > 1 && exchange.attempts.length > sent && asksForAnother(exchange, rule);
    if (!wanted || !backends.hasOther(pool, exchange.attempts) || !backends.mayRetry()) {
      if (response === null) throw failure;
      return response;
    }
    response?.body?.discard();
  }
}

function asksForAnother({ attempts }: Exchange, { on }: FailoverRule): boolean {
  const { status, error } = attempts.at(-1)!;
  if (error === null) return status !== null && on.includes(status);
  if (NO_CONNECTION.has(error)) return on.includes("connect");
  return error.endsWith("_timeout")
    ? on.includes("timeout")
    : error.startsWith("upstream_") && on.includes("reset");
}
