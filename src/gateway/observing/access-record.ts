/**
 * The line that every exchange leaves in the access log: who asked for what, what came of it and how long it took.
 * No bodies, no header values, no query (it may carry a key), no secrets.
 */
import type { Settlement } from "../../llm/settlement.ts";
import type { Exchange } from "../exchange.ts";
import type { ModelCall } from "../models/model-call.ts";

/** One exchange as JSON text. Field names as in `deployment.md` D6, and more in their manner. */
export function accessLine(exchange: Exchange): string {
  const { error, response, attempts } = exchange;
  const { refusal } = exchange.incoming;
  const gone = exchange.leftEarly && exchange.abort.reason === "client";
  const attempt = attempts.at(-1);
  const call = exchange.modelCall ?? null;
  return JSON.stringify({
    ts: new Date(exchange.timestampMs).toISOString(),
    level: error !== null && error.code === "internal_error" ? "error" : "info",
    msg: "request",
    request_id: exchange.requestId,
    trace_id: exchange.traceContext?.traceId,
    client_ip: exchange.request.ipAddress,
    method: exchange.incoming.method,
    route: exchange.operation?.urlTemplate,
    path: exchange.request.originalUrl.path,
    http_version: exchange.incoming.httpVersion,
    status: gone ? 499 : (refusal?.status ?? response?.statusCode ?? 200),
    duration_ms: round(exchange.elapsedMs()),
    overhead_ms: attempts.length === 0 ? undefined : round(attempts[0]!.startedMs),
    ttfb_ms: attempt?.headersMs == null ? undefined : round(call?.firstByteMs ?? attempt.headersMs),
    bytes_in: exchange.incoming.body?.length,
    bytes_out: exchange.bytesSent,
    api: exchange.api?.id,
    operation: exchange.api === null ? undefined : (exchange.operation?.id ?? "-"),
    product: exchange.product?.id,
    subscription_id: exchange.subscription?.id,
    backend: attempt === undefined ? undefined : (attempt.backendId ?? attempt.url),
    backend_status: attempt?.status ?? undefined,
    attempt: attempts.length > 1 ? attempts.length : undefined,
    code: gone ? "client_disconnected" : (refusal?.code ?? error?.code ?? exchange.brokenOff?.code),
    phase: gone ? phaseOf(exchange) : undefined,
    reason: error?.reason,
    error: error?.message,
    policy: error?.site == null ? undefined : `${error.site.scope}/${error.site.section}/${error.site.path}`,
    file: error?.site?.file == null ? undefined : `${error.site.file}:${error.site.line}`,
    second_error: exchange.secondError?.message,
    ...(call === null || call.settlement === null ? undefined : modelFields(call, call.settlement)),
    cache: cacheResult(exchange) ?? undefined,
    safety: exchange.safety ?? undefined,
    config_version: exchange.snapshot.version,
  });
}

/** Of a session: its last response. */
function modelFields(call: ModelCall, { usage, evidence }: Settlement): object {
  const { request } = call;
  return {
    model_requested: request.model ?? request.deployment ?? undefined,
    model_served: call.found?.model ?? undefined,
    tokens_in: usage.prompt,
    tokens_out: usage.completion,
    tokens_cached: usage.cached,
    usage_source: evidence,
  };
}

/** How far a request had come when its caller hung up. */
export function phaseOf({ attempts, bytesSent }: Exchange): string {
  return attempts.length === 0 ? "before-backend" : bytesSent === 0 ? "waiting" : "streaming";
}

/** What became of a look-up in a cache: `hit`, `miss`, `bypass`; null when there was none. */
export function cacheResult({ servedFromCache, cacheLookup }: Exchange): string | null {
  return servedFromCache ? "hit" : cacheLookup;
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
