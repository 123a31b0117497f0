/**
 * An OAuth identity provider on loopback that believes nobody: it knows its clients and their redirect URLs, ties codes to
 * both and to the PKCE challenge, takes each code and each refresh token once, and signs what it issues. Below any first path
 * segment (a tenant) it answers `/oauth2/authorize`, `/oauth2/token`, the same with `v2.0/`, and the OpenID configuration.
 * At `/msi/token` it is the identity endpoint of a platform, for whoever knows the secret.
 */
import { type KeyObject, createHash, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface Client {
  /** null: a public one, which PKCE alone protects. */
  readonly secret: string | null;
  readonly redirectUrls: readonly string[];
  /** Proves itself with a token of the workload's identity instead (RFC 7523). */
  readonly federated?: boolean;
}

interface Grant {
  readonly client: string;
  readonly scope: string;
  readonly redirectUrl: string;
  readonly challenge: string | null;
}

export interface IdentityProvider {
  readonly url: string;
  readonly clients: Map<string, Client>;
  /** Requests to the token endpoint: grant type, and `ok` or the error. */
  readonly asked: string[];
  /** Seconds; null: not said. */
  expiresIn: number | null;
  /** In place of any answer of the token endpoint. */
  down: number | null;
  /** Whoever signs in says this instead of yes: `access_denied`. */
  denies: string | null;
  readonly lastAccessToken: string | null;
  /** A token that the provider signs, with these claims on top of the usual ones. */
  issue(tenant: string, claims: Readonly<Record<string, unknown>>): string;
  close(): Promise<void>;
}

/** Making one takes longer than most tests do. */
const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });

/** What a platform tells a workload of its identity endpoint. */
export const IDENTITY_SECRET = "the platform's secret";

