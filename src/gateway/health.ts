/**
 * The paths that answer for the process itself, before any routing and without a key (`routing.md` §10,
 * `deployment.md` D5). They cost nothing and never ask a backend.
 */
import type { Incoming } from "../transport/transport.ts";

export interface HealthState {
  /** A configuration is loaded and the listeners are up. */
  readonly ready: boolean;
  readonly draining: boolean;
  /** Helpers that are down but do not stop traffic, e.g. `config_store`. */
  readonly degraded: readonly string[];
}

const STATUS_PATHS = new Set(["/status-0123456789abcdef", "/internal-status-0123456789abcdef"]);
const JSON_TYPE: readonly string[] = ["Content-Type", "application/json", "Cache-Control", "no-store"];
const encoder = new TextEncoder();

/** Answers `incoming` when its path is one of ours. */
export function answerHealth(incoming: Incoming, path: string, state: () => HealthState): boolean {
  // Every request passes here: rule out by the second character before anything else.
  const second = path.charCodeAt(1);
  if (second !== S && second !== L && second !== R && second !== I) return false;
  const at = path.indexOf("?");
  const plain = at < 0 ? path : path.slice(0, at);
  if (plain === "/livez") return reply(incoming, 200, { status: "ok" });
  const isStatus = STATUS_PATHS.has(plain);
  if (!isStatus && plain !== "/readyz" && plain !== "/startupz") return false;
  const { ready, draining, degraded } = state();
  if (!ready) return reply(incoming, 503, { status: "starting" });
  if (draining && plain === "/readyz") return reply(incoming, 503, { status: "draining" });
  return reply(incoming, 200, degraded.length === 0 ? { status: "ok" } : { status: "ok", degraded });
}

const S = 115;
const L = 108;
const R = 114;
const I = 105;

function reply(incoming: Incoming, status: number, body: object): true {
  incoming.body?.cancel();
  incoming.reply.send(status, "", [...JSON_TYPE], encoder.encode(JSON.stringify(body)));
  return true;
}
