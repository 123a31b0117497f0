import { describe, expect, test } from "vitest";
import type { Resource } from "../contract/resource.ts";
import type { Connection } from "../gateway/connections.ts";
import { ResourceSet } from "../store/resource-set.ts";
import { buildConnections } from "./connections.ts";
import { Reporter } from "./report.ts";

type Parameters = Readonly<Record<string, string>>;

interface Given {
  readonly provider: string;
  /** Of the provider's grant. */
  readonly grant?: Parameters;
  /** Of the connection. */
  readonly own?: Parameters;
  readonly grantName?: string;
  readonly oauth2grantType?: string;
  readonly redirectUrl?: string;
  readonly access?: readonly object[];
  /** Of the gateway, as the service says. */
  readonly principalId?: string;
}

function build(given: Given): { connection: Connection | undefined; problems: string[] } {
  const { provider, grant = {}, own = {}, access = [], principalId } = given;
  const resource = (id: string, type: string, properties: object): Resource =>
    ({ id, type, name: id.slice(id.lastIndexOf("/") + 1), properties }) as Resource;
  const base = "/authorizationProviders/P/authorizations/C";
  const oauth2 = {
    redirectUrl: given.redirectUrl,
    grantTypes: { [given.grantName ?? "authorizationCode"]: grant },
  };
  const resources = new ResourceSet([
    { ...resource("/", "service", {}), identity: principalId === undefined ? undefined : { principalId } },
    resource("/authorizationProviders/P", "authorizationProviders", { identityProvider: provider, oauth2 }),
    resource(base, "authorizationProviders/authorizations", {
      oauth2grantType: given.oauth2grantType,
      parameters: own,
    }),
    ...access.map((properties, i) =>
      resource(
        `${base}/accessPolicies/${i}`,
        "authorizationProviders/authorizations/accessPolicies",
        properties,
      ),
    ),
  ]);
  const report = new Reporter(resources);
  const fill = (text: string): string => text.replaceAll("{{secret}}", "filled");
  const connection = buildConnections(resources, fill, report).get("p/c");
  return { connection, problems: report.problems.map(({ message }) => message) };
}

const ID = { clientId: "us" };

test.each<[string, Parameters, string, string]>([
  [
    "aad",
    {},
    "https://login.microsoftonline.com/common/oauth2/authorize",
    "https://login.microsoftonline.com/common/oauth2/token",
  ],
  [
    "AAD",
    { tenantId: "t", loginUri: "https://login.example/" },
    "https://login.example/t/oauth2/authorize",
    "https://login.example/t/oauth2/token",
  ],
  ["github", {}, "https://github.com/login/oauth/authorize", "https://github.com/login/oauth/access_token"],
  ["google", {}, "https://accounts.google.com/o/oauth2/v2/auth", "https://oauth2.googleapis.com/token"],
  [
    "servicenow",
    { instanceName: "dev1" },
    "https://dev1.service-now.com/oauth_auth.do",
    "https://dev1.service-now.com/oauth_token.do",
  ],
  [
    "servicenow",
    { instanceName: "https://now.example/" },
    "https://now.example/oauth_auth.do",
    "https://now.example/oauth_token.do",
  ],
  [
    "slack",
    { tokenUrl: "https://proxy.example/slack" },
    "https://slack.com/oauth/v2/authorize",
    "https://proxy.example/slack",
  ],
  [
    "oauth2",
    { authorizationUrl: "https://a.example/a", tokenUrl: "https://a.example/t" },
    "https://a.example/a",
    "https://a.example/t",
  ],
])("where %s is, with %j", (provider, parameters, authorizationUrl, tokenUrl) => {
  const { connection, problems } = build({ provider, grant: { ...ID, ...parameters } });
  expect(problems).toEqual([]);
  expect(connection).toMatchObject({ authorizationUrl, tokenUrl, refreshUrl: tokenUrl });
});

