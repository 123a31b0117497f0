/**
 * The adapter over Node's own sockets: `node:net` and `node:tls` carry the bytes, the HTTP/1.1 on them is ours. Node's
 * parser lets ambiguous requests through and hides a caller's FIN; undici sends no trailers and no Expect,
 * and its timers are half a second wide (`docs/decisions/0002-http1-on-our-own-sockets.md`).
 */
import tls from "node:tls";

export { type ClientOptions, createClient } from "./client.ts";
export { createServer } from "./server.ts";

/** The certificate authorities that TLS trusts here, in PEM: Node's own list. */
export function trustedRoots(): readonly string[] {
  return tls.rootCertificates;
}
