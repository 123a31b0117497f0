/** What a trace tells of `forward-request`: where the request went and why there, what was sent, what came back. */
import type { Attempt, Exchange } from "../../gateway/exchange.ts";
import type { Target } from "../../gateway/snapshot.ts";
import type { ClientRequest } from "../../transport/transport.ts";

/**
 * Called before the request goes out, and only when somebody traces it.
 *
 * @param named  what API or policies named
 * @param chosen where it goes: a pool's member, or the entity that was found by its URL
 */
export function traceAttempt(
  exchange: Exchange,
  named: Target,
  chosen: Target,
  attempt: Attempt,
  sent: ClientRequest,
): void {
  exchange.traced?.detail("forward-request", {
    backend: {
      id: attempt.backendId,
      url: attempt.url,
      why: whyThere(exchange, named, chosen),
      attempt: exchange.attempts.length,
    },
    request: {
      method: sent.method,
      url: `${chosen.scheme}://${chosen.authority}${sent.target}`,
      rawHeaders: sent.rawHeaders,
    },
  });
}

/** Called when the head of the answer is there, or the attempt has failed. */
export function traceAnswer(
  exchange: Exchange,
  attempt: Attempt,
  rawHeaders: readonly string[] | null,
): void {
  const microseconds = Math.max(0, Math.round((exchange.elapsedMs() - attempt.startedMs) * 1000));
  exchange.traced?.detail(
    "forward-request",
    rawHeaders === null
      ? { failure: attempt.error, microsecondsToFailure: microseconds }
      : { response: { status: attempt.status, rawHeaders }, microsecondsToHead: microseconds },
  );
}

function whyThere(exchange: Exchange, named: Target, chosen: Target): string {
  const { api, backendChosenBy } = exchange;
  const source =
    backendChosenBy !== null
      ? `set-backend-service at ${backendChosenBy.scope} scope named ${named.entity === null ? "Dapr" : `the backend ${named.entity.id}`}`
      : named === api?.target
        ? named.entity === null
          ? "the API's service URL"
          : `the API's backend ${named.entity.id}`
        : "set-backend-service gave a base URL";
  if (named.entity?.type === "Pool") {
    const pool = named.entity;
    const member = pool.pool.find(({ backend }) => backend === chosen.entity);
    const place = member === undefined ? "" : ` (priority ${member.priority}, weight ${member.weight})`;
    return `${source}; its pool of ${pool.pool.length} picked ${chosen.entity?.id ?? "a member"}${place}`;
  }
  if (named.entity === null && chosen.entity !== null)
    return `${source}; its URL belongs to the backend ${chosen.entity.id}`;
  return source;
}
