/**
 * The `context` object (`expressions.md` §4): the .NET face of `host.ts`. Values of these types are the host's own
 * objects; their views (headers, query …) are made once and kept beside them. Nothing here can be written.
 */
import { defineType, lookupType, withFacts } from "../define.ts";
import type {
  HostApi,
  HostBackend,
  HostContext,
  HostDeployment,
  HostGroup,
  HostLastError,
  HostOperation,
  HostProduct,
  HostRequest,
  HostResponse,
  HostSubscription,
  HostUrl,
  HostUser,
} from "../host.ts";
import { type Type, instantiate } from "../type.ts";
import { type EnumValue, NetArray, enumValue, setHostType } from "../values.ts";
import { HeadersView, MapView, ParametersView, QueryView, VariablesView, texts } from "./context-views.ts";
import { certificateFromDer } from "./crypto-certificate.ts";
import { type DateTime, utcFromUnixMs } from "./datetime.ts";
import { parseGuid } from "./guid.ts";
import { timeSpan } from "./timespan.ts";
import { parseUri } from "./uri.ts";

/** Objects made from host objects, once each. */
function cached<K extends object, V>(make: (key: K) => V): (key: K) => V {
  const known = new WeakMap<K, V>();
  return (key) => {
    let value = known.get(key);
    if (value === undefined) known.set(key, (value = make(key)));
    return value;
  };
}

const headersOf = cached((message: HostRequest | HostResponse) => new HeadersView(message));
const queryOf = cached((url: HostUrl) => new QueryView(url));
const parametersOf = cached((request: HostRequest) => new ParametersView(request));
const variablesOf = cached((context: HostContext) => new VariablesView(context));
/** A request's GUID is asked for several times and never changes. */
const requestIdOf = cached((context: HostContext) => parseGuid(context.requestId));
const dateOrNull = (ms: number | null): DateTime | null => (ms === null ? null : utcFromUnixMs(ms));
const bodyFacts = (needs: "request-body" | "response-body" | "body") => ({ needs });

/** What the compiler calls when it knows more than the members: the commonest reads in one step. */
export const readVariable = (context: HostContext, name: string): unknown =>
  context.variables.get(name) ?? null;
export const readHeader = (
  message: HostRequest | HostResponse,
  name: string,
  missing: string | null,
): string | null => headersOf(message).joined(name) ?? missing;

defineType(
  "interface Gateway.IContext",
  {
    "IContextApi Api { get; }": (context: HostContext) => context.api,
    "IBackend Backend { get; }": (context: HostContext) => context.backend,
    "TimeSpan Elapsed { get; }": (context: HostContext) =>
      timeSpan(BigInt(Math.round(context.elapsedMs() * 10_000))),
    "Guid RequestId { get; }": requestIdOf,
    "DateTime Timestamp { get; }": (context: HostContext) => utcFromUnixMs(context.timestampMs),
    "IDeployment Deployment { get; }": (context: HostContext) => context.deployment,
    "ILastError LastError { get; }": (context: HostContext) => context.lastError,
    // Resolvers are not served here, so there is never a parent or an argument.
    "IGraphQL GraphQL { get; }": () => null,
    "IOperation Operation { get; }": (context: HostContext) => context.operation,
    "IProduct Product { get; }": (context: HostContext) => context.product,
    "IRequest Request { get; }": (context: HostContext) => context.request,
    "IResponse Response { get; }": (context: HostContext) => context.response,
    "ISubscription Subscription { get; }": (context: HostContext) => context.subscription,
    "bool Tracing { get; }": (context: HostContext) => context.tracing,
    "IUser User { get; }": (context: HostContext) => context.user,
    "IReadOnlyDictionary<string, object> Variables { get; }": variablesOf,
    "IWorkspace Workspace { get; }": (context: HostContext) => context.workspace,
    "void Trace(string message)": (context: HostContext, message: string | null) =>
      context.trace(message ?? ""),
  },
  { nameable: false },
);

