/**
 * One request and its response, from first byte to last: what the pipeline carries and what expressions see as
 * `context`.
 */
import type { Abort } from "../base/abort.ts";
import type { Needs, Scope, Section } from "../compiler/policy.ts";
import type { HostContext, HostDeployment, HostLastError } from "../compiler/runtime/host.ts";
import type { Incoming, TransportError, Tunnel } from "../transport/transport.ts";
import { deploymentOf } from "./deployment.ts";
import type { ResponseCacheSlot } from "./caching.ts";
import type { ForwardOptions, Services } from "./services.ts";
import type { GatewayError } from "./errors.ts";
import type { CountedTokens } from "./token-limits/limited-call.ts";
import type { RequestMessage, ResponseMessage } from "./message.ts";
import type { ModelCall } from "./models/model-call.ts";
import type { Api, BackendEntity, Operation, Product, Snapshot, Subscription } from "./snapshot.ts";
import type { Flight } from "../semantic/flights.ts";
import type { SafetyAction } from "./safety/noted-action.ts";
import type { SessionCheck } from "./safety/safety-session.ts";
import type { SemanticSlot } from "./semantic-cache/semantic-cache.ts";
import type { TraceContext } from "./observing/spans.ts";
import type { Trace } from "./trace.ts";

export class Exchange implements HostContext {
  readonly requestId: string;
  readonly timestampMs: number;
  readonly snapshot: Snapshot;
  readonly services: Services;
  readonly incoming: Incoming;
  readonly abort: Abort;
  readonly request: RequestMessage;
  response: ResponseMessage | null = null;
  /** Boxed .NET values. */
  readonly variables: Map<string, unknown> = new Map();
  api: Api | null = null;
  operation: Operation | null = null;
  product: Product | null = null;
  /** With the key that the caller used. */
  subscription: (Subscription & { readonly key: string }) | null = null;
  lastError: HostLastError | null = null;
  /** What went wrong, for the record. */
  error: GatewayError | null = null;
  /** What went wrong inside on-error itself. */
  secondError: GatewayError | null = null;
  /** Set when a backend entity was chosen. */
  backend: BackendEntity | null = null;
  /** The section being run. */
  section: Section = "inbound";
  /** True once a backend was named by `backend-id`, with the scope that did (set-backend-service). */
  backendChosenBy: { readonly scope: Scope } | null = null;
  /** Headers that `cors` adds to whatever is answered; flat. */
  corsHeaders: string[] | null = null;
  /** An OPTIONS request that only `cors` looks at. */
  isPreflight = false;
  /** Octets of the answer's body handed to the client so far. */
  bytesSent = 0;
  /** The backend broke off after the answer's head had gone out. */
  brokenOff: TransportError | null = null;
  /** The backend agreed to an upgrade: the connection to it. */
  tunnel: Tunnel | null = null;
  /** How and where the request was sent, for the record. */
  readonly attempts: Attempt[] = [];
  /** When (in `elapsedMs`) no attempt may be under way or begin any more; null = no limit. */
  deadlineMs: number | null = null;
  /** Null unless the caller holds the right to a trace. */
  traced: Trace | null = null;
  /** What llm-semantic-cache-lookup prepared for its store; null when there is nothing to store. */
  semanticSlot: SemanticSlot | null = null;
  /** Others with the same prompt wait for this exchange. */
  semanticFlight: Flight | null = null;
  /** What `cache-lookup` prepared for `cache-store`; null when there is nothing to store. */
  responseCache: ResponseCacheSlot | null = null;
  /** What judges an answer before anything else of the exchange sees it (llm-content-safety, enforce-on-completions). */
  answerChecks: ((response: ResponseMessage) => void | Promise<void>)[] | null = null;
  /** What judges the messages of a WebSocket session (llm-content-safety). */
  sessionChecks: SessionCheck[] | null = null;
  /** What was decided about its words, the gravest of it; null when nobody was asked. */
  safety: SafetyAction | null = null;
  /** The request to a model that this is; undefined while nobody has asked, null when it is none. See `models/model-call.ts`. */
  modelCall: ModelCall | null | undefined = undefined;
  /** Null unless spans of this exchange are recorded. */
  traceContext: TraceContext | null = null;
  /** In [0, 100): which sampled diagnostics record this exchange. */
  samplingLot = 0;
  /** What the `trace` policy says, for diagnostics. */
  traceRecords: TraceRecord[] | null = null;
  /** A cache answered instead of a backend. */
  servedFromCache = false;
  /** A cache was asked and had nothing, or was not asked or gave no answer; null when no policy wanted to look. */
  cacheLookup: "miss" | "bypass" | null = null;
  /** Counters that this exchange has counted already: a key counts once however many policies name it. */
  countedKeys: Set<string> | null = null;
  /** Token limits that have let it in. */
  tokenLimits: CountedTokens[] | null = null;
  /** On the monotonic clock. */
  readonly startedMonotonicMs: number;
  #replyListeners: ReplyListener[] | null = null;
  #endListeners: (() => void)[] | null = null;

