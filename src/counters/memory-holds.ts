import { calendarPeriodAt } from "./calendar-period.ts";
import { stillCounts } from "./fixed-period.ts";
import {
  CROWDED_MS,
  HELD_WAIT_MS,
  type Hold,
  type HoldClaim,
  type Moment,
  type PeriodHoldClaim,
  type Reserved,
  type SyncHolds,
  type TokenCounters,
  amountHeld,
  fits,
  roomNeeded,
} from "./holds.ts";
import { BucketMeter, type Meter, PeriodMeter, type PeriodTotals, WindowMeter } from "./meters.ts";

/** What is used of a key, and what is held on it. */
class Place {
  readonly meter: Meter;
  held = 0;
  /** Calls under way that hold something. */
  holders = 0;
  /** Calls under way that will count here, whether they hold something or not: until then it must not be forgotten. */
  awaited = 0;
  /** On the monotonic clock. */
  crowdedUntilMs = -Infinity;

  constructor(meter: Meter) {
    this.meter = meter;
  }
}

/**
 * Holds of this process: exact under any concurrency, because a check is one synchronous step, and gone with the process.
 * Totals of periods are kept elsewhere. Keys that nobody uses any more are swept away two per check; beyond `maxKeys` the
 * oldest key on which nothing is held is forgotten.
 */
export class MemoryHolds implements SyncHolds, TokenCounters {
  /** Tokens held by calls under way, on all keys. */
  heldTokens = 0;
  /** Holds that are not settled. */
  underWay = 0;
  readonly #places = new Map<string, Place>();
  readonly #totals: PeriodTotals;
  readonly #maxKeys: number;
  #sweep: Iterator<[string, Place]> | null = null;

  constructor(totals: PeriodTotals, maxKeys = 1_000_000) {
    this.#totals = totals;
    this.#maxKeys = maxKeys;
  }

  get size(): number {
    return this.#places.size;
  }

  reserve(claims: readonly HoldClaim[], now: Moment): Reserved {
    this.#sweepSome(now);
    const places: Place[] = [];
    const before: number[] = [];
    for (let i = 0; i < claims.length; i++) {
      const claim = claims[i]!;
      const place = this.#placeOf(claim, now);
      const others = place.holders > ((claim.own ?? 0) > 0 ? 1 : 0);
      const crowded = now.monotonicMs < place.crowdedUntilMs;
      if (others && claim.cost > 0) place.crowdedUntilMs = now.monotonicMs + CROWDED_MS;
      const used = place.meter.usedAt(now);
      const taken = used + place.held - (claim.own ?? 0);
      const needed = roomNeeded(claim, others, crowded);
      if (!fits(claim, taken, needed)) {
        return {
          state: "refused",
          claim: i,
          before: taken,
          retryAfterMs: waitOf(claim, place.meter, used, needed, now),
        };
      }
      places.push(place);
      before.push(taken);
    }
    const amounts = claims.map((claim, i) => amountHeld(claim, before[i]!));
    return { state: "taken", before, hold: this.#hold(claims, places, amounts) };
  }

  /** Holds whatever the limits say: what another store has let in. */
  force(claims: readonly HoldClaim[], amounts: readonly number[], now: Moment): Hold {
    return this.#hold(
      claims,
      claims.map((claim) => this.#placeOf(claim, now)),
      amounts,
    );
  }

  count(claims: readonly HoldClaim[], cost: number, now: Moment): void {
    this.force(
      claims,
      claims.map(() => 0),
      now,
    ).settle(cost, now);
  }

  #hold(claims: readonly HoldClaim[], places: readonly Place[], amounts: readonly number[]): Hold {
    this.underWay++;
    for (let i = 0; i < places.length; i++) {
      places[i]!.awaited++;
      if (amounts[i]! <= 0) continue;
      places[i]!.held += amounts[i]!;
      places[i]!.holders++;
      this.heldTokens += amounts[i]!;
    }
    return new MemoryHold(this, claims, places, amounts);
  }