defineType("interface Gateway.IRequest", {
  "IMessageBody Body { get; }": withFacts(
    (request: HostRequest) => visibleBody(request),
    bodyFacts("request-body"),
  ),
  "IReadOnlyDictionary<string, string[]> Headers { get; }": headersOf,
  "X509Certificate2 Certificate { get; }": certificateOf,
  "string IpAddress { get; }": (request: HostRequest) => request.ipAddress,
  "IReadOnlyDictionary<string, string> MatchedParameters { get; }": parametersOf,
  "string Method { get; }": (request: HostRequest) => request.method,
  "IUrl OriginalUrl { get; }": (request: HostRequest) => request.originalUrl,
  "IUrl Url { get; }": (request: HostRequest) => request.url,
  "IPrivateEndpointConnection PrivateEndpointConnection { get; }": () => null,
  "IAzureVnetInfo AzureVnetInfo { get; }": () => null,
});

/** Read afresh: a request has at most one expression or two that look at it. */
function certificateOf(request: HostRequest): unknown {
  const { certificate } = request;
  return certificate === null ? null : certificateFromDer(certificate);
}

defineType("interface Gateway.IResponse", {
  "IMessageBody Body { get; }": withFacts(
    (response: HostResponse) => visibleBody(response),
    bodyFacts("response-body"),
  ),
  "IReadOnlyDictionary<string, string[]> Headers { get; }": headersOf,
  "int StatusCode { get; }": (response: HostResponse) => response.statusCode,
  "string StatusReason { get; }": (response: HostResponse) => response.statusReason,
});

/** The body as expressions see it. A consumed one is still an object: reading it again fails (§4.3). */
function visibleBody(message: HostRequest | HostResponse): unknown {
  return message.body;
}

defineType("interface Gateway.IUrl", {
  "string Host { get; }": (url: HostUrl) => url.host,
  "string Path { get; }": (url: HostUrl) => url.path,
  "int Port { get; }": (url: HostUrl) => url.port,
  "IReadOnlyDictionary<string, string[]> Query { get; }": queryOf,
  "string QueryString { get; }": (url: HostUrl) => url.queryString,
  "string Scheme { get; }": (url: HostUrl) => url.scheme,
  "Uri ToUri()": (url: HostUrl) => parseUri(urlText(url)),
  "string ToString()": urlText,
});

/** The absolute URL; the scheme's own port is left out. */
export function urlText(url: HostUrl): string {
  const usual = url.scheme === "https" ? 443 : url.scheme === "http" ? 80 : -1;
  const port = url.port === usual ? "" : `:${url.port}`;
  return `${url.scheme}://${url.host}${port}${url.path}${url.queryString}`;
}

/**
 * As expressions see it, the path of an API begins with a slash although it is configured without one: published documents
 * put it behind a host, or cut its length off `OriginalUrl.Path`. That of an API without a path is empty.
 */
function apiPath({ path }: HostApi): string {
  const trimmed = path.replace(/^\/+|\/+$/g, "");
  return trimmed === "" ? "" : `/${trimmed}`;
}

const API_MEMBERS = {
  "string Id { get; }": (api: HostApi) => api.id,
  "string Name { get; }": (api: HostApi) => api.name,
  "string Path { get; }": apiPath,
  "IUrl ServiceUrl { get; }": (api: HostApi) => api.serviceUrl,
  "string Version { get; }": (api: HostApi) => api.version,
  "IEnumerable<string> Protocols { get; }": (api: HostApi) => texts([...api.protocols]),
  "ISubscriptionKeyParameterNames SubscriptionKeyParameterNames { get; }": (api: HostApi) =>
    api.subscriptionKeyParameterNames,
};
defineType("interface Gateway.IApi", API_MEMBERS);
defineType("interface Gateway.IContextApi : IApi", {
  "string Revision { get; }": (api: HostApi) => api.revision,
  "bool IsCurrentRevision { get; }": (api: HostApi) => api.isCurrentRevision,
  "string Type { get; }": (api: HostApi) => api.type,
});
type KeyNames = HostApi["subscriptionKeyParameterNames"];
defineType("interface Gateway.ISubscriptionKeyParameterNames", {
  "string Header { get; }": (names: KeyNames) => names.header,
  "string Query { get; }": (names: KeyNames) => names.query,
});

defineType("interface Gateway.IOperation", {
  "string Id { get; }": (operation: HostOperation) => operation.id,
  "string Method { get; }": (operation: HostOperation) => operation.method,
  "string Name { get; }": (operation: HostOperation) => operation.name,
  "string UrlTemplate { get; }": (operation: HostOperation) => operation.urlTemplate,
});

