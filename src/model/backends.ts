/** `backends` → entities that requests can be sent to. Named values are substituted here, once. */
import type { BackendProperties } from "../contract/backends.ts";
import type { Resource } from "../contract/resource.ts";
import type {
  BackendEntity,
  CertificateIndex,
  ClientCertificate,
  PoolMember,
  Target,
} from "../gateway/snapshot.ts";
import { parseTarget } from "../gateway/url.ts";
import type { ResourceSet } from "../store/resource-set.ts";
import type { PropertyPath } from "../store/kinds/shape.ts";
import { breakerOf, poolRulesOf, probeOf } from "./balancing.ts";
import { type MissingCertificate, certificateOf, credentialsOf } from "./credentials.ts";
import type { Reporter } from "./report.ts";

/**
 * Replaces `{{name}}` in a property of a resource.
 * @returns null when a name does not exist, which has been reported
 */
export type Fill = (text: string, resourceId: string, path: PropertyPath) => string | null;

/**
 * @param validateNames of certificates, where a backend does not say
 * @returns by lower-case name; Single before Pool, so that pools find their members
 */
export function buildBackends(
  resources: ResourceSet,
  certificates: CertificateIndex,
  validateNames: boolean,
  fill: Fill,
  report: Reporter,
): Map<string, BackendEntity> {
  const entities = new Map<string, BackendEntity>();
  const all = resources.ofType("backends");
  for (const resource of all) {
    if (isPool(resource)) continue;
    const certificate = certificateOf(resource, resources, certificates);
    const entity = single(resource, certificate, validateNames, fill, report);
    if (entity !== null) entities.set(resource.name.toLowerCase(), entity);
  }
  for (const resource of all) {
    if (isPool(resource)) entities.set(resource.name.toLowerCase(), pool(resource, resources, entities));
  }
  return entities;
}

/** Single backends with the longest URL first, for the look-up by URL. */
export function orderByUrl(entities: Iterable<BackendEntity>): BackendEntity[] {
  return [...entities]
    .filter((entity) => entity.type === "Single" && entity.target !== null)
    .sort((a, b) => b.target!.basePath.length - a.target!.basePath.length);
}

function isPool(resource: Resource<BackendProperties>): boolean {
  return (
    resource.properties.type?.toLowerCase() === "pool" ||
    (resource.properties.url === undefined && resource.properties.pool !== undefined)
  );
}

