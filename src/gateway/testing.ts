/**
 * For tests: an exchange without sockets. The parts are the real ones (router, index, exchange, bodies); only the
 * client at the other end is a recording.
 */
import { Abort } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import { HeaderList } from "../base/headers.ts";
import type { ElementArgs, ElementShape, Plan, PolicyDefinition, Section, Site, Step, Value } from "../compiler/policy.ts";
import type { BodySink, BodySource, Incoming, Reply, TransportError, Tunnel } from "../transport/transport.ts";
import { indexApis, indexOperations } from "./api-index.ts";
import { Body } from "./body.ts";
import { Exchange } from "./exchange.ts";
import { indexKeys } from "./keys.ts";
import { RequestMessage, ResponseMessage } from "./message.ts";
import type { Services } from "./services.ts";
import {
  type Api,
  type BackendEntity,
  DEFAULT_GATEWAY_OPTIONS,
  type GatewayOptions,
  type Operation,
  type Product,
  type Snapshot,
  type Subscription,
  type SubscriptionScope,
} from "./snapshot.ts";
import { compileTemplate } from "./template.ts";
import { originalUrlOf, parseTarget, splitTarget } from "./url.ts";

// ── Bodies ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A source that hands out `chunks`, as fast as the sink takes them, then ends or fails. */
export class ChunkSource implements BodySource {
  readonly length: number | undefined;
  cancelled = false;
  started = false;
  readonly #chunks: readonly Uint8Array[];
  readonly #failure: TransportError | null;
  #sink: BodySink | null = null;
  #at = 0;

  /** @param length what Content-Length said; default: unknown */
  constructor(chunks: readonly (Uint8Array | string)[], options: { length?: number; failure?: TransportError } = {}) {
    this.#chunks = chunks.map((chunk) => (typeof chunk === "string" ? encoder.encode(chunk) : chunk));
    this.length = options.length;
    this.#failure = options.failure ?? null;
  }

  start(sink: BodySink): void {
    this.started = true;
    this.#sink = sink;
    this.#flow();
  }

  resume(): void {
    this.#flow();
  }

  cancel(): void {
    this.cancelled = true;
  }

