/**
 * The sign-in of an MCP client (authorization of 2025-03-26: discovery, dynamic registration, code with PKCE), danced with a
 * gateway whose policies are the authorization server. Around it: an identity provider that checks everything, a
 * document store for registrations, a tool server, and a browser with a person before it.
 */
import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Files, type TestGateway, api, policy, testGateway } from "./gateway.ts";
import { IDENTITY_SECRET, type IdentityProvider, startIdentityProvider } from "./identity-provider.ts";

/** Documents by operation: `authorize`, `consent`, `oauth-callback`, `token`, `register`, `oauthmetadata-get`, …, and `mcp`. */
export type Documents = Readonly<Record<string, string>>;

export interface Stage {
  readonly gateway: TestGateway;
  readonly idp: IdentityProvider;
  /** Registrations by id. */
  readonly store: Map<string, Record<string, unknown>>;
  /** Authorization headers that the tool server saw. */
  readonly toolCalls: string[];
  /** The key that session tokens are sealed with. */
  readonly key: Buffer;
  readonly iv: Buffer;
  close(): Promise<void>;
}

export const TENANT = "contoso";
const ENTRA_CLIENT = "entra-client";
const OPERATIONS: readonly (readonly [document: string, method: string, template: string])[] = [
  ["oauthmetadata-get", "GET", "/.well-known/oauth-authorization-server"],
  ["oauthmetadata-options", "OPTIONS", "/.well-known/oauth-authorization-server"],
  ["register", "POST", "/register"],
  ["register-options", "OPTIONS", "/register"],
  ["authorize", "GET", "/authorize"],
  ["consent", "GET", "/consent"],
  ["consent", "POST", "/consent"],
  ["oauth-callback", "GET", "/oauth-callback"],
  ["token", "POST", "/token"],
];

/** @param documentsOf gets the identity provider's URL, for documents that name their own */
export async function startStage(documentsOf: (idp: string) => Documents): Promise<Stage> {
  const idp = await startIdentityProvider();
  const documents = documentsOf(idp.url);
  const store: Stage["store"] = new Map();
  const toolCalls: string[] = [];
  const servers = [documentStore(store), toolServer(toolCalls)];
  for (const server of servers) await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const [storeUrl, toolUrl] = servers.map(
    (server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  );
  const [key, iv] = [randomBytes(32), randomBytes(16)];
  const files: Record<string, string | object> = {
    ...api("oauth", `${idp.url}/${TENANT}/oauth2/v2.0`, [], { properties: { path: "" } }),
    ...api("weather-mcp", toolUrl, ["POST /mcp"], { policy: documents["mcp"] }),
    "policy.xml": policy({ backend: "<forward-request />" }).replaceAll("<base />", ""),
  };
  OPERATIONS.forEach(([document, method, urlTemplate], i) => {
    const folder = `apis/oauth/operations/${document}-${i}`;
    files[`${folder}/operationInformation.json`] = {
      properties: { displayName: `${method} ${urlTemplate}`, method, urlTemplate },
    };
    files[`${folder}/policy.xml`] = documents[document]!;
  });
  const named = (gatewayUrl: string): Files =>
    Object.fromEntries(
      Object.entries({
        EntraIDTenantId: TENANT,
        EntraIDClientId: ENTRA_CLIENT,
        EntraIDHost: idp.url,
        OAuthCallbackUri: `${gatewayUrl}/oauth-callback`,
        OAuthScopes: "openid profile",
        EncryptionIV: iv.toString("base64"),
        EncryptionKey: key.toString("base64"),
        McpClientId: "unused",
        MCPServerName: "Weather <tools>",
        APIMGatewayURL: gatewayUrl,
        CosmosDbEndpoint: storeUrl,
        CosmosDbDatabase: "mcp",
        CosmosDbContainer: "clients",
      }).map(([displayName, value]) => [
        `namedValues/${displayName}/namedValueInformation.json`,
        { properties: { displayName, value, secret: displayName.startsWith("Encryption") } },
      ]),
    );
  const gateway = await testGateway(
    { ...files, ...named("http://unknown.example") },
    { environment: { IDENTITY_ENDPOINT: `${idp.url}/msi/token`, IDENTITY_HEADER: IDENTITY_SECRET } },
  );
  // Its own address is known only now.
  for (const [path, content] of Object.entries(named(gateway.url)))
    gateway.write(path, JSON.stringify(content));
  const problems = (await gateway.reload()).filter(({ severity }) => severity === "error");
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join("\n"));
  const redirectUrls = [`${gateway.url}/oauth-callback`];
  idp.clients.set(ENTRA_CLIENT, { secret: null, redirectUrls, federated: true });
  const close = async (): Promise<void> => {
    await gateway.close();
    await idp.close();
    for (const server of servers) server.close();
  };
  return { gateway, idp, store, toolCalls, key, iv, close };
}

/** As far as Cosmos DB's REST goes here: documents are created and read with a token of the workload's identity. */
function documentStore(store: Stage["store"]) {
  return createServer((request, response) => {
    const json = (status: number, body: object): void =>
      void response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
    const token = /^type=aad&ver=1\.0&sig=(.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
    const claims = Buffer.from(token.split(".")[1] ?? "", "base64url").toString();
    if (!claims.includes('"aud":"https://cosmos.azure.com"')) return json(401, { code: "Unauthorized" });
    const [, id] = /^\/dbs\/mcp\/colls\/clients\/docs(?:\/(.+))?$/.exec(request.url ?? "") ?? [];
    if (request.method === "GET")
      return store.has(id ?? "") ? json(200, store.get(id!)!) : json(404, { code: "NotFound" });
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => {
      const document = JSON.parse(text) as Record<string, unknown>;
      store.set(String(document["id"]), document);
      json(201, document);
    });
  });
}

