/** Resources in memory: for tests, and the base of stores that keep a copy in memory. */
import type { Resource, ResourceId } from "../../contract/resource.ts";
import * as ids from "../ids.ts";
import { canonicalType } from "../kinds/index.ts";
import { ResourceSet } from "../resource-set.ts";
import {
  type Applied,
  type Change,
  type ChangeSet,
  isValidId,
  satisfies,
  type Store,
  StoreError,
  type StoreListener,
} from "../store.ts";

export class MemoryStore implements Store {
  readonly readOnly = false;
  readonly #resources = new Map<string, Resource>();
  readonly #listeners = new Set<StoreListener>();
  #version = 0;
  #snapshot: ResourceSet | undefined;

  async get(id: ResourceId): Promise<Resource | undefined> {
    return this.#resources.get(ids.idKey(id));
  }

  async list(parent: ResourceId, collection: string): Promise<readonly Resource[]> {
    return (await this.snapshot()).childrenOf(parent, collection);
  }

  async apply(changes: readonly Change[]): Promise<Applied> {
    // No await from here to the end: that is what makes the batch one instant.
    const batch = new Batch(this.#resources, String(this.#version + 1));
    for (const change of changes) batch.add(change);
    const set = batch.changes();
    if (set.created.length + set.replaced.length + set.deleted.length > 0) {
      batch.commit(this.#resources);
      this.#version += 1;
      this.#snapshot = undefined;
      for (const listener of this.#listeners) listener(set);
    }
    return { resources: batch.results, changes: set };
  }

  async snapshot(): Promise<ResourceSet> {
    return (this.#snapshot ??= new ResourceSet(this.#resources.values(), String(this.#version)));
  }

  watch(listener: StoreListener): () => void {
    // A function of its own, so that one listener given twice is two.
    const own: StoreListener = (changes) => listener(changes);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  async close(): Promise<void> {
    this.#listeners.clear();
  }
}

/** A batch being made: later changes see the earlier ones, the store sees all or none. */
class Batch {
  readonly results: (Resource | undefined)[] = [];
  readonly #before: ReadonlyMap<string, Resource>;
  readonly #after = new Map<string, Resource | undefined>();
  readonly #version: string;

  constructor(before: ReadonlyMap<string, Resource>, version: string) {
    this.#before = before;
    this.#version = version;
  }

  add(change: Change): void {
    const id = change.kind === "put" ? change.resource.id : change.id;
    if (!isValidId(id)) throw new StoreError("invalid-id", `\`${id}\` is not a resource id`, id);
    const key = ids.idKey(id);
    const known = this.#get(key);
    if (!satisfies(known?.etag, change.condition)) {
      throw new StoreError("condition-failed", `\`${id}\` is not in the expected state`, id);
    }
    if (change.kind === "put") {
      const { resource } = change;
      // The id keeps the case it was created with.
      const ownId = known?.id ?? id;
      const next: Resource = {
        ...resource,
        id: ownId,
        name: ids.nameOf(ownId) || "service",
        type: canonicalType(ownId),
        properties: structuredClone(resource.properties),
        etag: this.#version,
      };
      this.#after.set(key, next);
      this.results.push(next);
    } else {
      this.#delete(key);
      this.results.push(undefined);
    }
  }

  #get(key: string): Resource | undefined {
    return this.#after.has(key) ? this.#after.get(key) : this.#before.get(key);
  }

  #delete(key: string): void {
    const prefix = key === "/" ? "/" : key + "/";
    for (const other of [...this.#before.keys(), ...this.#after.keys()]) {
      if (other === key || other.startsWith(prefix)) this.#after.set(other, undefined);
    }
  }

  changes(): ChangeSet {
    const created: ResourceId[] = [];
    const replaced: ResourceId[] = [];
    const deleted: ResourceId[] = [];
    for (const [key, resource] of this.#after) {
      const before = this.#before.get(key);
      if (resource && before) replaced.push(resource.id);
      else if (resource) created.push(resource.id);
      else if (before) deleted.push(before.id);
    }
    return { version: this.#version, created, replaced, deleted };
  }

  commit(resources: Map<string, Resource>): void {
    for (const [key, resource] of this.#after) {
      if (resource) resources.set(key, resource);
      else resources.delete(key);
    }
  }
}