  #flow(): void {
    const sink = this.#sink!;
    while (!this.cancelled && this.#at < this.#chunks.length) if (!sink.write(this.#chunks[this.#at++]!)) return;
    if (this.cancelled || this.#at > this.#chunks.length) return;
    this.#at = Infinity;
    if (this.#failure === null) sink.end();
    else sink.fail(this.#failure);
  }
}

const encoder = new TextEncoder();

// ── The client ────────────────────────────────────────────────────────────────────────────────────────────────────

/** What the client got. */
export class RecordedReply implements Reply {
  started = false;
  status = 0;
  reason = "";
  headers = new HeaderList();
  body = "";
  streamed = false;
  finished = false;
  failure: TransportError | null = null;
  trailers: string[] | undefined;
  /** The sink answers `false` until the test calls `drain`. */
  slow = false;
  drain: () => void = () => {};
  #listeners: ((complete: boolean) => void)[] = [];

  send(status: number, reason: string, rawHeaders: string[], body: Uint8Array | null): void {
    this.#head(status, reason, rawHeaders);
    this.body = body === null ? "" : decoder.decode(body);
    this.#finish(true);
  }

  head(status: number, reason: string, rawHeaders: string[], onDrain: () => void): BodySink {
    this.#head(status, reason, rawHeaders);
    this.streamed = true;
    this.drain = onDrain;
    return {
      write: (chunk) => {
        this.body += decoder.decode(chunk);
        return !this.slow;
      },
      end: (trailers) => {
        this.trailers = trailers;
        this.#finish(true);
      },
      fail: (error) => {
        this.failure = error;
        this.#finish(false);
      },
    };
  }

  upgrade(_status: number, _reason: string, _rawHeaders: string[]): Tunnel {
    throw new Error("this reply cannot be upgraded");
  }

  onFinish(listener: (complete: boolean) => void): void {
    if (this.finished) listener(true);
    else this.#listeners.push(listener);
  }

  #head(status: number, reason: string, rawHeaders: string[]): void {
    if (this.started) throw new Error("the head was sent twice");
    this.started = true;
    this.status = status;
    this.reason = reason;
    this.headers = new HeaderList(rawHeaders);
  }

  #finish(complete: boolean): void {
    this.finished = true;
    for (const listener of this.#listeners) listener(complete);
  }
}

const decoder = new TextDecoder();

export interface RequestFields {
  readonly method?: string;
  /** Default `/`. */
  readonly target?: string;
  /** Flat; a Host is added when there is none. */
  readonly headers?: readonly string[];
  readonly body?: string | Uint8Array | BodySource;
  readonly remoteAddress?: string;
  readonly encrypted?: boolean;
  readonly upgrade?: boolean;
}

export interface TestIncoming extends Incoming {
  readonly reply: RecordedReply;
}

export function incomingOf(fields: RequestFields = {}): TestIncoming {
  const rawHeaders = [...(fields.headers ?? [])];
  if (new HeaderList(rawHeaders).get("host") === null) rawHeaders.unshift("Host", "gateway.example");
  const { body } = fields;
  const source = typeof body === "string" || body instanceof Uint8Array ? new ChunkSource([body], { length: body.length }) : body;
  return {
    method: fields.method ?? "GET",
    target: fields.target ?? "/",
    rawHeaders,
    httpVersion: "1.1",
    remoteAddress: fields.remoteAddress ?? "203.0.113.7",
    remotePort: 50_000,
    encrypted: fields.encrypted ?? false,
    clientCertificate: () => null,
    body: source ?? null,
    limitBody: () => {},
    upgrade: fields.upgrade ?? false,
    reply: new RecordedReply(),
    abort: new Abort(),
    refusal: null,
  };
}

// ── The exchange ──────────────────────────────────────────────────────────────────────────────────────────────────

/** A clock that stands until it is moved. */
export class FakeClock implements Clock {
  ms = 1_700_000_000_000;
  #timers: { at: number; callback: () => void }[] = [];

  now(): number {
    return this.ms;
  }
  monotonic(): number {
    return this.ms;
  }
  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.ms + ms, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }
  /** Waits that are under way, in ms from now, shortest first. */
  get waits(): number[] {
    return this.#timers.map(({ at }) => at - this.ms).sort((a, b) => a - b);
  }
  /** Moves on, calling back what is due in order. */
  advance(ms: number): void {
    const until = this.ms + ms;
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== due);
      this.ms = Math.max(this.ms, due.at);
      due.callback();
    }
    this.ms = until;
  }
}

/** What the exchange wrote to log and bug report, besides the services themselves. */
export interface TestServices extends Services {
  readonly clock: FakeClock;
  readonly logged: Readonly<Record<string, unknown>>[];
  readonly bugs: unknown[];
}

export function servicesOf(changed: Partial<Services> = {}): TestServices {
  const logged: Readonly<Record<string, unknown>>[] = [];
  const bugs: unknown[] = [];
  return {
    clock: new FakeClock(),
    client: {
      send: () => Promise.reject(new Error("no client in this test")),
      close: () => Promise.resolve(),
    },
    deployment: {
      region: "here",
      serviceName: "test",
      serviceId: "test",
      gatewayId: "gateway",
      gateway: { id: "gateway", instanceId: "0", isManaged: false },
      certificates: new Map(),
    },
    random: () => 0.5,
    forward: () => Promise.reject(new Error("nothing to forward to in this test")),
    log: (record) => void logged.push(record),
    reportBug: (_exchange, error) => void bugs.push(error),
    logged,
    bugs,
    ...changed,
  } as TestServices;
}

export const REQUEST_ID = "00000000-0000-4000-8000-000000000001";

export interface TestExchange extends Exchange {
  readonly services: TestServices;
  readonly incoming: TestIncoming;
}

/** An exchange as the listener makes it, before routing. */
export function exchangeOf(fields: RequestFields = {}, snapshot: Snapshot = snapshotOf(), services = servicesOf()): TestExchange {
  const incoming = incomingOf(fields);
  const split = splitTarget(incoming.target) ?? { path: "/", query: "" };
  const headers = new HeaderList(incoming.rawHeaders);
  const request = new RequestMessage({
    method: incoming.method,
    headers,
    body: incoming.body === null ? null : Body.streaming("request", incoming.body, headers),
    originalUrl: originalUrlOf(incoming.encrypted ? "https" : "http", headers.get("host") ?? "", split),
    path: split.path,
    query: split.query,
    ipAddress: incoming.remoteAddress,
    certificate: () => null,
  });
  return new Exchange(incoming, request, snapshot, services, REQUEST_ID) as TestExchange;
}

