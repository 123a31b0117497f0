import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type Files, api, policy } from "./gateway.ts";

/** How often the process is killed; KILL_ROUNDS=20 for a release. */
const ROUNDS = Number(process.env["KILL_ROUNDS"] ?? 3);
const CALLS = ROUNDS * 60;
const UNDER_WAY = 8;

const folder = mkdtempSync(join(tmpdir(), "headgate-crash-"));
let child: ChildProcess | null = null;
afterAll(() => {
  child?.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

function write(files: Files): void {
  for (const [path, content] of Object.entries(files)) {
    const file = join(folder, "config", path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  }
}

/** `headgate up` on the folder. @returns its URL once it says so */
function start(): Promise<string> {
  const command = join(import.meta.dirname, "..", "bin", "headgate.js");
  const args = [
    "up",
    "--config",
    join(folder, "config"),
    "--data",
    join(folder, "data"),
    "--port",
    "0",
    "--access-log",
    "off",
  ];
  const started = spawn(process.execPath, [command, ...args], {
    env: { ...process.env, HEADGATE_DEMO_MODEL: "off" },
  });
  child = started;
  return new Promise((resolve, reject) => {
    let said = "";
    const look = (chunk: Buffer): void => {
      said += chunk.toString();
      const url = /http:\/\/127\.0\.0\.1:\d+/.exec(said);
      if (url !== null) resolve(url[0]);
    };
    started.stdout!.on("data", look);
    started.stderr!.on("data", look);
    started.once("exit", () => reject(new Error(`headgate ended: ${said}`)));
  });
}

/** Calls, several at a time, until `enough` were let in, one was refused or the gateway is gone. @returns how many were let in */
async function callUntil(
  url: string,
  enough: number,
  onEnough: () => void,
): Promise<{ admitted: number; refused: boolean }> {
  let admitted = 0;
  let refused = false;
  const one = async (): Promise<void> => {
    while (!refused) {
      try {
        const response = await fetch(`${url}/q`);
        if (response.status === 200) admitted++;
        else refused = true;
        await response.arrayBuffer();
      } catch {
        return;
      }
      if (admitted >= enough) onEnough();
    }
  };
  await Promise.all(Array.from({ length: UNDER_WAY }, one));
  return { admitted, refused };
}

test(`a quota of ${CALLS} lets no more through, however often the process is killed (${ROUNDS} times)`, async () => {
  const inbound = `<quota-by-key calls="${CALLS}" renewal-period="0" counter-key="k" /><return-response><set-status code="200" /></return-response>`;
  write(api("q", undefined, ["GET /"], { policy: policy({ inbound }) }));
  let admitted = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const url = await start();
    // In the middle of calls, at another moment each time; counted in calls and not in time.
    admitted += (await callUntil(url, 5 + ((round * 7) % 23), () => child!.kill("SIGKILL"))).admitted;
  }
  const last = await callUntil(await start(), Infinity, () => {});
  expect(last.refused).toBe(true);
  admitted += last.admitted;
  expect(admitted).toBeLessThanOrEqual(CALLS);
  // What was counted but not answered when the process died: at most those under way.
  expect(admitted).toBeGreaterThanOrEqual(CALLS - ROUNDS * UNDER_WAY);
}, 60_000);
