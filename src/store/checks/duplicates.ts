/** Things that no request could tell apart. */
import type { Problem, SourceLocation } from "../../base/problem.ts";
import type { ApiProperties } from "../../contract/apis.ts";
import type { ProductProperties, SubscriptionProperties } from "../../contract/products.ts";
import type { Resource } from "../../contract/resource.ts";
import * as ids from "../ids.ts";
import { type MessageCode, problem } from "../messages.ts";
import type { ResourceSet } from "../resource-set.ts";
import { plainType } from "./references.ts";

/** Each check with the types of the resources it reads. */
const CHECKS: readonly {
  readonly reads: readonly string[];
  readonly check: (resources: ResourceSet, problems: Problem[]) => void;
}[] = [
  { reads: ["apis"], check: checkRevisions },
  { reads: ["apis"], check: checkPaths },
  { reads: ["apis/operations"], check: checkOperations },
  { reads: ["namedvalues"], check: checkNamedValues },
  { reads: ["subscriptions"], check: checkKeys },
  { reads: ["apis", "products", "products/apis", "products/apilinks"], check: checkOpenProducts },
];

/** @param changed as of `checkReferences` */
export function checkDuplicates(
  resources: ResourceSet,
  problems: Problem[],
  changed?: Iterable<Resource>,
): void {
  const types = changed && new Set(Array.from(changed, ({ type }) => plainType(type)));
  for (const { reads, check } of CHECKS) {
    if (types === undefined || reads.some((type) => types.has(type))) check(resources, problems);
  }
}

function report(
  problems: Problem[],
  code: MessageCode,
  parameters: Record<string, string>,
  at: SourceLocation | undefined,
  first?: SourceLocation,
): void {
  const found = problem(code, parameters, at);
  problems.push(first ? { ...found, related: { ...first, message: "the other one is here" } } : found);
}

function checkRevisions(resources: ResourceSet, problems: Problem[]): void {
  for (const api of resources.apis()) {
    if (!resources.isCurrent(api)) continue;
    const revisions = resources.revisionsOf(api.id);
    if (revisions.length < 2) continue;
    const name = ids.nameOf(ids.withoutRevision(api.id));
    const numbers = new Map<string, Resource<ApiProperties>>();
    for (const revision of revisions) {
      const number = revision.properties.apiRevision ?? "1";
      const other = numbers.get(number);
      const at = resources.locate(revision.id, ["apiRevision"]);
      if (other)
        report(
          problems,
          "HG4604",
          { name, revision: number },
          at,
          resources.locate(other.id, ["apiRevision"]),
        );
      else numbers.set(number, revision);
    }
    const current = revisions.filter((revision) => revision.properties.isCurrent === true);
    for (const second of current.slice(1)) {
      const first = resources.locate(current[0]!.id, ["isCurrent"]);
      report(problems, "HG4605", { name }, resources.locate(second.id, ["isCurrent"]), first);
    }
  }
}

/** Path, version set and version together must be unique; WebSocket and HTTP may share them. */
function checkPaths(resources: ResourceSet, problems: Problem[]): void {
  const seen = new Map<string, Resource<ApiProperties>>();
  for (const api of resources.apis()) {
    const { path, apiVersion = "", apiVersionSetId, apiVersionSet } = api.properties;
    if (path === undefined || !resources.isCurrent(api)) continue;
    const setReference = apiVersionSetId ?? apiVersionSet?.id;
    const set =
      setReference && (resources.resolve(setReference, "apiVersionSets", api.id)?.id ?? setReference);
    const socket = (api.properties.type ?? api.properties.apiType) === "websocket";
    const version = set || apiVersionSet ? `${set ?? api.id} ${apiVersion}` : "";
    const key = `${path.replace(/^\/+|\/+$/g, "")}\n${version}\n${socket}`.toLowerCase();
    const other = seen.get(key);
    if (!other) {
      seen.set(key, api);
      continue;
    }
    const where =
      version === "" ? "" : apiVersion === "" ? " without a version" : ` and version \`${apiVersion}\``;
    const parameters = { name: api.name, other: other.name, where };
    report(
      problems,
      "HG4601",
      parameters,
      resources.locate(api.id, ["path"]),
      resources.locate(other.id, ["path"]),
    );
  }
}

function checkOperations(resources: ResourceSet, problems: Problem[]): void {
  for (const api of resources.apis()) {
    const seen = new Map<string, string>();
    for (const operation of resources.operationsOf(api.id)) {
      const { method, urlTemplate } = operation.properties;
      if (method === undefined || urlTemplate === undefined) continue;
      const key = `${method.toUpperCase()} ${sameTemplate(urlTemplate)}`;
      const other = seen.get(key);
      if (other === undefined) {
        seen.set(key, operation.id);
        continue;
      }
      const parameters = { name: operation.name, api: api.name, other: ids.nameOf(other) };
      const at = resources.locate(operation.id, ["urlTemplate"]);
      report(problems, "HG4602", parameters, at, resources.locate(other, ["urlTemplate"]));
    }
  }
}

/** Templates that match the same requests look the same afterwards. */
export function sameTemplate(template: string): string {
  const [path = "", query] = template.split("?", 2) as [string, string?];
  const shape = (text: string) =>
    text
      .toLowerCase()
      .replace(/\{\*[^{}]*\}/g, "{*}")
      .replace(/\{[^{}*]*\}/g, "{}");
  const trimmed = shape(path).replace(/^\/+|\/+$/g, "");
  return query === undefined ? trimmed : `${trimmed}?${shape(query).split("&").sort().join("&")}`;
}

function checkNamedValues(resources: ResourceSet, problems: Problem[]): void {
  const seen = new Map<string, Resource>();
  for (const value of resources.ofType("namedValues")) {
    const display = value.properties.displayName ?? value.name;
    const key = `${ids.workspaceOf(value.id)}\n${display}`.toLowerCase();
    const other = seen.get(key);
    if (!other) {
      seen.set(key, value);
      continue;
    }
    const parameters = { name: value.name, display, other: other.name };
    const first = resources.locate(other.id, ["displayName"]);
    report(problems, "HG4603", parameters, resources.locate(value.id, ["displayName"]), first);
  }
}

function checkKeys(resources: ResourceSet, problems: Problem[]): void {
  const seen = new Map<string, Resource<SubscriptionProperties>>();
  for (const subscription of resources.ofType("subscriptions")) {
    for (const property of ["primaryKey", "secondaryKey"] as const) {
      const key = subscription.properties[property];
      if (typeof key !== "string") continue;
      const other = seen.get(key);
      if (other && other !== subscription) {
        const parameters = { name: subscription.name, other: other.name };
        report(problems, "HG4606", parameters, resources.locate(subscription.id, [property]));
      }
      seen.set(key, subscription);
    }
  }
}

function checkOpenProducts(resources: ResourceSet, problems: Problem[]): void {
  const open = new Map<string, Resource<ProductProperties>[]>();
  for (const product of resources.ofType("products")) {
    if (product.properties.subscriptionRequired !== false) continue;
    for (const api of resources.apisOf(product.id)) {
      const key = ids.idKey(api);
      open.set(key, [...(open.get(key) ?? []), product]);
    }
  }
  for (const [api, [first, second]] of open) {
    if (!first || !second) continue;
    const parameters = {
      name: resources.get(api)?.name ?? ids.nameOf(api),
      other: first.name,
      second: second.name,
    };
    report(problems, "HG4607", parameters, resources.locate(second.id, ["subscriptionRequired"]));
  }
}
