/** Upstreams that do as they are told, also what no upstream should do. */
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";

export type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

export interface StandIn {
  readonly name: string;
  readonly url: string;
  /** Requests that arrived whole. */
  seen: number;
  /** Headers of the last. */
  headers: IncomingMessage["headers"];
  answer: Answer;
  close(): Promise<void>;
}

export const fine: Answer = (_request, response, body) =>
  void response.writeHead(200, { "content-type": "text/plain" }).end(`fine ${body}`);

export const refuses =
  (status: number, headers: Record<string, string> = {}): Answer =>
  (_request, response) =>
    void response.writeHead(status, headers).end("no");

/** Closes the connection with a reset, without an answer. */
export const resets: Answer = (request) => void request.socket.resetAndDestroy();

/** Takes the request and says nothing. */
export const stalls: Answer = () => {};

export async function standIn(name: string, answer: Answer = fine): Promise<StandIn> {
  const server: Server = createServer({ noDelay: true }, (request, response) => {
    response.setHeader("x-by", name);
    request.on("error", () => {});
    response.on("error", () => {});
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString("latin1")));
    request.on("end", () => {
      self.seen++;
      self.headers = request.headers;
      self.answer(request, response, body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const self: StandIn = {
    name,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen: 0,
    headers: {},
    answer,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return self;
}
