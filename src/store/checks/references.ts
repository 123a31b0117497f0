/** Does everything that is referred to exist? Works on any set of resources; where they stand is a bonus. */
import type { Problem } from "../../base/problem.ts";
import { suggest } from "../../base/suggest.ts";
import type { ApiProperties, ApiVersionSetProperties } from "../../contract/apis.ts";
import type { BackendProperties } from "../../contract/backends.ts";
import type { Resource } from "../../contract/resource.ts";
import type { SubscriptionProperties } from "../../contract/products.ts";
import { capital } from "../check-resource.ts";
import * as ids from "../ids.ts";
import { kindOf } from "../kinds/index.ts";
import type { ReferenceField } from "../kinds/kind.ts";
import { isObject, type PropertyPath } from "../kinds/shape.ts";
import { didYouMean, problem } from "../messages.ts";
import { linkOrigin, type ResourceSet } from "../resource-set.ts";

/** Types whose properties, not only ids, decide about references of others. */
const LOOKED_INTO = new Set(["apis", "backends", "apiversionsets"]);

/**
 * @param changed what became different in a set that had no problems before and has the same ids still; default:
 *   nothing is known of the set
 */
export function checkReferences(
  resources: ResourceSet,
  problems: Problem[],
  changed?: Iterable<Resource>,
): void {
  const all = changed === undefined || [...changed].some(({ type }) => LOOKED_INTO.has(plainType(type)));
  for (const resource of all ? resources.all() : changed) {
    const kind = kindOf(resource.id);
    for (const field of kind?.references ?? []) checkField(resources, resource, field, problems);
    switch (kind?.type) {
      case "subscriptions":
        checkScope(resources, resource, problems);
        break;
      case "backends":
        checkBackend(resources, resource, problems);
        break;
      case "apis":
        checkVersion(resources, resource, problems);
        break;
      case "apiVersionSets":
        checkVersionSet(resources, resource, problems);
        break;
    }
  }
}

