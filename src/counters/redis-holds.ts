import type { RedisLink } from "../redis/link.ts";
import { boundariesAround, calendarPeriodAt } from "./calendar-period.ts";
import type { Period } from "./fixed-period.ts";
import {
  CROWDED_MS,
  type Hold,
  type HoldClaim,
  type Moment,
  type PeriodHoldClaim,
  type Reserved,
  type SyncHolds,
  type TokenCounters,
} from "./holds.ts";
import { MemoryHolds } from "./memory-holds.ts";
import { MemoryQuotas } from "./memory-quotas.ts";

const PREFIX = "headgate:tokens:";
const UNKNOWN: Reserved = { state: "unknown" };
const MOST_KEYS = 100_000;
const MOST_UNANSWERED = 10_000;
/** A node that says nothing for so long has died: what it held is free again. */
const HOLD_ENDS_MS = 60_000;
/** Holds renewed by one call. */
const RENEWED_AT_ONCE = 500;
const KINDS = { window: "w", bucket: "b", period: "p" } as const;

/**
 * Holds that all nodes on one Redis share. A check over several claims is one round trip; settling is sent and not waited
 * for. Holds end by themselves after a minute unless `renew` is called before: those of a dead node vanish.
 *
 * Everything is noted here as well: while Redis does not answer, `alone` goes on with this node's share of the limits and
 * with the totals of periods as Redis said them last. What was counted of periods meanwhile is added in Redis when it is back.
 */
export class RedisHolds implements TokenCounters {
  readonly alone: SyncHolds;
  readonly #link: RedisLink;
  readonly #id: string;
  readonly #callersClock: boolean;
  /** The claim with this node's share of its limit. */
  readonly #share: (claim: HoldClaim) => HoldClaim;
  /** Totals of periods as Redis said last, and what was counted here since. */
  readonly #totals = new MemoryQuotas(MOST_KEYS);
  readonly #noted = new MemoryHolds(this.#totals, MOST_KEYS);
  readonly #underWay = new Set<RedisHold>();
  /** Costs that Redis has not been told, by key and beginning of the period. */
  #untold = new Map<string, Untold>();
  /** Settlings that were sent and not answered. */
  #unanswered: Unanswered[] = [];
  #count = 0;

