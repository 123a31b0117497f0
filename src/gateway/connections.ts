/**
 * Connections of the credential manager (`ai-backends-auth.md` §9.1): OAuth credentials that the gateway keeps for backends.
 * `credentials/` fetches and keeps the tokens; here is only what the snapshot and policies see of it.
 */
import type { JsonObject } from "../base/json-object.ts";

/** An `authorizationProviders/authorizations` resource, ready to use: everything decided, named values put in. */
export interface Connection {
  /** `provider/authorization`, as written. */
  readonly id: string;
  /** The same in lower case. */
  readonly key: string;
  readonly provider: string;
  readonly grant: "authorizationCode" | "clientCredentials";
  readonly clientId: string;
  /** null for public clients, which PKCE alone protects. */
  readonly clientSecret: string | null;
  /**
   * How the client proves itself at the token endpoint: with its secret (RFC 6749 §2.3.1), or with a token of the gateway's
   * own identity that the provider trusts (RFC 7523).
   */
  readonly clientAuthentication: "body" | "basic" | "assertion";
  /** Separated by spaces; empty for none. */
  readonly scope: string;
  /** Absolute; null for client credentials. */
  readonly authorizationUrl: string | null;
  readonly tokenUrl: string;
  readonly refreshUrl: string;
  readonly pkce: boolean;
  /** What the provider wants besides, at the authorization endpoint and at the token endpoint. */
  readonly authorizationParameters: Readonly<Record<string, string>>;
  readonly tokenParameters: Readonly<Record<string, string>>;
  /** Where the provider sends the code; null = the gateway's own callback. */
  readonly redirectUrl: string | null;
  readonly access: ConnectionAccess;
  /** Changes with everything that makes tokens fetched so far useless: client, endpoints, scope. */
  readonly fingerprint: string;
}

/** Who may use a connection. */
export interface ConnectionAccess {
  /** The gateway's own identity (`identity-type="managed"`). */
  readonly managed: boolean;
  readonly policies: readonly AccessPolicy[];
}

/** A person, a service principal or a group of Microsoft Entra ID. Ids in lower case. */
export interface AccessPolicy {
  readonly tenantId: string;
  readonly objectId: string;
  /** Applications that the token may come from; empty = any. */
  readonly appIds: ReadonlySet<string>;
}

/** By `Connection.key`. */
export type ConnectionIndex = ReadonlyMap<string, Connection>;

export function connectionKey(provider: string, authorization: string): string {
  return `${provider}/${authorization}`.toLowerCase();
}

/** What get-authorization-context hands to expressions. */
export interface ConnectionToken {
  readonly accessToken: string;
  /** The members of the token response; without the tokens that are for the gateway alone. */
  readonly claims: JsonObject;
}

export interface Connections {
  /**
   * A token that has not run out; a promise only when one has to be fetched.
   *
   * @throws CredentialError, also as a rejection
   */
  token(connection: Connection): ConnectionToken | Promise<ConnectionToken>;
  /** Origin of Microsoft Entra ID, whose tokens callers identify themselves with. */
  readonly entra: string;
}
