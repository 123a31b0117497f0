/**
 * The callback as the listener meets it: `GET /authorization-manager/redirect/{provider}`, before any routing
 * (spec "Resource model" 1.16). What it shows is plain, without script, and says nothing that a browser's history or a
 * passer-by should not keep.
 */
import type { ConnectionIndex } from "../gateway/connections.ts";
import type { Incoming } from "../transport/transport.ts";
import { CALLBACK_PATH, type Consents, type Landing } from "./consents.ts";

const HEADERS: readonly string[] = Object.entries({
  "Cache-Control": "no-store",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
}).flat();
const encoder = new TextEncoder();

/** Answers `incoming` when it is the callback; without connections there is none. */
export function answerCallback(
  incoming: Incoming,
  consents: Consents,
  connections: ConnectionIndex | null,
): boolean {
  if (!incoming.target.startsWith(CALLBACK_PATH) || connections === null || connections.size === 0)
    return false;
  const rest = incoming.target.slice(CALLBACK_PATH.length);
  const at = rest.indexOf("?");
  const path = at < 0 ? rest : rest.slice(0, at);
  const query = at < 0 ? "" : rest.slice(at + 1);
  incoming.body?.cancel();
  if (incoming.method !== "GET") {
    show(incoming, { kind: "page", status: 405, title: "Only GET is answered here", text: "" });
    return true;
  }
  consents.land(decoded(path), new URLSearchParams(query), connections).then(
    (landing) => show(incoming, landing),
    () => show(incoming, { kind: "page", status: 500, title: "This went wrong", text: "It is our mistake." }),
  );
  return true;
}

function show({ reply, abort }: Incoming, landing: Landing): void {
  if (reply.started || abort.aborted) return;
  if (landing.kind === "redirect") return reply.send(302, "", ["Location", landing.url, ...HEADERS], null);
  const { status, title, text } = landing;
  const type = ["Content-Type", "text/html; charset=utf-8"];
  reply.send(status, "", [...type, ...HEADERS], encoder.encode(html(escaped(title), escaped(text))));
}

function html(title: string, text: string): string {
  return (
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title>` +
    `<body style="font:16px/1.5 system-ui,sans-serif;max-width:36em;margin:4em auto;padding:0 1em">` +
    `<h1 style="font-size:1.4em">${title}</h1><p>${text}</p></body></html>\n`
  );
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
