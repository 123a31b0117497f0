/**
 * Spans of an exchange, by OpenTelemetry's conventions: one for the request (SERVER), one for each attempt at a backend
 * (CLIENT), one for the request to a model. Whoever called may have begun the trace (`traceparent`, W3C Trace Context); what
 * it decided about recording stays. Backends get a `traceparent` of their attempt, so that their spans hang below ours.
 */
import { randomFillSync } from "node:crypto";
import type { Attributes, Span } from "../../telemetry/span.ts";
import type { Attempt, Exchange } from "../exchange.ts";
import { providerOf } from "../models/ledger-record.ts";
import type { ModelCall } from "../models/model-call.ts";

/** What an exchange carries of its trace; null on the exchange when it is not recorded. */
export interface TraceContext {
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  /** Of the request's own span, 16 digits. */
  readonly spanId: string;
  readonly parentSpanId: string | null;
  /** Of the attempt that was composed last. */
  attemptSpanId?: string;
  /** No span of it is exported: diagnostics alone keep it. */
  readonly forDiagnostics?: true;
}

export interface SpanWorld {
  /** Share of traces begun here that are recorded, 0 to 1. */
  readonly sampledShare: number;
  readonly random: () => number;
  readonly add: (span: Span) => void;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;

export class Spans {
  readonly #world: SpanWorld;

  constructor(world: SpanWorld) {
    this.#world = world;
  }

