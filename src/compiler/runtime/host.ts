/**
 * What an expression can see of the request it runs in: the shape that the gateway's exchange implements. The .NET
 * face of it (names, types, overloads) is declared in `library/context.ts`. Everything here is read-only for
 * expressions.
 */
import type { HeaderList } from "../../base/headers.ts";

export interface HostContext {
  /** Lower-case GUID text. */
  readonly requestId: string;
  /** When the request was received, ms since the epoch. */
  readonly timestampMs: number;
  /** Ms since `timestampMs`, live. */
  elapsedMs(): number;
  readonly request: HostRequest;
  /** null before a response exists. */
  readonly response: HostResponse | null;
  /** Values are boxed .NET values (`values.ts`). */
  readonly variables: ReadonlyMap<string, unknown>;
  readonly api: HostApi | null;
  readonly operation: HostOperation | null;
  readonly product: HostProduct | null;
  readonly subscription: HostSubscription | null;
  readonly user: HostUser | null;
  readonly lastError: HostLastError | null;
  readonly backend: HostBackend | null;
  readonly deployment: HostDeployment;
  readonly workspace: { readonly id: string; readonly name: string } | null;
  readonly tracing: boolean;
  trace(message: string): void;
}

export interface HostRequest {
  readonly method: string;
  readonly headers: HeaderList;
  /** The URL that would go to the backend now. */
  readonly url: HostUrl;
  readonly originalUrl: HostUrl;
  /** Template parameters of the operation; names compare without case. */
  readonly matchedParameters: ReadonlyMap<string, string>;
  readonly ipAddress: string;
  /** null when the message has no body. */
  readonly body: HostBody | null;
  /** DER; null without a client certificate. */
  readonly certificate: Uint8Array | null;
}

export interface HostResponse {
  readonly statusCode: number;
  readonly statusReason: string;
  readonly headers: HeaderList;
  readonly body: HostBody | null;
}

/** An absolute URL in parts, each as received (still percent-encoded). */
export interface HostUrl {
  readonly scheme: string;
  readonly host: string;
  readonly port: number;
  /** With the leading `/`, without query. */
  readonly path: string;
  /** With the leading `?`; empty when there is none. */
  readonly queryString: string;
}

/**
 * A message body in memory. The pipeline has buffered it before the step that owns the expression runs.
 * Parsed forms are kept by the host so that a body is parsed once however many expressions read it.
 */
export interface HostBody {
  /** The octets, content-coding undone. @throws Error when the body was not buffered: a bug in the compiler's bookkeeping */
  bytes(): Uint8Array;
  /** The Content-Type's charset decides how text is read; null = UTF-8. */
  readonly charset: string | null;
  /** True after a read without `preserveContent`. */
  readonly consumed: boolean;
  /** Marks it read: the message has no body any more. */
  consume(): void;
  /** A place for the runtime to keep what it parsed from these octets (immutable), by key such as `json`. */
  readonly parsed: Map<string, unknown>;
}

export interface HostApi {
  readonly id: string;
  readonly name: string;
  readonly path: string;
  readonly serviceUrl: HostUrl | null;
  readonly revision: string;
  readonly version: string;
  readonly isCurrentRevision: boolean;
  readonly protocols: readonly string[];
  readonly type: string;
  readonly subscriptionKeyParameterNames: { readonly header: string; readonly query: string };
}

export interface HostOperation {
  readonly id: string;
  readonly name: string;
  readonly method: string;
  readonly urlTemplate: string;
}

export interface HostGroup {
  readonly id: string;
  readonly name: string;
}

export interface HostProduct {
  readonly id: string;
  readonly name: string;
  readonly approvalRequired: boolean;
  readonly subscriptionRequired: boolean;
  readonly subscriptionsLimit: number | null;
  /** `Published` or `NotPublished`. */
  readonly state: string;
  readonly groups: readonly HostGroup[];
  readonly apis: readonly HostApi[];
}

export interface HostSubscription {
  readonly id: string;
  readonly name: string;
  /** The key the caller used. */
  readonly key: string;
  readonly primaryKey: string;
  readonly secondaryKey: string;
  /** Ms since the epoch. */
  readonly createdMs: number;
  readonly startMs: number | null;
  readonly endMs: number | null;
}

export interface HostUser {
  readonly id: string;
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly note: string;
  readonly registrationMs: number;
  readonly groups: readonly HostGroup[];
  readonly identities: readonly { readonly id: string; readonly provider: string }[];
}

export interface HostLastError {
  readonly source: string;
  readonly reason: string;
  readonly message: string;
  readonly scope: string;
  readonly section: string;
  readonly path: string;
  readonly policyId: string;
  readonly httpErrorCode: number | null;
}

export interface HostBackend {
  readonly id: string;
  /** `Single` or `Pool`. */
  readonly type: string;
  readonly azureRegion: string;
}

export interface HostDeployment {
  readonly region: string;
  readonly serviceName: string;
  readonly serviceId: string;
  readonly gatewayId: string;
  readonly gateway: { readonly id: string; readonly instanceId: string; readonly isManaged: boolean };
  /** Thumbprint or id → DER. */
  readonly certificates: ReadonlyMap<string, Uint8Array>;
}
