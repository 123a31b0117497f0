/** Products, users and subscriptions as admission needs them. */
import type { ProductProperties } from "../contract/products.ts";
import type { Resource } from "../contract/resource.ts";
import type { HostApi, HostGroup } from "../compiler/runtime/host.ts";
import type { Product, Subscription, SubscriptionScope } from "../gateway/snapshot.ts";
import * as ids from "../store/ids.ts";
import type { ResourceSet } from "../store/resource-set.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** By lower-case name. `apis` of each are filled in by `attachApis` once the APIs exist. */
export function buildProducts(resources: ResourceSet): Map<string, Product> {
  const products = new Map<string, Product>();
  for (const resource of resources.ofType("products"))
    products.set(ids.idKey(resource.id), product(resource, resources));
  return products;
}

function product(resource: Resource<ProductProperties>, resources: ResourceSet): Product {
  const { properties } = resource;
  return {
    id: resource.name,
    name: properties.displayName ?? resource.name,
    approvalRequired: properties.approvalRequired ?? false,
    subscriptionRequired: properties.subscriptionRequired ?? true,
    subscriptionsLimit: properties.subscriptionsLimit ?? null,
    state: properties.state?.toLowerCase() === "published" ? "Published" : "NotPublished",
    groups: resources.groupsOf(resource.id).map((id) => groupOf(resources, id)),
    apis: [],
    apiIds: new Set(resources.apisOf(resource.id).map(ids.rootKey)),
  };
}

export function attachApis(
  products: Iterable<Product>,
  apis: readonly (HostApi & { readonly rootId: string })[],
): void {
  for (const one of products) {
    (one as Mutable<Product>).apis = apis.filter(
      (api) => api.isCurrentRevision && one.apiIds.has(api.rootId),
    );
  }
}

function groupOf(resources: ResourceSet, id: string): HostGroup {
  const resource = resources.get<{ displayName?: string }>(id);
  const name = ids.nameOf(id);
  return { id: name, name: resource?.properties.displayName ?? name };
}

export function buildSubscriptions(
  resources: ResourceSet,
  products: ReadonlyMap<string, Product>,
): Subscription[] {
  const found: Subscription[] = [];
  for (const resource of resources.ofType("subscriptions")) {
    const { properties } = resource;
    const known = alone.get(resource);
    if (known !== undefined) {
      found.push(known);
      continue;
    }
    const scope = scopeOf(properties.scope ?? "", resources, products, resource.id);
    if (scope === null) continue;
    const subscription: Subscription = {
      id: resource.name,
      name: properties.displayName ?? resource.name,
      state: (properties.state?.toLowerCase() ?? "submitted") as Subscription["state"],
      scope,
      primaryKey: keyText(properties.primaryKey),
      secondaryKey: keyText(properties.secondaryKey),
      createdMs: time(properties.createdDate) ?? 0,
      startMs: time(properties.startDate),
      endMs: time(properties.endDate),
      user: properties.ownerId == null ? null : userOf(resources, properties.ownerId, resource.id),
      allowTracing: properties.allowTracing ?? false,
    };
    if (scope.kind !== "product" && properties.ownerId == null) alone.set(resource, subscription);
    found.push(subscription);
  }
  return found;
}

/** Subscriptions that say everything themselves, without a product or user: the same object as long as they do not change. */
const alone = new WeakMap<Resource, Subscription>();

function keyText(key: unknown): string {
  return typeof key === "string" ? key : "";
}

function time(text: string | undefined): number | null {
  const ms = Date.parse(text ?? "");
  return Number.isNaN(ms) ? null : ms;
}

/**
 * The service, all APIs, all APIs of a workspace, one API (without revision) or one product; null for a reference that
 * leads nowhere. What a subscription inside a workspace says is of that workspace.
 */
function scopeOf(
  reference: string,
  resources: ResourceSet,
  products: ReadonlyMap<string, Product>,
  from: string,
): SubscriptionScope | null {
  const id = ids.resolveReference(reference, "products");
  const short = (id ?? reference).replace(/\/+$/, "").toLowerCase();
  const own = ids.workspaceOf(from);
  const all = /^(?:\/workspaces\/([^/]+))?(?:\/apis)?$/.exec(short);
  if (all !== null)
    return {
      kind: "all",
      workspace: all[1] ?? (own === ids.SERVICE_ID ? null : ids.nameOf(own).toLowerCase()),
    };
  if (/\/apis\/[^/]+$/.test(short)) {
    const api = short.replace(/;rev=[^/]*$/, "");
    return {
      kind: "api",
      apiId: ids.rootKey(api.startsWith("/workspaces/") || own === ids.SERVICE_ID ? api : own + api),
    };
  }
  const found = resources.resolve(reference, "products", from);
  const one = found === undefined ? undefined : products.get(ids.idKey(found.id));
  return one === undefined ? null : { kind: "product", product: one };
}

function userOf(resources: ResourceSet, reference: string, from: string): Subscription["user"] {
  const resource = resources.resolve(reference, "users", from) as
    | Resource<{
        email?: string;
        firstName?: string;
        lastName?: string;
        note?: string;
        state?: string;
        registrationDate?: string;
        identities?: { id?: string; provider?: string }[];
      }>
    | undefined;
  if (resource === undefined) return null;
  const { properties } = resource;
  return {
    id: resource.name,
    email: properties.email ?? "",
    firstName: properties.firstName ?? "",
    lastName: properties.lastName ?? "",
    note: properties.note ?? "",
    registrationMs: time(properties.registrationDate) ?? 0,
    groups: groupsOfUser(resources, resource.name),
    identities: (properties.identities ?? []).map(({ id, provider }) => ({
      id: id ?? "",
      provider: provider ?? "",
    })),
    blocked: properties.state?.toLowerCase() === "blocked",
  };
}

/** Every user is a developer (`resources.md` §1.11); the rest is membership. */
function groupsOfUser(resources: ResourceSet, user: string): HostGroup[] {
  const groups: HostGroup[] = [groupOf(resources, "/groups/developers")];
  for (const group of resources.ofType("groups")) {
    if (group.name.toLowerCase() === "developers") continue;
    const members = resources.childrenOf(group.id, "users");
    if (members.some((member) => member.name.toLowerCase() === user.toLowerCase()))
      groups.push(groupOf(resources, group.id));
  }
  return groups;
}
