/**
 * What the gateway counts of itself (`deployment.md` D6): requests, durations, tokens. Recording one exchange is a handful
 * of additions on series that were looked up once per operation.
 */
import type { LedgerRecord } from "../../ledger/record.ts";
import type { Family, Metrics, Observations, Series } from "../../telemetry/metrics/registry.ts";
import type { Exchange } from "../exchange.ts";
import type { Operation } from "../snapshot.ts";
import { CHUNK_SECONDS } from "../models/answer-watch.ts";
import { cacheResult, phaseOf } from "./access-record.ts";

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
/** Of `gen_ai.client.operation.duration` and its kin. */
const GEN_AI_SECONDS = CHUNK_SECONDS;
/** Of `http.server.request.duration`, as the conventions advise. */
const HTTP_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
/** Others are made up by callers. */
const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"]);
/** Of `gen_ai.client.token.usage`. */
const GEN_AI_TOKENS = [
  1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864,
];

/** Status classes as a label has them; 499 is told apart, because it is nobody's error. */
type StatusClass = "1xx" | "2xx" | "3xx" | "4xx" | "499" | "5xx";

interface Bound {
  readonly requests: Series;
  readonly duration: Series;
  readonly overhead: Series;
  /** Of `http.server.request.duration`, by scheme, method and status. */
  readonly http: Map<string, Series>;
}

/** What calls of one kind are counted on, looked up once: the kind is everything that labels tell apart. */
class ModelSeries {
  readonly labels: readonly string[];
  readonly genAi: readonly string[];
  readonly errorType: string;
  prompt: Series | null = null;
  completion: Series | null = null;
  cost: Series | null = null;
  firstByte: Series | null = null;
  input: Series | null = null;
  output: Series | null = null;
  duration: Series | null = null;
  firstChunk: Series | null = null;
  chunks: Series | null = null;

  constructor(labels: readonly string[], genAi: readonly string[], error: string) {
    this.labels = labels;
    this.genAi = genAi;
    this.errorType = error;
  }
}

/** What the latest call was of. */
interface LastKind extends Pick<LedgerRecord, "api" | "product" | "backend" | "modelOperation" | "provider"> {
  readonly error: string;
  readonly asked: string;
  readonly served: string;
  readonly series: ModelSeries;
}

/** Kinds of calls that are remembered. */
const MOST_KINDS = 1000;

export class GatewayMetrics {
  readonly #requests: Family;
  readonly #duration: Family;
  readonly #http: Family;
  readonly #overhead: Family;
  readonly #upstream: Family;
  readonly #firstByte: Family;
  readonly #retries: Family;
  readonly #aborts: Family;
  readonly #rejected: Family;
  readonly #tokensRejected: Family;
  readonly #cache: Family;
  readonly #safety: Family;
  readonly #tokens: Family;
  readonly #cost: Family;
  readonly #genAiTokens: Family;
  readonly #genAiDuration: Family;
  readonly #genAiFirstChunk: Family;
  readonly #genAiChunks: Family;
  readonly #bound = new WeakMap<Operation, Partial<Record<StatusClass, Bound>>>();
  readonly #upstreamBound = new Map<string, Series>();
  readonly #kinds = new Map<string, ModelSeries>();
  #lastKind: LastKind | null = null;

