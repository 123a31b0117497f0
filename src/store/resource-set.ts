/**
 * All resources at one moment, read-only, with the questions the model builder asks. Every store can
 * make one from its snapshot; the folder loader adds where each resource was written.
 *
 * Lookups ignore case and are maps; nothing is copied. Lists keep the order in which resources were
 * given: for operations that is the order of the specification, which routing uses to break ties.
 */
import type { SourceLocation } from "../base/problem.ts";
import type { ApiProperties, OperationProperties } from "../contract/apis.ts";
import type { OpenProperties, Reference, Resource, ResourceId } from "../contract/resource.ts";
import type { KnownResourceType, PropertiesOf } from "../contract/types.ts";
import type { PolicyFormat, PolicyProperties } from "../contract/policies.ts";
import * as ids from "./ids.ts";
import type { PropertyPath } from "./kinds/shape.ts";

/** Where a resource, or one of its properties, was written. */
export type Locate = (path?: PropertyPath, options?: { key?: boolean }) => SourceLocation | undefined;

export interface PolicyDocument {
  /** Id of the policy resource, e.g. `/apis/a/policies/policy`. */
  readonly id: ResourceId;
  /** What it belongs to: `/`, a workspace, product, API, operation, resolver, or a fragment itself. */
  readonly scopeId: ResourceId;
  readonly text: string;
  readonly format: PolicyFormat;
  /** The file the text is in; positions in `text` are positions in the file unless `embedded`. */
  readonly file?: string;
  /** The text is a value inside a JSON or YAML file; `location` is where that value starts. */
  readonly embedded: boolean;
  readonly location?: SourceLocation;
}

type Api = Resource<ApiProperties>;
type Operation = Resource<OperationProperties>;

/**
 * What a workspace sees of the service around it. Backends, APIs, products, version sets, named values
 * and fragments of the service are not visible inside (spec "Resource model" 1.23).
 */
const SHARED_WITH_WORKSPACES = new Set(["loggers", "groups", "users", "tags", "gateways", "caches"]);

export class ResourceSet {
  #version: string | (() => string);
  #byKey = new Map<string, Resource>();
  #children = new Map<string, Resource[]>();
  #byType = new Map<string, Resource[]>();
  readonly #origins: ReadonlyMap<string, Locate>;
  /** By the key of the id without revision; made when first asked for. */
  #revisions: Map<string, Api[]> | undefined;

  /**
   * @param version changes whenever any resource does; may be worked out when it is asked for
   * @param origins by `idKey`
   */
  constructor(
    resources: Iterable<Resource>,
    version: string | (() => string) = "",
    origins: ReadonlyMap<string, Locate> = new Map(),
  ) {
    this.#version = version;
    this.#origins = origins;
    for (const resource of resources) this.#add(resource);
  }

