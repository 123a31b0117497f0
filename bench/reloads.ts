/**
 * How soon a change of the configuration folder shows in answers, under load.
 *
 * Usage: node bench/reloads.ts [CHANGES], default 200 with 5 broken ones among them and 20 open streams.
 */
import { changeUnderLoad } from "../test/reload.ts";

const outcomes = await changeUnderLoad(Number(process.argv[2] ?? 200), 5, 20, () => performance.now());
const sorted = [...outcomes.visibleMs].sort((a, b) => a - b);
console.log(
  `${outcomes.requests} requests: ${outcomes.failedRequests} failed; ${outcomes.brokenStreams} broken streams; ${outcomes.refused} broken changes refused`,
);
console.log(
  `visible after: median ${sorted[Math.floor(sorted.length / 2)]!.toFixed(0)} ms, slowest ${sorted.at(-1)!.toFixed(0)} ms, over 250 ms: ${sorted.filter((ms) => ms > 250).length} of ${sorted.length}`,
);
