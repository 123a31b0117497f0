/**
 * Credentials of a backend entity on one outgoing request (`resources.md` §1.7). Those in the configuration are attached
 * while the request is composed; those that are fetched or worked out (`IdentityCredential`) come last, over what will be
 * sent. A request that lacks one does not leave.
 *
 * An Authorization that a policy set after the backend was chosen is meant for that backend and stays; any other, above all
 * the caller's, gives way.
 */
import { sameName } from "../base/headers.ts";
import type { Exchange } from "../gateway/exchange.ts";
import { type AwsKeys, CredentialError, type IdentityCredential } from "../gateway/identity.ts";
import type { Services } from "../gateway/services.ts";
import type { BackendCredentials } from "../gateway/snapshot.ts";
import type { ClientRequest } from "../transport/transport.ts";
import { signRequest } from "./aws/sign.ts";
import { credentialUnavailable } from "./identity/failure.ts";

const SOURCE = "forward-request";

/**
 * Puts header credentials into `headers` (replacing what the request has) and returns the query with query
 * credentials added.
 *
 * @param queryString        with leading `?`, or empty
 * @param keepsAuthorization a policy's Authorization stays
 */
export function attachCredentials(
  headers: string[],
  queryString: string,
  credentials: BackendCredentials,
  keepsAuthorization: boolean,
): string {
  const { headers: given, authorization, query } = credentials;
  for (let i = 0; i < given.length; i += 2) {
    if (!keepsAuthorization || !sameName(given[i]!, "authorization")) replace(headers, given, given[i]!);
  }
  if (authorization !== null && !keepsAuthorization) {
    const { scheme, parameter } = authorization;
    remove(headers, "authorization");
    headers.push("Authorization", parameter === "" ? scheme : `${scheme} ${parameter}`);
  }
  if (query === "") return queryString;
  return queryString === "" ? `?${query}` : `${queryString}&${query}`;
}

/** What the request still lacks once its configured credentials are attached; null for nothing. */
export function missingIdentity(
  exchange: Exchange,
  credentials: BackendCredentials | null | undefined,
): IdentityCredential | null {
  const identity = credentials?.identity ?? null;
  return identity === null || (exchange.request.authorizationSet && identity.kind !== "unavailable")
    ? null
    : identity;
}

/** What `authorize` needs: a token or keys. */
export type Obtained = string | AwsKeys;

/**
 * Gets what `identity` needs; for a signature, the request's body into memory, too.
 *
 * @throws GatewayError `CredentialUnavailable`, 500
 */
export async function obtainIdentity(exchange: Exchange, identity: IdentityCredential): Promise<Obtained> {
  const { body } = exchange.request;
  try {
    const obtained = await fetchIdentity(exchange.services, identity);
    if (identity.kind === "aws" && body !== null && !body.buffered && !body.consumed) {
      await body.buffer(exchange.snapshot.options.bufferLimitBytes);
    }
    return obtained;
  } catch (error) {
    throw credentialUnavailable(SOURCE, error);
  }
}

function fetchIdentity(
  { identities }: Pick<Services, "identities">,
  identity: IdentityCredential,
): Obtained | Promise<Obtained> {
  switch (identity.kind) {
    case "azure":
      return identities.azureToken(identity.resource, identity.clientId);
    case "google":
      return identities.googleToken(identity.key, identity.scope);
    case "aws":
      return identity.keys ?? identities.awsKeys();
    case "unavailable":
      throw new CredentialError(identity.reason);
  }
}

/** Puts the credential into the headers of what is about to be sent. */
export function authorize(
  exchange: Exchange,
  outgoing: ClientRequest,
  identity: IdentityCredential,
  obtained: Obtained,
): void {
  const { rawHeaders, method, target } = outgoing;
  if (identity.kind !== "aws") {
    remove(rawHeaders, "authorization");
    rawHeaders.push("Authorization", `Bearer ${obtained as string}`);
    return;
  }
  // In memory by now; what goes out may be a source that taps listen to, of the same octets.
  const body = outgoing.body === null ? null : exchange.request.body!.wire;
  const { region, service } = identity;
  signRequest(
    { method, target, rawHeaders, body },
    { keys: obtained as AwsKeys, region, service, nowMs: exchange.services.clock.now() },
  );
}

/**
 * As `obtainIdentity` and `authorize`, for a request of the gateway's own, whose body is in memory.
 *
 * @throws CredentialError
 */
export async function authorizeOwn(
  services: Pick<Services, "identities" | "clock">,
  { rawHeaders, method, target, body }: ClientRequest,
  identity: IdentityCredential,
): Promise<void> {
  const obtained = await fetchIdentity(services, identity);
  if (identity.kind === "aws") {
    const { region, service } = identity;
    const how = { keys: obtained as AwsKeys, region, service, nowMs: services.clock.now() };
    signRequest({ method, target, rawHeaders, body: body instanceof Uint8Array ? body : null }, how);
    return;
  }
  remove(rawHeaders, "authorization");
  rawHeaders.push("Authorization", `Bearer ${obtained as string}`);
}

/** Names of the headers that are credentials of this backend and of nobody else, lower case. */
export function credentialHeaders(credentials: BackendCredentials | null | undefined): ReadonlySet<string> {
  const names = new Set(["authorization", "cookie", "api-key", "x-amz-security-token"]);
  for (let i = 0; i < (credentials?.headers.length ?? 0); i += 2)
    names.add(credentials!.headers[i]!.toLowerCase());
  return names;
}

/** Every line of `name` in `headers` gives way to those in `from`, once per name. */
function replace(headers: string[], from: readonly string[], name: string): void {
  remove(headers, name);
  for (let i = 0; i < from.length; i += 2) if (sameName(from[i]!, name)) headers.push(name, from[i + 1]!);
}

function remove(headers: string[], name: string): void {
  for (let i = headers.length - 2; i >= 0; i -= 2) if (sameName(headers[i]!, name)) headers.splice(i, 2);
}
