/** An OpenID provider on loopback that does as it is told. */
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface Provider {
  readonly url: string;
  readonly configUrl: string;
  /** In the document; default the URL. */
  issuer: string;
  keys: readonly object[];
  /** In place of the usual answers, by path. */
  readonly answers: Map<string, Answer>;
  /** Paths asked for so far. */
  readonly asked: string[];
  close(): Promise<void>;
}

export const CONFIG_PATH = "/.well-known/openid-configuration";
export const KEYS_PATH = "/keys";

export async function startProvider(keys: readonly object[] = []): Promise<Provider> {
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    provider.asked.push(path);
    const answer = provider.answers.get(path);
    if (answer !== undefined) return answer(request, response);
    if (path === KEYS_PATH) return json(response, { keys: provider.keys });
    if (path.endsWith(CONFIG_PATH))
      return json(response, { issuer: provider.issuer, jwks_uri: `${provider.url}${KEYS_PATH}` });
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider: Provider = {
    url,
    configUrl: url + CONFIG_PATH,
    issuer: url,
    keys,
    answers: new Map(),
    asked: [],
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => void server.close(() => resolve()));
    },
  };
  return provider;
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(value));
}

export const answering =
  (status: number, body: string, headers: Record<string, string> = {}): Answer =>
  (_request, response) =>
    void response.writeHead(status, headers).end(body);
