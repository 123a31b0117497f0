/**
 * The configuration as requests see it: immutable, everything decided, built whole by `model/build.ts` and swapped
 * in at once. A request keeps the snapshot it began with.
 */
import type { AddressRange } from "../base/addresses.ts";
import type { Guard } from "../guards/guard.ts";
import type { Plan, Step } from "../compiler/policy.ts";
export type { Plan, Step };
import type { ExternalCache } from "../cache/cache.ts";
import type { HostApi, HostContext, HostGroup, HostUser } from "../compiler/runtime/host.ts";
import type { Dialect } from "../llm/dialect.ts";
import type { ApiDiagnostics } from "../telemetry/diagnostic.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { SasConnection } from "../telemetry/sas.ts";
import type { ClientProxy, ClientTls } from "../transport/transport.ts";
import type { ConnectionIndex } from "./connections.ts";
import type { IdentityCredential } from "./identity.ts";
import type { TemplateMatcher } from "./template.ts";
import { parseTarget } from "./url.ts";

export interface Snapshot {
  /** Grows by one with each swap. */
  readonly version: number;
  /** Current and other revisions, all versions; the router's index over them. */
  readonly apis: ApiIndex;
  readonly keys: KeyIndex;
  readonly backends: ReadonlyMap<string, BackendEntity>;
  /** Single backends by URL, longest first, for `backends.matchByUrl`. */
  readonly backendsByUrl: readonly BackendEntity[];
  /** Guards of this process that backends with the URL `built-in:` describe; by name, lower case. */
  readonly guards: ReadonlyMap<string, Guard>;
  readonly certificates: CertificateIndex;
  /** By name, lower case. */
  readonly schemas: ReadonlyMap<string, StoredSchema>;
  /** The `caches` resources. */
  readonly caches: readonly ExternalCache[];
  /** By name, lower case. */
  readonly loggers: ReadonlyMap<string, Logger>;
  /** Of the credential manager. */
  readonly connections: ConnectionIndex;
  /** Values of secret named values: what traces must not show. */
  readonly secrets: readonly string[];
  /** What runs when no API matched: global `on-error`. */
  readonly globalPlan: Plan;
  readonly options: GatewayOptions;
  /** A subscription's primary key by its name, for the banner of `headgate up`; null when there is none. */
  readonly subscriptionKey: (name: string) => string | null;
}

/** Gateway-wide settings that the specification names, with its defaults in `DEFAULT_GATEWAY_OPTIONS`. */
export interface GatewayOptions {
  readonly fallThrough: boolean;
  readonly ignoreProtocol: boolean;
  readonly matchBackendsByUrl: boolean;
  readonly extendedForwarding: boolean;
  /** `forwarding.trustedProxies`: proxies in front, whose word on the caller's address and scheme is taken. */
  readonly trustedProxies: readonly AddressRange[];
  readonly gatewayStatusCodes: boolean;
  readonly stripSubscriptionKey: "never" | "knownKeys";
  /** Whether a certificate must be for the URL's host where no backend says so (`compat.tlsHostnameValidation`). */
  readonly validateNames: boolean;
  /** Octets that a body may have to be held in memory for a policy. */
  readonly bufferLimitBytes: number;
  /** Octets of a request body, unless the API raises it. */
  readonly bodyLimitBytes: number;
  readonly egress: EgressOptions;
  readonly dapr: DaprOptions;
  /** Connection strings of namespaces that send-service-bus-message may use instead of the identity. */
  readonly serviceBus: readonly SasConnection[];
}

/** The Dapr sidecar. */
export interface DaprOptions {
  readonly target: Target;
  /** Goes into `dapr-api-token`. */
  readonly token: string | null;
}

/** Where requests that policies make on their own may go (`backends/own-requests/egress.ts`). */
export interface EgressOptions {
  /** Hosts (`a.example`, `*.example`), addresses and CIDR blocks that are allowed although they would be refused. */
  readonly allow: readonly string[];
  /** Whether this machine itself may be called: sidecars usually live there. */
  readonly loopback: boolean;
}

