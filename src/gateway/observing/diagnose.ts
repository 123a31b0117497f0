/**
 * What diagnostics record of an exchange (`resources.md` §1.13, §7.3): begun when its API is known, written when it is
 * over. An exchange without diagnostics costs a null check.
 */
import {
  type ApiDiagnostics,
  type Diagnostic,
  type LogRow,
  type MessageRule,
  type RequestDetail,
  MASK,
} from "../../telemetry/diagnostic.ts";
import type { Body } from "../body.ts";
import type { Exchange } from "../exchange.ts";
import { contentsOf, isLogged, llmRows } from "../models/llm-rows.ts";
import type { ModelCall } from "../models/model-call.ts";
import { type TraceContext, hexId, traceForDiagnostics } from "./spans.ts";

/** Called once the API is known. */
export function diagnose(exchange: Exchange, diagnostics: ApiDiagnostics): void {
  // One decision for all rows of the request, also those of other diagnostics.
  const lot = exchange.services.random() * 100;
  exchange.samplingLot = lot;
  // Before anything is sent to a backend, which gets to know its place in the trace.
  if (exchange.traceContext === null && diagnostics.correlates && correlates(exchange, diagnostics))
    exchange.traceContext = traceForDiagnostics(exchange);
  // One for all that is recorded of it.
  let ownTrace: TraceContext | null = null;
  const traceOf = (): TraceContext => exchange.traceContext ?? (ownTrace ??= traceForDiagnostics(exchange));
  if (diagnostics.each.some(wantsRows)) recordRow(exchange, diagnostics, traceOf);
  if (!diagnostics.llm) return;
  exchange.onReply(() => {
    // A session is settled response by response.
    const call = exchange.modelCall;
    if (call?.isSession === true) call.onSettled(() => recordMessages(call, diagnostics, traceOf));
  });
  exchange.onEnd(() => {
    // A client that hung up is settled at its end, too; long answers are counted for a while.
    if (exchange.modelCall?.isSession !== true)
      exchange.modelCall?.onSettled((_settlement, call) => recordMessages(call, diagnostics, traceOf));
  });
}

/** There is a sink for what it records of requests. */
function wantsRows({ logger }: Diagnostic): boolean {
  return logger !== null && logger.kind !== "other";
}

function recordRow(exchange: Exchange, diagnostics: ApiDiagnostics, traceOf: () => TraceContext): void {
  const request = diagnostics.each.map(({ frontendRequest }) =>
    frontendRequest === null ? null : captureBody(exchange.request.body, frontendRequest.bodyBytes),
  );
  const sent = [...exchange.request.headers.raw];
  let response: (Captured | null)[] = [];
  exchange.onReply(() => {
    response = diagnostics.each.map(({ frontendResponse }) =>
      frontendResponse === null
        ? null
        : captureBody(exchange.response?.body ?? null, frontendResponse.bodyBytes),
    );
  });
  exchange.onEnd(() => {
    const { sinks } = exchange.services;
    diagnostics.each.forEach((diagnostic, i) => {
      if (!wantsRows(diagnostic)) return;
      const isSampled = isRecorded(exchange, diagnostic);
      if (!isSampled && !isToldAnyway(exchange, diagnostic)) return;
      const row = gatewayRow(exchange, diagnostic, sent, request[i], response[i], traceOf);
      sinks.sendRow(diagnostic.logger!, isSampled ? row : { ...row, isUnsampled: true });
    });
  });
}

/** What `trace` policies say is not subject to sampling where it stands for itself. */
function isToldAnyway(exchange: Exchange, diagnostic: Diagnostic): boolean {
  return diagnostic.logger?.kind === "application-insights" && tracesOf(exchange, diagnostic) !== undefined;
}

/** Something that keeps traces is going to record this request. */
function correlates({ samplingLot }: Exchange, { each }: ApiDiagnostics): boolean {
  return each.some(
    ({ logger, correlation, percentage }) =>
      logger?.kind === "application-insights" && correlation === "W3C" && samplingLot < percentage,
  );
}

export type ConnectionEvent = "ConnectionOpened" | "ConnectionClosed" | "ConnectionError";
export type ConnectionEnd = "client" | "gateway" | "backend";

/** A row of `ApiManagementWebSocketConnectionLogs` for whoever records the exchange. */
export function recordConnection(
  exchange: Exchange,
  event: ConnectionEvent,
  source: ConnectionEnd,
  destination: ConnectionEnd,
  error: string | null,
): void {
  const diagnostics = exchange.api?.diagnostics;
  if (diagnostics == null) return;
  const { clock, deployment, sinks } = exchange.services;
  for (const diagnostic of diagnostics.each) {
    const { logger } = diagnostic;
    if (logger === null || logger.kind === "other" || !isRecorded(exchange, diagnostic)) continue;
    sinks.sendRow(logger, {
      category: "WebSocketConnectionLogs",
      timeMs: clock.now(),
      correlationId: exchange.requestId,
      columns: {
        CorrelationId: exchange.requestId,
        OperationName: "Microsoft.ApiManagement/WebSocketConnectionLogs",
        EventName: event,
        Source: source,
        Destination: destination,
        Error: error ?? undefined,
        Region: deployment.region,
        ApiId: exchange.api?.id,
      },
    });
  }
}