  /**
   * @param id     this process, unlike any other that ever was
   * @param share  this node's share of a limit while it is alone
   * @param clock  `caller`: the moment of each call instead of Redis' own time, for tests
   */
  constructor(
    link: RedisLink,
    id: string,
    share: (limit: number) => number = (limit) => limit,
    clock: "server" | "caller" = "server",
  ) {
    this.#link = link;
    this.#id = id;
    this.#callersClock = clock === "caller";
    this.#share = (claim) => (claim.kind === "period" ? claim : { ...claim, limit: share(claim.limit) });
    this.alone = {
      reserve: (claims, now) => this.#reserveAlone(claims, now),
      count: (claims, cost, now) => this.#countAlone(claims, cost, now),
    };
    link.onUp(() => this.#tell());
  }

  /** Tokens held by calls of this node. */
  get heldTokens(): number {
    return this.#noted.heldTokens;
  }

  get underWay(): number {
    return this.#noted.underWay;
  }

  reserve(claims: readonly HoldClaim[], now: Moment): Reserved | Promise<Reserved> {
    if (!this.#link.up) return UNKNOWN;
    const id = `${this.#id} ${(this.#count++).toString(36)}`;
    const args: (string | number)[] = [claims.length * 2];
    for (const { key } of claims) args.push(PREFIX + key, `${PREFIX}${key}:holds`);
    args.push(this.#nowOf(now), id, HOLD_ENDS_MS, CROWDED_MS);
    for (const claim of claims) {
      args.push(KINDS[claim.kind], claim.limit, claim.need, claim.cost, claim.own ?? -1);
      args.push(...numbersOf(claim, now));
    }
    return this.#link.call("headgateReserveHolds", args).then(
      (reply) => this.#reserved(reply, id, claims, now),
      () => UNKNOWN,
    );
  }

  count(claims: readonly HoldClaim[], cost: number, now: Moment): void {
    if (!this.#link.up) return this.#countAlone(claims, cost, now);
    this.#noted.count(claims.map(this.#share), cost, now);
    const amounts = claims.map(() => 0);
    const starts = claims.map((claim) => (claim.kind === "period" ? startOf(claim, now) : 0));
    this.#settle({ id: "", claims, amounts }, starts, cost, now, now);
  }

  /** Says that this node lives: its holds that are older than a quarter of their time go on. */
  renew(now: Moment): void {
    if (!this.#link.up) return;
    const due: (readonly [key: string, member: string])[] = [];
    for (const hold of this.#underWay) {
      if (now.monotonicMs - hold.renewedMs < HOLD_ENDS_MS / 4) continue;
      hold.renewedMs = now.monotonicMs;
      hold.claims.forEach(({ key }, i) => {
        if (hold.amounts[i]! > 0) due.push([`${PREFIX}${key}:holds`, `${hold.id}:${hold.amounts[i]}`]);
      });
    }
    for (let i = 0; i < due.length; i += RENEWED_AT_ONCE) {
      const some = due.slice(i, i + RENEWED_AT_ONCE);
      const args = [some.length, ...some.map(([key]) => key), this.#nowOf(now), HOLD_ENDS_MS];
      this.#link.call("headgateRenewHolds", [...args, ...some.map(([, member]) => member)]).catch(() => {});
    }
  }

  #nowOf(now: Moment): number | "" {
    return this.#callersClock ? now.epochMs : "";
  }

  #reserved(reply: unknown, id: string, claims: readonly HoldClaim[], now: Moment): Reserved {
    const said = numbers(reply);
    if (said === null || said.length < 3) return UNKNOWN;
    const [state, index, waitMs] = said as [number, number, number];
    const of = (i: number, field: number): number => said[3 + i * 4 + field]!;
    const read = state === 1 ? claims.length : index + 1;
    if (said.length < 3 + read * 4) return UNKNOWN;
    for (let i = 0; i < read; i++) this.#noteTotal(claims[i]!, of(i, 2), of(i, 3), now);
    if (state !== 1) {
      return {
        state: "refused",
        claim: index,
        before: of(index, 0),
        retryAfterMs: waitMs < 0 ? null : waitMs,
      };
    }
    const amounts = claims.map((_, i) => of(i, 1));
    const noted = this.#noted.force(claims.map(this.#share), amounts, now);
    const starts = claims.map((_, i) => of(i, 3));
    const hold = new RedisHold(id, claims, amounts, noted, now.monotonicMs, (cost, at) => {
      this.#underWay.delete(hold);
      this.#settle(hold, starts, cost, now, at);
    });
    this.#underWay.add(hold);
    return { state: "taken", before: claims.map((_, i) => of(i, 0)), hold };
  }

  #settle(
    hold: Pick<RedisHold, "id" | "claims" | "amounts">,
    starts: readonly number[],
    cost: number,
    then: Moment,
    now: Moment,
    first = true,
  ): void {
    const { claims, amounts } = hold;
    const args: (string | number)[] = [];
    const keys: string[] = [];
    const counted: { readonly claim: HoldClaim; readonly period: Period | null }[] = [];
    claims.forEach((claim, i) => {
      if (claim.own !== null || (amounts[i] === 0 && cost === 0)) return;
      const period = claim.kind === "period" ? periodFrom(claim, starts[i]!, then) : null;
      counted.push({ claim, period });
      keys.push(PREFIX + claim.key, `${PREFIX}${claim.key}:holds`);
      args.push(
        KINDS[claim.kind],
        claim.limit,
        amounts[i]!,
        first ? "" : "again",
        ...settledNumbers(claim, period),
      );
    });
    if (keys.length === 0) return;
    const failed = (): void => {
      if (this.#unanswered.length < MOST_UNANSWERED) this.#unanswered.push({ hold, starts, cost, then, now });
    };
    this.#send(keys, hold.id, cost, args, now).then((reply) => {
      const said = numbers(reply);
      counted.forEach(({ claim }, i) => {
        if (said !== null && said.length > i * 2 + 1)
          this.#noteTotal(claim, said[i * 2]!, said[i * 2 + 1]!, now);
      });
    }, failed);
  }

  #send(
    keys: readonly string[],
    id: string,
    cost: number,
    args: readonly (string | number)[],
    now: Moment,
  ): Promise<unknown> {
    return this.#link.call("headgateSettleHolds", [
      keys.length,
      ...keys,
      this.#nowOf(now),
      id,
      cost,
      ...args,
    ]);
  }

  /** The copy follows what Redis says. */
  #noteTotal(claim: HoldClaim, used: number, startMs: number, now: Moment): void {
    if (claim.kind !== "period") return;
    const untold = this.#untold.get(`${startMs} ${claim.key}`)?.cost ?? 0;
    this.#totals.set(claim.key, periodFrom(claim, startMs, now), used + untold);
  }

  // ── While Redis does not answer ─────────────────────────────────────────────────────────────────────────────────

  #reserveAlone(claims: readonly HoldClaim[], now: Moment): Reserved {
    const answer = this.#noted.reserve(claims.map(this.#share), now);
    if (answer.state !== "taken") return answer;
    const { hold } = answer;
    let settled = false;
    const settle = (cost: number, at: Moment): readonly number[] | null => {
      if (settled) return null;
      settled = true;
      this.#rememberAll(claims, cost, now);
      const after = hold.settle(cost, at);
      if (this.#link.up) this.#tell();
      return after;
    };
    return { ...answer, hold: { amounts: hold.amounts, settle } };
  }

  #countAlone(claims: readonly HoldClaim[], cost: number, now: Moment): void {
    this.#noted.count(claims.map(this.#share), cost, now);
    this.#rememberAll(claims, cost, now);
  }

  #rememberAll(claims: readonly HoldClaim[], cost: number, now: Moment): void {
    for (const claim of claims) {
      const period = claim.kind === "period" ? periodFrom(claim, startOf(claim, now), now) : null;
      if (claim.own === null) this.#remember(claim, period, cost, now);
    }
  }

  #remember(claim: HoldClaim, period: Period | null, cost: number, now: Moment): void {
    if (cost === 0) return;
    const key = `${period === null ? claim.kind : period.startMs} ${claim.key}`;
    const untold = this.#untold.get(key);
    if (untold !== undefined) {
      untold.cost += cost;
      untold.now = now;
    } else if (this.#untold.size < MOST_KEYS) this.#untold.set(key, { claim, period, cost, now });
  }

  /**
   * Adds to Redis what it missed, and asks it again to settle what it did not answer for: in windows as if it were now, which is late and never early. Periods that are over meanwhile
   * need nothing any more: the script sees to that.
   */
  #tell(): void {
    const unanswered = this.#unanswered;
    this.#unanswered = [];
    for (const { hold, starts, cost, then, now } of unanswered)
      this.#settle(hold, starts, cost, then, now, false);
    const untold = this.#untold;
    this.#untold = new Map();
    for (const { claim, period, cost, now } of untold.values()) {
      const args = [KINDS[claim.kind], claim.limit, 0, "", ...settledNumbers(claim, period)];
      const keys = [PREFIX + claim.key, `${PREFIX}${claim.key}:holds`];
      this.#send(keys, "", cost, args, now).catch(() => this.#remember(claim, period, cost, now));
    }
  }
}