export const DEFAULT_GATEWAY_OPTIONS: GatewayOptions = {
  fallThrough: false,
  ignoreProtocol: true,
  matchBackendsByUrl: true,
  extendedForwarding: false,
  trustedProxies: [],
  gatewayStatusCodes: false,
  stripSubscriptionKey: "never",
  validateNames: true,
  bufferLimitBytes: 10 * 1024 * 1024,
  bodyLimitBytes: 10 * 1024 * 1024,
  egress: { allow: [], loopback: true },
  dapr: { target: parseTarget("http://localhost:3500")!, token: null },
  serviceBus: [],
};

/** APIs by path. Built by `gateway/api-index.ts`. */
export interface ApiIndex {
  readonly all: readonly Api[];
  /** Candidates for a path, longest first. `segments` are decoded once and lower-cased. */
  candidates(segments: readonly string[]): readonly ApiGroup[];
}

/** All versions and revisions that share one path. */
export interface ApiGroup {
  /** Decoded, lower-cased. Empty for the root API. */
  readonly segments: readonly string[];
  readonly apis: readonly Api[];
}

export interface Api extends HostApi {
  /** Name without `;rev=n`, inside a workspace `{workspace}/{name}`: what subscriptions and product links refer to. */
  readonly rootId: string;
  /** The workspace it belongs to; null for the service's own. */
  readonly workspace: HostContext["workspace"];
  readonly isOnline: boolean;
  readonly subscriptionRequired: boolean;
  /** `enabled`: a bearer token may be the key. */
  readonly bearerKey: boolean;
  readonly versionSet: VersionSet | null;
  /** Default target: `serviceUrl`, or the backend that `backendId` names. */
  readonly target: Target | null;
  readonly operations: readonly Operation[];
  readonly operationIndex: OperationIndex;
  /** For a path that matches no operation: API and global `on-error`, and `cors`. */
  readonly plan: Plan;
  /** First `cors` step of API or global inbound, for preflights that match no operation. */
  readonly cors: readonly Step[];
  /** The one product that contains it and needs no subscription. */
  readonly openProduct: Product | null;
  readonly bodyLimitBytes: number | null;
  /** What is recorded of its requests; null = nothing. */
  readonly diagnostics: ApiDiagnostics | null;
  /** `aiFormat`: what its requests to models look like; null = as path and body say. */
  readonly aiFormat: Dialect | null;
  /** Names of products that contain it. */
  readonly productIds: ReadonlySet<string>;
}

/** Built by `indexOperations`. */
export interface OperationIndex {
  /** In order of precedence. `firstSegment` is decoded and lower case; empty for the API's root. */
  candidates(method: string, firstSegment: string): readonly Operation[];
}

export interface VersionSet {
  readonly id: string;
  readonly scheme: "Segment" | "Query" | "Header";
  /** Query parameter or header name; empty for `Segment`. */
  readonly parameter: string;
}

export interface Operation {
  readonly id: string;
  readonly name: string;
  /** Upper case. */
  readonly method: string;
  readonly urlTemplate: string;
  readonly matcher: TemplateMatcher;
  /** Without a product in context. */
  readonly plan: Plan;
  /** Product id → plan, only for products with a policy of their own. */
  readonly productPlans: ReadonlyMap<string, Plan>;
  /** Direct `cors` children of the effective inbound. */
  readonly cors: readonly Step[];
  /** The same by product id, only for products with a policy of their own. */
  readonly productCors: ReadonlyMap<string, readonly Step[]>;
  /** For `mock-response`. */
  readonly responses: readonly MockResponse[];
  /** For the validation policies; made when the first of them asks. */
  readonly contract: OperationContract;
}

/** What the description of an operation says of its messages. */
export interface OperationContract {
  readonly headers: readonly ParameterRule[];
  readonly query: readonly ParameterRule[];
  readonly path: readonly ParameterRule[];
  readonly bodies: readonly BodyRule[];
  /** A request without a body is not as described. */
  readonly needsBody: boolean;
  readonly responses: readonly ResponseRule[];
}

