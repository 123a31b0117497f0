/**
 * How the command line on the same machine gets tokens and reads traces: two requests, shaped as the management REST's
 * (`routing.md` §7.5), on a listener of their own that is bound to 127.0.0.1. Its secret is in a file that only the
 * account of the gateway can read; whoever can read it could stop the gateway as well.
 */
import { timingSafeEqual } from "node:crypto";
import { HeaderList } from "../../base/headers.ts";
import { Body } from "../body.ts";
import type { Incoming } from "../../transport/transport.ts";
import { LONGEST_TOKEN_MS, type Tracing } from "./index.ts";

const MOST_BYTES = 16 * 1024;
const JSON_TYPE = ["Content-Type", "application/json", "Cache-Control", "no-store"];

/** @returns the door's listener */
export function traceDoor(tracing: Tracing, secret: string): (incoming: Incoming) => void {
  return (incoming) => {
    void serve(tracing, secret, incoming).catch(() =>
      answer(incoming, 400, refusal("BadRequest", "The request cannot be read.")),
    );
  };
}

async function serve(tracing: Tracing, secret: string, incoming: Incoming): Promise<void> {
  const headers = new HeaderList(incoming.rawHeaders);
  if (!knows(headers.get("authorization"), secret)) {
    return answer(incoming, 401, refusal("Unauthorized", "This listener is for who can read its secret."));
  }
  const path = incoming.target.split("?", 1)[0]!;
  if (incoming.method !== "POST")
    return answer(incoming, 405, refusal("MethodNotAllowed", "Only POST is answered here."));
  const asked = await readJson(incoming, headers);
  if (path === "/gateways/managed/listDebugCredentials") {
    return answer(incoming, 200, { token: tracing.issue(apiName(asked["apiId"]), LONGEST_TOKEN_MS) });
  }
  if (path === "/gateways/managed/listTrace") {
    const trace = tracing.read(String(asked["traceId"]));
    return trace === null
      ? answer(
          incoming,
          404,
          refusal("TraceNotFound", "There is no such trace, or no longer: only the last ones are kept."),
        )
      : answer(incoming, 200, trace);
  }
  answer(incoming, 404, refusal("NotFound", "There is no such path."));
}

function knows(authorization: string | null, secret: string): boolean {
  const given = Buffer.from(authorization ?? "");
  const right = Buffer.from(`Bearer ${secret}`);
  return given.length === right.length && timingSafeEqual(given, right);
}

async function readJson(incoming: Incoming, headers: HeaderList): Promise<Record<string, unknown>> {
  if (incoming.body === null) return {};
  const body = Body.streaming("request", incoming.body, headers);
  await body.buffer(MOST_BYTES);
  const bytes = body.take();
  const value: unknown = JSON.parse(bytes instanceof Uint8Array ? new TextDecoder().decode(bytes) : "{}");
  return value !== null && typeof value === "object" ? (value as Record<string, unknown>) : {};
}

/** The API's own name out of any form of its id: `echo`, `/apis/echo;rev=2`, a full resource id. */
function apiName(id: unknown): string | null {
  return typeof id !== "string" || id === "" ? null : id.slice(id.lastIndexOf("/") + 1).split(";")[0]!;
}

function refusal(code: string, message: string): object {
  return { error: { code, message } };
}

function answer(incoming: Incoming, status: number, body: object): void {
  if (incoming.reply.started || incoming.abort.aborted) return;
  incoming.reply.send(status, "", JSON_TYPE, new TextEncoder().encode(JSON.stringify(body)));
}
