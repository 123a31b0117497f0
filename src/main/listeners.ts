/** Where the gateway can be reached: by callers, by whoever runs it, and by commands on this machine. */
import { randomBytes } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { removeLocalAccess, writeLocalAccess } from "../base/local-access.ts";
import type { StartOptions } from "../cli/application.ts";
import { type DoorPaths, createDoor } from "../gateway/door.ts";
import { adminListener } from "../gateway/observing/admin.ts";
import { exposition } from "../telemetry/metrics/prometheus.ts";
import type { Metrics } from "../telemetry/metrics/registry.ts";
import { createServer } from "../transport/node/index.ts";
import type { Incoming, Server } from "../transport/transport.ts";

/** The port asked for; when it was only the default and is taken, the next free one of ten. */
export async function listen(
  options: StartOptions,
  onRequest: Parameters<typeof createServer>[0]["onRequest"],
  clock: Clock,
  log: (record: Readonly<Record<string, unknown>>) => void,
): Promise<Server> {
  const tries = options.portIsDefault ? 10 : 1;
  for (let i = 0; ; i++) {
    try {
      return await createServer({
        host: options.host,
        port: options.port === 0 ? 0 : options.port + i,
        tls: options.tls ?? undefined,
        onRequest,
        onRefused: ({ underWay, target: _target, ...refusal }) =>
          // A request that was under way leaves its own line.
          !underWay &&
          log({ ts: new Date(clock.now()).toISOString(), level: "info", msg: "refused", ...refusal }),
      });
    } catch (error) {
      const taken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
      if (!taken || i + 1 >= tries) throw error;
    }
  }
}

/** The listener for whoever runs the gateway, when there is to be one. */
export async function openAdmin(
  options: StartOptions,
  metrics: Metrics,
  clock: Clock,
  log: (record: Readonly<Record<string, unknown>>) => void,
  health: (incoming: Incoming) => boolean,
): Promise<{ readonly url: string; close(): Promise<void> } | null> {
  if (options.admin == null) return null;
  const { host, port, portIsDefault, token } = options.admin;
  const pages = { "/metrics": (accept: string) => exposition(metrics, accept) };
  const server = await listen(
    { ...options, host, port, portIsDefault, tls: null },
    adminListener(pages, token, health),
    clock,
    log,
  );
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${server.port}`,
    close: () => server.close(),
  };
}

/** The listener for commands on this machine, and the file that tells them of it. */
export async function openDoor(
  dataDir: string,
  paths: DoorPaths,
  gateway: string,
): Promise<{ close(): Promise<void> }> {
  const secret = randomBytes(32).toString("base64url");
  const server = await createServer({ host: "127.0.0.1", port: 0, onRequest: createDoor(secret, paths) });
  writeLocalAccess(dataDir, {
    gateway: callable(gateway),
    local: `http://127.0.0.1:${server.port}`,
    secret,
    pid: process.pid,
  });
  return {
    close: async () => {
      removeLocalAccess(dataDir, process.pid);
      await server.close();
    },
  };
}

/** An address that listens everywhere is called at this machine. */
export function callable(url: string): string {
  return url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:");
}