export async function startIdentityProvider(): Promise<IdentityProvider> {
  const clients = new Map<string, Client>();
  const codes = new Map<string, Grant>();
  const refreshTokens = new Map<string, Grant>();
  const asked: string[] = [];
  /** Tokens of the workload's identity that are for federation. */
  const assertions = new Set<string>();
  let lastAccessToken: string | null = null;

  const issue: IdentityProvider["issue"] = (tenant, claims) => {
    const now = Math.floor(Date.now() / 1000);
    const usual = { iss: `${url}/${tenant}/v2.0`, iat: now, exp: now + 600, tid: tenant, jti: randomUUID() };
    return signed(privateKey, { ...usual, ...claims });
  };

  /** RFC 6749 §4.1.1; the person has signed in before and says yes at once. */
  function authorize(query: URLSearchParams, response: ServerResponse): void {
    const client = clients.get(query.get("client_id") ?? "");
    const redirectUrl = query.get("redirect_uri") ?? "";
    // Not to be trusted, so nothing is sent there.
    if (client === undefined || !client.redirectUrls.includes(redirectUrl))
      return void response.writeHead(400).end(`unknown client or redirect_uri ${redirectUrl}`);
    const back = new URL(redirectUrl);
    const state = query.get("state");
    if (state !== null) back.searchParams.set("state", state);
    const challenge = query.get("code_challenge");
    const fault =
      query.get("response_type") !== "code"
        ? "unsupported_response_type"
        : challenge !== null && query.get("code_challenge_method") !== "S256"
          ? "invalid_request"
          : client.secret === null && client.federated !== true && challenge === null
            ? "invalid_request"
            : provider.denies;
    if (fault === null) {
      const code = randomUUID();
      const scope = query.get("scope") ?? "";
      codes.set(code, { client: query.get("client_id")!, scope, redirectUrl, challenge });
      back.searchParams.set("code", code);
    } else back.searchParams.set("error", fault);
    response.writeHead(302, { Location: back.href }).end();
  }

  /** RFC 6749 §4.1.3, §4.4, §6. @returns the grant, or the error */
  function grantOf(form: URLSearchParams, clientId: string): Grant | string {
    const type = form.get("grant_type");
    if (type === "client_credentials")
      return { client: clientId, scope: form.get("scope") ?? "", redirectUrl: "", challenge: null };
    const [store, name] = type === "authorization_code" ? [codes, "code"] : [refreshTokens, "refresh_token"];
    if (type !== "authorization_code" && type !== "refresh_token") return "unsupported_grant_type";
    const grant = store.get(form.get(name) ?? "");
    store.delete(form.get(name) ?? "");
    if (grant === undefined || grant.client !== clientId) return "invalid_grant";
    if (type === "refresh_token") return grant;
    if (grant.redirectUrl !== form.get("redirect_uri")) return "invalid_grant";
    const verifier = form.get("code_verifier");
    if (grant.challenge === null) return verifier === null ? grant : "invalid_grant";
    const hashed = createHash("sha256")
      .update(verifier ?? "")
      .digest("base64url");
    return hashed === grant.challenge ? grant : "invalid_grant";
  }

  function token(tenant: string, request: IncomingMessage, form: URLSearchParams): [number, object] {
    if (provider.down !== null) return [provider.down, { message: "down" }];
    const [id, secret] = clientOf(request, form);
    const client = clients.get(id);
    const proven =
      client?.federated === true
        ? form.get("client_assertion_type") === "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" &&
          assertions.has(form.get("client_assertion") ?? "")
        : client?.secret === secret;
    if (client === undefined || !proven)
      return [401, { error: "invalid_client", error_description: "no such client, or a wrong secret" }];
    const grant = grantOf(form, id);
    if (typeof grant === "string") return [400, { error: grant, error_description: "the grant is not good" }];
    const person = form.get("grant_type") === "client_credentials" ? id : "alice";
    lastAccessToken = issue(tenant, { sub: person, aud: form.get("resource") ?? "api", scp: grant.scope });
    const refreshToken = randomUUID();
    if (person === "alice") refreshTokens.set(refreshToken, grant);
    return [
      200,
      {
        token_type: "Bearer",
        access_token: lastAccessToken,
        ...(provider.expiresIn === null ? {} : { expires_in: provider.expiresIn }),
        ...(person === "alice" ? { refresh_token: refreshToken } : {}),
        scope: grant.scope,
      },
    ];
  }

  /** App Service's protocol: https://learn.microsoft.com/azure/app-service/overview-managed-identity. */
  function identity(request: IncomingMessage, query: URLSearchParams, response: ServerResponse): void {
    if (request.headers["x-identity-header"] !== IDENTITY_SECRET) return void response.writeHead(401).end();
    const resource = query.get("resource") ?? "";
    const token = issue("platform", { aud: resource, sub: query.get("client_id") ?? "system" });
    if (resource === "api://AzureADTokenExchange") assertions.add(token);
    const expires = String(Math.floor(Date.now() / 1000) + 3600);
    response
      .writeHead(200, { "Content-Type": "application/json" })
      .end(JSON.stringify({ access_token: token, expires_on: expires, resource, token_type: "Bearer" }));
  }

  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
    const [, tenant = "", ...rest] = pathname.split("/");
    if (pathname === "/msi/token") return identity(request, searchParams, response);
    const page = rest.join("/");
    const json = (status: number, body: object): void =>
      void response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
    if (/^oauth2\/(v2\.0\/)?authorize$/.test(page)) return authorize(searchParams, response);
    if (page === "discovery/keys")
      return json(200, { keys: [{ ...publicKey.export({ format: "jwk" }), kid: "one", use: "sig" }] });
    if (page === "v2.0/.well-known/openid-configuration")
      return json(200, { issuer: `${url}/${tenant}/v2.0`, jwks_uri: `${url}/${tenant}/discovery/keys` });
    if (!/^oauth2\/(v2\.0\/)?token$/.test(page) || request.method !== "POST") return json(404, {});
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => {
      const form = new URLSearchParams(text);
      const [status, body] = token(tenant, request, form);
      asked.push(`${form.get("grant_type")} ${"error" in body ? String(body.error) : status}`);
      json(status, body);
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider: IdentityProvider = {
    url,
    clients,
    asked,
    expiresIn: 3600,
    down: null,
    denies: null,
    get lastAccessToken() {
      return lastAccessToken;
    },
    issue,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => void server.close(() => resolve()));
    },
  };
  return provider;
}

/** RFC 6749 §2.3.1. */
function clientOf(request: IncomingMessage, form: URLSearchParams): [string, string | null] {
  const basic = /^Basic (.*)$/.exec(request.headers.authorization ?? "")?.[1];
  if (basic === undefined) return [form.get("client_id") ?? "", form.get("client_secret")];
  const [id = "", secret = ""] = Buffer.from(basic, "base64").toString().split(":");
  return [decodeURIComponent(id), decodeURIComponent(secret)];
}

function signed(key: KeyObject, claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const input = `${part({ alg: "RS256", typ: "JWT", kid: "one" })}.${part(claims)}`;
  return `${input}.${sign("sha256", Buffer.from(input), key).toString("base64url")}`;
}
