import type * as apis from "./apis.ts";
import type { BackendProperties } from "./backends.ts";
import type * as platform from "./platform.ts";
import type * as policies from "./policies.ts";
import type * as products from "./products.ts";
import type { OpenProperties } from "./resource.ts";
import type { ServiceProperties } from "./service.ts";
import type * as telemetry from "./telemetry.ts";

/** Properties by resource type, as types outside workspaces are called. */
export interface PropertiesByType {
  service: ServiceProperties;
  apis: apis.ApiProperties;
  "apis/operations": apis.OperationProperties;
  "apis/operations/policies": policies.PolicyProperties;
  "apis/operations/tags": OpenProperties;
  "apis/policies": policies.PolicyProperties;
  "apis/diagnostics": telemetry.DiagnosticProperties;
  "apis/releases": apis.ReleaseProperties;
  "apis/schemas": apis.ApiSchemaProperties;
  "apis/resolvers": apis.ResolverProperties;
  "apis/resolvers/policies": policies.PolicyProperties;
  "apis/tools": apis.ToolProperties;
  "apis/tags": OpenProperties;
  "apis/tagDescriptions": platform.TagDescriptionProperties;
  "apis/wikis": platform.WikiProperties;
  apiVersionSets: apis.ApiVersionSetProperties;
  authorizationProviders: platform.AuthorizationProviderProperties;
  "authorizationProviders/authorizations": platform.AuthorizationProperties;
  "authorizationProviders/authorizations/accessPolicies": platform.AuthorizationAccessPolicyProperties;
  authorizationServers: platform.AuthorizationServerProperties;
  backends: BackendProperties;
  caches: platform.CacheProperties;
  certificates: platform.CertificateProperties;
  diagnostics: telemetry.DiagnosticProperties;
  documentations: platform.DocumentationProperties;
  gateways: platform.GatewayProperties;
  "gateways/apis": OpenProperties;
  "gateways/hostnameConfigurations": platform.GatewayHostnameProperties;
  groups: products.GroupProperties;
  "groups/users": OpenProperties;
  identityProviders: platform.IdentityProviderProperties;
  loggers: telemetry.LoggerProperties;
  namedValues: policies.NamedValueProperties;
  openidConnectProviders: platform.OpenIdConnectProviderProperties;
  policies: policies.PolicyProperties;
  policyFragments: policies.PolicyFragmentProperties;
  policyRestrictions: policies.PolicyRestrictionProperties;
  products: products.ProductProperties;
  "products/apis": OpenProperties;
  "products/apiLinks": products.ApiLinkProperties;
  "products/groups": OpenProperties;
  "products/groupLinks": products.GroupLinkProperties;
  "products/policies": policies.PolicyProperties;
  "products/tags": OpenProperties;
  "products/wikis": platform.WikiProperties;
  schemas: apis.GlobalSchemaProperties;
  subscriptions: products.SubscriptionProperties;
  tags: platform.TagProperties;
  "tags/apiLinks": products.ApiLinkProperties;
  "tags/operationLinks": products.OperationLinkProperties;
  "tags/productLinks": products.ProductLinkProperties;
  users: products.UserProperties;
  workspaces: platform.WorkspaceProperties;
  "workspaces/policies": policies.PolicyProperties;
}

export type KnownResourceType = keyof PropertiesByType;

/** The properties of a type; types we do not know, and those inside workspaces, are open objects. */
export type PropertiesOf<T extends string> = T extends KnownResourceType
  ? PropertiesByType[T]
  : OpenProperties;
