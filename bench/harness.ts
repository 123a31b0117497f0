/** What the benchmark programs share: child processes, their CPU time, and honest ratios. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** Clock ticks of `/proc/PID/stat`, per second. */
const TICKS_PER_SECOND = Number(spawnSync("getconf", ["CLK_TCK"], { encoding: "utf8" }).stdout) || 100;

/** User and system CPU time of a process and its children of the same group, in µs. */
export function cpuMicroseconds(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return (ticks / TICKS_PER_SECOND) * 1e6;
}

/** The same of each thread of one process, by its name; threads of one name together. */
export function threadMicroseconds(pid: number): Map<string, number> {
  const spent = new Map<string, number>();
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const stat = readFileSync(`/proc/${pid}/task/${task}/stat`, "utf8");
    const name = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = Number(fields[11]) + Number(fields[12]);
    spent.set(name, (spent.get(name) ?? 0) + (ticks / TICKS_PER_SECOND) * 1e6);
  }
  return spent;
}

/** Resident memory of a process, in bytes. */
export function residentBytes(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(match?.[1] ?? 0) * 1024;
}

export function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, "utf8")
      .split(" ")
      .filter((text) => text !== "")
      .map(Number),
  );
}

/** Processes and folders of one benchmark; everything goes when it ends. */
export class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), "headgate-bench-"));
  readonly #processes: ChildProcess[] = [];

  start(command: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): ChildProcess {
    const child = spawn(command, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...environment },
    });
    this.#processes.push(child);
    return child;
  }

  /** Writes a file below the folder. */
  file(path: string, text: string): string {
    const full = join(this.folder, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text);
    return full;
  }

  close(): void {
    // nginx's workers do not notice that their master was killed.
    const orphans = this.#processes.flatMap(({ pid }) => workersOf(pid));
    for (const child of this.#processes)
      child.kill(process.env["BENCH_KEEP_PROFILE"] === undefined ? "SIGKILL" : "SIGTERM");
    for (const pid of orphans) endProcess(pid);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function workersOf(pid: number | undefined): number[] {
  try {
    return pid === undefined ? [] : childrenOf(pid);
  } catch {
    // It has ended.
    return [];
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

/** First match of `pattern` in what a process prints. @throws Error when it ends before */
export function printed(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let text = "";
    const look = (chunk: Buffer): void => {
      text += chunk.toString();
      const match = pattern.exec(text);
      if (match !== null) resolve(match);
    };
    child.stdout!.on("data", look);
    child.stderr!.on("data", look);
    child.on("exit", (code) => reject(new Error(`ended with ${code}: ${text}`)));
  });
}

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  return { min: sorted[0]!, median: sorted[Math.floor(sorted.length / 2)]!, max: sorted.at(-1)! };
}

export function show({ min, median, max }: Spread, digits = 2): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)} … ${max.toFixed(digits)})`;
}

/** Ratios of pairs measured one after the other; refused when they disagree too much to mean anything. */
export function ratio(pairs: readonly (readonly [number, number])[], most = 1.6): Spread | string {
  const spread = spreadOf(pairs.map(([a, b]) => a / b));
  return spread.max / spread.min > most
    ? `the runs disagree too much to say (${show(spread)}); try again on a quieter machine`
    : spread;
}

/** A program on the PATH. @throws Error saying how to install it */
export function program(name: string, debian: string): string {
  for (const folder of [...(process.env["PATH"] ?? "").split(":"), "/usr/sbin"]) {
    if (existsSync(join(folder, name))) return join(folder, name);
  }
  throw new Error(`this benchmark needs ${name}: apt-get install ${debian}`);
}