const PRODUCT_STATE = defineType(
  "enum Gateway.ProductState",
  {},
  { values: { NotPublished: 0, Published: 1 } },
);
const state = (product: HostProduct): EnumValue =>
  enumValue(PRODUCT_STATE, product.state.toLowerCase() === "published" ? 1 : 0);
const list = (typeName: string, items: readonly unknown[]): NetArray =>
  new NetArray(typeOfName(typeName), [...items]);
const groupsOf = (owner: { readonly groups: readonly HostGroup[] }): NetArray =>
  list("Gateway.IGroup", owner.groups);

defineType("interface Gateway.IProduct", {
  "IEnumerable<IApi> Apis { get; }": (product: HostProduct) => list("Gateway.IApi", product.apis),
  "bool ApprovalRequired { get; }": (product: HostProduct) => product.approvalRequired,
  "IEnumerable<IGroup> Groups { get; }": groupsOf,
  "string Id { get; }": (product: HostProduct) => product.id,
  "string Name { get; }": (product: HostProduct) => product.name,
  "ProductState State { get; }": state,
  "int? SubscriptionLimit { get; }": (product: HostProduct) => product.subscriptionsLimit,
  "int? SubscriptionsLimit { get; }": (product: HostProduct) => product.subscriptionsLimit,
  "bool SubscriptionRequired { get; }": (product: HostProduct) => product.subscriptionRequired,
});
defineType("interface Gateway.IGroup", {
  "string Id { get; }": (group: HostGroup) => group.id,
  "string Name { get; }": (group: HostGroup) => group.name,
});

defineType("interface Gateway.ISubscription", {
  "string Id { get; }": (subscription: HostSubscription) => subscription.id,
  "string Key { get; }": (subscription: HostSubscription) => subscription.key,
  "string Name { get; }": (subscription: HostSubscription) => subscription.name,
  "string PrimaryKey { get; }": (subscription: HostSubscription) => subscription.primaryKey,
  "string SecondaryKey { get; }": (subscription: HostSubscription) => subscription.secondaryKey,
  "DateTime CreatedDate { get; }": (subscription: HostSubscription) => utcFromUnixMs(subscription.createdMs),
  "DateTime? StartDate { get; }": (subscription: HostSubscription) => dateOrNull(subscription.startMs),
  "DateTime? EndDate { get; }": (subscription: HostSubscription) => dateOrNull(subscription.endMs),
});

type Identity = HostUser["identities"][number];
defineType("interface Gateway.IUser", {
  "string Email { get; }": (user: HostUser) => user.email,
  "string FirstName { get; }": (user: HostUser) => user.firstName,
  "IEnumerable<IGroup> Groups { get; }": groupsOf,
  "string Id { get; }": (user: HostUser) => user.id,
  "IEnumerable<IUserIdentity> Identities { get; }": (user: HostUser) =>
    list("Gateway.IUserIdentity", user.identities),
  "string LastName { get; }": (user: HostUser) => user.lastName,
  "string Note { get; }": (user: HostUser) => user.note,
  "DateTime RegistrationDate { get; }": (user: HostUser) => utcFromUnixMs(user.registrationMs),
});
defineType("interface Gateway.IUserIdentity", {
  "string Id { get; }": (identity: Identity) => identity.id,
  "string Provider { get; }": (identity: Identity) => identity.provider,
});

defineType("interface Gateway.ILastError", {
  "string Source { get; }": (error: HostLastError) => error.source,
  "string Reason { get; }": (error: HostLastError) => error.reason,
  "string Message { get; }": (error: HostLastError) => error.message,
  "string Scope { get; }": (error: HostLastError) => error.scope,
  "string Section { get; }": (error: HostLastError) => error.section,
  "string Path { get; }": (error: HostLastError) => error.path,
  "string PolicyId { get; }": (error: HostLastError) => error.policyId,
  "int HttpErrorCode { get; }": (error: HostLastError) => error.httpErrorCode ?? 0,
});

defineType("interface Gateway.IBackend", {
  "string Id { get; }": (backend: HostBackend) => backend.id,
  "string Type { get; }": (backend: HostBackend) => backend.type,
  "string AzureRegion { get; }": (backend: HostBackend) => backend.azureRegion,
});