interface Unanswered {
  readonly hold: Pick<RedisHold, "id" | "claims" | "amounts">;
  readonly starts: readonly number[];
  readonly cost: number;
  readonly then: Moment;
  readonly now: Moment;
}

interface Untold {
  readonly claim: HoldClaim;
  readonly period: Period | null;
  cost: number;
  /** When it was counted last. */
  now: Moment;
}

class RedisHold implements Hold {
  readonly id: string;
  readonly claims: readonly HoldClaim[];
  readonly amounts: readonly number[];
  renewedMs: number;
  readonly #noted: Hold;
  readonly #onSettle: (cost: number, now: Moment) => void;
  #settled = false;

  constructor(
    id: string,
    claims: readonly HoldClaim[],
    amounts: readonly number[],
    noted: Hold,
    renewedMs: number,
    onSettle: (cost: number, now: Moment) => void,
  ) {
    this.id = id;
    this.claims = claims;
    this.amounts = amounts;
    this.#noted = noted;
    this.renewedMs = renewedMs;
    this.#onSettle = onSettle;
  }

  settle(cost: number, now: Moment): null {
    if (this.#settled) return null;
    this.#settled = true;
    this.#noted.settle(cost, now);
    this.#onSettle(cost, now);
    return null;
  }
}

function numbersOf(claim: HoldClaim, now: Moment): readonly [number, number, number, number] {
  if (claim.kind === "window") return [claim.windowMs, 0, 0, 0];
  if (claim.kind === "bucket") return [claim.fillMs, 0, 0, 0];
  return boundariesAround(claim.unit, claim.weekStart, now.epochMs);
}

function settledNumbers(claim: HoldClaim, period: Period | null): readonly number[] {
  if (period !== null) return [0, period.startMs, period.endMs, 0];
  return [claim.kind === "window" ? claim.windowMs : claim.kind === "bucket" ? claim.fillMs : 0, 0, 0, 0];
}

function startOf(claim: PeriodHoldClaim, now: Moment): number {
  return calendarPeriodAt(claim.unit, claim.weekStart, now.epochMs).startMs;
}

/** The period that begins at `startMs` and lies around `now`. */
function periodFrom(claim: PeriodHoldClaim, startMs: number, now: Moment): Period {
  const bounds = boundariesAround(claim.unit, claim.weekStart, now.epochMs);
  const at = bounds.indexOf(startMs);
  const endMs = at >= 0 && at < 3 ? bounds[at + 1]! : startMs + (bounds[2] - bounds[1]);
  return { startMs, endMs };
}

/** What a script answered, as numbers; null when it is anything else. */
function numbers(reply: unknown): readonly number[] | null {
  if (!Array.isArray(reply)) return null;
  const said = reply.map(Number);
  return said.every(Number.isFinite) ? said : null;
}