test.each<[Given, Partial<Connection>]>([
  [
    { provider: "github", grant: ID },
    { grant: "authorizationCode", clientSecret: null, pkce: false, scope: "" },
  ],
  [
    { provider: "github", grant: ID, own: { CLIENTID: "own", clientSecret: "{{secret}}" } },
    { clientId: "own", clientSecret: "filled" },
  ],
  [{ provider: "github", grant: { ...ID, clientSecret: "***" } }, { clientSecret: null }],
  [{ provider: "github", grant: { ...ID, scopes: " a,b  c " } }, { scope: "a b c" }],
  [
    { provider: "twitter", grant: { ...ID, clientSecret: "s" } },
    { pkce: true, clientAuthentication: "basic" },
  ],
  [
    { provider: "twitter", grant: ID },
    { pkce: true, clientAuthentication: "body" },
  ],
  [
    { provider: "google", grant: ID },
    { authorizationParameters: { access_type: "offline", prompt: "consent" } },
  ],
  [
    { provider: "aad", grant: { ...ID, resourceUri: "https://r" } },
    { tokenParameters: { resource: "https://r" } },
  ],
  [
    { provider: "aad", grant: ID, grantName: "ClientCredentials" },
    { grant: "clientCredentials", authorizationUrl: null },
  ],
  [
    { provider: "aad", own: ID, oauth2grantType: "ClientCredentials" },
    { grant: "clientCredentials", clientId: "us" },
  ],
  [
    {
      provider: "github",
      grant: ID,
      redirectUrl: "https://authorization-manager.consent.azure-apim.net/redirect/apim/x",
    },
    { redirectUrl: null },
  ],
  [
    { provider: "github", grant: ID, redirectUrl: "https://gateway.example/back" },
    { redirectUrl: "https://gateway.example/back" },
  ],
  [
    { provider: "aad", grant: ID, grantName: "authorizationCodeWithFederatedIdentityCredentials" },
    { grant: "authorizationCode", clientId: "us", clientAuthentication: "assertion" },
  ],
])("%j", (given, expected) => expect(build(given)).toMatchObject({ connection: expected, problems: [] }));

test.each<[Given, string]>([
  [{ provider: "github", grant: ID, grantName: "password" }, "the grant `password` is not supported"],
  [
    { provider: "github", grant: ID, redirectUrl: "back" },
    "`redirectUrl` of its provider is not an absolute URL",
  ],
  [
    { provider: "oauth2", grant: { ...ID, tokenUrl: "ftp://x", authorizationUrl: "https://x" } },
    "`tokenUrl` is not an absolute http",
  ],
  [
    { provider: "oauth2", grant: { ...ID, tokenUrl: "https://a:b@x", authorizationUrl: "https://x" } },
    "`tokenUrl` is not an absolute http",
  ],
  [{ provider: "constructor", grant: ID }, "unknown `identityProvider`"],
])("refused: %j", (given, expected) => {
  const { connection, problems } = build(given);
  expect(connection).toBeUndefined();
  expect(problems).toEqual([expect.stringContaining(expected)]);
});

describe("the fingerprint changes with", () => {
  const of = (grant: Parameters): string => build({ provider: "github", grant }).connection!.fingerprint;
  test.each<[string, Parameters, boolean]>([
    ["the client", { clientId: "other" }, true],
    ["the scope", { ...ID, scopes: "a" }, true],
    ["the endpoint", { ...ID, tokenUrl: "https://other.example" }, true],
    ["not with the secret, which is replaced from time to time", { ...ID, clientSecret: "new" }, false],
  ])("%s", (_name, grant, changes) => expect(of(grant) !== of(ID)).toBe(changes));
});

test.each<[string, Pick<Given, "access" | "principalId">, boolean]>([
  ["nobody is named", { principalId: "g" }, true],
  ["it is named", { access: [{ tenantId: "t", objectId: "G" }], principalId: "g" }, true],
  ["others are", { access: [{ tenantId: "t", objectId: "o" }], principalId: "g" }, false],
  ["others are, and nobody says who it is", { access: [{ tenantId: "t", objectId: "o" }] }, true],
])("the gateway may use a connection where %s: %j", (_name, given, managed) =>
  expect(build({ provider: "github", grant: ID, ...given }).connection!.access.managed).toBe(managed),
);
