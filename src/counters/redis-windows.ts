import type { RedisLink } from "../redis/link.ts";
import type { Answer, WindowClaim, Windows } from "./counters.ts";

const PREFIX = "headgate:window:";
const UNKNOWN: Answer = { state: "unknown" };

/** Windows that all nodes on one Redis share. Every check that is answered is exact across nodes. */
export class RedisWindows implements Windows {
  readonly #link: RedisLink;
  readonly #callersClock: boolean;

  /** @param clock `caller`: the `now` of each call instead of Redis' own time, for tests */
  constructor(link: RedisLink, clock: "server" | "caller" = "server") {
    this.#link = link;
    this.#callersClock = clock === "caller";
  }

  take(claims: readonly WindowClaim[], now: number): Answer | Promise<Answer> {
    return this.#link.up ? this.#run(claims, now, false).then(answerOf, () => UNKNOWN) : UNKNOWN;
  }

  add(claim: WindowClaim, now: number): void {
    if (this.#link.up && claim.cost > 0) this.#run([claim], now, true).catch(() => {});
  }

  #run(claims: readonly WindowClaim[], now: number, force: boolean): Promise<unknown> {
    const args: (string | number)[] = [claims.length];
    for (const { key } of claims) args.push(PREFIX + key);
    args.push(this.#callersClock ? now : "", force ? 1 : 0);
    for (const { limit, cost, windowMs } of claims) args.push(limit, cost, windowMs);
    return this.#link.call("headgateTakeWindows", args);
  }
}

/** What a script says; anything else than it can say is `unknown`. */
export function answerOf(reply: unknown): Answer {
  if (!Array.isArray(reply) || typeof reply[1] !== "number") return UNKNOWN;
  if (reply[0] === 1) return { state: "taken", remaining: Math.max(0, reply[1]) };
  if (reply[0] !== 0 || typeof reply[2] !== "number") return UNKNOWN;
  return { state: "refused", claim: reply[1], retryAfterMs: reply[2] < 0 ? null : reply[2] };
}
