/** For tests: a real Redis of their own on a free port, and the things that can happen to it. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { systemClock } from "../src/base/system-clock.ts";
import { parseRedisAddress } from "../src/redis/connection-string.ts";
import { RedisLink, type RedisLinkOptions } from "../src/redis/link.ts";

/** Why tests that need a Redis cannot run here; null when they can. */
export const redisMissing: string | null =
  spawnSync("redis-server", ["--version"]).status === 0 ? null : "redis-server is not installed (Debian package redis-server)";

export interface TestRedis {
  readonly port: number;
  /** Stops answering without closing anything. */
  pause(): void;
  resume(): void;
  /** kill -9. */
  kill(): Promise<void>;
  /** Again on the same port, empty. */
  restart(): Promise<void>;
  /** redis-cli. @returns its output */
  cli(...args: string[]): string;
  close(): Promise<void>;
}

/** A test that fails does not close what it started. */
const running = new Set<ChildProcess>();
process.once("exit", () => running.forEach((child) => child.kill("SIGKILL")));

export async function startRedis(options: readonly string[] = []): Promise<TestRedis> {
  const port = await freePort();
  let child = await launch(port, options);
  const end = async (): Promise<void> => {
    const gone = new Promise<void>((resolve) => (child.exitCode === null && child.signalCode === null ? child.once("exit", () => resolve()) : resolve()));
    child.kill("SIGKILL");
    await gone;
  };
  return {
    port,
    pause: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
    kill: end,
    restart: async () => {
      await end();
      child = await launch(port, options);
    },
    cli: (...args) => spawnSync("redis-cli", ["-p", String(port), ...args], { encoding: "utf8" }).stdout.trim(),
    close: end,
  };
}

/** Resolves when it accepts connections: it says so. */
function launch(port: number, options: readonly string[]): Promise<ChildProcess> {
  const child = spawn(
    "redis-server",
    ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no", ...options],
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  running.add(child);
  child.once("exit", () => running.delete(child));
  return new Promise((resolve, reject) => {
    let said = "";
    child.stdout!.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes("Ready to accept connections")) resolve(child);
    });
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`redis-server ended: ${said}`)));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

export const realClock = systemClock(
  () => performance.timeOrigin + performance.now(),
  () => performance.now(),
);

/** An open link that is up. */
export async function linkTo(port: number, options: Partial<RedisLinkOptions> & { readonly text?: string } = {}): Promise<RedisLink> {
  const address = parseRedisAddress(options.text ?? `127.0.0.1:${port}`);
  if (typeof address === "string") throw new Error(address);
  const link = new RedisLink(address, { clock: realClock, needs: "write", ...options });
  await link.open();
  await link.whenUp();
  return link;
}