export interface ParameterRule {
  readonly name: string;
  readonly required: boolean;
  /** `string`, `integer`, `number`, `boolean`, `array`, `object`; anything else counts as text. */
  readonly type: string;
  /** The only values there may be; empty = any. */
  readonly values: readonly string[];
  readonly schema: SchemaUse | null;
}

export interface BodyRule {
  /** Lower case, without parameters. */
  readonly contentType: string;
  readonly schema: SchemaUse | null;
}

export interface ResponseRule {
  /** `200`, `4XX` or `default`. */
  readonly status: string;
  readonly headers: readonly ParameterRule[];
  readonly bodies: readonly BodyRule[];
}

/** A place in a schema document. */
export interface SchemaUse {
  /** null when the description names one that does not exist. */
  readonly document: SchemaDocument | null;
  /** A fragment: `#/components/schemas/Order`, or `#`. */
  readonly pointer: string;
  /** The definition's name; empty when it has none. */
  readonly name: string;
}

/** The same object as long as the schema does not change: what is compiled from it is kept with it. */
export type SchemaDocument = Readonly<Record<string, unknown>>;

/** A `schemas` resource of the service. */
export interface StoredSchema {
  readonly type: "json" | "xml";
  /** null for XML Schemas, and for what is no JSON object. */
  readonly document: SchemaDocument | null;
  /** Text of an XML Schema; null for others, and when there is none. */
  readonly xml: string | null;
}

export interface MockResponse {
  readonly status: number;
  readonly representations: readonly {
    readonly contentType: string;
    /** In order of definition; already text. */
    readonly examples: readonly string[];
    /** Made from the schema when there is no example; null without a schema. */
    readonly sample: string | null;
  }[];
}

export interface Product {
  readonly id: string;
  readonly name: string;
  readonly approvalRequired: boolean;
  readonly subscriptionRequired: boolean;
  readonly subscriptionsLimit: number | null;
  readonly state: "Published" | "NotPublished";
  readonly groups: readonly HostGroup[];
  readonly apis: readonly HostApi[];
  /** Root ids of the APIs it contains. */
  readonly apiIds: ReadonlySet<string>;
}

/** Where a key leads. Lookup by a keyed hash, so that time tells nothing of keys. */
export interface KeyIndex {
  find(key: string): KeyMatch | null;
}

export interface KeyMatch {
  readonly subscription: Subscription;
}

export interface Subscription {
  readonly id: string;
  readonly name: string;
  readonly state: "active" | "suspended" | "submitted" | "rejected" | "cancelled" | "expired";
  readonly scope: SubscriptionScope;
  readonly primaryKey: string;
  readonly secondaryKey: string;
  readonly createdMs: number;
  readonly startMs: number | null;
  readonly endMs: number | null;
  readonly user: (HostUser & { readonly blocked: boolean }) | null;
  readonly allowTracing: boolean;
}

export type SubscriptionScope =
  /** The service or all APIs; `workspace` (its id, lower case): those of one workspace. */
  | { readonly kind: "all"; readonly workspace?: string | null }
  | { readonly kind: "api"; readonly apiId: string }
  | { readonly kind: "product"; readonly product: Product };

/** A base URL, split once. */
export interface Target {
  readonly scheme: "http" | "https";
  readonly host: string;
  readonly port: number;
  /** `host[:port]` as the Host header has it (default port omitted). */
  readonly authority: string;
  /** Without trailing `/`; may be empty. */
  readonly basePath: string;
  /** Without `?`; parameters that go before the request's own. */
  readonly baseQuery: string;
  /** The backend entity behind it: by `backend-id`, or found by URL. */
  readonly entity: BackendEntity | null;
}

/** `certificates` resources that have been opened. */
export interface CertificateIndex {
  /** By name, lower case. */
  readonly byId: ReadonlyMap<string, Certificate>;
  /** By SHA-1 thumbprint, 40 hex digits in upper case. */
  readonly byThumbprint: ReadonlyMap<string, Certificate>;
}

export interface Certificate {
  readonly id: string;
  readonly thumbprint: string;
  readonly der: Uint8Array;
  /** What TLS presents; null when the file holds no private key. */
  readonly client: ClientCertificate | null;
}

