/**
 * The listener for whoever runs the gateway: `/metrics` and the health paths (`deployment.md` D2, D5). It is bound to
 * loopback unless told otherwise, and then wants a token for what tells something of the traffic.
 */
import { timingSafeEqual } from "node:crypto";
import { HeaderList } from "../../base/headers.ts";
import type { Incoming } from "../../transport/transport.ts";

/** @param accept what the reader takes; empty when it does not say */
export type AdminPage = (accept: string) => { readonly contentType: string; readonly body: string };

/**
 * @param pages path → what it shows, to GET and HEAD
 * @param token wanted as a bearer token; null = none
 * @param health answers the health paths
 */
export function adminListener(
  pages: Readonly<Record<string, AdminPage>>,
  token: string | null,
  health: (incoming: Incoming) => boolean,
): (incoming: Incoming) => void {
  const known = new Map(Object.entries(pages));
  return (incoming) => {
    if (health(incoming)) return;
    incoming.body?.cancel();
    const page = known.get(incoming.target.split("?", 1)[0]!);
    if (page === undefined) return answer(incoming, 404, "text/plain", "There is no such page.\n");
    if (incoming.method !== "GET" && incoming.method !== "HEAD")
      return answer(incoming, 405, "text/plain", "Only GET is answered here.\n");
    const headers = new HeaderList(incoming.rawHeaders);
    if (token !== null && !knows(headers.get("authorization"), token))
      return answer(incoming, 401, "text/plain", "A bearer token is wanted here.\n", [
        "WWW-Authenticate",
        "Bearer",
      ]);
    const { contentType, body } = page(headers.getAll("accept")?.join(",") ?? "");
    answer(incoming, 200, contentType, body, ["Vary", "Accept"]);
  };
}

function knows(authorization: string | null, token: string): boolean {
  const given = Buffer.from(authorization ?? "");
  const right = Buffer.from(`Bearer ${token}`);
  return given.length === right.length && timingSafeEqual(given, right);
}

function answer(
  incoming: Incoming,
  status: number,
  contentType: string,
  body: string,
  more: readonly string[] = [],
): void {
  const headers = ["Content-Type", contentType, "Cache-Control", "no-store", ...more];
  incoming.reply.send(status, "", headers, new TextEncoder().encode(body));
}
