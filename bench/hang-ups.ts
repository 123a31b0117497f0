/**
 * How long an upstream's connection outlives its client, phase by phase.
 *
 * Usage: node bench/hang-ups.ts [TIMES], default 1000 per phase. Prints the slowest and how many took more than 50 ms.
 */
import { PHASES, Upstream, hangUp, hangUpGateway } from "../test/hang-up.ts";

const times = Number(process.argv[2] ?? 1000);
const upstream = await Upstream.start();
const gateway = await hangUpGateway(upstream);
for (const phase of PHASES) {
  const took: number[] = [];
  for (let i = 0; i < times; i++) {
    took.push(await hangUp(gateway, upstream, phase, i % 2 === 0 ? "end" : "reset", () => performance.now()));
  }
  took.sort((a, b) => a - b);
  const late = took.filter((ms) => ms > 50).length;
  console.log(
    `${phase.padEnd(22)} median ${took[Math.floor(times / 2)]!.toFixed(2)} ms, slowest ${took.at(-1)!.toFixed(2)} ms, over 50 ms: ${late} of ${times}`,
  );
}
await gateway.close();
await upstream.close();
