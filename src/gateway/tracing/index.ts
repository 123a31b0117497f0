/**
 * Who may have a request traced, and where traces are kept: in memory, a bounded number, the oldest go first. The parts
 * are `token.ts` (rights), `request-trace.ts` (what is recorded) and `mask.ts` (what is not shown).
 */
import { ResponseMessage } from "../message.ts";
import type { Exchange } from "../exchange.ts";
import { Mask } from "./mask.ts";
import { type TraceDocument, RequestTrace } from "./request-trace.ts";
import { checkToken, issueToken } from "./token.ts";

export type { TraceDocument, TraceEntry } from "./request-trace.ts";
export { LONGEST_TOKEN_MS } from "./token.ts";

const MOST_TRACES = 100;
/** UTF-16 units of all that are kept. */
const LARGEST_STORE = 16 * 1024 * 1024;
const HEADER = "apim-debug-authorization";

export interface Tracing {
  /**
   * A token for the header `Apim-Debug-Authorization`.
   *
   * @param api name of the API it is for; null for any (who runs the gateway)
   * @param lifetimeMs at most an hour
   */
  issue(api: string | null, lifetimeMs: number): string;
  /** `GatewayHooks.startTrace`. */
  start(exchange: Exchange): void;
  /** The trace with this id as it stands; null when there is none (any more). */
  read(traceId: string): TraceDocument | null;
}

export interface TracingOptions {
  /** Signs the tokens; nodes that shall take each other's tokens share it. */
  readonly key: Uint8Array;
  readonly now: () => number;
  readonly newId: () => string;
}

export function createTracing({ key, now, newId }: TracingOptions): Tracing {
  const traces = new Map<string, RequestTrace>();

  function keep(trace: RequestTrace): void {
    traces.set(trace.id, trace);
    let size = 0;
    for (const { size: one } of traces.values()) size += one;
    for (const [id, oldest] of traces) {
      if (traces.size <= MOST_TRACES && size <= LARGEST_STORE) break;
      traces.delete(id);
      size -= oldest.size;
    }
  }

  function start(exchange: Exchange): void {
    const token = exchange.request.headers.get(HEADER);
    if (token === null) return;
    const verdict = checkToken(key, token.trim(), exchange.api?.rootId ?? null, now());
    switch (verdict.kind) {
      case "invalid":
        return;
      case "expired":
        return answer(
          exchange,
          "Apim-Debug-Authorization-Expired",
          `The token expired at ${new Date(verdict.expires).toISOString()}.`,
        );
      case "wrong-api":
        return answer(exchange, "Apim-Debug-Authorization-WrongAPI", "The token is for another API.");
      case "valid": {
        const trace = new RequestTrace(newId(), exchange, maskFor(exchange));
        exchange.traced = trace;
        keep(trace);
        answer(exchange, "Apim-Trace-Id", trace.id);
        exchange.onEnd(() => trace.finish());
      }
    }
  }

  return {
    issue: (api, lifetimeMs) => issueToken(key, api, now(), lifetimeMs),
    start,
    read: (id) => traces.get(id)?.read() ?? null,
  };
}

/** Adds a header to whatever is answered. */
function answer(exchange: Exchange, name: string, value: string): void {
  exchange.onReply(() => (exchange.response ??= new ResponseMessage(200)).headers.set(name, value));
}

function maskFor(exchange: Exchange): Mask {
  const mask = new Mask();
  const { header, query } = exchange.api?.subscriptionKeyParameterNames ?? DEFAULT_KEY_NAMES;
  mask.addKeyNames(header, query);
  for (const secret of exchange.snapshot.secrets) mask.addSecret(secret);
  return mask;
}

const DEFAULT_KEY_NAMES = { header: "Ocp-Apim-Subscription-Key", query: "subscription-key" };