/** A response with the given body, in memory or streaming. */
export function responseOf(status: number, body: string | BodySource | null = null, headers: readonly string[] = []): ResponseMessage {
  const list = new HeaderList([...headers]);
  const held = body === null ? null : typeof body === "string" ? Body.text("response", body) : Body.streaming("response", body, list);
  return new ResponseMessage(status, "", list, held);
}

// ── The snapshot ──────────────────────────────────────────────────────────────────────────────────────────────────

export const NO_PLAN: Plan = { inbound: null, backend: null, outbound: null, onError: null };

export interface OperationFields {
  readonly id?: string;
  readonly method?: string;
  readonly template: string;
  readonly plan?: Plan;
  readonly cors?: readonly Step[];
  readonly productPlans?: ReadonlyMap<string, Plan>;
  readonly responses?: Operation["responses"];
}

/** `"GET /x"` or the fields. */
export function operationOf(given: string | OperationFields): Operation {
  const fields = typeof given === "string" ? { method: given.split(" ", 1)[0]!, template: given.slice(given.indexOf(" ") + 1) } : given;
  const method = fields.method ?? "GET";
  const matcher = compileTemplate(fields.template);
  if (typeof matcher === "string") throw new Error(matcher);
  const id = ("id" in fields ? fields.id : undefined) ?? `${method} ${fields.template}`;
  return {
    name: id,
    plan: NO_PLAN,
    productPlans: new Map(),
    cors: [],
    responses: [],
    ...fields,
    id,
    method,
    urlTemplate: fields.template,
    matcher,
  };
}

export type ApiFields = Partial<Omit<Api, "operations" | "target" | "serviceUrl">> & {
  readonly path: string;
  readonly operations?: readonly (string | OperationFields)[];
  /** Base URL. */
  readonly serviceUrl?: string;
};

export function apiOf({ operations: given = [], serviceUrl, ...fields }: ApiFields): Api {
  const operations = given.map(operationOf);
  const id = fields.id ?? (fields.path === "" ? "root" : fields.path.replaceAll("/", "-"));
  const target = serviceUrl === undefined ? null : parseTarget(serviceUrl);
  return {
    name: id,
    rootId: id.split(";")[0]!,
    revision: "1",
    version: "",
    isCurrentRevision: true,
    isOnline: true,
    protocols: ["http", "https"],
    type: "http",
    subscriptionKeyParameterNames: { header: "Ocp-Apim-Subscription-Key", query: "subscription-key" },
    subscriptionRequired: false,
    bearerKey: false,
    versionSet: null,
    plan: NO_PLAN,
    cors: [],
    openProduct: null,
    bodyLimitBytes: null,
    productIds: new Set(),
    ...fields,
    id,
    serviceUrl: null,
    target,
    operations,
    operationIndex: indexOperations(operations),
  };
}

export interface SnapshotFields {
  readonly apis?: readonly Api[];
  readonly subscriptions?: readonly Subscription[];
  readonly backends?: readonly BackendEntity[];
  readonly certificates?: Snapshot["certificates"];
  readonly globalPlan?: Plan;
  readonly options?: Partial<GatewayOptions>;
}

export function snapshotOf(fields: SnapshotFields = {}): Snapshot {
  const backends = fields.backends ?? [];
  const singles = backends.filter((backend) => backend.target !== null);
  return {
    version: 1,
    apis: indexApis(fields.apis ?? []),
    keys: indexKeys(fields.subscriptions ?? []),
    backends: new Map(backends.map((backend) => [backend.id.toLowerCase(), backend])),
    backendsByUrl: singles.sort((a, b) => b.target!.basePath.length - a.target!.basePath.length),
    certificates: fields.certificates ?? { byId: new Map(), byThumbprint: new Map() },
    globalPlan: fields.globalPlan ?? NO_PLAN,
    options: { ...DEFAULT_GATEWAY_OPTIONS, ...fields.options },
    subscriptionKey: (name) => fields.subscriptions?.find(({ id }) => id === name)?.primaryKey ?? null,
  };
}