export type ClientCertificate = NonNullable<ClientTls["certificate"]>;

/** A `backends` resource, ready to use. What it has been through lately is remembered in `backends/backends.ts`. */
export interface BackendEntity {
  readonly id: string;
  readonly type: "Single" | "Pool";
  readonly azureRegion: string;
  /** null for pools. */
  readonly target: Target | null;
  readonly pool: readonly PoolMember[];
  /** How members are chosen; null for Single. */
  readonly balancing: PoolRules | null;
  /** When to leave it alone; null = never, and for pools. */
  readonly breaker: BreakerRule | null;
  /** How it is asked whether it is well; null = not at all, and for pools. */
  readonly probe: ProbeRule | null;
  /** Answer when no member is available or the breaker is open, else 503. */
  readonly failureStatus: number | null;
  readonly tls: ClientTls | null;
  /** The HTTP proxy on the way to it, unless a policy names another; null = none. */
  readonly proxy: ClientProxy | null;
  /** Named values already substituted. */
  readonly credentials: BackendCredentials | null;
}

export interface PoolMember {
  readonly backend: BackendEntity;
  readonly priority: number;
  readonly weight: number;
}

/** Everything decided, defaults included (`ai-backends-auth.md` §10.2). */
export interface PoolRules {
  readonly algorithm: "roundRobin" | "leastBusy" | "latency" | "remainingTokens" | "promptPrefix";
  /** Octets of a prompt that count for `promptPrefix`. */
  readonly promptBytes: number;
  readonly affinity: AffinityRule | null;
  /** null: one attempt, unless a policy says otherwise. */
  readonly failover: FailoverRule | null;
  /** null: nobody is asked before the first has failed. */
  readonly hedge: HedgeRule | null;
  /** null: nobody is ejected. */
  readonly outliers: OutlierRule | null;
}

/** See `backends/attempts/failover.ts`. */
export interface FailoverRule {
  /** Statuses, and `connect` (no connection), `reset` (it broke before the answer), `timeout`. */
  readonly on: readonly (number | string)[];
  readonly maxAttempts: number;
}

/** See `backends/attempts/hedge.ts`. */
export interface HedgeRule {
  /** Without the first byte of an answer. */
  readonly afterMs: number;
}

/** See `backends/health/probes.ts`. */
export interface ProbeRule {
  /** With query; begins with `/`, or is empty for the backend's URL itself. */
  readonly path: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly statusRanges: readonly { readonly min: number; readonly max: number }[];
}

export interface AffinityRule {
  readonly source: "cookie" | "header";
  readonly name: string;
}

/** See `backends/health/outliers.ts`. */
export interface OutlierRule {
  readonly consecutiveFailures: number;
  readonly ejectionMs: number;
  readonly maxEjectionMs: number;
  /** When more of a pool is ejected, in a hundred, ejections are ignored. */
  readonly panicPercent: number;
}

/** The one rule of a circuit breaker, everything decided (`ai-backends-auth.md` §10.3). */
export interface BreakerRule {
  readonly name: string;
  /** Failures within the interval that trip it; null = their number does not matter. */
  readonly count: number | null;
  /** Failures in a hundred requests within the interval; null = their share does not matter. */
  readonly percentage: number | null;
  readonly intervalMs: number;
  /** Answers that are failures. Connections that fail and answers that do not come always are. */
  readonly statusRanges: readonly { readonly min: number; readonly max: number }[];
  readonly tripMs: number;
  readonly acceptRetryAfter: boolean;
  /** The longest `Retry-After` believed. */
  readonly maxTripMs: number;
}

export interface BackendCredentials {
  /** Flat; each replaces what the request has. */
  readonly headers: readonly string[];
  /** Added to the URL, encoded: `a=b&c=d`; empty for none. */
  readonly query: string;
  readonly authorization: { readonly scheme: string; readonly parameter: string } | null;
  /** Fetched or worked out for each request; null for none. */
  readonly identity: IdentityCredential | null;
}
