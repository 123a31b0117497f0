/** For tests: a real Redis of their own on a free port, and the things that can happen to it. */
import { spawn, spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { systemClock } from "../src/base/system-clock.ts";
import { parseRedisAddress } from "../src/redis/connection-string.ts";
import { RedisLink, type RedisLinkOptions } from "../src/redis/link.ts";

/** Why tests that need a Redis cannot run here; null when they can. */
export const redisMissing: string | null =
  spawnSync("redis-server", ["--version"]).status === 0
    ? null
    : "redis-server is not installed (Debian package redis-server)";

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

export async function startRedis(options: readonly string[] = []): Promise<TestRedis> {
  const port = await freePort();
  let server = await launch(port, options);
  return {
    port,
    pause: () => void process.kill(server.pid, "SIGSTOP"),
    resume: () => void process.kill(server.pid, "SIGCONT"),
    kill: () => server.end(),
    restart: async () => {
      await server.end();
      server = await launch(port, options);
    },
    cli: (...args) =>
      spawnSync("redis-cli", ["-p", String(port), ...args], { encoding: "utf8" }).stdout.trim(),
    close: () => server.end(),
  };
}

interface Launched {
  readonly pid: number;
  /** kill -9; resolves when it is gone. */
  end(): Promise<void>;
}

/** Ends the server when its standard input ends: with us, whatever ends us. */
const GUARD = 'redis-server "$@" & echo "pid $!"; cat > /dev/null; kill -9 $!; wait $!';

/** Resolves when it accepts connections: it says so. */
function launch(port: number, options: readonly string[]): Promise<Launched> {
  const settings = [
    "--port",
    String(port),
    "--bind",
    "127.0.0.1",
    "--save",
    "",
    "--appendonly",
    "no",
    ...options,
  ];
  const guard = spawn("sh", ["-c", GUARD, "sh", ...settings], { stdio: ["pipe", "pipe", "ignore"] });
  const gone = new Promise<void>((resolve) => guard.once("exit", () => resolve()));
  return new Promise((resolve, reject) => {
    let said = "";
    const end = (): Promise<void> => {
      guard.stdin!.end();
      return gone;
    };
    guard.stdout!.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      // Both write to one pipe: the guard's line may stand in the middle of the server's, and come later.
      const pid = /\bpid (\d+)\n/.exec(said);
      if (pid === null || !said.includes("Ready to accept connections")) return;
      resolve({ pid: Number(pid[1]), end });
    });
    guard.once("error", reject);
    void gone.then(() => reject(new Error(`redis-server ended: ${said}`)));
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
export async function linkTo(
  port: number,
  options: Partial<RedisLinkOptions> & { readonly text?: string } = {},
): Promise<RedisLink> {
  const address = parseRedisAddress(options.text ?? `127.0.0.1:${port}`);
  if (typeof address === "string") throw new Error(address);
  const link = new RedisLink(address, { clock: realClock, needs: "write", ...options });
  await link.open();
  await link.whenUp();
  return link;
}