export function subscriptionOf(id: string, scope: SubscriptionScope, changed: Partial<Subscription> = {}): Subscription {
  return {
    id,
    name: id,
    state: "active",
    scope,
    primaryKey: `${id}-1`,
    secondaryKey: `${id}-2`,
    createdMs: 0,
    startMs: null,
    endMs: null,
    user: null,
    allowTracing: false,
    ...changed,
  };
}

export function productOf(id: string, apiIds: readonly string[], changed: Partial<Product> = {}): Product {
  return {
    id,
    name: id,
    approvalRequired: false,
    subscriptionRequired: true,
    subscriptionsLimit: null,
    state: "Published",
    groups: [],
    apis: [],
    apiIds: new Set(apiIds),
    ...changed,
  };
}

export function backendOf(id: string, url: string, changed: Partial<BackendEntity> = {}): BackendEntity {
  const entity = {
    id,
    type: "Single" as const,
    azureRegion: "",
    target: null as BackendEntity["target"],
    pool: [],
    failureStatus: null,
    tls: null,
    credentials: null,
    ...changed,
  };
  entity.target = entity.type === "Single" ? parseTarget(url, entity) : null;
  return entity;
}

// ── Steps ─────────────────────────────────────────────────────────────────────────────────────────────────────────

export function siteOf(element: string, changed: Partial<Site> = {}): Site {
  return {
    element,
    section: "inbound",
    scope: "api",
    scopeId: "/apis/a",
    path: `${element}[1]`,
    policyId: null,
    file: null,
    line: 1,
    column: 1,
    inMessage: false,
    operationTemplate: null,
    ...changed,
  };
}

/** A step of the test's own. */
export function stepOf(run: (exchange: Exchange) => unknown, site: Partial<Site> = {}, needs = 0): Step {
  return { site: siteOf("test", site), needs, run };
}

/** What an author writes, as plain values; functions stand for expressions. */
export interface Written {
  readonly attributes?: Readonly<Record<string, unknown>>;
  readonly children?: Readonly<Record<string, readonly Written[]>>;
  readonly text?: unknown;
  readonly steps?: readonly Step[];
}

/** What the compiler would hand to `prepare`. */
export function argsOf(shape: ElementShape, written: Written = {}): ElementArgs {
  const attributes: Record<string, unknown> = {};
  for (const [name, attribute] of Object.entries(shape.attributes ?? {})) {
    const given = written.attributes?.[name] ?? attribute.default;
    attributes[name] = given === undefined ? undefined : attribute.expression === true ? asValue(given) : given;
  }
  const children: Record<string, ElementArgs[]> = {};
  for (const [name, child] of Object.entries(shape.children ?? {})) {
    children[name] = (written.children?.[name] ?? []).map((one) => argsOf(child, one));
  }
  const { text } = written;
  const bound = text === undefined || shape.text === undefined ? undefined : shape.text.expression === true ? asValue(text) : text;
  return { attributes, children, text: bound, steps: written.steps ?? [], line: 1 };
}

function asValue(given: unknown): Value<unknown> {
  if (typeof given !== "function") return Object.assign(() => given, { constant: given, isConstant: true, needs: 0 });
  if ("needs" in given) return given as Value<unknown>;
  return Object.assign(given as () => unknown, { constant: undefined, isConstant: false, needs: 0 });
}

/** A policy ready to run. */
export function policyStep(policy: PolicyDefinition, written: Written = {}, site: Partial<Site> = {}): Step {
  const section: Section = site.section ?? policy.sections[0]!;
  const at = siteOf(policy.element, { ...site, section });
  return { site: at, needs: 0, run: policy.prepare(argsOf(policy.shape, written), at) };
}

/** What the policy's own check says about it. */
export function mistakesOf(policy: PolicyDefinition, written: Written = {}, site: Partial<Site> = {}): string[] {
  const said: string[] = [];
  policy.check?.(argsOf(policy.shape, written), (message) => void said.push(message), siteOf(policy.element, site));
  return said;
}
