import type { OpenProperties, Reference, Timestamp } from "./resource.ts";

export type ApiType = "http" | "soap" | "websocket" | "graphql" | "grpc" | "odata" | "mcp" | "a2a";
export type ApiProtocol = "http" | "https" | "ws" | "wss";

/** `apis`. Source: spec "Resource model" 1.5. */
export interface ApiProperties extends OpenProperties {
  /** The URL suffix; may be empty and may start with `/`. */
  path?: string;
  displayName?: string;
  description?: string;
  termsOfServiceUrl?: string;
  contact?: { name?: string; url?: string; email?: string };
  license?: { name?: string; url?: string };
  /** Absent: `apiType`, then `http`. */
  type?: ApiType;
  apiType?: ApiType;
  /** Default `["https"]`. */
  protocols?: ApiProtocol[];
  serviceUrl?: string;
  /** Default true. */
  subscriptionRequired?: boolean;
  subscriptionKeyParameterNames?: SubscriptionKeyParameterNames;
  /** Default `"1"`. */
  apiRevision?: string;
  apiRevisionDescription?: string;
  isCurrent?: boolean;
  /** Default true; an offline revision is unreachable. */
  isOnline?: boolean;
  apiVersion?: string;
  apiVersionDescription?: string;
  apiVersionSetId?: Reference;
  apiVersionSet?: ApiVersionSetProperties & { id?: Reference; name?: string };
  sourceApiId?: Reference;
  authenticationSettings?: OpenProperties;
  /** Import; write-only. `format` names what `value` holds, see spec 3.8. */
  format?: string;
  value?: string;
  wsdlSelector?: { wsdlServiceName?: string; wsdlEndpointName?: string };
  /** What becomes of required query parameters on import. Default `template`. */
  translateRequiredQueryParameters?: "template" | "query";
  provisioningState?: string;
  /** Default backend of an MCP API. Undocumented, used by the labs. */
  backendId?: Reference;
  mcpProperties?: McpProperties;
  mcpTools?: McpTool[];
  isAgent?: boolean;
  /** Ours: the dialect of its requests to models, where neither path nor body tell. */
  aiFormat?: string;
  agent?: { id?: string; name?: string; managementPortalUrl?: string; providerName?: string };
  a2aProperties?: { agentCardPath?: string; agentCardBackendUrl?: string };
  jsonRpcProperties?: { backendUrl?: string; path?: string };
}

export interface SubscriptionKeyParameterNames extends OpenProperties {
  /** Default `Ocp-Apim-Subscription-Key`. */
  header?: string;
  /** Default `subscription-key`. */
  query?: string;
  /** `enabled`: the key may also come as `Authorization: Bearer`. */
  bearer?: string;
}

export interface McpProperties extends OpenProperties {
  /** Default `streamable`. */
  transportType?: "sse" | "streamable";
  /** A map by endpoint name, or a list that names its entries; both forms are in use. */
  endpoints?: { [name: string]: { uriTemplate?: string } } | { name?: string; uriTemplate?: string }[];
}

export interface McpTool extends OpenProperties {
  name?: string;
  operationId?: Reference;
  description?: string;
}

/** `apis/tools`: the other form of an `mcpTools` entry. */
export interface ToolProperties extends OpenProperties {
  displayName?: string;
  description?: string;
  operationId?: Reference;
}

/** `apis/operations`. Source: spec "Resource model" 1.6. */
export interface OperationProperties extends OpenProperties {
  displayName?: string;
  method?: string;
  /** Grammar: spec "Request routing" 3.1. */
  urlTemplate?: string;
  templateParameters?: ParameterContract[];
  description?: string;
  request?: OperationRequest;
  responses?: OperationResponse[];
  /** Legacy inline policy document. */
  policies?: string;
}

export interface OperationRequest extends OpenProperties {
  description?: string;
  /** The import of an OpenAPI document says that there must be a body. */
  required?: boolean;
  headers?: ParameterContract[];
  queryParameters?: ParameterContract[];
  representations?: Representation[];
}

export interface OperationResponse extends OpenProperties {
  statusCode?: number;
  /** `4XX` or `default`: the import of an OpenAPI document says which codes are meant; `statusCode` is one of them. */
  range?: string;
  description?: string;
  headers?: ParameterContract[];
  representations?: Representation[];
}

export interface ParameterContract extends OpenProperties {
  name?: string;
  type?: string;
  description?: string;
  defaultValue?: string;
  required?: boolean;
  values?: string[];
  schemaId?: string;
  typeName?: string;
  examples?: { [name: string]: ParameterExample };
}

export interface ParameterExample extends OpenProperties {
  summary?: string;
  description?: string;
  value?: unknown;
  externalValue?: string;
}

export interface Representation extends OpenProperties {
  contentType?: string;
  /** Name of an `apis/schemas` resource of the same API. */
  schemaId?: string;
  /** Name of the type inside that schema. */
  typeName?: string;
  formParameters?: ParameterContract[];
  examples?: { [name: string]: ParameterExample };
}

export type VersioningScheme = "Segment" | "Header" | "Query";

/** `apiVersionSets`. Source: spec "Resource model" 1.18. */
export interface ApiVersionSetProperties extends OpenProperties {
  displayName?: string;
  versioningScheme?: VersioningScheme;
  versionHeaderName?: string;
  versionQueryName?: string;
  description?: string;
}

/** `apis/releases`: makes the revision it names current. Source: spec "Resource model" 1.19. */
export interface ReleaseProperties extends OpenProperties {
  apiId?: Reference;
  notes?: string;
  createdDateTime?: Timestamp;
  updatedDateTime?: Timestamp;
}

/** `apis/schemas`. Source: spec "Resource model" 1.20. */
export interface ApiSchemaProperties extends OpenProperties {
  contentType?: string;
  document?: { components?: unknown; definitions?: unknown; value?: string; [key: string]: unknown };
}

/** `schemas` of the service. */
export interface GlobalSchemaProperties extends OpenProperties {
  schemaType?: "json" | "xml";
  description?: string;
  value?: unknown;
  document?: unknown;
}

/** `apis/resolvers` of GraphQL APIs. Source: spec "Resource model" 1.21. */
export interface ResolverProperties extends OpenProperties {
  displayName?: string;
  /** `Type/field`. */
  path?: string;
  description?: string;
}
