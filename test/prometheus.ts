/** A real Prometheus that scrapes a gateway, where one is installed. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const hasPrometheus = spawnSync("prometheus", ["--version"]).status === 0;

export interface Prometheus {
  /** Values of an instant query, by their labels as JSON. */
  query(text: string): Promise<Map<string, number>>;
  close(): Promise<void>;
}

/** @param target host:port whose `/metrics` is scraped every second */
export async function startPrometheus(target: string): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), "headgate-prometheus-"));
  const port = await freePort();
  writeFileSync(
    join(folder, "prometheus.yml"),
    `scrape_configs: [{job_name: headgate, scrape_interval: 1s, static_configs: [{targets: ["${target}"]}]}]`,
  );
  const child: ChildProcess = spawn(
    "prometheus",
    [
      `--config.file=${join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--log.level=error",
    ],
    { stdio: "ignore" },
  );
  const url = `http://127.0.0.1:${port}`;
  return {
    query: async (text) => {
      const answer = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(text)}`).catch(() => null);
      if (answer === null || !answer.ok) return new Map();
      const { data } = (await answer.json()) as any;
      return new Map(
        data.result.map(({ metric, value }: any) => {
          const { __name__: _name, instance: _instance, job: _job, ...labels } = metric;
          return [JSON.stringify(labels), Number(value[1])];
        }),
      );
    },
    close: async () => {
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill();
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What `promtool check metrics` complains of; empty when it is content. */
export function promtool(text: string): string {
  const { stdout, stderr } = spawnSync("promtool", ["check", "metrics"], { input: text, encoding: "utf8" });
  return (stdout + stderr).trim();
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