  #placeOf(claim: HoldClaim, now: Moment): Place {
    const place = this.#places.get(claim.key);
    if (place !== undefined && goesOn(place.meter, claim, now)) return place;
    const next = new Place(this.#meterFor(claim, now));
    if (place === undefined) {
      if (this.#places.size >= this.#maxKeys) this.#forgetOldest();
    } else next.crowdedUntilMs = place.crowdedUntilMs;
    this.#places.set(claim.key, next);
    return next;
  }

  #meterFor(claim: HoldClaim, now: Moment): Meter {
    if (claim.kind === "window") return new WindowMeter(claim.windowMs);
    if (claim.kind === "bucket") return new BucketMeter(claim.limit, claim.fillMs, now);
    return new PeriodMeter(this.#totals, claim.key, periodOf(claim, now));
  }

  #forgetOldest(): void {
    // Those that are held go to the end of the row; a few tries, for all of them may be.
    for (let i = 0; i < 8; i++) {
      const oldest = this.#places.entries().next();
      if (oldest.done === true) return;
      const [key, place] = oldest.value;
      this.#places.delete(key);
      if (place.awaited === 0) return;
      this.#places.set(key, place);
    }
  }

  #sweepSome(now: Moment): void {
    for (let i = 0; i < 2; i++) {
      this.#sweep ??= this.#places.entries();
      const next = this.#sweep.next();
      if (next.done === true) {
        this.#sweep = null;
        return;
      }
      const [key, place] = next.value;
      if (place.awaited === 0 && place.crowdedUntilMs <= now.monotonicMs && place.meter.isIdle(now))
        this.#places.delete(key);
    }
  }
}

class MemoryHold implements Hold {
  readonly amounts: readonly number[];
  readonly #owner: MemoryHolds;
  readonly #claims: readonly HoldClaim[];
  readonly #places: readonly Place[];
  #settled = false;

  constructor(
    owner: MemoryHolds,
    claims: readonly HoldClaim[],
    places: readonly Place[],
    amounts: readonly number[],
  ) {
    this.#owner = owner;
    this.#claims = claims;
    this.#places = places;
    this.amounts = amounts;
  }

  settle(cost: number, now: Moment): readonly number[] | null {
    if (this.#settled) return null;
    this.#settled = true;
    this.#owner.underWay--;
    const after: number[] = [];
    for (let i = 0; i < this.#places.length; i++) {
      const place = this.#places[i]!;
      const amount = this.amounts[i]!;
      place.awaited--;
      if (amount > 0) {
        place.held -= amount;
        place.holders--;
        this.#owner.heldTokens -= amount;
      }
      if (cost > 0 && this.#claims[i]!.own === null) place.meter.count(cost, now);
      after.push(place.meter.usedAt(now) + place.held);
    }
    return after;
  }
}

function periodOf(claim: PeriodHoldClaim, now: Moment): ReturnType<typeof calendarPeriodAt> {
  return calendarPeriodAt(claim.unit, claim.weekStart, now.epochMs);
}

/** Whether what the meter has counted is what the claim asks for; configuration may have changed, a period be over. */
function goesOn(meter: Meter, claim: HoldClaim, now: Moment): boolean {
  if (meter instanceof WindowMeter)
    return claim.kind === "window" && meter.window.windowMs === claim.windowMs;
  if (meter instanceof BucketMeter) {
    return claim.kind === "bucket" && meter.limit === claim.limit && meter.fillMs === claim.fillMs;
  }
  if (!(meter instanceof PeriodMeter) || claim.kind !== "period") return false;
  // Most checks lie in the period of the last one: no need to ask the calendar.
  const { startMs, endMs } = meter.period;
  if (now.epochMs >= startMs && now.epochMs < endMs) return true;
  return stillCounts(startMs, periodOf(claim, now));
}

function waitOf(claim: HoldClaim, meter: Meter, used: number, needed: number, now: Moment): number | null {
  if (claim.need > claim.limit) return null;
  // A bucket lets in again as soon as it is no longer overdrawn; elsewhere there must be room for one.
  const least = meter.kind === "bucket" ? 0 : 1;
  const excess = used + (needed > 0 ? Math.min(needed, claim.limit) : least) - claim.limit;
  if (needed > 0 ? excess <= 0 : excess < least) return HELD_WAIT_MS;
  return Math.max(1, meter.msUntilFree(excess, now));
}
