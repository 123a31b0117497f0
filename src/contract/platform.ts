import type { KeyVaultReference } from "./policies.ts";
import type { OpenProperties } from "./resource.ts";

/** `caches`. Source: spec "Resource model" 1.14. */
export interface CacheProperties extends OpenProperties {
  connectionString?: string;
  useFromLocation?: string;
  description?: string;
  resourceId?: string;
}

/** `certificates`. Source: spec "Resource model" 1.15. */
export interface CertificateProperties extends OpenProperties {
  /** Base64 of a PKCS#12 file; write-only. */
  data?: string;
  password?: string;
  keyVault?: KeyVaultReference;
  subject?: string;
  thumbprint?: string;
  expirationDate?: string;
}

/** `gateways`. Source: spec "Resource model" 1.22. */
export interface GatewayProperties extends OpenProperties {
  description?: string;
  locationData?: { name?: string; city?: string; district?: string; countryOrRegion?: string };
}

/** `gateways/hostnameConfigurations`. */
export interface GatewayHostnameProperties extends OpenProperties {
  hostname?: string;
  certificateId?: string;
  negotiateClientCertificate?: boolean;
  tls10Enabled?: boolean;
  tls11Enabled?: boolean;
  http2Enabled?: boolean;
}

/** `workspaces`. Source: spec "Resource model" 1.23. */
export interface WorkspaceProperties extends OpenProperties {
  displayName?: string;
  description?: string;
}

/** `tags`. Source: spec "Resource model" 1.24. */
export interface TagProperties extends OpenProperties {
  displayName?: string;
}

/** `apis/tagDescriptions`. */
export interface TagDescriptionProperties extends OpenProperties {
  description?: string;
  externalDocsUrl?: string;
  externalDocsDescription?: string;
}

/** `documentations`. */
export interface DocumentationProperties extends OpenProperties {
  title?: string;
  content?: string;
}

/** `apis/wikis` and `products/wikis`. */
export interface WikiProperties extends OpenProperties {
  documents?: { documentationId?: string }[];
}

/** `authorizationProviders`. Source: spec "Resource model" 1.16. */
export interface AuthorizationProviderProperties extends OpenProperties {
  displayName?: string;
  identityProvider?: string;
  oauth2?: {
    redirectUrl?: string;
    grantTypes?: { [grant: string]: { [name: string]: string } };
    [key: string]: unknown;
  };
}

/** `authorizationProviders/authorizations`. */
export interface AuthorizationProperties extends OpenProperties {
  authorizationType?: "OAuth2";
  oauth2grantType?: "AuthorizationCode" | "ClientCredentials";
  parameters?: { [name: string]: string };
  status?: string;
  error?: { code?: string; message?: string };
}

/** `authorizationProviders/authorizations/accessPolicies`. */
export interface AuthorizationAccessPolicyProperties extends OpenProperties {
  tenantId?: string;
  objectId?: string;
  appIds?: string[];
}

/** `openidConnectProviders`; the portal's console alone uses it. Source: spec 1.17. */
export interface OpenIdConnectProviderProperties extends OpenProperties {
  displayName?: string;
  metadataEndpoint?: string;
  clientId?: string;
  clientSecret?: string;
  useInTestConsole?: boolean;
  useInApiDocumentation?: boolean;
}

/** `authorizationServers`; the portal's console alone uses it. */
export interface AuthorizationServerProperties extends OpenProperties {
  displayName?: string;
  clientRegistrationEndpoint?: string;
  authorizationEndpoint?: string;
  tokenEndpoint?: string;
  grantTypes?: string[];
  clientId?: string;
  clientSecret?: string;
  authorizationMethods?: string[];
  clientAuthenticationMethod?: string[];
  bearerTokenSendingMethods?: string[];
  defaultScope?: string;
  supportState?: boolean;
  tokenBodyParameters?: { name?: string; value?: string }[];
  resourceOwnerUsername?: string;
  resourceOwnerPassword?: string;
  useInTestConsole?: boolean;
  useInApiDocumentation?: boolean;
}

/** `identityProviders`. Source: spec "Resource model" 1.25. */
export interface IdentityProviderProperties extends OpenProperties {
  clientId?: string;
  clientSecret?: string;
  signinTenant?: string;
  allowedTenants?: string[];
  authority?: string;
  clientLibrary?: string;
  certificateId?: string;
}
