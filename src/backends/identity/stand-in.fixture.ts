/** A server on loopback that stands for whoever gives out credentials, or for the backend that wants them. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface Seen {
  readonly method: string;
  /** As on the wire. */
  readonly target: string;
  /** Without query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** The body as a form. */
  readonly form: URLSearchParams;
}

export type Reply = {
  readonly status?: number;
  readonly body?: string | object;
  readonly headers?: Record<string, string>;
};

export interface StandIn {
  readonly url: string;
  readonly port: number;
  readonly seen: Seen[];
  answer: (seen: Seen) => Reply | Promise<Reply>;
  close(): Promise<void>;
}

export async function startStandIn(answer: StandIn["answer"]): Promise<StandIn> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => void reply());
    const reply = async (): Promise<void> => {
      const target = request.url ?? "";
      const [path = "", query = ""] = target.split("?");
      const body = Buffer.concat(chunks);
      const headers = request.headers as Record<string, string>;
      const seen = {
        method: request.method ?? "",
        target,
        path,
        query: new URLSearchParams(query),
        headers,
        body,
        form: new URLSearchParams(body.toString()),
      };
      standIn.seen.push(seen);
      const { status = 200, body: content = "", headers: more = {} } = await standIn.answer(seen);
      response.writeHead(status, more).end(typeof content === "string" ? content : JSON.stringify(content));
    };
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const standIn: StandIn = {
    url: `http://127.0.0.1:${port}`,
    port,
    seen: [],
    answer,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => void server.close(() => resolve()));
    },
  };
  return standIn;
}
