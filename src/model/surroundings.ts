/** What policy documents may refer to, taken from the resources. */
import type { FragmentSource, Surroundings } from "../compiler/compile.ts";
import type { NamedValue } from "../compiler/named-values.ts";
import type { ReferenceKind } from "../compiler/policy.ts";
import type { KnownResourceType } from "../contract/types.ts";
import * as ids from "../store/ids.ts";
import type { ResourceSet } from "../store/resource-set.ts";

/** Where the names of each kind of reference live. */
const COLLECTIONS: Readonly<Record<Exclude<ReferenceKind, "certificate-thumbprint">, KnownResourceType>> = {
  backend: "backends",
  fragment: "policyFragments",
  logger: "loggers",
  certificate: "certificates",
  schema: "schemas",
  "authorization-provider": "authorizationProviders",
  cache: "caches",
};

/** Dapr's sidecar, and what is built in (embeddings, guards), are called backends and are no resources. */
const isNoResource = (kind: ReferenceKind, name: string): boolean =>
  kind === "backend" && (name.toLowerCase() === "dapr" || name === "built-in");

/** @param knowsThumbprint whether a certificate has this thumbprint; asked after the certificates were opened */
export function surroundingsOf(
  resources: ResourceSet,
  knowsThumbprint: (text: string) => boolean,
): Surroundings {
  const namedValues = new Map<string, NamedValue>();
  for (const { name, properties } of resources.ofType("namedValues")) {
    if (properties.value === undefined) continue;
    namedValues.set(properties.displayName ?? name, {
      value: properties.value,
      secret: properties.secret ?? false,
    });
  }
  const fragments = new Map<string, FragmentSource>();
  for (const document of resources.fragments()) {
    const id = ids.nameOf(document.id);
    const format = document.format === "xml" ? "encoded" : "raw";
    fragments.set(id, { id, text: document.text, format, file: document.file ?? null });
  }
  return {
    namedValues,
    fragments,
    exists: (kind, name) =>
      kind === "certificate-thumbprint"
        ? knowsThumbprint(name)
        : isNoResource(kind, name) || resources.resolve(name, COLLECTIONS[kind]) !== undefined,
    namesOf: (kind) =>
      kind === "certificate-thumbprint"
        ? []
        : resources.ofType(COLLECTIONS[kind]).map((resource) => resource.name),
  };
}