function toolServer(calls: string[]) {
  return createServer((request, response) => {
    calls.push(request.headers.authorization ?? "none");
    response
      .writeHead(200, { "Content-Type": "application/json" })
      .end('{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"weather"}]}}');
  });
}

// ── The browser ───────────────────────────────────────────────────────────────────────────────────────────────────

export interface Page {
  readonly url: URL;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Follows redirects by hand, keeps cookies by origin, and sends no one's cookies elsewhere. */
export class Browser {
  readonly cookies = new Map<string, Map<string, string>>();
  /** Locations of redirects so far, without query. */
  readonly trail: string[] = [];

  async open(address: string | URL, init: RequestInit = {}, until = (_url: URL) => false): Promise<Page> {
    let url = new URL(address);
    for (let i = 0; i < 10; i++) {
      const jar = this.cookies.get(url.origin) ?? new Map<string, string>();
      const headers = new Headers(init.headers);
      if (jar.size > 0) headers.set("Cookie", [...jar].map(([name, value]) => `${name}=${value}`).join("; "));
      const answer = await fetch(url, { ...init, headers, redirect: "manual" });
      for (const line of answer.headers.getSetCookie()) this.#keep(jar, line);
      this.cookies.set(url.origin, jar);
      const text = await answer.text();
      const location = answer.headers.get("location");
      if (answer.status < 300 || answer.status > 399 || location === null)
        return { url, status: answer.status, headers: answer.headers, text };
      url = new URL(location, url);
      this.trail.push(url.origin + url.pathname);
      if (until(url)) return { url, status: answer.status, headers: answer.headers, text };
      init = {};
    }
    throw new Error(`too many redirects: ${this.trail.join(" ")}`);
  }

  /** Presses a form's button: the one whose hidden `consent_action` says so. */
  submit(
    page: Page,
    action: string,
    until?: (url: URL) => boolean,
    change: (form: URLSearchParams) => void = () => {},
    headers: Record<string, string> = {},
  ): Promise<Page> {
    const form = page.text.split("<form").find((text) => text.includes(`value='${action}'`));
    if (form === undefined) throw new Error(`there is no form that says ${action}:\n${page.text}`);
    const fields = new URLSearchParams();
    for (const [, name, value] of form.matchAll(/<input type='hidden' name='([^']*)' value='([^']*)'/g))
      fields.set(name!, unescaped(value!));
    change(fields);
    const target = /action='([^']*)'/.exec(form)![1]!;
    const init = { method: "POST", body: fields, headers: { Origin: page.url.origin, ...headers } };
    return this.open(target, init, until);
  }

  #keep(jar: Map<string, string>, line: string): void {
    const [pair = "", ...attributes] = line.split(/;\s*/);
    const [name = "", ...value] = pair.split("=");
    if (attributes.some((one) => /^max-age=0$/i.test(one))) jar.delete(name);
    else jar.set(name, value.join("="));
  }
}

function unescaped(text: string): string {
  return text.replace(/&(?:amp|lt|gt|quot|#39);/g, (found) => ENTITIES[found]!);
}
const ENTITIES: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
};

// ── The client ────────────────────────────────────────────────────────────────────────────────────────────────────

export interface Metadata {
  readonly issuer: string;
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
  readonly registration_endpoint: string;
}

export interface Registered {
  readonly client_id: string;
  readonly redirect_uris: readonly string[];
}

/** What an MCP client knows between the steps. */
export class McpClient {
  readonly redirectUrl = "http://127.0.0.1:33418/callback";
  readonly state = randomBytes(16).toString("base64url");
  readonly verifier = randomBytes(32).toString("base64url");

  async discover(gateway: string): Promise<Metadata> {
    const answer = await fetch(`${gateway}/.well-known/oauth-authorization-server`);
    return (await answer.json()) as Metadata;
  }

  async register({ registration_endpoint: url }: Metadata, name = "Inspector"): Promise<Registered> {
    const body = JSON.stringify({
      client_name: name,
      client_uri: "https://client.example",
      redirect_uris: [this.redirectUrl],
      token_endpoint_auth_method: "none",
    });
    const answer = await fetch(url, {
      method: "POST",
      body,
      headers: { "Content-Type": "application/json" },
    });
    return (await answer.json()) as Registered;
  }

  authorizationUrl({ authorization_endpoint: url }: Metadata, clientId: string): URL {
    const link = new URL(url);
    link.search = new URLSearchParams({
      response_type: "code",
      client_id: clientId,
      redirect_uri: this.redirectUrl,
      state: this.state,
      scope: "tools",
      code_challenge: createHash("sha256").update(this.verifier).digest("base64url"),
      code_challenge_method: "S256",
    }).toString();
    return link;
  }

  isBack = (url: URL): boolean => url.href.startsWith(this.redirectUrl);

  async token(
    metadata: Metadata,
    clientId: string,
    code: string,
    verifier = this.verifier,
  ): Promise<Response> {
    return fetch(metadata.token_endpoint, {
      method: "POST",
      body: new URLSearchParams({
        grant_type: "authorization_code",
        client_id: clientId,
        code,
        redirect_uri: this.redirectUrl,
        code_verifier: verifier,
      }),
    });
  }

  call(gateway: string, bearer: string | null): Promise<Response> {
    const headers: Record<string, string> = { "Content-Type": "application/json" };
    if (bearer !== null) headers["Authorization"] = `Bearer ${bearer}`;
    const body = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';
    return fetch(`${gateway}/weather-mcp/mcp`, { method: "POST", headers, body });
  }
}
