/** What `main.ts` gives to commands: everything of the world and of the other folders that they may use. */
import type { Writable } from "node:stream";
import type { Problem } from "../base/problem.ts";
import type { PolicyDefinition } from "../compiler/policy.ts";
import type { Flags, Settings } from "../settings.ts";

export interface Application {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly catalogue: () => Promise<readonly PolicyDefinition[]>;
  readonly readSettings: (flags: Flags, environment: Application["environment"]) => Settings;
  readonly unknownVariables: (environment: Application["environment"]) => string[];
  readonly knownVariables: () => string[];
  readonly startGateway: (options: StartOptions) => Promise<StartedGateway>;
  /** Sends one request and waits for the whole answer, as any client would. */
  readonly request: (request: HttpRequest) => Promise<HttpAnswer>;
  readonly startDemoModel: () => Promise<{ readonly url: string; close(): Promise<void> }>;
  /** Loads and compiles a folder without running it. */
  readonly check: (folder: string, environment: Application["environment"]) => Promise<CheckedFolder>;
  /** Messages about configuration files and resources, by code; the compiler's own are in its table. */
  readonly otherMessages: () => Promise<
    ReadonlyMap<string, { readonly text: string; readonly explain: string }>
  >;
  readonly onSignal: (listener: () => void) => void;
  readonly exit: (code: number) => void;
}

/** As `transport/whole-answer.ts` has it. */
export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  /** Flat. */
  readonly rawHeaders: readonly string[];
  readonly body: Uint8Array | null;
  /** Take whatever certificate the server shows. */
  readonly insecure: boolean;
  /** Octets of the answer that are kept. */
  readonly limitBytes: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly reason: string;
  readonly rawHeaders: readonly string[];
  readonly body: Uint8Array;
  /** Octets that came, kept or not. */
  readonly length: number;
}

export interface CheckedFolder {
  readonly problems: readonly Problem[];
  readonly textOf: (file: string) => string | undefined;
  /** How many resources there are. */
  readonly resources: number;
}

export interface StartOptions {
  readonly configDir: string;
  /** null: nothing is kept. */
  readonly dataDir: string | null;
  /** Where the counters are that several nodes share; null or absent: this node counts alone. */
  readonly redis?: string | null;
  readonly environment: Application["environment"];
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  readonly portIsDefault: boolean;
  readonly tls: {
    readonly key: string;
    readonly cert: string;
    readonly requestClientCertificate?: boolean;
  } | null;
  readonly watch: boolean;
  /** Where `/metrics` is answered; null or absent: nowhere. */
  readonly admin?: Settings["admin"];
  /** Where browsers reach the gateway; null or absent: where it listens. */
  readonly publicUrl?: string | null;
  /** DNS servers that backends' names are asked of; absent or empty: the system decides. */
  readonly dnsServers?: readonly string[];
  /** Signs session cookies; null or absent: a secret of this gateway's own, kept in the data folder. */
  readonly sessionSecret?: string | null;
  /** Default: none. */
  readonly compat?: Partial<Settings["compat"]>;
  /** Default: what the specification says. */
  readonly gateway?: Partial<Settings["gateway"]>;
  /** Default: nothing extra is allowed, loopback is. */
  readonly egress?: Settings["egress"];
  readonly accessLog: boolean;
  readonly logStream: Writable;
  /** After every attempt to load the folder. */
  readonly onReload?: (outcome: ReloadOutcome) => void;
  /** After every exchange; for tests. */
  readonly onExchange?: (exchange: unknown) => void;
}

/** What a person sees of a backend. */
export interface BackendReport {
  readonly id: string;
  /** null without a breaker. */
  readonly breaker: "closed" | "open" | "half-open" | null;
  /** Ms until an open breaker lets a probe through; 0 when it is not open. */
  readonly openForMs: number;
  readonly trips: number;
  /** How often its breaker has come into each state; null without one. */
  readonly transitions: Readonly<Record<"closed" | "open" | "half-open", number>> | null;
  /** Gets nothing new, by command. */
  readonly drained: boolean;
  /** Ms until the last of its pools takes it back; 0 when none has ejected it. */
  readonly ejectedForMs: number;
  /** Watched requests under way: of pools, and of backends with a breaker. */
  readonly inFlight: number;
  readonly attempts: number;
  readonly failures: number;
  /** To the head of an answer, recent peaks first; 0 = unknown. */
  readonly latencyMs: number;
  /** Of the last answers and failures; null = there were none. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  /** Tokens that its provider still grants; null = unknown. */
  readonly remainingTokens: number | null;
  /** The pools that it is a member of. */
  readonly pools: readonly string[];
  /** Statuses and error codes, the latest last. */
  readonly lastOutcomes: readonly (number | string)[];
}

export interface ReloadOutcome {
  readonly problems: readonly Problem[];
  readonly applied: boolean;
  readonly version: number;
  readonly textOf: (file: string) => string | undefined;
}

export interface StartedGateway {
  readonly port: number;
  readonly url: string;
  /** Of the listener that answers `/metrics`; null without one. */
  readonly adminUrl: string | null;
  /** Warnings of the first load. */
  readonly problems: readonly Problem[];
  /** Loads the folder again; with errors nothing changes. */
  reload(): Promise<readonly Problem[]>;
  /** A subscription's primary key, for the banner. */
  subscriptionKey(name: string): string | null;
  readonly inFlight: number;
  /**
   * A link by which a person consents to a connection of the credential manager.
   *
   * @throws Error when there is no such connection, or nobody signs in for it
   */
  loginLink(provider: string, authorization: string, postLoginRedirectUrl: string | null): string;
  /** A token for `Apim-Debug-Authorization`: for one API by name, or null for any. It lives an hour at most. */
  debugToken(api: string | null, lifetimeMs?: number): string;
  /** The trace with this id, in the shape of `listTrace`; null when there is none. */
  trace(traceId: string): unknown;
  readonly version: number;
  /** How the backends are doing. */
  backends(): readonly BackendReport[];
  /** Closes a backend's breaker and ends its ejections. @returns whether there is such a backend */
  resetBackend(id: string): boolean;
  /** A drained backend gets nothing new; what is under way finishes. @returns whether there is such a backend */
  drainBackend(id: string, drained: boolean): boolean;
  /** Another certificate for TLS connections to come. @throws what OpenSSL says of one that cannot be used */
  setTls(tls: NonNullable<StartOptions["tls"]>): void;
  /** Stops accepting, lets what is under way finish for up to `ms`, then closes. */
  drain(ms: number): Promise<void>;
  close(): Promise<void>;
}
