import type { RedisLink } from "../redis/link.ts";
import type { Answer, QuotaClaim, Quotas, SyncCounters } from "./counters.ts";
import { periodAt } from "./fixed-period.ts";
import { MemoryQuotas } from "./memory-quotas.ts";
import { answerOf } from "./redis-windows.ts";

const PREFIX = "headgate:quota:";
const UNKNOWN: Answer = { state: "unknown" };
const MOST_KEYS = 100_000;

/**
 * Quotas that all nodes on one Redis share.
 *
 * Each answer leaves a copy of the totals here. While Redis does not answer, `alone` goes on from that copy: a quota that was
 * used up stays used up, one that was not goes on being counted here. What was counted meanwhile is added in
 * Redis when it is back, so the totals come out right.
 */
export class RedisQuotas implements Quotas {
  readonly alone: SyncCounters<QuotaClaim>;
  readonly #link: RedisLink;
  readonly #callersClock: boolean;
  /** Totals as Redis said last, and what was counted here since. */
  readonly #copy = new MemoryQuotas(MOST_KEYS);
  /** Not in Redis yet, by key and beginning of the period. */
  #pending = new Map<string, { readonly claim: QuotaClaim; readonly now: number }>();

  constructor(link: RedisLink, clock: "server" | "caller" = "server") {
    this.#link = link;
    this.#callersClock = clock === "caller";
    link.onUp(() => this.#catchUp());
    this.alone = {
      take: (claims, now) => this.#takeAlone(claims, now),
      add: (claim, now) => this.#addAlone(claim, now),
    };
  }

  take(claims: readonly QuotaClaim[], now: number): Answer | Promise<Answer> {
    if (!this.#link.up) return UNKNOWN;
    return this.#run(claims, now, false).then(
      (reply) => this.#note(reply, claims, now),
      () => UNKNOWN,
    );
  }

  add(claim: QuotaClaim, now: number): void {
    if (claim.cost === 0) return;
    if (!this.#link.up) return this.#addAlone(claim, now);
    this.#run([claim], now, true).then(
      (reply) => void this.#note(reply, [claim], now),
      () => this.#addAlone(claim, now),
    );
  }

  #run(claims: readonly QuotaClaim[], now: number, force: boolean): Promise<unknown> {
    const args: (string | number)[] = [claims.length];
    for (const { key } of claims) args.push(PREFIX + key);
    args.push(this.#callersClock ? now : "", force ? 1 : 0);
    for (const { limit, cost, anchorMs, periodMs } of claims) args.push(limit, cost, anchorMs, periodMs);
    return this.#link.call("headgateTakeQuotas", args);
  }

  /** Copies the totals that follow the verdict. */
  #note(reply: unknown, claims: readonly QuotaClaim[], now: number): Answer {
    const answer = answerOf(reply);
    if (answer.state === "unknown") return answer;
    const totals = (reply as unknown[]).slice(answer.state === "taken" ? 2 : 3);
    claims.forEach(({ key, anchorMs, periodMs }, i) => {
      const [used, startMs] = [Number(totals[i * 2]), Number(totals[i * 2 + 1])];
      if (!Number.isFinite(used) || !Number.isFinite(startMs)) return;
      const endMs = periodMs > 0 ? startMs + periodMs : periodAt(anchorMs, periodMs, now).endMs;
      this.#copy.set(key, { startMs, endMs }, used);
    });
    return answer;
  }

  #takeAlone(claims: readonly QuotaClaim[], now: number): Answer {
    const answer = this.#copy.take(claims, now);
    if (answer.state === "taken") for (const claim of claims) this.#remember(claim, now);
    return answer;
  }

  #addAlone(claim: QuotaClaim, now: number): void {
    this.#copy.add(claim, now);
    this.#remember(claim, now);
  }

  #remember(claim: QuotaClaim, now: number): void {
    if (claim.cost === 0) return;
    const key = `${periodAt(claim.anchorMs, claim.periodMs, now).startMs} ${claim.key}`;
    const cost = (this.#pending.get(key)?.claim.cost ?? 0) + claim.cost;
    if (this.#pending.has(key) || this.#pending.size < MOST_KEYS)
      this.#pending.set(key, { claim: { ...claim, cost }, now });
  }

  /** Adds to Redis what it missed. A period that is over meanwhile needs nothing any more. */
  #catchUp(): void {
    const pending = this.#pending;
    this.#pending = new Map();
    for (const { claim, now } of pending.values()) this.add(claim, now);
  }
}
