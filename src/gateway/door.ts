/**
 * How commands on the same machine talk to the gateway: POST requests with JSON bodies, shaped as the management REST's, on
 * a listener of their own that is bound to 127.0.0.1. Its secret is in a file that only the account of the gateway can
 * read (`base/local-access.ts`); whoever can read it could stop the gateway as well. A feature that has something to
 * say to a command gives a path and a handler.
 */
import { timingSafeEqual } from "node:crypto";
import { HeaderList } from "../base/headers.ts";
import type { Incoming } from "../transport/transport.ts";
import { Body } from "./body.ts";

/** The JSON object that was sent; an empty one when there was no body. */
export type DoorQuestion = Readonly<Record<string, unknown>>;

export interface DoorAnswer {
  readonly status: number;
  /** Becomes JSON. */
  readonly body: object;
}

export type DoorHandler = (question: DoorQuestion) => DoorAnswer | Promise<DoorAnswer>;

/** Path (`/gateways/managed/listTrace`) → what answers there. */
export type DoorPaths = Readonly<Record<string, DoorHandler>>;

const MOST_BYTES = 16 * 1024;
const JSON_TYPE = ["Content-Type", "application/json", "Cache-Control", "no-store"];

/** @returns the door's listener */
export function createDoor(secret: string, paths: DoorPaths): (incoming: Incoming) => void {
  const handlers = new Map(Object.entries(paths));
  return (incoming) => {
    void serve(handlers, secret, incoming).then(
      ({ status, body }) => answer(incoming, status, body),
      () => answer(incoming, 500, refusal(500, "InternalError", "The gateway cannot say.").body),
    );
  };
}

/** An answer that says why there is none. @param code in the management REST's manner: `TraceNotFound` */
export function refusal(status: number, code: string, message: string): DoorAnswer {
  return { status, body: { error: { code, message } } };
}

async function serve(
  handlers: ReadonlyMap<string, DoorHandler>,
  secret: string,
  incoming: Incoming,
): Promise<DoorAnswer> {
  const headers = new HeaderList(incoming.rawHeaders);
  if (!knows(headers.get("authorization"), secret))
    return refusal(401, "Unauthorized", "This listener is for who can read its secret.");
  if (incoming.method !== "POST") return refusal(405, "MethodNotAllowed", "Only POST is answered here.");
  const handler = handlers.get(incoming.target.split("?", 1)[0]!);
  if (handler === undefined) return refusal(404, "NotFound", "There is no such path.");
  const question = await readJson(incoming, headers).catch(() => null);
  if (question === null) return refusal(400, "BadRequest", "The request cannot be read.");
  return handler(question);
}

function knows(authorization: string | null, secret: string): boolean {
  const given = Buffer.from(authorization ?? "");
  const right = Buffer.from(`Bearer ${secret}`);
  return given.length === right.length && timingSafeEqual(given, right);
}

async function readJson(incoming: Incoming, headers: HeaderList): Promise<DoorQuestion> {
  if (incoming.body === null) return {};
  const body = Body.streaming("request", incoming.body, headers);
  await body.buffer(MOST_BYTES);
  const bytes = body.take();
  const value: unknown = JSON.parse(bytes instanceof Uint8Array ? new TextDecoder().decode(bytes) : "{}");
  return value !== null && typeof value === "object" ? (value as DoorQuestion) : {};
}

function answer(incoming: Incoming, status: number, body: object): void {
  if (incoming.reply.started || incoming.abort.aborted) return;
  incoming.reply.send(status, "", JSON_TYPE, new TextEncoder().encode(JSON.stringify(body)));
}
