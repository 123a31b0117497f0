/** nginx as the yardstick: a plain reverse proxy with keep-alive on both sides, one worker. */
import type { ChildProcess } from "node:child_process";
import { createServer } from "node:net";
import { type Bench, childrenOf, program } from "./harness.ts";

export interface Nginx {
  readonly port: number;
  /** Its worker, which does the work. */
  readonly pids: () => number[];
}

/** A port nobody listens on at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** nginx as the upstream: answers every request with `body`, far cheaper than what is measured. */
export async function startNginxUpstream(bench: Bench, body: string): Promise<number> {
  const port = await freePort();
  const server = `server { listen 127.0.0.1:${port} backlog=4096; keepalive_requests 1000000000; default_type application/json;
    location / { return 200 '${body}'; } }`;
  await start(bench, "upstream", server, port);
  return port;
}

/** nginx as the proxy in front of `upstreamPort`. */
export async function startNginxProxy(bench: Bench, upstreamPort: number): Promise<Nginx> {
  const port = await freePort();
  const server = `upstream backend { server 127.0.0.1:${upstreamPort}; keepalive 256; keepalive_requests 1000000000; }
  server { listen 127.0.0.1:${port} backlog=4096; keepalive_requests 1000000000;
    location / { proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; } }`;
  const child = await start(bench, "proxy", server, port);
  return { port, pids: () => childrenOf(child.pid!) };
}

async function start(bench: Bench, name: string, server: string, port: number): Promise<ChildProcess> {
  const path = (kind: string): string => `${bench.folder}/${name}-${kind}`;
  const config = bench.file(
    `${name}.conf`,
    `daemon off; worker_processes 1; pid ${path("pid")}; error_log ${path("errors")};
events { worker_connections 8192; }
http { access_log off; client_body_temp_path ${path("body")}; proxy_temp_path ${path("proxy")};
  fastcgi_temp_path ${path("fastcgi")}; uwsgi_temp_path ${path("uwsgi")}; scgi_temp_path ${path("scgi")}; ${server} }`,
  );
  const child = bench.start(program("nginx", "nginx-light"), ["-c", config, "-p", bench.folder]);
  await answers(port);
  return child;
}

/** Waits until something accepts connections there. */
export async function answers(port: number): Promise<void> {
  const { connect } = await import("node:net");
  for (let i = 0; i < 200; i++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.destroy();
        resolve(true);
      });
      socket.on("error", () => resolve(false));
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`nothing listens on port ${port}`);
}
