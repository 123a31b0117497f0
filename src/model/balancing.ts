/** Circuit breakers and pools as their resources write them → rules with everything decided. */
import type { BackendPool, BackendProperties, SessionAffinity } from "../contract/backends.ts";
import type {
  AffinityRule,
  BreakerRule,
  FailoverRule,
  OutlierRule,
  PoolRules,
  ProbeRule,
} from "../gateway/snapshot.ts";
import { durationMs } from "./duration.ts";

const HOUR_MS = 3_600_000;
const SHORTEST_INTERVAL_MS = 1000;
/** About the first 256 tokens, by which providers choose the machine with the cache. */
const PROMPT_BYTES = 1024;
const SERVER_ERRORS = { min: 500, max: 599 };

/** One rule takes effect, the first (`ai-backends-auth.md` §10.3). */
export function breakerOf(properties: BackendProperties): BreakerRule | null {
  const rule = properties.circuitBreaker?.rules?.[0];
  if (rule === undefined) return null;
  const { count, percentage, interval, statusCodeRanges, errorReasons } = rule.failureCondition ?? {};
  const ranges = (statusCodeRanges ?? []).map(({ min = 200, max = 599 }) => ({
    min: Number(min),
    max: Number(max),
  }));
  const reasons = errorReasons ?? [];
  // A rule that names nothing means server errors, as one with that reason does.
  const serverErrors = reasons.some((reason) => /^\s*server\s*errors?\s*$/i.test(reason));
  if (serverErrors || (ranges.length === 0 && reasons.length === 0)) ranges.push(SERVER_ERRORS);
  return {
    name: rule.name ?? "",
    // Without a threshold, any failure is one too many.
    count: count === undefined && percentage === undefined ? 1 : atLeastOne(count),
    percentage: atLeastOne(percentage),
    intervalMs: durationMs(interval) || HOUR_MS,
    statusRanges: ranges,
    tripMs: durationMs(rule.tripDuration) ?? HOUR_MS,
    acceptRetryAfter: rule.acceptRetryAfter === true,
    maxTripMs: durationMs(rule.maxTripDuration) ?? HOUR_MS,
  };
}

function atLeastOne(value: number | undefined): number | null {
  return value === undefined || value === null ? null : Math.max(1, Number(value));
}

export function poolRulesOf(pool: BackendPool | undefined): PoolRules {
  return {
    algorithm: pool?.algorithm ?? "roundRobin",
    affinity: affinityOf(pool?.sessionAffinity),
    promptBytes: Number(pool?.promptPrefix?.bytes ?? PROMPT_BYTES),
    failover: failoverOf(pool),
    hedge: pool?.hedge?.afterMs === undefined ? null : { afterMs: Number(pool.hedge.afterMs) },
    outliers: outliersOf(pool),
  };
}

/** Nothing is asked unless a path is given. */
export function probeOf({ probe }: BackendProperties): ProbeRule | null {
  if (probe?.path === undefined || probe.path === null) return null;
  const path = probe.path.trim();
  const ranges = (probe.statusCodeRanges ?? []).map(({ min = 200, max = 599 }) => ({
    min: Number(min),
    max: Number(max),
  }));
  const intervalMs = Math.max(SHORTEST_INTERVAL_MS, durationMs(probe.interval) ?? 10_000);
  return {
    path: path === "" || path.startsWith("/") || path.startsWith("?") ? path : `/${path}`,
    intervalMs,
    timeoutMs: Math.min(intervalMs, durationMs(probe.timeout) || 2000),
    statusRanges: ranges.length === 0 ? [{ min: 200, max: 299 }] : ranges,
  };
}

function affinityOf(affinity: SessionAffinity | undefined): AffinityRule | null {
  const { source, name } = affinity?.sessionId ?? {};
  if (name === undefined || name === "") return null;
  return { source: source?.toLowerCase() === "header" ? "header" : "cookie", name };
}

function failoverOf(pool: BackendPool | undefined): FailoverRule | null {
  const given = pool?.failover;
  if (given === undefined || given === null) return null;
  return {
    on: given.on ?? [429, 503, "connect"],
    maxAttempts: given.maxAttempts ?? pool?.services?.length ?? 1,
  };
}

/** On unless switched off: with circuit breakers in place it hardly ever has anything to do. */
function outliersOf(pool: BackendPool | undefined): OutlierRule | null {
  const given = pool?.outlierDetection ?? {};
  if (given.enabled === false || (pool?.services?.length ?? 0) < 2) return null;
  const ejectionMs = durationMs(given.ejection) ?? 30_000;
  return {
    consecutiveFailures: given.consecutiveFailures ?? 5,
    ejectionMs,
    maxEjectionMs: Math.max(ejectionMs, durationMs(given.maxEjection) ?? 300_000),
    panicPercent: given.panicThreshold ?? 50,
  };
}
