/**
 * An artifact folder as a store: the folder is the truth, so it is read-only from here. Watched; a
 * new state of the folder becomes the store's state only when it has no errors, otherwise the last
 * good one stays and `onLoad` tells why.
 */
import type { Resource, ResourceId } from "../../contract/resource.ts";
import { hasErrors } from "../../base/problem.ts";
import { idKey } from "../ids.ts";
import { ResourceSet } from "../resource-set.ts";
import { type Applied, type ChangeSet, type Store, StoreError, type StoreListener } from "../store.ts";
import { FolderLoader, type LoadedFolder } from "./load.ts";
import type { LoadOptions } from "./options.ts";
import type { Scan } from "./scan.ts";
import { type FolderWatch, watchFolder } from "./watch.ts";

export type LoadListener = (loaded: LoadedFolder) => void | Promise<void>;

export class FileStore implements Store {
  readonly readOnly = true;
  readonly #loader: FolderLoader;
  readonly #listeners = new Set<StoreListener>();
  readonly #loadListeners = new Set<LoadListener>();
  #watch: FolderWatch | undefined;
  #loaded: LoadedFolder;
  #current: ResourceSet;
  /** The end of the last load: loads happen one after the other. */
  #tail: Promise<void> = Promise.resolve();

  private constructor(loader: FolderLoader, loaded: LoadedFolder) {
    this.#loader = loader;
    this.#loaded = loaded;
    this.#current = hasErrors(loaded.problems) ? new ResourceSet([]) : loaded.resources;
  }

  /**
   * Loads the folder, and watches it unless told not to. Errors in the folder do not throw: ask
   * `loaded`. Until the folder is good for the first time the store is empty.
   */
  static async open(folder: string, options: LoadOptions & { watch?: boolean } = {}): Promise<FileStore> {
    const loader = new FolderLoader(folder, options);
    const loaded = await loader.load();
    const store = new FileStore(loader, loaded);
    if (options.watch !== false) {
      store.#watch = watchFolder(folder, (scan) => store.#reload(scan), { known: loaded.scan });
      await store.#watch.ready;
    }
    return store;
  }

  /** The folder as last read, with everything wrong about it. */
  get loaded(): LoadedFolder {
    return this.#loaded;
  }

  /** Calls `listener` after each load, good or bad; the next load waits for it. */
  onLoad(listener: LoadListener): () => void {
    const own: LoadListener = (loaded) => listener(loaded);
    this.#loadListeners.add(own);
    return () => void this.#loadListeners.delete(own);
  }

  /** Reads the folder now, e.g. on SIGHUP: secrets in the environment or in files may have changed. */
  async reload(): Promise<LoadedFolder> {
    await this.#reload();
    return this.#loaded;
  }

  #reload(scan?: Scan): Promise<void> {
    this.#tail = this.#tail.then(() => this.#loadOnce(scan));
    return this.#tail;
  }

  async #loadOnce(scan: Scan | undefined): Promise<void> {
    const loaded = await this.#loader.load(scan);
    this.#loaded = loaded;
    if (!hasErrors(loaded.problems)) {
      const changes = difference(this.#current, loaded.resources);
      this.#current = loaded.resources;
      const count = changes.created.length + changes.replaced.length + changes.deleted.length;
      if (count > 0) for (const listener of this.#listeners) listener(changes);
    }
    for (const listener of this.#loadListeners) await listener(loaded);
  }

  async get(id: ResourceId): Promise<Resource | undefined> {
    return this.#current.get(id);
  }

  async list(parent: ResourceId, collection: string): Promise<readonly Resource[]> {
    return this.#current.childrenOf(parent, collection);
  }

  async apply(): Promise<Applied> {
    throw new StoreError("read-only", "this configuration comes from a folder; change the files there");
  }

  async snapshot(): Promise<ResourceSet> {
    return this.#current;
  }

  watch(listener: StoreListener): () => void {
    const own: StoreListener = (changes) => listener(changes);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  async close(): Promise<void> {
    this.#watch?.close();
    this.#listeners.clear();
    this.#loadListeners.clear();
  }
}

/** What became of one set on the way to the other, by ETag. */
export function difference(before: ResourceSet, after: ResourceSet): ChangeSet {
  const created: ResourceId[] = [];
  const replaced: ResourceId[] = [];
  const deleted: ResourceId[] = [];
  const left = new Map([...before.all()].map((resource) => [idKey(resource.id), resource]));
  for (const resource of after.all()) {
    const known = left.get(idKey(resource.id));
    left.delete(idKey(resource.id));
    if (!known) created.push(resource.id);
    else if (known.etag !== resource.etag) replaced.push(resource.id);
  }
  for (const resource of left.values()) deleted.push(resource.id);
  return { version: after.version, created, replaced, deleted };
}