/** What was said to the model and by it: to the sinks, and to the gateway's own store. */
function recordMessages(call: ModelCall, diagnostics: ApiDiagnostics, traceOf: () => TraceContext): void {
  const { exchange } = call;
  if (!isLogged(call)) return;
  const recording = diagnostics.each.filter(
    (diagnostic) => diagnostic.llm !== null && isRecorded(exchange, diagnostic),
  );
  if (recording.length === 0) return;
  for (const diagnostic of recording) {
    const { logger, llm } = diagnostic;
    if (logger === null || logger.kind === "other") continue;
    const detail = detailFor(exchange, diagnostic, traceOf);
    for (const row of llmRows(call, llm!))
      exchange.services.sinks.sendRow(logger, detail === undefined ? row : { ...row, detail });
  }
  const contents = contentsOf(call, diagnostics);
  if (contents.request !== null || contents.response !== null)
    exchange.services.models.contents(call, contents);
}

const TRACED_FROM = { error: ["error"], information: ["error", "information"], verbose: null } as const;

function tracesOf({ traceRecords }: Exchange, { verbosity }: Diagnostic): unknown {
  const severities = TRACED_FROM[verbosity] as readonly string[] | null;
  const shown = traceRecords?.filter(({ severity }) => severities?.includes(severity) ?? true) ?? [];
  return shown.length === 0 ? undefined : shown;
}

/** Sampling, which errors may pass by. */
export function isRecorded(exchange: Exchange, { percentage, allErrors }: Diagnostic): boolean {
  if (exchange.samplingLot < percentage) return true;
  return allErrors && isError(exchange);
}

function isError({ error, response, brokenOff }: Exchange): boolean {
  return error !== null || brokenOff !== null || (response?.statusCode ?? 200) >= 400;
}

interface Captured {
  readonly chunks: Uint8Array[];
  size: number;
}

/** Keeps the first octets of a body as they pass; nothing is held up for it. */
function captureBody(body: Body | null, bytes: number): Captured | null {
  if (body === null || bytes === 0) return null;
  const captured: Captured = { chunks: [], size: 0 };
  const take = (chunk: Uint8Array): void => {
    const part = chunk.subarray(0, bytes - captured.size);
    captured.chunks.push(new Uint8Array(part));
    captured.size += part.length;
  };
  if (body.wire !== null) {
    take(body.wire);
    return captured;
  }
  body.tap((next) => ({
    borrows: next.borrows,
    write: (chunk) => {
      if (captured.size < bytes) take(chunk);
      return next.write(chunk);
    },
    end: (trailers) => next.end(trailers),
    fail: (error) => next.fail(error),
  }));
  return captured;
}

const decoder = new TextDecoder();

function textOf(captured: Captured | null | undefined): string | undefined {
  return captured == null || captured.size === 0 ? undefined : decoder.decode(Buffer.concat(captured.chunks));
}

/** A row of `ApiManagementGatewayLogs`. */
function gatewayRow(
  exchange: Exchange,
  diagnostic: Diagnostic,
  requestHeaders: readonly string[],
  requestBody: Captured | null | undefined,
  responseBody: Captured | null | undefined,
  traceOf: () => TraceContext,
): LogRow {
  const { api, lastError, response, error } = exchange;
  const attempt = exchange.attempts.at(-1);
  const status = exchange.leftEarly ? 499 : (response?.statusCode ?? 200);
  const total = Math.round(exchange.elapsedMs());
  const backendMs =
    attempt === undefined ? undefined : Math.round((attempt.headersMs ?? total) - attempt.startedMs);
  return {
    category: "GatewayLogs",
    timeMs: exchange.timestampMs,
    correlationId: exchange.requestId,
    columns: {
      CorrelationId: exchange.requestId,
      OperationName: "Microsoft.ApiManagement/GatewayLogs",
      Region: exchange.services.deployment.region,
      ApiId: api?.id,
      ApiRevision: api?.revision,
      OperationId:
        diagnostic.operationNames === "Url"
          ? exchange.operation?.urlTemplate
          : (exchange.operation?.id ?? ""),
      ProductId: exchange.product?.id,
      UserId: exchange.user?.id,
      ApimSubscriptionId: exchange.subscription?.id,
      WorkspaceId: exchange.workspace?.id,
      BackendId: attempt?.backendId ?? undefined,
      Method: exchange.incoming.method,
      Url: maskedUrl(exchange, diagnostic.frontendRequest),
      ClientProtocol: `HTTP/${exchange.incoming.httpVersion}`,
      CallerIpAddress: diagnostic.logClientIp ? exchange.request.ipAddress : undefined,
      RequestSize: exchange.request.body?.length ?? 0,
      ResponseSize: exchange.bytesSent,
      ResponseCode: status,
      IsRequestSuccess: status >= 200 && status < 400,
      TotalTime: total,
      BackendTime: backendMs,
      BackendMethod: attempt === undefined ? undefined : exchange.request.method,
      BackendUrl: attempt?.url,
      BackendResponseCode: attempt?.status ?? undefined,
      Cache: exchange.servedFromCache ? "hit" : exchange.cacheLookup === "miss" ? "miss" : "none",
      RequestHeaders: headersOf(requestHeaders, diagnostic.frontendRequest),
      RequestBody: textOf(requestBody),
      ResponseHeaders:
        response === null ? undefined : headersOf(response.headers.raw, diagnostic.frontendResponse),
      ResponseBody: textOf(responseBody),
      BackendRequestHeaders: headersOf(exchange.request.headers.raw, diagnostic.backendRequest),
      LastErrorSource: lastError?.source,
      LastErrorReason: lastError?.reason,
      LastErrorMessage: lastError?.message,
      LastErrorScope: lastError?.scope,
      LastErrorSection: lastError?.section,
      Errors:
        error === null ? undefined : [{ source: error.source, reason: error.reason, message: error.message }],
      TraceRecords: tracesOf(exchange, diagnostic),
    },
    detail: detailFor(exchange, diagnostic, traceOf),
  };
}

