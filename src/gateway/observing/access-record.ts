/**
 * The line that every exchange leaves in the access log: who asked for what, what came of it and how long it took.
 * No bodies, no header values, no query (it may carry a key), no secrets.
 */
import type { Exchange } from "../exchange.ts";

/** One exchange as JSON text. Field names as in `deployment.md` D6. */
export function accessLine(exchange: Exchange): string {
  const { error, response } = exchange;
  const { refusal } = exchange.incoming;
  const gone = refusal === null && exchange.abort.aborted && exchange.abort.reason === "client";
  const attempt = exchange.attempts.at(-1);
  return JSON.stringify({
    time: new Date(exchange.timestampMs).toISOString(),
    level: error !== null && error.code === "internal_error" ? "error" : "info",
    msg: "request",
    requestId: exchange.requestId,
    method: exchange.incoming.method,
    path: exchange.request.originalUrl.path,
    httpVersion: exchange.incoming.httpVersion,
    status: gone ? 499 : (refusal?.status ?? response?.statusCode ?? 200),
    durationMs: round(exchange.elapsedMs()),
    bytesSent: exchange.bytesSent,
    clientIp: exchange.request.ipAddress,
    api: exchange.api?.id,
    operation: exchange.api === null ? undefined : (exchange.operation?.id ?? "-"),
    product: exchange.product?.id,
    subscription: exchange.subscription?.id,
    backend: attempt === undefined ? undefined : (attempt.backendId ?? attempt.url),
    backendStatus: attempt?.status ?? undefined,
    attempts: exchange.attempts.length > 1 ? exchange.attempts.length : undefined,
    code: gone ? "client_disconnected" : (refusal?.code ?? error?.code ?? exchange.brokenOff?.code),
    reason: error?.reason,
    error: error?.message,
    policy: error?.site == null ? undefined : `${error.site.scope}/${error.site.section}/${error.site.path}`,
    file: error?.site?.file == null ? undefined : `${error.site.file}:${error.site.line}`,
    secondError: exchange.secondError?.message,
    configVersion: exchange.snapshot.version,
  });
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
