import { expect, test } from "vitest";
import { type Ended, type Ending, settle } from "./settlement.ts";
import { NO_USAGE, type Usage } from "./usage.ts";

const reported = (prompt: number, completion: number, more: Partial<Usage> = {}): Usage => ({
  ...NO_USAGE,
  prompt,
  completion,
  total: prompt + completion,
  ...more,
});
const ended = (ending: Ending, more: Partial<Ended> = {}): Ended => ({
  ending,
  sent: true,
  begun: true,
  reported: null,
  final: true,
  counted: { prompt: () => 30, completion: () => 12, exact: true },
  ...more,
});
const estimated = { prompt: () => 30, completion: () => 12, exact: false };

/** Evidence, prompt, completion. */
type Charge = readonly [string, number, number];

test.each<[string, Ended, Charge]>([
  ["finished, as reported", ended("finished", { reported: reported(20, 5) }), ["reported", 20, 5]],
  ["finished, nothing reported", ended("finished"), ["counted", 30, 12]],
  ["the same by an estimate", ended("finished", { counted: estimated }), ["estimated", 30, 12]],
  ["cut off by its bound", ended("incomplete", { reported: reported(20, 5) }), ["reported", 20, 5]],
  [
    "ended cleanly before the last word: what was reported early is a lower bound",
    ended("finished", { reported: reported(20, 1), final: false }),
    ["counted", 20, 12],
  ],
  [
    "the upstream broke off after an early report",
    ended("upstream-reset", { reported: reported(20, 1), final: false }),
    ["counted", 20, 12],
  ],
  [
    "the same, and more was reported than we count",
    ended("upstream-reset", { reported: reported(20, 40), final: false }),
    ["reported", 20, 40],
  ],
  [
    "it broke off after its last word",
    ended("upstream-reset", { reported: reported(20, 5) }),
    ["reported", 20, 5],
  ],
  ["it broke off and said nothing", ended("upstream-reset"), ["counted", 30, 12]],
  ["it fell silent", ended("stalled"), ["counted", 30, 12]],
  ["content safety let no more of it out", ended("cut-off"), ["counted", 30, 12]],
  ["the same after its last word", ended("cut-off", { reported: reported(20, 5) }), ["reported", 20, 5]],
  ["the client left mid-stream", ended("client-gone"), ["counted", 30, 12]],
  ["the client left before the first byte", ended("client-gone", { begun: false }), ["counted", 30, 0]],
  ["the client left before it was sent", ended("client-gone", { begun: false, sent: false }), ["none", 0, 0]],
  ["an error of the provider", ended("upstream-error"), ["none", 0, 0]],
  ["an error that was paid for", ended("upstream-error", { reported: reported(20, 0) }), ["reported", 20, 0]],
  ["no answer", ended("failed", { begun: false }), ["none", 0, 0]],
  ["refused by the gateway", ended("refused", { begun: false, sent: false }), ["none", 0, 0]],
  ["from the cache", ended("cache-hit", { reported: reported(20, 5) }), ["none", 0, 0]],
  [
    "cache writes beside the prompt are charged, cache reads are not",
    ended("finished", { reported: reported(20, 5, { cached: 900, cacheWrites: 100, cachedInside: false }) }),
    ["reported", 120, 5],
  ],
  [
    "cached tokens inside the prompt are in it already",
    ended("finished", { reported: reported(1000, 5, { cached: 900 }) }),
    ["reported", 1000, 5],
  ],
])("%s", (_name, given, [evidence, prompt, completion]) => {
  expect(settle(given)).toMatchObject({ evidence, prompt, completion });
});