/** Lower case, without `workspaces/`. */
export function plainType(type: string): string {
  return type.toLowerCase().replace(/^workspaces\//, "");
}

function checkField(
  resources: ResourceSet,
  resource: Resource,
  field: ReferenceField,
  problems: Problem[],
): void {
  for (const { path, value } of referencesAt(resource, field.at)) {
    const from = field.at === "" ? linkOrigin(resource) : resource.id;
    if (value === "" || resources.resolve(value, field.to, from)) continue;
    const owner = field.at === "" ? ownerOf(resource) : resource;
    const parameters = {
      noun: capital(kindOf(owner.id)?.noun ?? "resource"),
      name: ids.nameOf(owner.id),
      target: field.noun,
      reference: value,
    };
    const location = resources.locate(resource.id, path);
    if (ids.resolveReference(value, field.to) === undefined) {
      problems.push(problem("HG4503", parameters, location));
      continue;
    }
    const hint = hintFor(resources, value, field.to, resource.id);
    problems.push(problem(field.unknown === "warn" ? "HG4502" : "HG4501", parameters, location, hint));
  }
}

/** A link is told by what it belongs to: "Product `starter` refers to …". */
function ownerOf(link: Resource): { id: string } {
  return { id: ids.parentId(link.id) ?? link.id };
}

function hintFor(
  resources: ResourceSet,
  value: string,
  collection: string,
  from: string,
): string | undefined {
  const id = ids.resolveReference(value, collection)!;
  const parent = ids.parentId(id) ?? ids.SERVICE_ID;
  const written = id.split("/").at(-2) ?? collection;
  const workspace = ids.workspaceOf(from);
  const known = [
    ...resources.childrenOf(parent, written),
    ...(workspace === ids.SERVICE_ID ? [] : resources.childrenOf(workspace, written)),
  ].map((sibling) => sibling.name);
  return didYouMean(suggest(ids.nameOf(id), known));
}

/** The texts at `pool.services[].id`; `""` is the resource's own name. */
function referencesAt(resource: Resource, at: string): { path: PropertyPath; value: string }[] {
  if (at === "") return [{ path: [], value: resource.name }];
  const found: { path: PropertyPath; value: string }[] = [];
  const walk = (value: unknown, steps: string[], path: PropertyPath) => {
    const [step, ...rest] = steps;
    if (step === undefined) {
      if (typeof value === "string") found.push({ path, value });
    } else if (step === "[]") {
      if (Array.isArray(value)) value.forEach((entry, i) => walk(entry, rest, [...path, i]));
    } else if (isObject(value)) {
      walk(value[step], rest, [...path, step]);
    }
  };
  walk(resource.properties, at.replace(/\[\]/g, ".[]").split("."), []);
  return found;
}

const SCOPES = /^(?:\/workspaces\/[^/]+)?(?:\/apis|\/apis\/[^/]+|\/products\/[^/]+)?$/i;

function checkScope(
  resources: ResourceSet,
  resource: Resource<SubscriptionProperties>,
  problems: Problem[],
): void {
  const { scope } = resource.properties;
  if (scope === undefined) return;
  const id = ids.resolveReference(scope, "products");
  const parameters = { name: resource.name, reference: scope };
  // Looking a place up reads the file once more: only when there is something to say.
  const location = () => resources.locate(resource.id, ["scope"]);
  if (id === undefined || !SCOPES.test(id === ids.SERVICE_ID ? "" : id)) {
    problems.push(
      problem("HG4504", parameters, location(), "for example `/apis`, `/apis/{id}` or `/products/{id}`"),
    );
    return;
  }
  if (
    id === ids.SERVICE_ID ||
    /\/apis$/i.test(id) ||
    resources.resolve(ids.withoutRevision(id), "products", resource.id)
  )
    return;
  const target = /\/apis\//i.test(id) ? "API" : /\/products\//i.test(id) ? "product" : "workspace";
  const hint = hintFor(resources, id, "products", resource.id);
  problems.push(problem("HG4501", { noun: "Subscription", target, ...parameters }, location(), hint));
}

function checkBackend(
  resources: ResourceSet,
  resource: Resource<BackendProperties>,
  problems: Problem[],
): void {
  const { type, url, pool } = resource.properties;
  const isPool = type === "Pool" || (type === undefined && pool !== undefined && url === undefined);
  const parameters = { name: resource.name };
  if (!isPool) {
    // Without any property the file itself was broken, which has been said.
    if (url === undefined && Object.keys(resource.properties).length > 0) {
      problems.push(problem("HG4510", parameters, resources.locate(resource.id, [])));
    }
    return;
  }
  const members = pool?.services ?? [];
  if (members.length === 0)
    problems.push(problem("HG4509", parameters, resources.locate(resource.id, ["pool", "services"])));
  members.forEach((member, i) => {
    const target = member.id && resources.resolve(member.id, "backends", resource.id);
    if (!target || (target.properties as BackendProperties).type !== "Pool") return;
    const location = resources.locate(resource.id, ["pool", "services", i, "id"]);
    problems.push(problem("HG4505", { ...parameters, reference: member.id! }, location));
  });
}

function checkVersion(resources: ResourceSet, api: Resource<ApiProperties>, problems: Problem[]): void {
  const { apiVersion: version, apiVersionSetId, apiVersionSet, path } = api.properties;
  if (version === undefined || version === "") return;
  const reference = apiVersionSetId ?? apiVersionSet?.id;
  if (reference === undefined && apiVersionSet === undefined) {
    const parameters = { name: api.name, version };
    problems.push(problem("HG4508", parameters, resources.locate(api.id, ["apiVersion"])));
    return;
  }
  const set = reference === undefined ? undefined : resources.resolve(reference, "apiVersionSets", api.id);
  const scheme =
    (set?.properties as ApiVersionSetProperties | undefined)?.versioningScheme ??
    apiVersionSet?.versioningScheme;
  const trimmed = (path ?? "").replace(/^\/+|\/+$/g, "");
  if (scheme !== "Segment" || trimmed.split("/").at(-1)?.toLowerCase() !== version.toLowerCase()) return;
  const parameters = { name: api.name, version, path: trimmed };
  problems.push(problem("HG4511", parameters, resources.locate(api.id, ["path"])));
}

function checkVersionSet(
  resources: ResourceSet,
  set: Resource<ApiVersionSetProperties>,
  problems: Problem[],
): void {
  const { versioningScheme: scheme } = set.properties;
  const property =
    scheme === "Header" ? "versionHeaderName" : scheme === "Query" ? "versionQueryName" : undefined;
  if (property === undefined || scheme === undefined || set.properties[property]) return;
  const parameters = { reference: set.name, property, scheme };
  problems.push(problem("HG4507", parameters, resources.locate(set.id, ["versioningScheme"])));
}
