/**
 * All that is remembered of backends, for the whole process: breakers, loads, turns of pools, the retry budget. Snapshots
 * come and go; entities are only keys here. A state is found by its entity in one map look-up; when an entity is new, its
 * state is looked for by what it says, so that a change of the configuration which leaves a backend as it was also
 * leaves its breaker open, and a pool's turns where they were.
 */
import type { HeaderList } from "../base/headers.ts";
import { GatewayError } from "../gateway/errors.ts";
import type { Attempt } from "../gateway/exchange.ts";
import { STANDARD_REASONS } from "../gateway/message.ts";
import type { BackendEntity, Snapshot } from "../gateway/snapshot.ts";
import { Affinity, NO_MEMBER } from "./pools/affinity.ts";
import { Allowance } from "./health/allowance.ts";
import { BackendState } from "./health/backend-state.ts";
import { type BreakerState, REFUSED } from "./health/circuit-breaker.ts";
import { Lease } from "./pools/lease.ts";
import { Outlier } from "./health/outliers.ts";
import { type Member, NOBODY, Pool } from "./pools/pool.ts";
import { seedOf } from "./pools/prompt-prefix.ts";
import { RetryBudget } from "./attempts/retry-budget.ts";
import { type Surroundings, tellBreaker, tellOutlier } from "./health/tell.ts";

/** A pool with what belongs to its members. */
export interface PoolState {
  readonly id: string;
  readonly pool: Pool;
  readonly affinity: Affinity | null;
  readonly states: readonly BackendState[];
}

/** Whom an attempt goes to. */
export interface Picked {
  /** The Single backend. */
  readonly entity: BackendEntity;
  readonly lease: Lease;
  /** Its place in the pool. */
  readonly index: number;
  readonly pool: PoolState;
}

/** What a person sees of a backend. */
export interface BackendReport {
  readonly id: string;
  /** null without a breaker. */
  readonly breaker: BreakerState | null;
  /** Ms until an open breaker lets a probe through; 0 when it is not open. */
  readonly openForMs: number;
  readonly trips: number;
  /** How often its breaker has come into each state; null without one. */
  readonly transitions: Readonly<Record<BreakerState, number>> | null;
  /** Gets nothing new, by command. */
  readonly drained: boolean;
  /** Ms until the last of its pools takes it back; 0 when none has ejected it. */
  readonly ejectedForMs: number;
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
  readonly lastOutcomes: readonly (number | string)[];
}

export interface BackendsOptions extends Surroundings {
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** For session cookies. The same on all gateways that share sessions. */
  readonly secret: string;
  /** `compat.breakerFullReset`; default false. */
  readonly breakerFullReset?: boolean;
}

export class Backends {
  readonly #options: BackendsOptions;
  readonly #budget = new RetryBudget();
  readonly #states = new Map<string, BackendState>();
  readonly #pools = new Map<string, PoolState>();
  /** Short cuts by entity; they also keep alive what exchanges on older snapshots use. */
  readonly #stateOf = new WeakMap<BackendEntity, BackendState>();
  readonly #poolOf = new WeakMap<BackendEntity, PoolState>();
  /** Ids, lower case, of backends that get nothing new. */
  readonly #drained = new Set<string>();

  constructor(options: BackendsOptions) {
    this.#options = options;
  }

