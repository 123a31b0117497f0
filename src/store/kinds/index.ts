/** The list of resource kinds. A new type is a `defineKind` in one of the files and a line here. */
import type { ResourceId } from "../../contract/resource.ts";
import { typeOf } from "../ids.ts";
import * as apis from "./apis.ts";
import { backend } from "./backends.ts";
import type { ResourceKind } from "./kind.ts";
import * as platform from "./platform.ts";
import { namedValue, policies, policyFragment, policyRestriction } from "./policies.ts";
import * as products from "./products.ts";
import * as telemetry from "./telemetry.ts";

/** In the order in which resources can be created: what is referred to comes first. */
export const kinds: readonly ResourceKind[] = [
  platform.service,
  platform.workspace,
  namedValue,
  products.tag,
  platform.gateway,
  apis.versionSet,
  platform.certificate,
  platform.cache,
  backend,
  telemetry.logger,
  products.group,
  products.user,
  products.groupUser,
  policyFragment,
  policyRestriction,
  apis.globalSchema,
  platform.documentation,
  platform.authorizationProvider,
  platform.authorization,
  platform.accessPolicy,
  platform.openIdConnectProvider,
  platform.authorizationServer,
  platform.identityProvider,
  telemetry.diagnostic,
  products.product,
  apis.api,
  apis.operation,
  apis.apiSchema,
  apis.resolver,
  apis.tool,
  apis.release,
  apis.tagDescription,
  apis.apiWiki,
  telemetry.apiDiagnostic,
  ...policies,
  products.productApi,
  products.productApiLink,
  products.productGroup,
  products.productGroupLink,
  platform.productWiki,
  platform.gatewayApi,
  platform.gatewayHostname,
  products.apiTag,
  products.operationTag,
  products.productTag,
  products.tagApiLink,
  products.tagOperationLink,
  products.tagProductLink,
  products.subscription,
];

const byType = new Map<string, ResourceKind>(kinds.map((kind) => [kind.type.toLowerCase(), kind]));

/** The kind of a type, in any case, inside a workspace or not; undefined for types we only store. */
export function kindOfType(type: string): ResourceKind | undefined {
  const folded = type.toLowerCase();
  return byType.get(folded) ?? (folded.startsWith("workspaces/") ? byType.get(folded.slice(11)) : undefined);
}

export function kindOf(id: ResourceId): ResourceKind | undefined {
  return kindOfType(typeOf(id));
}

/** The type with the contract's case: `/APIs/x` has the type `apis`. Unknown types keep theirs. */
export function canonicalType(id: ResourceId): string {
  const type = typeOf(id);
  const kind = kindOfType(type);
  if (!kind) return type;
  return kind.type.length === type.length ? kind.type : `workspaces/${kind.type}`;
}