  constructor(metrics: Metrics) {
    const route = ["api", "operation", "status_class"];
    this.#requests = metrics.counter({
      name: "headgate_requests_total",
      help: "Requests that have ended.",
      unit: "{request}",
      labels: route,
    });
    this.#duration = metrics.histogram({
      name: "headgate_request_duration_seconds",
      help: "From the first octet of a request to the last of its answer.",
      unit: "s",
      labels: route,
      bounds: SECONDS,
    });
    this.#http = metrics.histogram({
      name: "http_server_request_duration_seconds",
      otlpName: "http.server.request.duration",
      help: "Duration of requests, by the conventions for HTTP.",
      unit: "s",
      labels: ["http_request_method", "url_scheme", "http_response_status_code", "http_route", "error_type"],
      otlpLabels: [
        "http.request.method",
        "url.scheme",
        "http.response.status_code",
        "http.route",
        "error.type",
      ],
      bounds: HTTP_SECONDS,
    });
    this.#overhead = metrics.histogram({
      name: "headgate_overhead_seconds",
      help: "What the gateway itself took until the head of the backend's answer.",
      unit: "s",
      labels: ["api"],
      bounds: SECONDS,
    });
    this.#upstream = metrics.histogram({
      name: "headgate_upstream_duration_seconds",
      help: "From sending an attempt to the head of its answer.",
      unit: "s",
      labels: ["backend", "status_class"],
      bounds: SECONDS,
    });
    this.#firstByte = metrics.histogram({
      name: "headgate_time_to_first_byte_seconds",
      help: "Until the first octet of a model's answer.",
      unit: "s",
      labels: ["api"],
      bounds: SECONDS,
    });
    this.#retries = metrics.counter({
      name: "headgate_retries_total",
      help: "Attempts beyond the first.",
      unit: "{attempt}",
      labels: ["reason"],
    });
    this.#aborts = metrics.counter({
      name: "headgate_client_aborts_total",
      help: "Clients that hung up first.",
      unit: "{request}",
      labels: ["phase"],
    });
    this.#rejected = metrics.counter({
      name: "headgate_errors_total",
      help: "Requests that the gateway itself answered with an error, by its code.",
      unit: "{request}",
      labels: ["code"],
    });
    this.#tokensRejected = metrics.counter({
      name: "headgate_tokens_rejected_total",
      help: "Requests that token limits refused, by policy and by what was exceeded: rate or quota.",
      unit: "{request}",
      labels: ["policy", "kind"],
    });
    this.#cache = metrics.counter({
      name: "headgate_cache_requests_total",
      help: "Requests that looked for an answer in a cache: hit, miss, or bypass where it was not or could not be asked.",
      unit: "{request}",
      labels: ["result"],
    });
    this.#safety = metrics.counter({
      name: "headgate_content_safety_total",
      help: "What llm-content-safety decided about requests, answers, windows of streams, and messages and windows of WebSocket sessions.",
      unit: "{decision}",
      labels: ["action", "category"],
    });
    const model = ["api", "product", "backend", "model"];
    this.#tokens = metrics.counter({
      name: "headgate_tokens_total",
      help: "Tokens of settled requests to models.",
      unit: "{token}",
      labels: ["kind", ...model],
    });
    this.#cost = metrics.counter({
      name: "headgate_cost_usd_total",
      help: "What settled requests to models cost, where the price is known.",
      unit: "USD",
      labels: model,
    });
    const genAi = {
      labels: ["operation_name", "provider_name", "request_model", "response_model"],
      otlpLabels: [
        "gen_ai.operation.name",
        "gen_ai.provider.name",
        "gen_ai.request.model",
        "gen_ai.response.model",
      ],
    };
    this.#genAiTokens = metrics.histogram({
      name: "gen_ai_client_token_usage",
      otlpName: "gen_ai.client.token.usage",
      help: "Tokens used per request.",
      unit: "{token}",
      labels: [...genAi.labels, "token_type"],
      otlpLabels: [...genAi.otlpLabels, "gen_ai.token.type"],
      bounds: GEN_AI_TOKENS,
    });
    this.#genAiDuration = metrics.histogram({
      name: "gen_ai_client_operation_duration_seconds",
      otlpName: "gen_ai.client.operation.duration",
      help: "Duration of requests to models.",
      unit: "s",
      labels: [...genAi.labels, "error_type"],
      otlpLabels: [...genAi.otlpLabels, "error.type"],
      bounds: GEN_AI_SECONDS,
    });
    this.#genAiFirstChunk = metrics.histogram({
      name: "gen_ai_client_operation_time_to_first_chunk_seconds",
      otlpName: "gen_ai.client.operation.time_to_first_chunk",
      help: "Until the first chunk of a streamed answer.",
      unit: "s",
      ...genAi,
      bounds: GEN_AI_SECONDS,
    });
    this.#genAiChunks = metrics.histogram({
      name: "gen_ai_client_operation_time_per_output_chunk_seconds",
      otlpName: "gen_ai.client.operation.time_per_output_chunk",
      help: "From one chunk of a streamed answer to the next.",
      unit: "s",
      ...genAi,
      bounds: GEN_AI_SECONDS,
    });
  }

  /** An exchange is over. */
  ended(exchange: Exchange): void {
    const { attempts, error } = exchange;
    const gone = exchange.leftEarly;
    const status = exchange.incoming.refusal?.status ?? exchange.response?.statusCode ?? 200;
    const kind: StatusClass = gone ? "499" : (CLASSES[Math.floor(status / 100)] ?? "5xx");
    const seconds = exchange.elapsedMs() / 1000;
    const bound = this.#boundFor(exchange, kind);
    this.#requests.note(bound.requests, 1);
    this.#duration.note(bound.duration, seconds);
    this.#http.note(this.#httpFor(exchange, bound, gone ? 499 : status), seconds);
    const { traceContext } = exchange;
    if (traceContext !== null && traceContext.forDiagnostics !== true)
      bound.duration.exemplar = {
        traceId: traceContext.traceId,
        value: seconds,
        atMs: exchange.services.clock.now(),
      };
    if (gone) this.#aborts.record(1, [phaseOf(exchange)]);
    if (error !== null) {
      this.#rejected.record(1, [error.code]);
      const limit = TOKEN_LIMITS[error.code];
      if (limit !== undefined) this.#tokensRejected.record(1, [error.source, limit]);
    }
    const cached = cacheResult(exchange);
    if (cached !== null) this.#cache.record(1, [cached]);
    if (attempts.length === 0) return;
    for (let i = 0; i < attempts.length; i++) {
      const { backendId, status: answered, startedMs, headersMs, error: failure } = attempts[i]!;
      if (i > 0)
        this.#retries.record(1, [attempts[i - 1]!.error ?? String(attempts[i - 1]!.status ?? "unknown")]);
      const took = ((headersMs ?? exchange.elapsedMs()) - startedMs) / 1000;
      this.#upstream.note(this.#upstreamFor(backendId ?? "", failure === null ? answered : null), took);
      if (i === 0 && headersMs !== null) this.#overhead.note(bound.overhead, startedMs / 1000);
    }
  }

  /**
   * A request to a model is settled.
   *
   * @param chunkGaps seconds between the chunks of a streamed answer, in the bounds of `CHUNK_SECONDS`
   */
  settled(record: LedgerRecord, chunkGaps: Observations | null = null): void {
    if (record.evidence === "none" && record.ending !== "cache-hit") return;
    const of = this.#kindOf(record);
    const { genAi } = of;
    this.#noteTokens(of, record);
    if (record.firstByteMs !== null)
      this.#firstByte.note(
        (of.firstByte ??= this.#firstByte.at([record.api ?? ""])),
        record.firstByteMs / 1000,
      );
    const duration = (of.duration ??= this.#genAiDuration.at([...genAi, of.errorType]));
    this.#genAiDuration.note(duration, record.durationMs / 1000);
    if (record.stream && record.firstByteMs !== null)
      this.#genAiFirstChunk.note(
        (of.firstChunk ??= this.#genAiFirstChunk.at(genAi)),
        record.firstByteMs / 1000,
      );
    if (chunkGaps !== null) this.#genAiChunks.merge((of.chunks ??= this.#genAiChunks.at(genAi)), chunkGaps);
  }

  /** What a request cost beyond what it was settled with. Counters do not go down: what was charged too much stays. */
  settledLater(record: LedgerRecord): void {
    const promptTokens = Math.max(0, record.promptTokens);
    const completionTokens = Math.max(0, record.completionTokens);
    const costMicros = record.costMicros === null ? null : Math.max(0, record.costMicros);
    this.#noteTokens(this.#kindOf(record), { ...record, promptTokens, completionTokens, costMicros });
  }

  #noteTokens(of: ModelSeries, record: LedgerRecord): void {
    const { labels, genAi } = of;
    if (record.promptTokens > 0)
      this.#tokens.note((of.prompt ??= this.#tokens.at(["prompt", ...labels])), record.promptTokens);
    this.#genAiTokens.note((of.input ??= this.#genAiTokens.at([...genAi, "input"])), record.promptTokens);
    if (record.completionTokens > 0) {
      const { completionTokens } = record;
      this.#tokens.note((of.completion ??= this.#tokens.at(["completion", ...labels])), completionTokens);
      this.#genAiTokens.note((of.output ??= this.#genAiTokens.at([...genAi, "output"])), completionTokens);
    }
    if (record.cachedTokens > 0) this.#tokens.record(record.cachedTokens, ["cached", ...labels]);
    if (record.cacheWriteTokens > 0) this.#tokens.record(record.cacheWriteTokens, ["cache_write", ...labels]);
    if (record.reasoningTokens > 0) this.#tokens.record(record.reasoningTokens, ["reasoning", ...labels]);
    if (record.costMicros !== null)
      this.#cost.note((of.cost ??= this.#cost.at(labels)), record.costMicros / 1e6);
  }

  #kindOf(record: LedgerRecord): ModelSeries {
    const { api, product, backend, modelOperation, provider } = record;
    const asked = record.modelAsked ?? record.deployment ?? "";
    const served = record.modelServed ?? "";
    const error = errorType(record);
    const last = this.#lastKind;
    // A busy gateway's requests are mostly of one kind, and a key of eight parts is dearer than looking at them.
    if (
      last !== null &&
      last.asked === asked &&
      last.served === served &&
      last.api === api &&
      last.product === product &&
      last.backend === backend &&
      last.modelOperation === modelOperation &&
      last.provider === provider &&
      last.error === error
    )
      return last.series;
    const key = `${api}\0${product}\0${backend}\0${modelOperation}\0${provider}\0${error}\0${asked}\0${served}`;
    let kind = this.#kinds.get(key);
    if (kind === undefined) {
      const labels = [api ?? "", product ?? "", backend ?? "", served === "" ? asked : served];
      kind = new ModelSeries(labels, [modelOperation, provider, asked, served], error);
      // Names of models are made up by callers.
      if (this.#kinds.size >= MOST_KINDS) this.#kinds.clear();
      this.#kinds.set(key, kind);
    }
    this.#lastKind = { api, product, backend, modelOperation, provider, error, asked, served, series: kind };
    return kind;
  }

  #boundFor(exchange: Exchange, kind: StatusClass): Bound {
    const { operation } = exchange;
    if (operation === null) return this.#open(exchange.api?.rootId ?? "", "", kind);
    let classes = this.#bound.get(operation);
    if (classes === undefined) this.#bound.set(operation, (classes = {}));
    return (classes[kind] ??= this.#open(exchange.api?.rootId ?? "", operation.id, kind));
  }

  #open(api: string, operation: string, kind: StatusClass): Bound {
    const labels = [api, operation, kind];
    return {
      requests: this.#requests.at(labels),
      duration: this.#duration.at(labels),
      overhead: this.#overhead.at([api]),
      http: new Map(),
    };
  }

  #httpFor({ incoming, request, api, operation }: Exchange, { http }: Bound, status: number): Series {
    const { scheme } = request.originalUrl;
    const method = METHODS.has(incoming.method) ? incoming.method : "_OTHER";
    const key = `${scheme} ${method} ${status}`;
    let series = http.get(key);
    if (series === undefined) {
      const route = api === null || operation === null ? "" : `/${api.path}${operation.urlTemplate}`;
      const error = status >= 500 ? String(status) : "";
      http.set(key, (series = this.#http.at([method, scheme, String(status), route, error])));
    }
    return series;
  }

  /** @param category what was found; empty when nothing was */
  safety(action: string, category: string): void {
    this.#safety.record(1, [action, category]);
  }

  #upstreamFor(backend: string, status: number | null): Series {
    const kind = status === null ? "error" : (CLASSES[Math.floor(status / 100)] ?? "5xx");
    const key = `${kind} ${backend}`;
    let series = this.#upstreamBound.get(key);
    if (series === undefined) {
      series = this.#upstream.at([backend, kind]);
      if (this.#upstreamBound.size < 5000) this.#upstreamBound.set(key, series);
    }
    return series;
  }
}

const CLASSES: readonly (StatusClass | undefined)[] = [undefined, "1xx", "2xx", "3xx", "4xx", "5xx"];

/** Refusals of token limits, by their code. */
const TOKEN_LIMITS: Readonly<Record<string, string>> = {
  token_limit_exceeded: "rate",
  token_quota_exceeded: "quota",
};

function errorType(record: LedgerRecord): string {
  if (record.status >= 400) return record.error ?? String(record.status);
  if (record.ending === "cut-off") return record.error ?? record.ending;
  return record.ending === "finished" || record.ending === "incomplete" ? "" : record.ending;
}
