/** A process that writes into a ledger until it is killed, and says after each record that it has been taken. */
import { writeSync } from "node:fs";
import { systemClock } from "../src/base/system-clock.ts";
import { Ledger } from "../src/ledger/index.ts";
import { record } from "../src/ledger/ledger.fixture.ts";

const [folder, round] = process.argv.slice(2) as [string, string];
const clock = systemClock(
  () => Date.now(),
  () => performance.now(),
);
const ledger = Ledger.open(folder, { clock, pid: process.pid });
const said = JSON.stringify([{ role: "user", content: "hello ".repeat(50) }]);
let number = 0;

/** At once, whatever the reader is doing: what waits in this process would be lost with it. */
function say(line: string): void {
  for (;;) {
    try {
      writeSync(1, line);
      return;
    } catch (error) {
      // The pipe is full.
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    }
  }
}

/** In bursts, so that the worker stores while more comes. */
function burst(): void {
  for (let i = 0; i < 50; i++) {
    const requestId = `${round}-${number++}`;
    ledger.append(record({ requestId, timeMs: Date.now() }));
    ledger.addContents({
      requestId,
      part: 0,
      request: said,
      response: said,
      requestTruncated: false,
      responseTruncated: false,
    });
    say(`${requestId}\n`);
  }
  setTimeout(burst, 1);
}
burst();