  begin(exchange: Exchange): void {
    const given = readTraceparent(exchange.request.headers.get("traceparent"));
    if (given === null ? this.#world.random() >= this.#world.sampledShare : !given.sampled) return;
    exchange.traceContext = {
      traceId: given?.traceId ?? hexId(16),
      spanId: hexId(8),
      parentSpanId: given?.spanId ?? null,
    };
  }

  ended(exchange: Exchange): void {
    const context = exchange.traceContext;
    if (context === null || context.forDiagnostics) return;
    const { add } = this.#world;
    add(requestSpan(exchange, context));
    exchange.attempts.forEach((attempt, i) => {
      if (attempt.spanId !== undefined) add(attemptSpan(exchange, context, attempt, i));
    });
    const { modelCall } = exchange;
    if (modelCall === undefined || modelCall === null || exchange.attempts.length === 0) return;
    modelCall.onSettled((_settlement, call) => add(modelSpan(call, context)));
  }
}

/** The caller's trace, or a new one, for diagnostics to keep. */
export function traceForDiagnostics(exchange: Exchange): TraceContext {
  const given = readTraceparent(exchange.request.headers.get("traceparent"));
  return {
    traceId: given?.traceId ?? hexId(16),
    spanId: hexId(8),
    parentSpanId: given?.spanId ?? null,
    forDiagnostics: true,
  };
}

/** For the backend: the trace goes on below this attempt. */
export function attemptTraceparent(context: TraceContext): string {
  context.attemptSpanId = hexId(8);
  return `00-${context.traceId}-${context.attemptSpanId}-01`;
}

/** @returns null for what is none: a trace then begins here */
export function readTraceparent(
  header: string | null,
): { readonly traceId: string; readonly spanId: string; readonly sampled: boolean } | null {
  const match = header === null ? null : TRACEPARENT.exec(header.trim());
  if (match === null) return null;
  const [, version, traceId, spanId, flags] = match;
  if (version === "ff" || /^0+$/.test(traceId!) || /^0+$/.test(spanId!)) return null;
  return { traceId: traceId!, spanId: spanId!, sampled: (Number.parseInt(flags!, 16) & 1) === 1 };
}

const pool = Buffer.alloc(4096);
let used = pool.length;

/** @returns twice as many lower-case hex digits */
export function hexId(bytes: 8 | 16): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  return pool.toString("hex", used, (used += bytes));
}

function requestSpan(exchange: Exchange, { traceId, spanId, parentSpanId }: TraceContext): Span {
  const { request, incoming, api, operation } = exchange;
  const url = request.originalUrl;
  const gone = exchange.leftEarly;
  const status = gone ? 499 : (incoming.refusal?.status ?? exchange.response?.statusCode ?? 200);
  const route = api === null || operation === null ? null : `/${api.path}${operation.urlTemplate}`;
  const attributes: Record<string, string | number> = {
    "http.request.method": incoming.method,
    "url.path": url.path,
    "url.scheme": url.scheme,
    "server.address": url.host,
    "server.port": url.port,
    "client.address": request.ipAddress,
    "network.protocol.version": incoming.httpVersion,
    "http.response.status_code": status,
    "headgate.request_id": exchange.requestId,
  };
  const agent = request.headers.get("user-agent");
  if (agent !== null) attributes["user_agent.original"] = agent;
  if (route !== null) attributes["http.route"] = route;
  if (api !== null) attributes["headgate.api"] = api.rootId;
  if (exchange.product !== null) attributes["headgate.product"] = exchange.product.id;
  const error = status >= 500 ? (exchange.error?.code ?? String(status)) : null;
  if (error !== null) attributes["error.type"] = error;
  return {
    traceId,
    spanId,
    parentSpanId,
    name: route === null ? incoming.method : `${incoming.method} ${route}`,
    kind: "server",
    startMs: exchange.timestampMs,
    endMs: exchange.timestampMs + exchange.elapsedMs(),
    attributes,
    error: error === null ? null : (exchange.error?.message ?? ""),
  };
}

function attemptSpan(
  exchange: Exchange,
  { traceId, spanId }: TraceContext,
  attempt: Attempt,
  i: number,
): Span {
  const { method } = exchange.request;
  const attributes: Record<string, string | number> = {
    "http.request.method": method,
    "url.full": attempt.url,
    "http.request.resend_count": i,
  };
  if (attempt.backendId !== null) attributes["headgate.backend"] = attempt.backendId;
  if (attempt.status !== null) attributes["http.response.status_code"] = attempt.status;
  const failed =
    attempt.error ?? (attempt.status !== null && attempt.status >= 400 ? String(attempt.status) : null);
  if (failed !== null) attributes["error.type"] = failed;
  // The last attempt's body flows until the end of the exchange; earlier ones ended with their head.
  const endMs =
    i === exchange.attempts.length - 1 ? exchange.elapsedMs() : (attempt.headersMs ?? attempt.startedMs);
  return {
    traceId,
    spanId: attempt.spanId!,
    parentSpanId: spanId,
    name: method,
    kind: "client",
    startMs: exchange.timestampMs + attempt.startedMs,
    endMs: exchange.timestampMs + Math.max(endMs, attempt.startedMs),
    attributes,
    error: failed === null ? null : failed,
  };
}

/** `gen_ai.*` by the released names; content is never in a span. */
function modelSpan(call: ModelCall, { traceId, spanId }: TraceContext): Span {
  const { exchange, request, found, dialect, settlement } = call;
  const { usage } = settlement!;
  const attributes: Record<string, Attributes[string]> = {
    "gen_ai.operation.name": dialect.operation,
    "gen_ai.provider.name": providerOf(call),
  };
  for (const [name, value] of Object.entries(request.parameters))
    attributes[`gen_ai.request.${name}`] = value;
  const model = request.model ?? request.deployment;
  const add = (name: string, value: string | number | null | undefined): void => {
    if (value !== null && value !== undefined && value !== "") attributes[name] = value;
  };
  add("gen_ai.request.model", model);
  if (request.stream) attributes["gen_ai.request.stream"] = true;
  add("gen_ai.response.model", found?.model);
  add("gen_ai.response.id", found?.id);
  if (found?.finishReason != null) attributes["gen_ai.response.finish_reasons"] = [found.finishReason];
  if (request.stream && call.firstByteMs !== null)
    attributes["gen_ai.response.time_to_first_chunk"] = call.firstByteMs / 1000;
  if (settlement!.evidence !== "none") {
    attributes["gen_ai.usage.input_tokens"] = usage.prompt;
    attributes["gen_ai.usage.output_tokens"] = usage.completion;
    attributes["headgate.usage.evidence"] = settlement!.evidence;
  }
  if (usage.cached > 0) attributes["gen_ai.usage.cache_read.input_tokens"] = usage.cached;
  if (usage.cacheWrites > 0) attributes["gen_ai.usage.cache_creation.input_tokens"] = usage.cacheWrites;
  if (usage.reasoning > 0) attributes["gen_ai.usage.reasoning.output_tokens"] = usage.reasoning;
  const { ending } = call;
  const failed = ending === "finished" || ending === "incomplete" ? null : ending;
  if (failed !== null) attributes["error.type"] = found?.error ?? failed;
  return {
    traceId,
    spanId: hexId(8),
    parentSpanId: spanId,
    name: model === null ? dialect.operation : `${dialect.operation} ${model}`,
    kind: "client",
    startMs: exchange.timestampMs + (exchange.attempts[0]?.startedMs ?? 0),
    endMs: exchange.timestampMs + exchange.elapsedMs(),
    attributes,
    error: failed,
  };
}