function single(
  resource: Resource<BackendProperties>,
  certificate: ClientCertificate | MissingCertificate | null,
  validateNames: boolean,
  fill: Fill,
  report: Reporter,
): BackendEntity | null {
  const { properties } = resource;
  const url = fill(properties.url ?? "", resource.id, ["url"]);
  if (url === null) return null;
  const parsed = parseTarget(url);
  if (parsed === null) {
    // A URL that is wrong as it is written has been refused already (HG4510, HG5203).
    const { url: written = "" } = properties;
    if (written.includes("{{") || /^(?:https?|wss?|sf|fabric):/i.test(written))
      report.error(
        "HG5501",
        { what: `backend \`${resource.name}\``, url: properties.url ?? "" },
        resource.id,
        ["url"],
      );
    return null;
  }
  const entity: Mutable<BackendEntity> = {
    id: resource.name,
    type: "Single",
    azureRegion: properties.azureRegion ?? "",
    target: null,
    pool: [],
    balancing: null,
    breaker: breakerOf(properties),
    probe: probeOf(properties),
    failureStatus: numberOrNull(properties.circuitBreaker?.rules?.[0]?.failureResponse?.statusCode),
    // WebSockets are held to both (`routing.md` §7.3).
    tls: tlsOf(properties, certificate, validateNames || /^wss:/i.test(url)),
    proxy: proxyOf(resource, fill, report),
    credentials: credentialsOf(resource, parsed, certificate, fill, report),
  };
  entity.target = { ...parsed, entity };
  return entity;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function pool(
  resource: Resource<BackendProperties>,
  resources: ResourceSet,
  entities: ReadonlyMap<string, BackendEntity>,
): BackendEntity {
  const members: PoolMember[] = [];
  for (const service of resource.properties.pool?.services ?? []) {
    const found = resources.resolve(service.id ?? "", "backends", resource.id);
    const backend = found === undefined ? undefined : entities.get(found.name.toLowerCase());
    // Unknown members and pools in pools were reported when the folder was checked.
    if (backend === undefined || backend.type === "Pool") continue;
    members.push({ backend, priority: Number(service.priority ?? 1), weight: Number(service.weight ?? 1) });
  }
  return {
    id: resource.name,
    type: "Pool",
    azureRegion: resource.properties.azureRegion ?? "",
    target: null,
    pool: members,
    balancing: poolRulesOf(resource.properties.pool),
    breaker: null,
    probe: null,
    failureStatus: numberOrNull(resource.properties.pool?.failureResponse?.statusCode),
    tls: null,
    proxy: null,
    credentials: null,
  };
}

function numberOrNull(value: unknown): number | null {
  const number = Number(value);
  return value === undefined || value === null || Number.isNaN(number) ? null : number;
}

function tlsOf(
  { tls }: BackendProperties,
  certificate: ClientCertificate | MissingCertificate | null,
  validateNames: boolean,
): BackendEntity["tls"] {
  const presented = certificate === null || "reason" in certificate ? undefined : certificate;
  if (tls === undefined && presented === undefined) return null;
  return {
    validateChain: tls?.validateCertificateChain ?? true,
    validateName: tls?.validateCertificateName ?? validateNames,
    thumbprints: tls?.serverCertificateThumbprints,
    x509Names: tls?.serverX509Names?.flatMap(({ name, issuerCertificateThumbprint: issuer }) =>
      name === undefined ? [] : [{ name, issuer: issuer?.trim() ? issuer : null }],
    ),
    certificate: presented,
  };
}

function proxyOf(
  { name, id, properties: { proxy } }: Resource<BackendProperties>,
  fill: Fill,
  report: Reporter,
): BackendEntity["proxy"] {
  if (proxy?.url === undefined) return null;
  const [url, username, password] = (["url", "username", "password"] as const).map((key) =>
    fill(proxy[key] ?? "", id, ["proxy", key]),
  );
  const target = url == null || !/^http:/i.test(url.trim()) ? null : parseTarget(url);
  if (target === null || target.basePath !== "" || target.baseQuery !== "") {
    if (url !== null) report.error("HG5508", { backend: name, url: proxy.url }, id, ["proxy", "url"]);
    return null;
  }
  const credentials = username ? `${username}:${password ?? ""}` : null;
  return {
    host: target.host,
    port: target.port,
    authorization: credentials === null ? null : `Basic ${Buffer.from(credentials).toString("base64")}`,
  };
}

/** An API's default target: the backend that `backendId` names, else `serviceUrl`. */
export function defaultTarget(
  properties: { readonly backendId?: string; readonly serviceUrl?: string },
  resources: ResourceSet,
  apiId: string,
  entities: ReadonlyMap<string, BackendEntity>,
  fill: Fill,
): Target | "bad url" | null {
  if (properties.backendId !== undefined) {
    const found = resources.resolve(properties.backendId, "backends", apiId);
    const entity = found === undefined ? undefined : entities.get(found.name.toLowerCase());
    if (entity?.target != null) return entity.target;
    const first = entity?.pool[0]?.backend.target;
    if (entity !== undefined && first != null) return { ...first, entity };
  }
  if (properties.serviceUrl == null || properties.serviceUrl === "") return null;
  const url = fill(properties.serviceUrl, apiId, ["serviceUrl"]);
  return url === null ? null : (parseTarget(url) ?? "bad url");
}