  /** Takes in a snapshot that is about to serve, and forgets backends that it no longer has. */
  adopt(snapshot: Snapshot): void {
    const used = new Set<BackendState | PoolState>();
    for (const entity of snapshot.backends.values()) {
      used.add(entity.type === "Pool" ? this.#pool(entity) : this.#state(entity));
      for (const { backend } of entity.pool) used.add(this.#state(backend));
    }
    for (const [key, state] of this.#states) if (!used.has(state)) this.#states.delete(key);
    for (const [key, state] of this.#pools) if (!used.has(state)) this.#pools.delete(key);
  }

  /**
   * Asks a Single backend's breaker.
   *
   * @returns null when it has none: nothing is watched then
   * @throws GatewayError `BackendUnavailable` when it is open, or the backend is drained
   */
  admit(entity: BackendEntity): Lease | null {
    if (this.#drained.size > 0 && this.#drained.has(entity.id.toLowerCase()))
      throw unavailable(entity, `Backend '${entity.id}'`, Infinity);
    if (entity.breaker === null) return null;
    const state = this.#state(entity);
    const now = this.#options.monotonic();
    const lease = this.#lease(state, null, now);
    if (lease === null) throw unavailable(entity, `Backend '${entity.id}'`, state.breaker!.openUntil - now);
    return lease;
  }

  /**
   * Picks a member of a pool.
   *
   * @param attempts of this exchange so far: whom it has asked
   * @param headers  of the request, for session affinity
   * @param prompt   for the algorithm `promptPrefix`; null: nothing is known of it
   * @throws GatewayError `BackendUnavailable` when nobody may be sent to
   */
  pick(
    entity: BackendEntity,
    attempts: readonly Attempt[],
    headers: HeaderList,
    prompt: number | null = null,
  ): Picked {
    const state = this.#pool(entity);
    const { pool, affinity, states } = state;
    const now = this.#options.monotonic();
    const { tried, last } = triedMembers(entity, attempts);
    let index = affinity === null ? NO_MEMBER : affinity.memberOf(headers, pool, now, tried);
    if (index === NO_MEMBER) index = pool.pick(now, tried, last, this.#options.random, prompt);
    const lease = index === NOBODY ? null : this.#lease(states[index]!, pool.members[index]!.outlier, now);
    if (lease === null) throw unavailable(entity, `Backend pool '${entity.id}'`, pool.readyAt(now) - now);
    return { entity: entity.pool[index]!.backend, lease, index, pool: state };
  }

  /** Whether a pool has a member to send to that an exchange has not tried. */
  hasOther(entity: BackendEntity, attempts: readonly Attempt[]): boolean {
    return (
      this.#pool(entity).pool.candidates(this.#options.monotonic(), triedMembers(entity, attempts).tried) !==
      0
    );
  }

  /** A caller's request is sent for the first time. @param now about; the start of its exchange will do */
  firstAttempt(now: number): void {
    this.#budget.deposit(now);
  }

  /** Takes a retry from the budget. */
  mayRetry(): boolean {
    return this.#budget.withdraw(this.#options.monotonic());
  }

  /** Retries that the budget did not allow. */
  get retriesRefused(): number {
    return this.#budget.refused;
  }

  /** The backends of the last adopted snapshot. */
  report(): BackendReport[] {
    const now = this.#options.monotonic();
    const pools = [...this.#pools.values()];
    return [...this.#states.values()].map((state) => {
      const { id, breaker, load, latencies, allowance } = state;
      return {
        id,
        breaker: breaker?.state ?? null,
        openForMs: breaker?.state === "open" ? Math.max(0, breaker.openUntil - now) : 0,
        trips: breaker?.trips ?? 0,
        transitions: breaker?.entered ?? null,
        drained: this.#drained.has(id.toLowerCase()),
        ejectedForMs: Math.max(0, ...pools.map((pool) => ejectedUntil(pool, state) - now)),
        inFlight: load.inFlight,
        attempts: state.attempts,
        failures: state.failures,
        latencyMs: load.latencyMs(now),
        p50Ms: latencies.percentile(50),
        p95Ms: latencies.percentile(95),
        remainingTokens: allowance?.remaining(now) ?? null,
        pools: pools.filter(({ states }) => states.includes(state)).map((pool) => pool.id),
        lastOutcomes: [...state.lastOutcomes],
      };
    });
  }

  /**
   * A drained backend gets nothing new, alone or as a member of pools, until it is undrained; what is under way goes on.
   * That is kept over changes of the configuration, not over a restart.
   *
   * @returns whether there is such a backend
   */
  drain(id: string, drained: boolean): boolean {
    const name = id.toLowerCase();
    if (![...this.#states.values()].some((state) => state.id.toLowerCase() === name)) return false;
    if (drained) this.#drained.add(name);
    else this.#drained.delete(name);
    for (const { pool, states } of this.#pools.values()) pool.drained = this.#drainedOf(states);
    return true;
  }

  /**
   * An active probe wants to go out (`probes.ts`).
   *
   * @returns a permit for `probed`; null when the backend is to be left alone
   */
  beginProbe(entity: BackendEntity): number | null {
    const { breaker } = this.#state(entity);
    if (breaker === null) return 0;
    const permit = breaker.admit(this.#options.monotonic());
    return permit === REFUSED ? null : permit;
  }

  /**
   * What came of a probe. A failure counts as one of a request; a good answer is heard by a breaker, but does not make
   * requests that failed before it undone.
   *
   * @param outcome status or error code; null: none, as it was called off
   */
  probed(entity: BackendEntity, permit: number, outcome: number | string | null, well: boolean): void {
    const state = this.#state(entity);
    if (outcome === null) return state.breaker?.release(permit);
    const now = this.#options.monotonic();
    if (!well) state.note(`probe ${outcome}`, true);
    const transition = state.breaker?.record(permit, !well, now, null) ?? null;
    tellBreaker(state, transition, outcome, now, this.#options);
    if (well) return;
    for (const { states, pool } of this.#pools.values()) {
      const at = states.indexOf(state);
      if (at >= 0) tellOutlier(state, pool.members[at]!.outlier, true, outcome, now, this.#options);
    }
  }

  /** Closes a backend's breaker and ends its ejections, by command. @returns whether there is such a backend */
  reset(id: string): boolean {
    let found = false;
    for (const state of this.#states.values()) {
      if (state.id.toLowerCase() !== id.toLowerCase()) continue;
      found = true;
      state.breaker?.reset();
      for (const { states, pool } of this.#pools.values())
        pool.members[states.indexOf(state)]?.outlier?.reset();
    }
    return found;
  }

  #lease(state: BackendState, outlier: Outlier | null, now: number): Lease | null {
    const { breaker } = state;
    const permit = breaker === null ? 0 : breaker.admit(now);
    return permit === REFUSED ? null : new Lease(state, permit, outlier, this.#options, now);
  }

  #state(entity: BackendEntity): BackendState {
    let state = this.#stateOf.get(entity);
    if (state !== undefined) return state;
    const key = keyOf(entity);
    state = this.#states.get(key);
    if (state === undefined) this.#states.set(key, (state = this.#newState(entity)));
    this.#stateOf.set(entity, state);
    return state;
  }

  #newState(entity: BackendEntity): BackendState {
    return new BackendState(entity, this.#options.breakerFullReset === true);
  }

  #drainedOf(states: readonly BackendState[]): number {
    let members = 0;
    if (this.#drained.size > 0)
      states.forEach(({ id }, i) => this.#drained.has(id.toLowerCase()) && (members |= 1 << i));
    return members;
  }

  #pool(entity: BackendEntity): PoolState {
    let state = this.#poolOf.get(entity);
    if (state !== undefined) return state;
    const key = keyOf(entity);
    state = this.#pools.get(key);
    if (state === undefined) this.#pools.set(key, (state = this.#newPool(entity)));
    this.#poolOf.set(entity, state);
    return state;
  }

  /** A pool that was changed takes over the turns of the members that stay. */
  #newPool(entity: BackendEntity): PoolState {
    const rules = entity.balancing;
    const outliers = rules?.outliers ?? null;
    const before = [...this.#pools.values()].find(({ id }) => id === entity.id);
    const states = entity.pool.map(({ backend }) => this.#state(backend));
    const kept = states.map((state) => before?.states.indexOf(state) ?? -1);
    if (rules?.algorithm === "remainingTokens")
      for (const state of states) state.allowance ??= new Allowance();
    const members = entity.pool.map(({ priority, weight }, i): Member => {
      const { id, breaker, load, allowance } = states[i]!;
      const outlier = outliers === null ? null : new Outlier(outliers);
      return { priority, weight, breaker, load, outlier, allowance, seed: seedOf(id) };
    });
    const pool = new Pool(members, rules?.algorithm ?? "roundRobin", outliers?.panicPercent ?? 100);
    pool.drained = this.#drainedOf(states);
    kept.forEach((at, i) => at >= 0 && pool.setCredit(i, before!.pool.creditOf(at)));
    const ids = entity.pool.map(({ backend }) => backend.id);
    const affinity =
      rules?.affinity == null ? null : new Affinity(rules.affinity, this.#options.secret, entity.id, ids);
    return { id: entity.id, pool, affinity, states };
  }
}

/** The members that an exchange has asked, as bits, and the one that it asked last. */
function triedMembers(
  { pool }: BackendEntity,
  attempts: readonly Attempt[],
): { readonly tried: number; readonly last: number } {
  let tried = 0;
  let last = 0;
  for (const { backendId } of attempts) {
    const at = backendId === null ? -1 : pool.findIndex(({ backend }) => backend.id === backendId);
    if (at >= 0) tried |= last = 1 << at;
  }
  return { tried, last };
}

function ejectedUntil({ states, pool }: PoolState, state: BackendState): number {
  return pool.members[states.indexOf(state)]?.outlier?.until ?? -Infinity;
}

/** What a state depends on; the URL, too, as a backend that moved is another backend. */
function keyOf(entity: BackendEntity): string {
  const { id, type, target, breaker, balancing, pool } = entity;
  const url = target === null ? null : [target.scheme, target.host, target.port, target.basePath];
  const members = pool.map(({ backend, priority, weight }) => [keyOf(backend), priority, weight]);
  return JSON.stringify([id, type, url, breaker, balancing, members]);
}

/** Nothing is sent; the answer says when to come again (`ai-backends-auth.md` §10.2, §10.4). */
function unavailable(entity: BackendEntity, who: string, waitMs: number): GatewayError {
  const { failureStatus } = entity;
  // An interim status ends nothing.
  const status = failureStatus === null || failureStatus < 200 ? 503 : failureStatus;
  return new GatewayError({
    source: "forward-request",
    reason: "BackendUnavailable",
    message: `${who} is temporarily unavailable.`,
    status,
    clientMessage: STANDARD_REASONS.get(status) ?? "Service Unavailable",
    // A reason phrase knows no other characters; names of backends may.
    statusReason: `${who} is temporarily unavailable`.replace(/[^ -~]/g, "?"),
    headers: Number.isFinite(waitMs) ? ["Retry-After", String(Math.max(1, Math.ceil(waitMs / 1000)))] : [],
    showsResponse: true,
    code: "backend_unavailable",
  });
}
