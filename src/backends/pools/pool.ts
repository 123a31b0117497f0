/**
 * Which member of a pool takes the next request (`ai-backends-auth.md` §10.2).
 *
 * **Groups.** Members of one priority form a group; the lowest number is the best. A group is asked only when no member
 * of a better one may be sent to, because their breakers are open. For one exchange, a member that it has tried
 * already counts as gone, too, as long as any other is there: a retry never goes back to the member that just failed, and
 * rather takes one of a lesser group.
 *
 * **Inside a group** the algorithm chooses among those who are there:
 *
 * - `roundRobin`: smooth weighted round robin. Each turn every member that is there gains its weight, the highest goes and
 *   pays the sum. Without weights that is plain round robin; the distribution is exact however many requests run at
 *   once, because a pick is synchronous.
 * - `leastBusy`: fewest requests under way for its weight; the turn decides between equals.
 * - `latency`: two members by lot, the cheaper of them goes (`load.ts`). Two, so that not everybody runs to the same one.
 * - `remainingTokens`: who has most tokens left, as its provider reports (`allowance.ts`); the turn decides between equals.
 * - `promptPrefix`: requests that begin alike go to the same member (`prompt-prefix.ts`), unless it is busier than a
 *   quarter above the mean: then the next in that prompt's own order. A request without a prompt takes a turn.
 *
 * A weight of 0 goes only when nobody else in its group is there. Ejected members (`outliers.ts`) go last of all in
 * their group, but their group still comes before lesser ones: only breakers open the way to those, and drained members,
 * who get nothing at all.
 *
 * Nothing here waits or allocates: sets of members are bits of an integer, as a pool has at most 30. Time is an argument:
 * ms of a clock that never steps back.
 */
import type { Allowance } from "../health/allowance.ts";
import type { CircuitBreaker } from "../health/circuit-breaker.ts";
import type { Load } from "../health/load.ts";
import type { Outlier } from "../health/outliers.ts";
import { affinityOf } from "./prompt-prefix.ts";

export type Algorithm = "roundRobin" | "leastBusy" | "latency" | "remainingTokens" | "promptPrefix";

export interface Member {
  readonly priority: number;
  readonly weight: number;
  readonly breaker: CircuitBreaker | null;
  readonly outlier: Outlier | null;
  readonly load: Load;
  /** For `remainingTokens`; null: nothing is known of its provider. */
  readonly allowance?: Allowance | null;
  /** For `promptPrefix`: its own number (`seedOf`). */
  readonly seed?: number;
}

/** More do not fit into a set. */
export const MOST_MEMBERS = 30;
/** Nobody may be sent to. */
export const NOBODY = -1;
/** A prompt's favourite may have this many times its share of what is under way. */
const BOUND = 1.25;

export class Pool {
  readonly members: readonly Member[];
  readonly #algorithm: Algorithm;
  readonly #panicPercent: number;
  /** Indexes into `members`, best group first. */
  readonly #groups: readonly (readonly number[])[];
  /** Of round robin. */
  readonly #credit: Float64Array;
  /** How often a panic began. */
  #panics = 0;
  #panicking = false;
  /** Members that get nothing new, as bits. */
  #drained = 0;

