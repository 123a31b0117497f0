/** Asking a provider's token endpoint (RFC 6749 §3.2), once: codes and rotating refresh tokens are good for one try. */
import { callOut } from "../backends/own-requests/call-out.ts";
import { parseUrl } from "../backends/own-requests/own-request.ts";
import type { Connection } from "../gateway/connections.ts";
import { GatewayError } from "../gateway/errors.ts";
import type { Services } from "../gateway/services.ts";
import type { EgressOptions } from "../gateway/snapshot.ts";
import { TransportError } from "../transport/transport.ts";
import { type TokenSet, TokenRefused, readTokenSet } from "./token-answer.ts";

export type World = Pick<Services, "client" | "clock" | "log" | "identities"> & {
  readonly egress: EgressOptions;
};

/** What a workload's token has to be for, so that Entra takes it in place of a secret. */
const FEDERATION = "api://AzureADTokenExchange";
const TIMEOUT_MS = 15_000;
const MOST_BYTES = 256 * 1024;
const decoder = new TextDecoder();

/** @throws TokenRefused */
export function requestToken(world: World, connection: Connection): Promise<TokenSet> {
  const { scope, tokenParameters } = connection;
  return ask(world, connection, connection.tokenUrl, {
    grant_type: "client_credentials",
    ...(scope === "" ? {} : { scope }),
    ...tokenParameters,
  });
}

/** @throws TokenRefused; with `invalid_grant` the person has to consent again */
export async function refreshTokens(world: World, connection: Connection, old: TokenSet): Promise<TokenSet> {
  const fresh = await ask(world, connection, connection.refreshUrl, {
    grant_type: "refresh_token",
    refresh_token: old.refreshToken!,
    ...connection.tokenParameters,
  });
  return fresh.refreshToken === null ? { ...fresh, refreshToken: old.refreshToken } : fresh;
}

/**
 * @param verifier of PKCE (RFC 7636), null without
 * @throws TokenRefused
 */
export function exchangeCode(
  world: World,
  connection: Connection,
  code: string,
  redirectUrl: string,
  verifier: string | null,
): Promise<TokenSet> {
  return ask(world, connection, connection.tokenUrl, {
    grant_type: "authorization_code",
    code,
    redirect_uri: redirectUrl,
    ...(verifier === null ? {} : { code_verifier: verifier }),
    ...connection.tokenParameters,
  });
}

async function ask(
  world: World,
  connection: Connection,
  url: string,
  fields: Record<string, string>,
): Promise<TokenSet> {
  const who = `the token endpoint of ${connection.provider}`;
  const parsed = parseUrl(url);
  if (parsed === null) throw new TokenRefused(`the address of ${who} is not a URL`, null);
  const { target, path, query } = parsed;
  const rawHeaders = Object.entries({
    Host: target.authority,
    Accept: "application/json",
    "Content-Type": "application/x-www-form-urlencoded",
    "User-Agent": "headgate",
  }).flat();
  const form = { ...fields, ...(await proofOf(world, connection, rawHeaders)) };
  try {
    const { statusCode, body } = await callOut(world, world.egress, {
      request: {
        method: "POST",
        scheme: target.scheme,
        host: target.host,
        port: target.port,
        target: query === "" ? path : `${path}?${query}`,
        rawHeaders,
        body: Buffer.from(new URLSearchParams(form).toString()),
      },
      timeoutMs: TIMEOUT_MS,
      limitBytes: MOST_BYTES,
      abort: null,
    });
    const text = body === null ? "" : decoder.decode(body.bytes());
    return readTokenSet(statusCode, text, who, world.clock.now());
  } catch (error) {
    if (!(error instanceof TransportError) && !(error instanceof GatewayError)) throw error;
    throw new TokenRefused(`${who} cannot be asked: ${error.message}`, null, error);
  }
}

/** In the form, or as Basic credentials, each part form-encoded. @throws CredentialError without an identity */
async function proofOf(
  { identities }: World,
  { clientId, clientSecret, clientAuthentication }: Connection,
  rawHeaders: string[],
): Promise<Record<string, string>> {
  if (clientAuthentication === "assertion")
    return {
      client_id: clientId,
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      client_assertion: await identities.azureToken(FEDERATION, null),
    };
  if (clientSecret === null) return { client_id: clientId };
  if (clientAuthentication === "body") return { client_id: clientId, client_secret: clientSecret };
  const encode = (text: string): string => new URLSearchParams({ "": text }).toString().slice(1);
  const pair = `${encode(clientId)}:${encode(clientSecret)}`;
  rawHeaders.push("Authorization", `Basic ${Buffer.from(pair).toString("base64")}`);
  return {};
}
