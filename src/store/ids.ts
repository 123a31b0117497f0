/**
 * Resource ids: how they are written, read and compared. The one place that knows the rule which
 * makes artifacts portable between instances (spec "Resource model" 1.2): of a full ARM id only what
 * follows `/service/{name}` counts, and case never does.
 */
import type { Reference, ResourceId, ResourceType } from "../contract/resource.ts";

export const SERVICE_ID: ResourceId = "/";

/** Everything up to and including the service name; greedy, so that the last one counts. */
const ARM_PREFIX = /^.*\/providers\/microsoft\.apimanagement\/service\/[^/]*/i;
const SHORT_PREFIX = /^\/service\/[^/]+(?=\/|$)/i;
const REVISION_SUFFIX = /;rev=([^/;]*)(?=\/|$)/i;

/** The key ids are compared and stored under. */
export function idKey(id: ResourceId): string {
  return id.toLowerCase();
}

/**
 * Turns any form of a reference into a relative id.
 *
 * @param collection where a plain name lives, e.g. `backends` for the `backendId` of an API
 * @returns `/` for the service itself; undefined for an empty reference and for an ARM id that
 *          belongs to something else than an API Management service
 */
export function resolveReference(reference: Reference, collection: string): ResourceId | undefined {
  const text = reference.trim().replace(/%3b/gi, ";");
  if (text === "") return undefined;
  const prefix = ARM_PREFIX.exec(text) ?? SHORT_PREFIX.exec(text);
  if (prefix) return tidy(text.slice(prefix[0].length));
  if (/^(https?:\/\/[^/]+)?\/subscriptions\/[^/]+\/resourcegroups\//i.test(text)) return undefined;
  if (text.startsWith("/")) return tidy(text);
  return text.includes("/") ? tidy("/" + text) : `/${collection}/${text}`;
}

function tidy(path: string): ResourceId {
  const trimmed = path.replace(/\/+$/, "");
  return trimmed === "" ? SERVICE_ID : trimmed;
}

/** Puts ids together: `childId("/", "apis", "echo")` is `/apis/echo`. */
export function childId(parent: ResourceId, collection: string, name: string): ResourceId {
  return [parent === SERVICE_ID ? "" : parent, collection, name].join("/");
}

/** The resource this one lives under; `/` for the top level; undefined for the service itself. */
export function parentId(id: ResourceId): ResourceId | undefined {
  if (id === SERVICE_ID) return undefined;
  const beforeName = id.lastIndexOf("/");
  const beforeCollection = id.lastIndexOf("/", beforeName - 1);
  return beforeCollection <= 0 ? SERVICE_ID : id.slice(0, beforeCollection);
}

/** The last segment; `""` for the service. */
export function nameOf(id: ResourceId): string {
  return id.slice(id.lastIndexOf("/") + 1);
}

/** The collection names of an id, as written: `/apis/a/operations/o` is of type `apis/operations`. */
export function typeOf(id: ResourceId): ResourceType {
  if (id === SERVICE_ID) return "service";
  const segments = id.split("/");
  let type = segments[1] ?? "";
  for (let i = 3; i < segments.length; i += 2) type += "/" + segments[i];
  return type;
}

/** `/workspaces/{w}` when the id lies inside that workspace, else `/`. */
export function workspaceOf(id: ResourceId): ResourceId {
  if (!/^\/workspaces\/[^/]+\//i.test(id)) return SERVICE_ID;
  return id.slice(0, id.indexOf("/", "/workspaces/".length));
}

/** The id without `;rev=n`: subscriptions, product links and keys belong to the API, not to a revision. */
export function withoutRevision(id: ResourceId): ResourceId {
  return id.replace(REVISION_SUFFIX, "");
}

/** What an API is known by, whatever its revision: `echo`, inside a workspace `team/echo`; lower case. */
export function rootKey(id: ResourceId): string {
  const name = nameOf(withoutRevision(id));
  const workspace = workspaceOf(id);
  return (workspace === SERVICE_ID ? name : `${nameOf(workspace)}/${name}`).toLowerCase();
}

/** The revision an id names, or undefined when it means the current one. */
export function revisionOf(id: ResourceId): string | undefined {
  return REVISION_SUFFIX.exec(id)?.[1];
}

/**
 * The name that older importers made of an operation id: lower case, runs of anything but letters
 * and digits become `-`, trimmed, at most 76 characters. Spec "Resource model" 3.8.
 */
export function operationAlias(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 76)
    .replace(/-+$/, "");
}
