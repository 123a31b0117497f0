/**
 * Where resources live. One interface, one shared suite (`store.suite.ts`), an adapter per folder.
 *
 * A store keeps what it is given and judges nothing: shape, references and policies are checked
 * before a change reaches it. It does guarantee that a batch happens whole or not at all, that
 * conditions are checked in the same instant, and that watchers see every change once, in order.
 */
import type { OpenProperties, Resource, ResourceId } from "../contract/resource.ts";
import type { ResourceSet } from "./resource-set.ts";

/** What a caller hands over; name, type and ETag follow from the rest. */
export type ResourceInput = Omit<Resource, "name" | "type" | "etag" | "properties"> & {
  readonly properties: OpenProperties;
};

/**
 * `ifMatch`: the ETag the resource must have, `*` for "it must exist".
 * `ifNoneMatch: "*"`: it must not exist. (RFC 9110 §13.1; without quotes.)
 */
export interface Condition {
  readonly ifMatch?: string;
  readonly ifNoneMatch?: "*";
}

export type Change =
  | { readonly kind: "put"; readonly resource: ResourceInput; readonly condition?: Condition }
  /** Takes everything below the resource with it. Deleting what is not there succeeds. */
  | { readonly kind: "delete"; readonly id: ResourceId; readonly condition?: Condition };

export interface Applied {
  /** The resource each put left behind, or undefined for a delete; in the order of the changes. */
  readonly resources: readonly (Resource | undefined)[];
  readonly changes: ChangeSet;
}

/** What a batch, or a new state of a folder, changed. */
export interface ChangeSet {
  readonly version: string;
  readonly created: readonly ResourceId[];
  readonly replaced: readonly ResourceId[];
  readonly deleted: readonly ResourceId[];
}

export type StoreListener = (changes: ChangeSet) => void;

export interface Store {
  /** Another place is the truth: `apply` always fails with `read-only`. */
  readonly readOnly: boolean;
  get(id: ResourceId): Promise<Resource | undefined>;
  /** Direct children, in the order in which they were created. */
  list(parent: ResourceId, collection: string): Promise<readonly Resource[]>;
  /** @throws StoreError; then nothing has changed */
  apply(changes: readonly Change[]): Promise<Applied>;
  /** Everything at one moment. */
  snapshot(): Promise<ResourceSet>;
  /** Calls `listener` after each change, one at a time. Answers how to stop. */
  watch(listener: StoreListener): () => void;
  close(): Promise<void>;
}

export type StoreErrorReason = "read-only" | "condition-failed" | "invalid-id" | "unavailable";

export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly reason: StoreErrorReason;
  readonly id: ResourceId | undefined;

  constructor(reason: StoreErrorReason, message: string, id?: ResourceId, cause?: unknown) {
    super(message, { cause });
    this.reason = reason;
    this.id = id;
  }
}

/** Puts one resource. */
export async function put(store: Store, resource: ResourceInput, condition?: Condition): Promise<Resource> {
  const { resources } = await store.apply([{ kind: "put", resource, condition }]);
  return resources[0]!;
}

/** Deletes one resource and what is below it; answers whether there was anything. */
export async function remove(store: Store, id: ResourceId, condition?: Condition): Promise<boolean> {
  const { changes } = await store.apply([{ kind: "delete", id, condition }]);
  return changes.deleted.length > 0;
}

/** True when `etag` (undefined: no such resource) satisfies the condition. */
export function satisfies(etag: string | undefined, condition: Condition | undefined): boolean {
  if (!condition) return true;
  if (condition.ifNoneMatch !== undefined && etag !== undefined) return false;
  if (condition.ifMatch === undefined) return true;
  return etag !== undefined && (condition.ifMatch === "*" || condition.ifMatch === etag);
}

/** `/collection/name` repeated; the store's keys depend on it. */
export function isValidId(id: ResourceId): boolean {
  return id === "/" || (id.split("/").length % 2 === 1 && /^(?:\/[^/]+)+$/.test(id));
}
