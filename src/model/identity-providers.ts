/**
 * What is known of identity providers, by the names that `identityProvider` has for them (spec "Resource model" 1.16).
 * Whatever the grant says itself (`authorizationUrl`, `tokenUrl`, `refreshUrl`) wins over this table.
 */

/** A parameter of the grant by name, named values put in; undefined when it is missing or empty. */
export type Parameter = (name: string) => string | undefined;

export interface IdentityProvider {
  readonly authorizationUrl?: (parameter: Parameter) => string | undefined;
  readonly tokenUrl?: (parameter: Parameter) => string | undefined;
  readonly pkce?: boolean;
  readonly basic?: boolean;
  /** Added to the query of the authorization endpoint; most of them ask for a refresh token. */
  readonly authorizationParameters?: (parameter: Parameter) => Record<string, string>;
  /** Added to the form of the token endpoint. */
  readonly tokenParameters?: (parameter: Parameter) => Record<string, string>;
  /** Parameters that there is no URL without, for messages. */
  readonly needs?: readonly string[];
}

const at = (url: string) => (): string => url;

/** Microsoft Entra ID, v1 endpoints: the resource is named, scopes come on top. */
const entra = (parameter: Parameter): string =>
  `${(parameter("loginUri") ?? "https://login.microsoftonline.com").replace(/\/+$/, "")}/` +
  `${encodeURIComponent(parameter("tenantId") ?? "common")}/oauth2`;
const resourceOf = (parameter: Parameter): Record<string, string> => {
  const resource = parameter("resourceUri");
  return resource === undefined ? {} : { resource };
};

/** An instance name, or the whole host of one. */
const serviceNow =
  (page: string) =>
  (parameter: Parameter): string | undefined => {
    const instance = parameter("instanceName");
    if (instance === undefined) return undefined;
    const host = instance.replace(/^https:\/\//i, "").replace(/\/+$/, "");
    return `https://${host.includes(".") ? host : `${host}.service-now.com`}/${page}`;
  };

const GENERIC: IdentityProvider = { tokenParameters: resourceOf, authorizationParameters: resourceOf };

export const identityProviders: Readonly<Record<string, IdentityProvider>> = {
  oauth2: GENERIC,
  oauth2pkce: { ...GENERIC, pkce: true },
  aad: {
    authorizationUrl: (parameter) => `${entra(parameter)}/authorize`,
    tokenUrl: (parameter) => `${entra(parameter)}/token`,
    authorizationParameters: resourceOf,
    tokenParameters: resourceOf,
  },
  box: {
    authorizationUrl: at("https://account.box.com/api/oauth2/authorize"),
    tokenUrl: at("https://api.box.com/oauth2/token"),
  },
  dropbox: {
    authorizationUrl: at("https://www.dropbox.com/oauth2/authorize"),
    tokenUrl: at("https://api.dropboxapi.com/oauth2/token"),
    authorizationParameters: () => ({ token_access_type: "offline" }),
  },
  facebook: {
    authorizationUrl: at("https://www.facebook.com/dialog/oauth"),
    tokenUrl: at("https://graph.facebook.com/oauth/access_token"),
  },
  github: {
    authorizationUrl: at("https://github.com/login/oauth/authorize"),
    tokenUrl: at("https://github.com/login/oauth/access_token"),
  },
  google: {
    authorizationUrl: at("https://accounts.google.com/o/oauth2/v2/auth"),
    tokenUrl: at("https://oauth2.googleapis.com/token"),
    // Without both there is a refresh token at the first consent only.
    authorizationParameters: () => ({ access_type: "offline", prompt: "consent" }),
  },
  linkedin: {
    authorizationUrl: at("https://www.linkedin.com/oauth/v2/authorization"),
    tokenUrl: at("https://www.linkedin.com/oauth/v2/accessToken"),
  },
  salesforce: {
    authorizationUrl: at("https://login.salesforce.com/services/oauth2/authorize"),
    tokenUrl: at("https://login.salesforce.com/services/oauth2/token"),
  },
  servicenow: {
    authorizationUrl: serviceNow("oauth_auth.do"),
    tokenUrl: serviceNow("oauth_token.do"),
    needs: ["instanceName"],
  },
  slack: {
    authorizationUrl: at("https://slack.com/oauth/v2/authorize"),
    tokenUrl: at("https://slack.com/api/oauth.v2.access"),
  },
  spotify: {
    authorizationUrl: at("https://accounts.spotify.com/authorize"),
    tokenUrl: at("https://accounts.spotify.com/api/token"),
    basic: true,
  },
  stripe: {
    authorizationUrl: at("https://connect.stripe.com/oauth/authorize"),
    tokenUrl: at("https://connect.stripe.com/oauth/token"),
  },
  twitter: {
    authorizationUrl: at("https://x.com/i/oauth2/authorize"),
    tokenUrl: at("https://api.x.com/2/oauth2/token"),
    pkce: true,
    basic: true,
  },
};
