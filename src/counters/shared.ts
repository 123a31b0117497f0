import type { Clock } from "../base/clock.ts";
import type { RedisLink } from "../redis/link.ts";
import type { Answer, CounterStores, SyncCounters, WindowClaim, Windows } from "./counters.ts";
import { MemoryWindows } from "./memory-windows.ts";
import { OutputSizes } from "./output-sizes.ts";
import { RedisHolds } from "./redis-holds.ts";
import { RedisQuotas } from "./redis-quotas.ts";
import { RedisWindows } from "./redis-windows.ts";

const NODES = "headgate:nodes";
const SAY_EVERY_MS = 5000;
const GONE_AFTER_MS = 15_000;

/**
 * Counters that all nodes on one Redis share, and what each does without it (`reliability.md` A2).
 *
 * A limit is then this node's share: the limit divided by the nodes that were alive when Redis last answered, at least one
 * call. What this node let in before counts: it has been noted here all along, so losing Redis opens no new window.
 *
 * @param clock  for the pulse that tells other nodes of this one
 */
export function sharedCounters(
  link: RedisLink,
  nodeId: string,
  clock: Clock,
): CounterStores & { readonly tokens: RedisHolds; close(): void } {
  const share = new WindowShare();
  const quotas = new RedisQuotas(link);
  const tokens = new RedisHolds(link, nodeId, (limit) => shareOf(limit, share.nodes));
  let cancel = (): void => {};
  const pulse = (): void => {
    cancel();
    cancel = clock.after(SAY_EVERY_MS, pulse);
    if (!link.up) return;
    tokens.renew({ monotonicMs: clock.monotonic(), epochMs: clock.now() });
    link.call("headgateCountNodes", [1, NODES, nodeId, GONE_AFTER_MS]).then(
      (nodes) => {
        if (typeof nodes === "number" && nodes >= 1) share.nodes = nodes;
      },
      () => {},
    );
  };
  link.onUp(pulse);
  return {
    windows: new NotedWindows(new RedisWindows(link), share, clock),
    quotas,
    tokens,
    alone: { windows: share, quotas: quotas.alone, tokens: tokens.alone },
    outputs: new OutputSizes(),
    unanswered: { count: 0 },
    close: () => cancel(),
  };
}

/** What one node may let in on its own. */
export class WindowShare implements SyncCounters<WindowClaim> {
  /** Alive when Redis last answered. */
  nodes = 1;
  readonly #windows = new MemoryWindows(200_000);

  take(claims: readonly WindowClaim[], now: number): Answer {
    return this.#windows.take(
      claims.map((claim) => ({ ...claim, limit: shareOf(claim.limit, this.nodes) })),
      now,
    );
  }

  add(claim: WindowClaim, now: number): void {
    this.#windows.add(claim, now);
  }
}

export function shareOf(limit: number, nodes: number): number {
  return limit <= 0 ? 0 : Math.max(1, Math.floor(limit / nodes));
}

/** Shared windows; what they let in here is noted in the share, too. */
class NotedWindows implements Windows {
  readonly #shared: Windows;
  readonly #share: WindowShare;
  readonly #clock: Clock;

  constructor(shared: Windows, share: WindowShare, clock: Clock) {
    this.#shared = shared;
    this.#share = share;
    this.#clock = clock;
  }

  take(claims: readonly WindowClaim[], now: number): Answer | Promise<Answer> {
    const answer = this.#shared.take(claims, now);
    return answer instanceof Promise ? answer.then((given) => this.#note(given, claims)) : answer;
  }

  add(claim: WindowClaim, now: number): void {
    this.#shared.add(claim, now);
    if (claim.cost > 0) this.#share.add(claim, now);
  }

  #note(answer: Answer, claims: readonly WindowClaim[]): Answer {
    if (answer.state !== "taken") return answer;
    const now = this.#clock.monotonic();
    for (const claim of claims) if (claim.cost > 0) this.#share.add(claim, now);
    return answer;
  }
}