/** For sinks that keep traces and tell a request from its attempts; undefined for others. */
function detailFor(
  exchange: Exchange,
  { logger, operationNames, percentage, allErrors }: Diagnostic,
  traceOf: () => TraceContext,
): RequestDetail | undefined {
  if (logger?.kind !== "application-insights") return undefined;
  const { api, operation, incoming, attempts } = exchange;
  const trace = traceOf();
  const name =
    operationNames === "Url"
      ? `${incoming.method} ${operation === null ? exchange.request.originalUrl.path : `/${api?.path ?? ""}${operation.urlTemplate}`}`
      : `${api?.rootId ?? ""};rev=${api?.revision ?? ""} - ${operation?.id ?? ""}`;
  const over = exchange.elapsedMs();
  return {
    traceId: trace.traceId,
    spanId: trace.spanId,
    parentSpanId: trace.parentSpanId,
    name,
    // What was recorded although the lot was against it stands for itself alone.
    percentage: allErrors && exchange.samplingLot >= percentage ? 100 : percentage,
    attempts: attempts.map(({ spanId, url, backendId, startedMs, headersMs, status, error }, i) => ({
      spanId: spanId ?? hexId(8),
      method: exchange.request.method,
      url,
      backendId,
      startedMs,
      durationMs: Math.max(0, (i === attempts.length - 1 ? over : (headersMs ?? over)) - startedMs),
      status,
      error,
    })),
  };
}

/** The listed headers, masked as asked; `Authorization` and keys never show their values. */
function headersOf(raw: readonly string[], rule: MessageRule | null): Record<string, string> | undefined {
  if (rule === null || rule.headers.length === 0) return undefined;
  const found: Record<string, string> = {};
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    if (!rule.headers.includes(name)) continue;
    const mode = rule.maskedHeaders.get(name);
    if (mode === "Hide") continue;
    found[raw[i]!] = mode === "Mask" || SECRET_HEADERS.has(name) ? MASK : raw[i + 1]!;
  }
  return found;
}

const SECRET_HEADERS = new Set([
  "authorization",
  "proxy-authorization",
  "cookie",
  "set-cookie",
  "api-key",
  "x-api-key",
  "x-goog-api-key",
  "ocp-apim-subscription-key",
]);

/** Keys in the query never show: the API's own, and the usual names. */
function maskedUrl(exchange: Exchange, rule: MessageRule | null): string {
  const { scheme, host, port, path } = exchange.request.originalUrl;
  const { target } = exchange.incoming;
  const query = target.includes("?") ? target.slice(target.indexOf("?") + 1) : "";
  const keyName = exchange.api?.subscriptionKeyParameterNames.query.toLowerCase();
  const shown = query
    .split("&")
    .flatMap((pair) => {
      const name = pair.split("=", 1)[0]!.toLowerCase();
      const mode = rule?.maskedQuery.get(name);
      if (mode === "Hide") return [];
      const secret = mode === "Mask" || name === keyName || SECRET_QUERY.has(name);
      return [secret ? `${pair.split("=", 1)[0]}=${MASK}` : pair];
    })
    .join("&");
  const standard = (scheme === "https" ? 443 : 80) === port;
  return `${scheme}://${host}${standard ? "" : `:${port}`}${path}${shown === "" ? "" : `?${shown}`}`;
}

const SECRET_QUERY = new Set(["subscription-key", "api-key", "key", "access_token", "code", "sig"]);