type GatewayOf = HostDeployment["gateway"];
const certificatesOf = cached(({ certificates }: HostDeployment) => {
  const read = new Map<string, unknown>();
  for (const [id, der] of certificates) read.set(id, certificateFromDer(der));
  return new MapView(read, typeOfName("System.Security.Cryptography.X509Certificates.X509Certificate2"));
});
const CARBON_INTENSITY = defineType(
  "enum Gateway.CarbonIntensityCategory",
  {},
  {
    values: { NotAvailable: 0, VeryLow: 1, Low: 2, Medium: 3, High: 4, VeryHigh: 5 },
  },
);
defineType("interface Gateway.IDeployment", {
  "IReadOnlyDictionary<string, X509Certificate2> Certificates { get; }": certificatesOf,
  "IGateway Gateway { get; }": (deployment: HostDeployment) => deployment.gateway,
  "string GatewayId { get; }": (deployment: HostDeployment) => deployment.gatewayId,
  "string Region { get; }": (deployment: HostDeployment) => deployment.region,
  "string ServiceId { get; }": (deployment: HostDeployment) => deployment.serviceId,
  "string ServiceName { get; }": (deployment: HostDeployment) => deployment.serviceName,
  "ISustainabilityInfo SustainabilityInfo { get; }": (deployment: HostDeployment) => deployment,
});
defineType("interface Gateway.ISustainabilityInfo", {
  // No source of carbon data outside the original's cloud.
  "CarbonIntensityCategory CurrentCarbonIntensity { get; }": () => enumValue(CARBON_INTENSITY, 0),
});
defineType("interface Gateway.IGateway", {
  "string Id { get; }": (gateway: GatewayOf) => gateway.id,
  "string InstanceId { get; }": (gateway: GatewayOf) => gateway.instanceId,
  "bool IsManaged { get; }": (gateway: GatewayOf) => gateway.isManaged,
});

type WorkspaceOf = NonNullable<HostContext["workspace"]>;
defineType("interface Gateway.IWorkspace", {
  "string Id { get; }": (workspace: WorkspaceOf) => workspace.id,
  "string Name { get; }": (workspace: WorkspaceOf) => workspace.name,
});

defineType("interface Gateway.IGraphQL", {
  "IReadOnlyDictionary<string, object> Arguments { get; }": () => null,
  "IReadOnlyDictionary<string, object> GraphQLArguments { get; }": () => null,
  "IReadOnlyDictionary<string, object> Parent { get; }": () => null,
});

// Always null here: they describe the original's own network.
const nothing = (): null => null;
defineType("interface Gateway.IPrivateEndpointConnection", {
  "string Name { get; }": nothing,
  "string GroupId { get; }": nothing,
  "string MemberName { get; }": nothing,
});
defineType("interface Gateway.IAzureVnetInfo", {
  "string VnetTrafficTag { get; }": nothing,
  "string SubnetId { get; }": nothing,
  "int PrivateLinkId { get; }": () => 0,
  "string SnatVip { get; }": nothing,
});

function typeOfName(name: string): Type {
  return instantiate(lookupType(name));
}

/** What the host's objects are, by a member only they have. Reached for values of type `object` only. */
const MARKS: readonly (readonly [string, string])[] = [
  ["statusCode", "Gateway.IResponse"],
  ["originalUrl", "Gateway.IRequest"],
  ["variables", "Gateway.IContext"],
  ["queryString", "Gateway.IUrl"],
  ["consumed", "Gateway.IMessageBody"],
  ["isCurrentRevision", "Gateway.IContextApi"],
  ["urlTemplate", "Gateway.IOperation"],
  ["approvalRequired", "Gateway.IProduct"],
  ["primaryKey", "Gateway.ISubscription"],
  ["identities", "Gateway.IUser"],
  ["reason", "Gateway.ILastError"],
  ["serviceName", "Gateway.IDeployment"],
  ["instanceId", "Gateway.IGateway"],
  ["azureRegion", "Gateway.IBackend"],
  ["provider", "Gateway.IUserIdentity"],
  ["header", "Gateway.ISubscriptionKeyParameterNames"],
  ["name", "Gateway.IGroup"],
];

function hostTypeOf(value: object): Type {
  for (const [mark, name] of MARKS) if (mark in value) return typeOfName(name);
  return typeOfName("System.Object");
}

setHostType(hostTypeOf, (value) => {
  const { name } = hostTypeOf(value);
  return name === "Gateway.IUrl" ? urlText(value as HostUrl) : name;
});
