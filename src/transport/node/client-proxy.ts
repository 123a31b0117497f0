/**
 * Asking an HTTP proxy for a tunnel (RFC 9110 §9.3.6): `CONNECT host:port`, and any 2xx makes the connection a straight
 * way to the origin. Requests to `http` origins need no tunnel: they go to the proxy with the whole URL as target.
 */
import type { Socket } from "node:net";
import { type ClientProxy, TransportError } from "../transport.ts";
import { BAD, BlockScanner, MORE } from "./fields.ts";
import { fieldLine } from "./message.ts";
import { parseResponseHead } from "./response-head.ts";

const MAX_HEAD_BYTES = 16 * 1024;

/** Equal proxies with equal credentials share connections. */
export function proxyKey(proxy: ClientProxy | undefined): string {
  return proxy === undefined ? "" : ` via ${proxy.host}:${proxy.port} ${proxy.authorization ?? ""}`;
}

/** `host:port` with the brackets that IPv6 needs. @throws TransportError `invalid_message` */
export function authorityOf(host: string, port: number): string {
  if (!/^[\w.~%:[\]-]+$/.test(host)) {
    throw new TransportError("invalid_message", `${JSON.stringify(host)} is not a host`, {
      nothingSent: true,
    });
  }
  return host.includes(":") && !host.startsWith("[") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The credentials' line, or nothing. @throws TransportError `invalid_message` */
export function proxyCredentials({ authorization }: ClientProxy): string {
  return authorization === null ? "" : fieldLine("Proxy-Authorization", authorization);
}

/**
 * Sends CONNECT and reads the answer's head.
 *
 * @param origin as `authorityOf` made it
 * @param done null when the tunnel stands, else why it does not
 * @returns stops listening; the socket is the caller's
 */
export function openTunnel(
  socket: Socket,
  origin: string,
  proxy: ClientProxy,
  done: (failure: string | null) => void,
): () => void {
  const scanner = new BlockScanner();
  let input: Buffer = Buffer.alloc(0);
  const stop = (): void => {
    socket.off("data", onData);
    socket.off("end", onEnd);
  };
  const onEnd = (): void => {
    stop();
    done("the proxy closed the connection without an answer to CONNECT");
  };
  const onData = (chunk: Buffer): void => {
    input = input.length === 0 ? chunk : Buffer.concat([input, chunk]);
    const length = scanner.scan(input);
    if (length === MORE && input.length <= MAX_HEAD_BYTES) return;
    stop();
    socket.pause();
    if (length === MORE || length === BAD) done("the proxy's answer to CONNECT is not HTTP");
    else done(judge(input, length));
  };
  socket.on("data", onData);
  socket.on("end", onEnd);
  socket.write(`CONNECT ${origin} HTTP/1.1\r\nHost: ${origin}\r\n${proxyCredentials(proxy)}\r\n`);
  return stop;
}

function judge(input: Buffer, length: number): string | null {
  const head = parseResponseHead(input.toString("latin1", 0, length));
  if (typeof head === "string") return `the proxy's answer to CONNECT: ${head}`;
  if (head.status < 200 || head.status > 299)
    return `the proxy refused the tunnel with ${head.status} ${head.reason}`;
  // The origin's first word comes after ours: what is here already was said by the proxy.
  return input.length > length ? "the proxy sent data before the tunnel was used" : null;
}
