import type { Duration, OpenProperties, Reference } from "./resource.ts";

/** `backends`. Source: spec "Resource model" 1.7. */
export interface BackendProperties extends OpenProperties {
  /** Default `Single`. */
  type?: "Single" | "Pool";
  url?: string;
  protocol?: "http" | "soap";
  title?: string;
  description?: string;
  resourceId?: string;
  azureRegion?: string;
  credentials?: BackendCredentials;
  tls?: BackendTls;
  proxy?: { url?: string; username?: string; password?: string };
  properties?: OpenProperties;
  circuitBreaker?: { rules?: CircuitBreakerRule[]; [key: string]: unknown };
  /** Ours. */
  probe?: BackendProbe;
  /** Ours: of a backend whose URL is `built-in:`. Items of lists are phrases or `/patterns/`. */
  guard?: { blocklists?: { [name: string]: string[] }; detectors?: { [name: string]: unknown } };
  pool?: BackendPool;
}

export interface BackendCredentials extends OpenProperties {
  header?: { [name: string]: string[] };
  query?: { [name: string]: string[] };
  authorization?: { scheme?: string; parameter?: string };
  /** Thumbprints; `certificateIds` wins. */
  certificate?: string[];
  certificateIds?: Reference[];
  /** Undocumented, used by every inference lab. */
  managedIdentity?: { resource?: string; clientId?: string };
  /** Ours. */
  awsSigV4?: AwsSigV4Credentials;
  /** Ours. `key`: the JSON of a key file; missing: what the environment names. `scope`: default cloud-platform. */
  googleServiceAccount?: { key?: string; scope?: string };
}

/** Missing keys: what the environment names. Region and service: default what an AWS host says. */
export interface AwsSigV4Credentials extends OpenProperties {
  accessKeyId?: string;
  secretAccessKey?: string;
  sessionToken?: string;
  region?: string;
  service?: string;
}

export interface BackendTls extends OpenProperties {
  validateCertificateChain?: boolean;
  validateCertificateName?: boolean;
  serverCertificateThumbprints?: string[];
  serverX509Names?: { name?: string; issuerCertificateThumbprint?: string }[];
}

export interface CircuitBreakerRule extends OpenProperties {
  name?: string;
  failureCondition?: FailureCondition;
  tripDuration?: Duration;
  acceptRetryAfter?: boolean;
  /** Ours: the longest `Retry-After` believed. */
  maxTripDuration?: Duration;
  failureResponse?: { statusCode?: number };
}

/** Ours: a GET that costs no tokens, again and again; without it nothing is sent but callers' requests. */
export interface BackendProbe extends OpenProperties {
  /** Below the backend's URL, with a query if need be: `/health`. */
  path?: string;
  /** Default `PT10S`; at least a second. */
  interval?: Duration;
  /** Default `PT2S`. */
  timeout?: Duration;
  /** What a healthy backend answers; default 200 to 299. */
  statusCodeRanges?: { min?: number; max?: number }[];
}

export interface FailureCondition extends OpenProperties {
  count?: number;
  percentage?: number;
  interval?: Duration;
  statusCodeRanges?: { min?: number; max?: number }[];
  errorReasons?: string[];
}

export interface BackendPool extends OpenProperties {
  services?: BackendPoolMember[];
  sessionAffinity?: SessionAffinity;
  /** Ours; default `roundRobin`, which respects weights. */
  algorithm?: "roundRobin" | "leastBusy" | "latency" | "remainingTokens" | "promptPrefix";
  /** Ours, for the algorithm of that name: octets of the prompt that must be alike; default 1024. */
  promptPrefix?: { bytes?: number };
  outlierDetection?: OutlierDetection;
  /** Ours: ask another member after these, without a policy. Default: 429, 503 and `connect`, every member once. */
  failover?: { on?: (number | "connect" | "reset" | "timeout")[]; maxAttempts?: number };
  /** Ours: a second member is asked when the first has sent no byte after so long; the quicker one answers. */
  hedge?: { afterMs?: number };
  failureResponse?: { statusCode?: number };
}

export interface BackendPoolMember extends OpenProperties {
  id?: Reference;
  /** 0-100, lower first; missing: 1. */
  priority?: number;
  /** 0-100, the share inside a priority; missing: 1. */
  weight?: number;
  preferredCarbonEmission?: string;
}

/** Ours: members that fail several times in a row are passed over for a while. On by default. */
export interface OutlierDetection extends OpenProperties {
  enabled?: boolean;
  /** Default 5. */
  consecutiveFailures?: number;
  /** How long the first time; default `PT30S`. */
  ejection?: Duration;
  /** Default `PT5M`. */
  maxEjection?: Duration;
  /** Of a pool, in a hundred: when more is ejected, nobody is. Default 50. */
  panicThreshold?: number;
}

export interface SessionAffinity extends OpenProperties {
  sessionId?: { source?: string; name?: string };
}