  /** @param panicPercent of all members; when more are ejected, none is */
  constructor(members: readonly Member[], algorithm: Algorithm, panicPercent: number) {
    this.members = members.slice(0, MOST_MEMBERS);
    this.#algorithm = algorithm;
    this.#panicPercent = panicPercent;
    this.#credit = new Float64Array(this.members.length);
    const priorities = [...new Set(this.members.map(({ priority }) => priority))].sort((a, b) => a - b);
    this.#groups = priorities.map((priority) =>
      this.members.flatMap((member, i) => (member.priority === priority ? [i] : [])),
    );
  }

  get panics(): number {
    return this.#panics;
  }

  /** The turn of a member; what a pool of other members takes over from this one. */
  creditOf(index: number): number {
    return this.#credit[index]!;
  }

  /** Takes over a turn. @param credit at most a round is owed or owing, however the weights have changed */
  setCredit(index: number, credit: number): void {
    const round = this.members.reduce((sum, { weight }) => sum + weight, 0);
    this.#credit[index] = Math.max(-round, Math.min(round, credit));
  }

  /** Members that get nothing new, by command. @param members as bits */
  set drained(members: number) {
    this.#drained = members;
  }

  /** Whether a member may be sent to and is in good standing. */
  healthy(index: number, now: number): boolean {
    if ((this.#drained & (1 << index)) !== 0) return false;
    const { breaker, outlier } = this.members[index]!;
    if (breaker !== null && !breaker.ready(now)) return false;
    return outlier === null || !outlier.ejected(now) || this.#panic(now);
  }

  /** Those of the best group that `pick` would choose from, as bits. */
  candidates(now: number, tried: number): number {
    const ignoreEjections = this.#panic(now);
    for (const group of this.#groups) {
      const there = this.#there(group, tried, ignoreEjections, now);
      if (there !== 0) return there;
    }
    return 0;
  }

  /**
   * @param tried  bits of the members that this exchange has asked already
   * @param last   the bit of the one that it asked last; 0 for none
   * @param random uniform in [0, 1)
   * @param prompt for `promptPrefix`; null: nothing is known of it
   * @returns its index, or `NOBODY`. Its breaker, if any, is ready but has not been asked yet.
   */
  pick(now: number, tried: number, last: number, random: () => number, prompt: number | null = null): number {
    const ignoreEjections = this.#panic(now);
    let avoid = tried;
    for (;;) {
      for (const group of this.#groups) {
        const there = this.#there(group, avoid, ignoreEjections, now);
        if (there !== 0) return this.#choose(group, there, now, random, prompt);
      }
      if (avoid === 0) return NOBODY;
      avoid = avoid === last ? 0 : last;
    }
  }

  /** When the first of its members may be asked again, for a pool that has nobody. */
  readyAt(now: number): number {
    let earliest = Infinity;
    for (const [i, { breaker }] of this.members.entries()) {
      if ((this.#drained & (1 << i)) !== 0) continue;
      earliest = Math.min(earliest, breaker === null ? now : Math.max(now, breaker.openUntil));
    }
    return earliest;
  }

  /** The members of a group to choose from. */
  #there(group: readonly number[], avoid: number, ignoreEjections: boolean, now: number): number {
    let weighted = 0;
    let weightless = 0;
    let ejected = 0;
    const out = avoid | this.#drained;
    for (const i of group) {
      if ((out & (1 << i)) !== 0) continue;
      const { breaker, outlier, weight } = this.members[i]!;
      if (breaker !== null && !breaker.ready(now)) continue;
      if (!ignoreEjections && outlier !== null && outlier.ejected(now)) ejected |= 1 << i;
      else if (weight > 0) weighted |= 1 << i;
      else weightless |= 1 << i;
    }
    return weighted !== 0 ? weighted : weightless !== 0 ? weightless : ejected;
  }

  #choose(
    group: readonly number[],
    there: number,
    now: number,
    random: () => number,
    prompt: number | null,
  ): number {
    if ((there & (there - 1)) === 0) return 31 - Math.clz32(there);
    switch (this.#algorithm) {
      case "latency":
        return this.#byLatency(there, now, random);
      case "leastBusy":
        return this.#byTurn(group, this.#leastBusy(group, there));
      case "remainingTokens":
        return this.#byTurn(group, this.#richest(group, there, now));
      case "promptPrefix":
        return prompt === null ? this.#byTurn(group, there) : this.#byPrompt(group, there, prompt);
      default:
        return this.#byTurn(group, there);
    }
  }

  #byTurn(group: readonly number[], there: number): number {
    const credit = this.#credit;
    let best = NOBODY;
    let sum = 0;
    for (const i of group) {
      if ((there & (1 << i)) === 0) continue;
      const weight = this.#share(i);
      credit[i]! += weight;
      sum += weight;
      if (best === NOBODY || credit[i]! > credit[best]!) best = i;
    }
    credit[best]! -= sum;
    return best;
  }

  /** Members without a weight share alike when only they are left. */
  #share(index: number): number {
    return this.members[index]!.weight || 1;
  }

  #leastBusy(group: readonly number[], there: number): number {
    let least = Infinity;
    let equals = 0;
    for (const i of group) {
      if ((there & (1 << i)) === 0) continue;
      const busy = (this.members[i]!.load.inFlight + 1) / this.#share(i);
      if (busy > least) continue;
      equals = busy < least ? 1 << i : equals | (1 << i);
      least = busy;
    }
    return equals;
  }

  #richest(group: readonly number[], there: number, now: number): number {
    let most = -Infinity;
    let equals = 0;
    for (const i of group) {
      if ((there & (1 << i)) === 0) continue;
      const { allowance, load } = this.members[i]!;
      const left = allowance == null ? Infinity : allowance.left(now, load.inFlight);
      if (left < most) continue;
      equals = left > most ? 1 << i : equals | (1 << i);
      most = left;
    }
    return equals;
  }

  /** Rendezvous hashing with bounded loads: few prompts move when members come and go, and none is overrun. */
  #byPrompt(group: readonly number[], there: number, prompt: number): number {
    let weights = 0;
    let busy = 1;
    for (const i of group) {
      if ((there & (1 << i)) === 0) continue;
      weights += this.#share(i);
      busy += this.members[i]!.load.inFlight;
    }
    let best = NOBODY;
    let highest = -1;
    for (const i of group) {
      if ((there & (1 << i)) === 0) continue;
      const share = this.#share(i);
      if (this.members[i]!.load.inFlight >= Math.ceil((BOUND * busy * share) / weights)) continue;
      const wanted = affinityOf(prompt, this.members[i]!.seed ?? i + 1, share);
      if (wanted <= highest) continue;
      best = i;
      highest = wanted;
    }
    return best;
  }

  #byLatency(there: number, now: number, random: () => number): number {
    const one = nth(there, random);
    const other = nth(there & ~(1 << one), random);
    return this.#cost(other, now) < this.#cost(one, now) ? other : one;
  }

  #cost(index: number, now: number): number {
    return this.members[index]!.load.cost(now) / this.#share(index);
  }

  #panic(now: number): boolean {
    let ejected = 0;
    for (const { outlier } of this.members) if (outlier !== null && outlier.ejected(now)) ejected++;
    const panic = ejected * 100 > this.#panicPercent * this.members.length;
    if (panic && !this.#panicking) this.#panics++;
    this.#panicking = panic;
    return panic;
  }
}

/** One of the set, all alike. */
function nth(set: number, random: () => number): number {
  let left = Math.floor(random() * bits(set));
  for (let i = 0; ; i++) {
    if ((set & (1 << i)) === 0) continue;
    if (left-- <= 0) return i;
  }
}

function bits(set: number): number {
  let count = 0;
  for (let rest = set; rest !== 0; rest &= rest - 1) count++;
  return count;
}
