/**
 * For tests: what Azure Service Bus and Event Hubs do with a request over HTTPS, as their pages describe it: the signature
 * is computed again from the resource, the end and the key; the resource must cover the path; a body has a largest size.
 */
import { createHmac } from "node:crypto";
import { type IncomingMessage, type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface Received {
  readonly path: string;
  readonly bodies: readonly string[];
  readonly contentType: string;
  readonly brokerProperties: Record<string, unknown> | null;
  /** Custom properties: other headers. */
  readonly properties: Readonly<Record<string, string>>;
}

export interface StandIn {
  readonly url: string;
  readonly authority: string;
  readonly received: Received[];
  readonly refusals: string[];
  /** Answers this instead of taking what comes; null = works. */
  answer: number | "hang" | "reset" | null;
  /** A bearer token that is taken. */
  bearer: string | null;
  /** Resolves when `count` requests have been taken. */
  until(count: number): Promise<void>;
  close(): Promise<void>;
}

const LARGEST = 256 * 1024;

/** @param keys key name → key */
export async function startStandIn(
  keys: Readonly<Record<string, string>>,
  now: () => number,
): Promise<StandIn> {
  const received: Received[] = [];
  const refusals: string[] = [];
  let waiting: { count: number; done: () => void }[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      if (standIn.answer === "hang") return;
      if (standIn.answer === "reset") return request.socket.destroy();
      const [status, why] =
        standIn.answer !== null ? [standIn.answer, "as told"] : take(request, Buffer.concat(chunks));
      if (status !== 201) refusals.push(why);
      response
        .writeHead(status, { "Content-Type": "application/xml" })
        .end(status === 201 ? "" : `<Error><Code>${status}</Code></Error>`);
      waiting = waiting.filter(({ count, done }) => (received.length >= count ? done() : true));
    });
  });

  function take(request: IncomingMessage, body: Buffer): [number, string] {
    const [path, query = ""] = request.url!.split("?");
    if (request.method !== "POST" || !path!.endsWith("/messages")) return [404, "no such operation"];
    if (!new URLSearchParams(query).has("api-version")) return [400, "no api-version"];
    const refused = judge(request.headers.authorization ?? "", path!);
    if (refused !== null) return [401, refused];
    if (body.length > LARGEST) return [413, "too large"];
    const contentType = request.headers["content-type"] ?? "";
    const isBatch = contentType === "application/vnd.microsoft.servicebus.json";
    const bodies = isBatch
      ? (JSON.parse(body.toString()) as { Body: string }[]).map((one) => one.Body)
      : [body.toString()];
    const broker = request.headers["brokerproperties"];
    const properties: Record<string, string> = {};
    for (const [name, value] of Object.entries(request.headers))
      if (!STANDARD.has(name)) properties[name] = String(value);
    received.push({
      path: path!,
      bodies,
      contentType,
      brokerProperties: broker === undefined ? null : JSON.parse(String(broker)),
      properties,
    });
    return [201, ""];
  }

  function judge(authorization: string, path: string): string | null {
    if (authorization.startsWith("Bearer "))
      return authorization === `Bearer ${standIn.bearer}` ? null : "unknown token";
    if (!authorization.startsWith("SharedAccessSignature ")) return "no SharedAccessSignature";
    const fields = new Map(
      authorization
        .slice(22)
        .split("&")
        .map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]),
    );
    const resource = fields.get("sr") ?? "";
    const key = keys[decodeURIComponent(fields.get("skn") ?? "")];
    if (key === undefined) return "unknown key";
    if (!(Number(fields.get("se")) > now() / 1000)) return "expired";
    const right = createHmac("sha256", key)
      .update(`${resource}\n${fields.get("se")}`)
      .digest("base64");
    if (decodeURIComponent(fields.get("sig") ?? "") !== right) return "wrong signature";
    const covered = new URL(decodeURIComponent(resource));
    const inside = `${path}/`
      .toLowerCase()
      .startsWith(`${covered.pathname.toLowerCase().replace(/\/$/, "")}/`);
    return inside && covered.host === standIn.authority ? null : "another resource";
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const authority = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const standIn: StandIn = {
    url: `http://${authority}`,
    authority,
    received,
    refusals,
    answer: null,
    bearer: null,
    until: (count) =>
      received.length >= count ? Promise.resolve() : new Promise((done) => waiting.push({ count, done })),
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return standIn;
}

const STANDARD = new Set([
  "host",
  "authorization",
  "content-type",
  "content-length",
  "brokerproperties",
  "connection",
  "transfer-encoding",
  "accept",
  "user-agent",
]);
