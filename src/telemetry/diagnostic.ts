/** `diagnostics` as the gateway uses them: what is recorded of an API's requests, and where it goes (`resources.md` §1.13). */
import type { Logger } from "./logger.ts";

export interface Diagnostic {
  /** Lower case: `azuremonitor`, `applicationinsights`, `local`, … */
  readonly id: string;
  /** null: one that the gateway only knows by name; rows then go to the gateway's own store. */
  readonly logger: Logger | null;
  /** Errors are recorded whatever the sampling says. */
  readonly allErrors: boolean;
  /** 0 to 100. */
  readonly percentage: number;
  readonly verbosity: "error" | "information" | "verbose";
  readonly logClientIp: boolean;
  /** Headers that tie a backend's records to ours. */
  readonly correlation: "None" | "Legacy" | "W3C";
  /** emit-metric and its kin may write to it. */
  readonly metrics: boolean;
  readonly operationNames: "Name" | "Url";
  /** Headers and bodies, as the client and as the backend saw them; null = nothing of them. */
  readonly frontendRequest: MessageRule | null;
  readonly frontendResponse: MessageRule | null;
  readonly backendRequest: MessageRule | null;
  readonly backendResponse: MessageRule | null;
  readonly llm: LlmRule | null;
}

export interface MessageRule {
  /** Lower case. */
  readonly headers: readonly string[];
  readonly bodyBytes: number;
  /** Lower-case names → what becomes of their values. */
  readonly maskedHeaders: ReadonlyMap<string, "Mask" | "Hide">;
  readonly maskedQuery: ReadonlyMap<string, "Mask" | "Hide">;
}

/** Octets of messages that are recorded, 0 = only their tokens. */
export interface LlmRule {
  readonly requestBytes: number;
  readonly responseBytes: number;
}

/** All diagnostics of an API, with what most requests want to know worked out. */
export interface ApiDiagnostics {
  readonly each: readonly Diagnostic[];
  /** Requests to models are recorded. */
  readonly llm: boolean;
  /** The most that any of them takes. */
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** Loggers that get what policies measure; null = none. */
  readonly metricLoggers: readonly Logger[] | null;
  /** Spans of the request are told to a backend for one of them. */
  readonly correlates: boolean;
}

/** A row for a sink, in the shape of Azure's own tables (`resources.md` §7.3–7.5). */
export interface LogRow {
  readonly category: "GatewayLogs" | "GatewayLlmLogs" | "WebSocketConnectionLogs";
  readonly timeMs: number;
  readonly correlationId: string;
  /** Columns by name. */
  readonly columns: Readonly<Record<string, unknown>>;
  /** What the tables have no columns for; only for sinks that keep it. */
  readonly detail?: RequestDetail;
  /** The lot was against the request: only what `trace` policies said of it is sent, which sampling never drops. */
  readonly isUnsampled?: true;
}

/** A request's place in its trace, and how it was served. */
export interface RequestDetail {
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  /** Of the request, 16 digits. */
  readonly spanId: string;
  readonly parentSpanId: string | null;
  /** What the operation is called where requests are told apart. */
  readonly name: string;
  /** 0 to 100: the share of requests that are recorded. */
  readonly percentage: number;
  readonly attempts: readonly AttemptDetail[];
}

/** One try to reach a backend. */
export interface AttemptDetail {
  readonly spanId: string;
  readonly method: string;
  readonly url: string;
  readonly backendId: string | null;
  /** Since the request began. */
  readonly startedMs: number;
  readonly durationMs: number;
  /** null when there was no answer. */
  readonly status: number | null;
  readonly error: string | null;
}

export const MASK = "*****";
