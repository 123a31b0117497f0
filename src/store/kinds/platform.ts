import { defineKind, names } from "./kind.ts";
import { keyVault } from "./policies.ts";
import * as is from "./shape.ts";

export const service = defineKind("service", {
  noun: "service",
  properties: {
    publisherEmail: is.text(100),
    publisherName: is.text(100),
    hostnameConfigurations: is.list(is.object({ type: is.text(), hostName: is.text() })),
    certificates: is.list(
      is.object({
        encodedCertificate: is.text(),
        certificatePassword: is.text(),
        storeName: is.oneOf("Root", "CertificateAuthority"),
      }),
      10,
    ),
    customProperties: is.map(is.either(is.text(), is.boolean)),
  },
});

export const workspace = defineKind("workspaces", {
  noun: "workspace",
  properties: { displayName: is.text(300), description: is.text() },
  artifact: { folders: ["workspaces"], files: ["workspaceInformation"], optional: true },
});

export const cache = defineKind("caches", {
  noun: "cache",
  properties: {
    connectionString: is.text(300, { min: 1 }),
    useFromLocation: is.text(256),
    description: is.text(2000),
    resourceId: is.text(2000),
  },
  required: ["connectionString", "useFromLocation"],
  artifact: { folders: ["caches"], files: ["cacheInformation"] },
});

export const certificate = defineKind("certificates", {
  noun: "certificate",
  properties: {
    data: is.text(),
    password: is.text(),
    keyVault,
    subject: is.text(),
    thumbprint: is.text(),
    expirationDate: is.text(),
  },
  artifact: { folders: ["certificates"], files: ["certificateInformation"] },
});

export const gateway = defineKind("gateways", {
  noun: "gateway",
  properties: {
    description: is.text(1000),
    locationData: is.object({
      name: is.text(),
      city: is.text(),
      district: is.text(),
      countryOrRegion: is.text(),
    }),
  },
  artifact: { folders: ["gateways"], files: ["gatewayInformation"] },
});

export const gatewayApi = defineKind("gateways/apis", {
  noun: "gateway API link",
  properties: {},
  references: [{ at: "", to: "apis", noun: "API" }],
  artifact: { folders: ["apis"], files: ["gatewayApiInformation"], listFile: "apis" },
});

export const gatewayHostname = defineKind("gateways/hostnameConfigurations", {
  noun: "gateway hostname",
  properties: {
    hostname: is.text(),
    certificateId: is.text(),
    negotiateClientCertificate: is.boolean,
    tls10Enabled: is.boolean,
    tls11Enabled: is.boolean,
    http2Enabled: is.boolean,
  },
  references: [{ at: "certificateId", to: "certificates", noun: "certificate" }],
  artifact: { folders: ["hostnameConfigurations"], files: ["hostnameConfigurationInformation"] },
});

export const documentation = defineKind("documentations", {
  noun: "documentation",
  properties: { title: is.text(), content: is.text() },
  artifact: { folders: ["documentations"], files: ["documentationInformation"] },
});

export const productWiki = defineKind("products/wikis", {
  noun: "wiki",
  properties: { documents: is.list(is.object({ documentationId: is.text() })) },
  artifact: { folders: ["wikis"], files: ["wikiInformation"] },
});

export const authorizationProvider = defineKind("authorizationProviders", {
  noun: "credential provider",
  properties: {
    displayName: is.text(300),
    identityProvider: is.text(),
    oauth2: is.object({ redirectUrl: is.text(), grantTypes: is.map(is.map(is.text())) }),
  },
  artifact: { folders: ["authorizationProviders"], files: ["authorizationProviderInformation"] },
});

export const authorization = defineKind("authorizationProviders/authorizations", {
  noun: "credential connection",
  properties: {
    authorizationType: is.oneOf("OAuth2"),
    oauth2grantType: is.oneOf("AuthorizationCode", "ClientCredentials"),
    parameters: is.map(is.text()),
    status: is.text(),
    error: is.object({}),
  },
  artifact: { folders: ["authorizations"], files: ["authorizationInformation"] },
});

export const accessPolicy = defineKind("authorizationProviders/authorizations/accessPolicies", {
  noun: "access policy",
  properties: {
    tenantId: is.text(100, { min: 1 }),
    objectId: is.text(100, { min: 1 }),
    appIds: is.list(is.text()),
  },
  required: ["tenantId", "objectId"],
  artifact: { folders: ["accessPolicies"], files: ["accessPolicyInformation"] },
});

export const openIdConnectProvider = defineKind("openidConnectProviders", {
  noun: "OpenID Connect provider",
  properties: {
    displayName: is.text(50),
    metadataEndpoint: is.text(),
    clientId: is.text(),
    clientSecret: is.text(),
    useInTestConsole: is.boolean,
    useInApiDocumentation: is.boolean,
  },
  artifact: { folders: ["openidConnectProviders"], files: ["openidConnectProviderInformation"] },
});

export const authorizationServer = defineKind("authorizationServers", {
  noun: "authorization server",
  properties: {
    displayName: is.text(50),
    authorizationEndpoint: is.text(),
    tokenEndpoint: is.text(),
    clientId: is.text(),
    clientSecret: is.text(),
    grantTypes: is.list(is.text()),
    supportState: is.boolean,
  },
  artifact: { folders: ["authorizationServers"], files: ["authorizationServerInformation"] },
});

export const identityProvider = defineKind("identityProviders", {
  noun: "identity provider",
  properties: { clientId: is.text(), clientSecret: is.text(), allowedTenants: is.list(is.text()) },
  names: names.usual,
  artifact: { folders: ["identityProviders"], files: ["identityProviderInformation"] },
});
