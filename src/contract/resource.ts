/**
 * The envelope every resource travels in, as the management REST and the artifact folders write it.
 * Types only: nothing in this folder runs.
 *
 * Every properties type is open (`[key: string]: unknown`): a property we do not know is stored and
 * returned as it came, never refused, because much of the AI behaviour lives in properties that the
 * published schema does not list. Source: spec "Resource model" 1.1, appendix 1.
 */

/**
 * A resource id relative to the service, e.g. `/apis/echo/operations/get`: no trailing slash, case as
 * first written. `/` is the service itself. Compare by `idKey` of `store/ids.ts`, never with `===`.
 */
export type ResourceId = string;

/** Properties that are open: what we act on is typed, the rest is carried through untouched. */
export interface OpenProperties {
  [key: string]: unknown;
}

/** One resource. `P` is the shape of its `properties`. */
export interface Resource<P extends object = OpenProperties> {
  readonly id: ResourceId;
  /** The last segment of the id, case kept. */
  readonly name: string;
  /** The type path without provider and service, e.g. `apis/operations`; `service` for the service. */
  readonly type: ResourceType;
  readonly properties: P;
  /** Opaque, without quotes; changes with every change of the resource. */
  readonly etag?: string;
  /** Envelope members of the service alone (`sku`, `identity`, …) and whatever else came. */
  readonly location?: string;
  readonly sku?: { readonly name?: string; readonly capacity?: number; readonly [key: string]: unknown };
  readonly identity?: ServiceIdentity;
  readonly tags?: { readonly [name: string]: string };
  readonly zones?: readonly string[];
}

export interface ServiceIdentity extends OpenProperties {
  type?: string;
  principalId?: string;
  tenantId?: string;
  userAssignedIdentities?: { [id: string]: { principalId?: string; clientId?: string } };
}

/**
 * The path of collection names, e.g. `apis/operations/policies`. Inside a workspace the type starts
 * with `workspaces/`. Open-ended: a tier 3 type is stored like any other.
 */
export type ResourceType = string;

/** A reference to another resource, in any of the forms of spec "Resource model" 1.2. */
export type Reference = string;

/** ISO 8601 duration such as `PT1M`. */
export type Duration = string;
/** ISO 8601 date and time. */
export type Timestamp = string;