  constructor(
    incoming: Incoming,
    request: RequestMessage,
    snapshot: Snapshot,
    services: Services,
    requestId: string,
  ) {
    this.incoming = incoming;
    this.abort = incoming.abort;
    this.request = request;
    this.snapshot = snapshot;
    this.services = services;
    this.requestId = requestId;
    this.timestampMs = services.clock.now();
    this.startedMonotonicMs = services.clock.monotonic();
  }

  /** What expressions get. */
  get context(): HostContext {
    return this;
  }

  get user(): HostContext["user"] {
    return this.subscription === null ? null : this.subscription.user;
  }

  get deployment(): HostDeployment {
    return deploymentOf(this.services.deployment, this.snapshot.certificates);
  }

  get workspace(): HostContext["workspace"] {
    return this.api === null ? null : this.api.workspace;
  }

  get tracing(): boolean {
    return this.traced !== null;
  }

  /**
   * The client left before the answer was over. Clients of models often hang up at the last event, before the body's end:
   * they have left nothing out.
   */
  get leftEarly(): boolean {
    return this.abort.aborted && this.incoming.refusal === null && this.modelCall?.found?.complete !== true;
  }

  elapsedMs(): number {
    return this.services.clock.monotonic() - this.startedMonotonicMs;
  }

  trace(message: string): void {
    this.traced?.message("context.Trace", message);
  }

  /** A remark for whoever traces the request; nothing otherwise. */
  remark(source: string, message: string): void {
    this.traced?.message(source, message);
  }

  /**
   * Calls `run` once, when the response is final and before its head goes out; also when there is nobody to answer
   * (then `response` is whatever there was). `run` must not throw.
   *
   * @param needs  bodies to have in memory by then, unless the client is gone
   */
  onReply(run: () => void, needs: Needs = 0): void {
    (this.#replyListeners ??= []).push({ run, needs });
  }

  /** Calls `run` once, when the last byte is out or the client is gone, before the exchange is recorded. It must not throw. */
  onEnd(run: () => void): void {
    (this.#endListeners ??= []).push(run);
  }

  /** Who waits for the reply; null for nobody. They are not asked for twice. */
  takeReplyListeners(): readonly ReplyListener[] | null {
    const listeners = this.#replyListeners;
    this.#replyListeners = null;
    return listeners;
  }

  takeEndListeners(): readonly (() => void)[] | null {
    const listeners = this.#endListeners;
    this.#endListeners = null;
    return listeners;
  }

  /**
   * Runs `answerChecks`.
   *
   * @returns the response as it may go on
   * @throws GatewayError as they do; the response is freed then
   */
  async checkAnswer(response: ResponseMessage): Promise<ResponseMessage> {
    try {
      for (const check of this.answerChecks ?? []) await check(response);
      return response;
    } catch (error) {
      response.body?.discard();
      throw error;
    }
  }

  /** Sends the request to the chosen backend; `backends/forward.ts` behind an interface. */
  forward(options: ForwardOptions): Promise<ResponseMessage> {
    let { modelCall } = this;
    if (modelCall === undefined && this.api !== null && this.api.diagnostics?.llm === true)
      modelCall = this.services.watchModel(this);
    const answer = watchedForLater(this, this.services.forward(this, options));
    const checks = this.answerChecks !== null;
    if (modelCall === undefined || modelCall === null)
      return checks ? answer.then((response) => this.checkAnswer(response)) : answer;
    const watched = answer.then((response) => {
      const waiting = modelCall.answered(response);
      return waiting === undefined ? response : waiting.then(() => response);
    });
    return checks ? watched.then((response) => this.checkAnswer(response)) : watched;
  }
}

/** Answers that an earlier request has asked for say what that one cost. No method: a branch has no private ones. */
function watchedForLater(exchange: Exchange, answer: Promise<ResponseMessage>): Promise<ResponseMessage> {
  const { later } = exchange.services;
  const id = later.fetchedBy(exchange);
  if (id === null) return answer;
  return answer.then((response) => {
    later.watch(exchange, response, id);
    return response;
  });
}

export interface TraceRecord {
  readonly source: string;
  readonly severity: string;
  readonly message: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface ReplyListener {
  readonly run: () => void;
  readonly needs: Needs;
}

/** One try to reach a backend. */
export interface Attempt {
  readonly backendId: string | null;
  readonly url: string;
  /** Answer's status, or null when it failed. */
  status: number | null;
  error: string | null;
  readonly startedMs: number;
  headersMs: number | null;
  /** Of its span, when there is one. */
  spanId?: string;
}