  #add(resource: Resource): void {
    this.#byKey.set(ids.idKey(resource.id), resource);
    append(this.#byType, resource.type.toLowerCase(), resource);
    const family = familyOf(resource);
    if (family !== undefined) append(this.#children, family, resource);
  }

  /**
   * This set with other properties: the same ids in the same order, so that nothing is sorted in again.
   *
   * @param replaced each by what it became, of the same id
   */
  with(
    replaced: ReadonlyMap<Resource, Resource>,
    version: string | (() => string),
    origins: ReadonlyMap<string, Locate>,
  ): ResourceSet {
    const next = new ResourceSet([], version, origins);
    next.#byKey = new Map(this.#byKey);
    next.#byType = new Map(this.#byType);
    next.#children = new Map(this.#children);
    const types = new Set<string>();
    const families = new Set<string>();
    for (const after of replaced.values()) {
      next.#byKey.set(ids.idKey(after.id), after);
      types.add(after.type.toLowerCase());
      const family = familyOf(after);
      if (family !== undefined) families.add(family);
    }
    const current = (resource: Resource): Resource => replaced.get(resource) ?? resource;
    for (const type of types) next.#byType.set(type, this.#byType.get(type)!.map(current));
    for (const family of families) next.#children.set(family, this.#children.get(family)!.map(current));
    if (!types.has("apis") && !types.has("workspaces/apis")) next.#revisions = this.#revisions;
    return next;
  }

  /** Changes whenever any resource does; opaque. */
  get version(): string {
    if (typeof this.#version === "function") this.#version = this.#version();
    return this.#version;
  }

  get size(): number {
    return this.#byKey.size;
  }

  all(): Iterable<Resource> {
    return this.#byKey.values();
  }

  has(id: ResourceId): boolean {
    return this.#byKey.has(ids.idKey(id));
  }

  get<P extends object = OpenProperties>(id: ResourceId): Resource<P> | undefined {
    return this.#byKey.get(ids.idKey(id)) as Resource<P> | undefined;
  }

  /** Resources of a type, those inside workspaces included unless `workspace` narrows it. */
  ofType<T extends KnownResourceType>(type: T, workspace?: ResourceId): readonly Resource<PropertiesOf<T>>[] {
    const outside = this.#byType.get(type.toLowerCase()) ?? [];
    if (workspace === ids.SERVICE_ID) return outside as Resource<PropertiesOf<T>>[];
    const inside = this.#byType.get("workspaces/" + type.toLowerCase()) ?? [];
    if (workspace === undefined) return [...outside, ...inside] as Resource<PropertiesOf<T>>[];
    const prefix = ids.idKey(workspace) + "/";
    return inside.filter((resource) => ids.idKey(resource.id).startsWith(prefix)) as Resource<
      PropertiesOf<T>
    >[];
  }

  /** Direct children, e.g. `childrenOf("/apis/a", "operations")`. */
  childrenOf<P extends object = OpenProperties>(
    parent: ResourceId,
    collection: string,
  ): readonly Resource<P>[] {
    return (this.#children.get(ids.idKey(`${parent}\n${collection}`)) ?? []) as unknown as Resource<P>[];
  }

  /** Every API and every revision of it, workspaces included. */
  apis(workspace?: ResourceId): readonly Api[] {
    return this.ofType("apis", workspace);
  }

  /** The revisions of an API, the current one first. `id` may name any of them. */
  revisionsOf(id: ResourceId): readonly Api[] {
    if (!this.#revisions) {
      this.#revisions = new Map();
      for (const api of this.apis()) append(this.#revisions, ids.idKey(ids.withoutRevision(api.id)), api);
      for (const [key, revisions] of this.#revisions) this.#revisions.set(key, currentFirst(revisions));
    }
    return this.#revisions.get(ids.idKey(ids.withoutRevision(id))) ?? [];
  }

  /** True for the revision that answers without `;rev=`. */
  isCurrent(api: Api): boolean {
    return this.revisionsOf(api.id)[0] === api;
  }

  operationsOf(api: ResourceId): readonly Operation[] {
    return this.childrenOf(api, "operations");
  }

  /** By name, by the name an importer would have made of it, in any case. */
  findOperation(api: ResourceId, name: string): Operation | undefined {
    const exact = this.get<OperationProperties>(ids.childId(api, "operations", name));
    if (exact) return exact;
    const alias = ids.operationAlias(name);
    return this.operationsOf(api).find((operation) => ids.operationAlias(operation.name) === alias);
  }

  /** The policy document at a scope, if it has one. */
  policyOf(scope: ResourceId): PolicyDocument | undefined {
    const resource = this.get<PolicyProperties>(ids.childId(scope, "policies", "policy"));
    return resource && this.#document(resource, ids.parentId(resource.id)!);
  }

  /** Every policy document there is, fragments excluded. */
  policies(): PolicyDocument[] {
    const documents: PolicyDocument[] = [];
    const types = new Map<string, boolean>();
    for (const resource of this.#byKey.values()) {
      let isPolicy = types.get(resource.type);
      if (isPolicy === undefined)
        types.set(resource.type, (isPolicy = /(^|\/)policies$/i.test(resource.type)));
      if (!isPolicy) continue;
      const document = this.#document(resource as Resource<PolicyProperties>, ids.parentId(resource.id)!);
      if (document) documents.push(document);
    }
    return documents;
  }

  /** The documents of policy fragments; their name is the last segment of `id`. */
  fragments(workspace?: ResourceId): PolicyDocument[] {
    return this.ofType("policyFragments", workspace)
      .map((resource) => this.#document(resource, resource.id))
      .filter((document) => document !== undefined);
  }

  #document(resource: Resource<PolicyProperties>, scopeId: ResourceId): PolicyDocument | undefined {
    const { value, format } = resource.properties;
    if (value === undefined) return undefined;
    const location = this.locate(resource.id, ["value"]);
    return {
      id: resource.id,
      scopeId,
      text: value,
      format: format ?? "xml",
      file: location?.file,
      embedded: location?.range !== undefined,
      location,
    };
  }

  /** Ids of the APIs in a product, without revision, links of both forms; unknown ones are left out. */
  apisOf(product: ResourceId): ResourceId[] {
    return this.#linked(product, "apis", "apiLinks", "apiId");
  }

  /** Ids of the groups that may see a product. */
  groupsOf(product: ResourceId): ResourceId[] {
    return this.#linked(product, "groups", "groupLinks", "groupId");
  }

  #linked(product: ResourceId, collection: string, links: string, property: string): ResourceId[] {
    const found = new Map<string, ResourceId>();
    const add = (reference: unknown, from = product) => {
      if (typeof reference !== "string") return;
      const target = this.resolve(reference, collection, from);
      if (target) found.set(ids.idKey(ids.withoutRevision(target.id)), ids.withoutRevision(target.id));
    };
    for (const link of this.childrenOf(product, collection)) add(link.name, linkOrigin(link));
    for (const link of this.childrenOf<OpenProperties>(product, links)) add(link.properties[property]);
    return [...found.values()];
  }

  /** Ids of the APIs a self-hosted gateway serves, without revision. */
  apisOfGateway(gateway: ResourceId): ResourceId[] {
    return this.#linked(gateway, "apis", "apiLinks", "apiId");
  }

  /**
   * Follows a reference (spec "Resource model" 1.2).
   *
   * @param collection where a plain name is looked up, e.g. `backends`; `operations` means those of
   *                   the API that `from` belongs to
   * @param from       the resource that holds the reference: inside a workspace, that workspace is
   *                   searched, and of the service only what workspaces see
   */
  resolve(reference: Reference, collection: string, from: ResourceId = ids.SERVICE_ID): Resource | undefined {
    if (collection === "operations" && !reference.includes("/")) {
      const api = /^(?:\/workspaces\/[^/]+)?\/apis\/[^/]+/i.exec(from)?.[0];
      return api === undefined ? undefined : (this.findOperation(api, reference) as Resource | undefined);
    }
    const id = ids.resolveReference(reference, collection);
    if (id === undefined) return undefined;
    const workspace = ids.workspaceOf(from);
    if (workspace === ids.SERVICE_ID || id === ids.SERVICE_ID || /^\/workspaces\//i.test(id))
      return this.#find(id);
    const target = id.slice(1, id.indexOf("/", 1)).toLowerCase();
    return this.#find(workspace + id) ?? (SHARED_WITH_WORKSPACES.has(target) ? this.#find(id) : undefined);
  }

  #find(id: ResourceId): Resource | undefined {
    const exact = this.get(id);
    if (exact) return exact;
    const parent = ids.parentId(id);
    if (parent !== undefined && /\/operations\/[^/]+$/i.test(id)) {
      return this.findOperation(parent, ids.nameOf(id)) as Resource | undefined;
    }
    // `;rev=n` may name the revision that the folder without a suffix holds.
    const revision = ids.revisionOf(id);
    if (revision === undefined || ids.idKey(id).includes("/operations/")) return undefined;
    return this.revisionsOf(id).find((api) => (api.properties.apiRevision ?? "1") === revision) as
      | Resource
      | undefined;
  }

  /** Where a resource was written, when that is known. */
  locate(id: ResourceId, path?: PropertyPath, options?: { key?: boolean }): SourceLocation | undefined {
    return this.#origins.get(ids.idKey(id))?.(path, options);
  }
}

/** The key of a resource's parent and collection; undefined for the service. */
function familyOf(resource: Resource): string | undefined {
  const parent = ids.parentId(resource.id);
  if (parent === undefined) return undefined;
  const collection = resource.type.slice(resource.type.lastIndexOf("/") + 1);
  return ids.idKey(`${parent}\n${collection}`);
}

/** Where the target of a link named by its own name is looked up: `scope: service` leaves the workspace. */
export function linkOrigin(link: Resource): ResourceId {
  return link.properties["scope"] === "service" ? ids.SERVICE_ID : link.id;
}

/** `isCurrent` decides; without it the id without suffix, else the first. */
export function currentOf(revisions: readonly Api[]): Api | undefined {
  return (
    revisions.find((api) => api.properties.isCurrent === true) ??
    revisions.find((api) => ids.revisionOf(api.id) === undefined) ??
    revisions[0]
  );
}

function currentFirst(revisions: Api[]): Api[] {
  const current = currentOf(revisions);
  return current && revisions[0] !== current
    ? [current, ...revisions.filter((api) => api !== current)]
    : revisions;
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const values = map.get(key);
  if (values) values.push(value);
  else map.set(key, [value]);
}
