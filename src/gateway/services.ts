/** What `main.ts` gives to every exchange: the clock, the way out, the log. Policies reach the world through these. */
import type { Clock } from "../base/clock.ts";
import type { HeaderList } from "../base/headers.ts";
import type { HostDeployment } from "../compiler/runtime/host.ts";
import type { Caches } from "../cache/cache.ts";
import type { CounterStores } from "../counters/counters.ts";
import type { Loggers } from "../telemetry/loggers.ts";
import type { Measures } from "../telemetry/metrics/measures.ts";
import type { ExternalCache } from "../cache/cache.ts";
import type { Guard } from "../guards/guard.ts";
import type { Embedder } from "../semantic/embedder.ts";
import type { Flights } from "../semantic/flights.ts";
import type { SemanticStore } from "../semantic/semantic-store.ts";
import type { VectorCache } from "../semantic/vector-cache.ts";
import type { Client } from "../transport/transport.ts";
import type { Connections } from "./connections.ts";
import type { GatewayError } from "./errors.ts";
import type { Exchange } from "./exchange.ts";
import type { Identities } from "./identity.ts";
import type { ResponseMessage } from "./message.ts";
import type { LaterAnswers } from "./models/later-answers.ts";
import type { ModelCall } from "./models/model-call.ts";
import type { Spans } from "./observing/spans.ts";
import type { ModelServices } from "./models/model-services.ts";

export interface Services {
  readonly clock: Clock;
  readonly client: Client;
  readonly deployment: HostDeployment;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Sends the exchange's request to its backend: `backends/forward.ts`. */
  readonly forward: (exchange: Exchange, options: ForwardOptions) => Promise<ResponseMessage>;
  /** Asks a backend entity something of the gateway's own: `backends/own-requests/ask-backend.ts`. */
  readonly ask: (exchange: Exchange, question: BackendQuestion) => Promise<BackendAnswer>;
  /** Who judges texts behind a backend id (`backends/own-requests/ask-backend.ts`, or the gateway's own detectors). */
  readonly guardFor: (exchange: Exchange, service: SafetyService) => Guard;
  /** Counts what content safety decided. */
  readonly countSafety: (action: string, category: string) => void;
  readonly caches: Caches;
  /** What this workload can prove about itself. */
  readonly identities: Identities;
  /** Tokens of the credential manager's connections. */
  readonly connections: Connections;
  /** Takes one retry from what the whole gateway allows itself (`backends/attempts/retry-budget.ts`); false: there is none left. */
  readonly mayRetry: () => boolean;
  /** Sinks that policies write to. */
  readonly loggers: Pick<Loggers, "sendEvent">;
  /** Rate limits and quotas. */
  readonly counters: CounterStores;
  /** Answers kept by the meaning of their prompts. */
  readonly semantic: SemanticServices;
  /** Records spans; null when nobody wants them. */
  readonly spans: Pick<Spans, "begin" | "ended"> | null;
  /** What emit-metric and its kin measure. */
  readonly measures: Measures;
  /** `watchModelCall`: a request to a model that only diagnostics ask about. */
  readonly watchModel: (exchange: Exchange) => ModelCall | null;
  /** Where diagnostics send their rows, and policies what they measure. */
  readonly sinks: Pick<Loggers, "sendRow" | "sendMeasure">;
  /** Counting for requests to models, and what becomes of what they cost. */
  readonly models: ModelServices;
  /** Requests to models whose usage comes with another request. */
  readonly later: Pick<LaterAnswers, "fetchedBy" | "watch">;
  /** Adds a structured line to the log (the `trace` policy). */
  readonly log: (record: Readonly<Record<string, unknown>>) => void;
  /** An error that is ours: the stack goes to our log and not one word of it to the caller. */
  readonly reportBug: (exchange: Exchange, error: GatewayError) => void;
  /** Work that goes on after its exchange; a shutdown waits for it as long as it waits for anything. */
  readonly outlives?: (work: Promise<void>) => void;
}

/** Settings of one `forward-request`, already evaluated. */
export interface ForwardOptions {
  /** Until the response's head; 0 = none. */
  readonly timeoutMs: number;
  /** From the head to the first octet of the body, while another backend can still be asked; absent = not awaited. */
  readonly firstByteMs?: number;
  /** Between two chunks of the response; 0 = none, absent = the transport's own. */
  readonly chunkMs?: number;
  /** Until the last octet of the response; absent = none. */
  readonly totalMs?: number;
  /** From the exchange's beginning to the answer of the last attempt, waits of `retry` and all; absent = none. */
  readonly deadlineMs?: number;
  readonly continueTimeoutMs: number | null;
  readonly httpVersion: "1" | "2" | "2or1";
  readonly followRedirects: boolean;
  readonly bufferRequestBody: boolean;
  readonly bufferResponse: boolean;
}

/** What an `llm-content-safety` says of who judges. */
export interface SafetyService {
  /** The policy that asks. */
  readonly source: string;
  readonly backendId: string;
  /** For each question. */
  readonly timeoutMs: number;
  /** As `BackendQuestion.authorization`. */
  readonly authorization: string | null;
}

/** A POST of JSON to a backend entity. */
export interface BackendQuestion {
  readonly backendId: string;
  /** The policy that asks. */
  readonly source: string;
  /** Behind the backend's own path, with leading `/`; empty: its URL as it is. */
  readonly path: string;
  /** Without `?`. */
  readonly query: string;
  readonly json: unknown;
  readonly timeoutMs: number;
  readonly limitBytes: number;
  /** What the gateway's own identity is asked for when nothing else authorizes the request; null: it goes without. */
  readonly identityResource: string | null;
  /** Authorization for a backend that has no credentials; null: it gets none. */
  readonly authorization: string | null;
  /** The answer is wanted even if the caller hangs up. */
  readonly outlives?: boolean;
}

export interface BackendAnswer {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
}

export interface SemanticServices {
  /** The external cache's when one is configured, else this process's own. */
  readonly storeFor: (configured: readonly ExternalCache[]) => SemanticStore;
  /** The embedded model. */
  readonly embedder: Embedder;
  readonly vectors: VectorCache;
  readonly flights: Flights;
}
