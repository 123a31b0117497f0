/**
 * Loads an artifact folder: scan → recognise → read → merge overrides → check → link up. The folder is
 * judged as a whole, every problem is reported, and nothing is ever half applied: the caller gets all
 * resources and all problems, and decides.
 *
 * Policy documents are handed on as text; compiling them is not this folder's business.
 */
import { hash } from "node:crypto";
import { resolve } from "node:path";
import { type Problem, sortProblems } from "../../base/problem.ts";
import { suggest } from "../../base/suggest.ts";
import type { Resource } from "../../contract/resource.ts";
import { builtIns } from "../built-in.ts";
import { checkDuplicates } from "../checks/duplicates.ts";
import { checkReferences } from "../checks/references.ts";
import { idKey } from "../ids.ts";
import { didYouMean, problem } from "../messages.ts";
import { type Locate, ResourceSet } from "../resource-set.ts";
import { breather } from "./breathe.ts";
import { blockingDisk, type Disk, waitingDisk } from "./disk.ts";
import { type DraftMemory, DraftReader } from "./drafts.ts";
import { FileCache } from "./file-cache.ts";
import { type KeyStore, memoryKeyStore } from "./keys.ts";
import { type Layout, recogniseLayout } from "./layout.ts";
import * as defaults from "./options.ts";
import type { LoadOptions } from "./options.ts";
import { NO_OVERRIDES, type Overrides, readOverrides } from "./overrides.ts";
import { readText, systemReason } from "./read.ts";
import { fillRevisions, fillSecrets, fillSubscriptionKeys } from "./resolve.ts";
import { type FileEntry, type FolderEntry, type Scan, scanFolder } from "./scan.ts";
import { Secrets } from "./secrets.ts";

export interface LoadedFolder {
  readonly resources: ResourceSet;
  /** Everything wrong, by file and line; errors mean that the resources must not be applied. */
  readonly problems: Problem[];
  /** The tree the resources were read from. */
  readonly scan: Scan;
  /** The text of a loaded file, for code frames; undefined when it was not read. */
  textOf(file: string): string | undefined;
}

/** Loads once. To load again and again, keep a `FolderLoader`: it reads only what changed. */
export function loadFolder(folder: string, options: LoadOptions = {}): Promise<LoadedFolder> {
  return new FolderLoader(folder, options).load();
}

/** A file that changes under our hands is read again this often, then taken as it is next time. */
const READ_ATTEMPTS = 5;
const READ_AGAIN_MS = 20;

export class FolderLoader {
  readonly #folder: string;
  readonly #options: LoadOptions;
  readonly #cache: FileCache;
  readonly #keys: KeyStore;
  /** The load in progress: they happen one after the other. */
  #tail: Promise<unknown> = Promise.resolve();
  /** Of the last load, for the next. */
  #root: FolderEntry | undefined;
  readonly #memory: DraftMemory = new Map();
  #known: { readonly resources: ResourceSet; readonly hasProblems: boolean } | undefined;
  /** Nobody is served before the first load. */
  #disk: Disk = blockingDisk;

  constructor(folder: string, options: LoadOptions = {}) {
    this.#folder = resolve(folder);
    this.#options = options;
    this.#cache = new FileCache(options.maxFileBytes ?? defaults.DEFAULT_MAX_FILE_BYTES);
    this.#keys = options.keys ?? memoryKeyStore();
  }

  /**
   * Never rejects: whatever is wrong is among the problems.
   *
   * @param known a scan made just now, by a watcher; without it the folder is scanned
   */
  load(known?: Scan): Promise<LoadedFolder> {
    const result = this.#tail.then(() => this.#load(known));
    this.#tail = result;
    return result;
  }

  async #load(known: Scan | undefined): Promise<LoadedFolder> {
    const { scan, layout, problems } = await this.#scanAndRead(known);
    const overrides = await this.#readOverrides(layout, problems);
    const reader = new DraftReader(this.#cache, overrides, this.#memory);
    await reader.read(layout);
    const environment = this.#options.environment ?? {};
    await fillSecrets(reader, new Secrets(this.#folder, environment));
    fillRevisions(reader);
    await fillSubscriptionKeys(reader, new Secrets(this.#folder, environment), this.#keys);
    problems.push(...layout.problems, ...overrides.problems, ...reader.problems);
    const pause = breather();
    await pause();
    const { resources, changed } = this.#resourceSet(reader);
    await pause();
    const found = problems.length;
    checkReferences(resources, problems, changed);
    await pause();
    checkDuplicates(resources, problems, changed);
    const hasProblems = problems.length > found;
    await this.#saveKeys(problems);
    this.#known = { resources, hasProblems };
    return {
      resources,
      problems: sortProblems(unique(problems)),
      textOf: this.#texts(scan.root),
      scan,
    };
  }

  /** A full disk must not stop traffic; but after a restart these keys would be others. */
  async #saveKeys(problems: Problem[]): Promise<void> {
    try {
      await this.#keys.save();
    } catch (error) {
      problems.push(problem("HG5411", { reason: systemReason(error) }, undefined));
    }
  }

  async #scanAndRead(known?: Scan): Promise<{ scan: Scan; layout: Layout; problems: Problem[] }> {
    const { maxDepth = defaults.DEFAULT_MAX_DEPTH, maxEntries = defaults.DEFAULT_MAX_ENTRIES } =
      this.#options;
    for (let attempt = 1; ; attempt++) {
      const earlier = this.#root && { root: this.#root };
      const scan =
        attempt === 1 && known
          ? known
          : await scanFolder(this.#folder, { maxDepth, maxEntries }, earlier, this.#disk);
      this.#root = scan.root;
      const layout = recogniseLayout(scan.root ?? EMPTY);
      const stable = await this.#cache.update(neededFiles(layout), this.#disk);
      this.#disk = waitingDisk;
      if (stable || attempt === READ_ATTEMPTS) return { scan, layout, problems: [...scan.problems] };
      await new Promise((done) => setTimeout(done, READ_AGAIN_MS));
    }
  }

  async #readOverrides(layout: Layout, problems: Problem[]): Promise<Overrides> {
    const { overridesFile, overridesFor, maxFileBytes = defaults.DEFAULT_MAX_FILE_BYTES } = this.#options;
    const tokens = (name: string) => this.#options.variables?.[name] ?? this.#options.environment?.[name];
    if (overridesFile !== undefined) {
      const { text, problems: found } = await readText(overridesFile, overridesFile, maxFileBytes);
      problems.push(...found);
      return text === undefined ? NO_OVERRIDES : readOverrides(overridesFile, text, tokens);
    }
    if (overridesFor === undefined) return NO_OVERRIDES;
    const entry = layout.overrides.get(overridesFor.toLowerCase());
    if (!entry) {
      const hint = didYouMean(suggest(overridesFor, layout.overrides.keys()));
      problems.push(problem("HG5409", { path: `configuration.${overridesFor}.yaml` }, undefined, hint));
      return NO_OVERRIDES;
    }
    const { text, problems: found } = this.#cache.get(entry);
    problems.push(...found);
    return text === undefined ? NO_OVERRIDES : readOverrides(entry.file, text, tokens);
  }

  /** The set, and what changed in it when it is of the same ids as the last, which had no problems. */
  #resourceSet(reader: DraftReader): { resources: ResourceSet; changed?: readonly Resource[] } {
    const known = this.#known?.resources;
    const list = reader.resources((id) => known?.get(id));
    for (const builtIn of builtIns) {
      if (!reader.drafts.has(idKey(builtIn.id))) list.push(this.#builtIn(builtIn, known));
    }
    const origins = new Map<string, Locate>();
    for (const [key, draft] of reader.drafts) origins.set(key, draft.locate);
    const version = versionOf(list);
    const replaced = known && replacedIn(known, list);
    if (replaced === undefined) return { resources: new ResourceSet(list, version, origins) };
    const resources = known!.with(replaced, version, origins);
    return { resources, ...(this.#known!.hasProblems ? {} : { changed: [...replaced.values()] }) };
  }

  #builtIn(builtIn: Resource, known: ResourceSet | undefined): Resource {
    const keys = builtIn.type === "subscriptions" ? this.#keys.get(builtIn.id) : undefined;
    if (keys === undefined) return builtIn;
    const before = known?.get(builtIn.id);
    const { primaryKey, secondaryKey } = before?.properties ?? {};
    if (before && primaryKey === keys.primaryKey && secondaryKey === keys.secondaryKey) return before;
    return { ...builtIn, properties: { ...builtIn.properties, ...keys } };
  }

  #texts(root: FolderEntry | undefined): (file: string) => string | undefined {
    const cache = this.#cache;
    return (file) => {
      const entry = root && entryOf(root, file.split("/"));
      return entry && cache.get(entry).text;
    };
  }
}

/** What became different, when both hold the same ids in the same order. */
function replacedIn(known: ResourceSet, list: readonly Resource[]): Map<Resource, Resource> | undefined {
  if (known.size !== list.length) return undefined;
  const replaced = new Map<Resource, Resource>();
  let i = 0;
  for (const before of known.all()) {
    const after = list[i++]!;
    if (after === before) continue;
    if (after.id !== before.id) return undefined;
    replaced.set(before, after);
  }
  return replaced;
}

/** Worked out when it is asked for. A function of its own: the answer must hold nothing but the list. */
function versionOf(resources: readonly Resource[]): () => string {
  return () => {
    const lines = resources.map(({ id, etag }) => `${idKey(id)} ${etag ?? ""}\n`);
    return hash("sha256", lines.join(""), "hex").slice(0, 16);
  };
}

const EMPTY: FolderEntry = {
  name: "",
  path: "",
  file: "",
  stamp: "",
  identity: "",
  folders: [],
  files: [],
  problems: [],
};

function neededFiles(layout: Layout): FileEntry[] {
  const files: FileEntry[] = [];
  for (const { info, policy, specification } of layout.artifacts) {
    if (info) files.push(info);
    if (policy && policy !== info) files.push(policy);
    if (specification) files.push(specification);
  }
  for (const { entry } of layout.lists) files.push(entry);
  files.push(...layout.overrides.values());
  return files;
}

function entryOf(folder: FolderEntry, steps: string[]): FileEntry | undefined {
  const [step, ...rest] = steps;
  if (rest.length === 0) return folder.files.find((file) => file.name === step);
  const child = folder.folders.find((entry) => entry.name === step);
  return child && entryOf(child, rest);
}

/** One specification shared by two resources tells its problems once. */
function unique(problems: readonly Problem[]): Problem[] {
  const seen = new Set<string>();
  return problems.filter(({ code, file, range, message }) => {
    const key = `${code}\n${file}\n${range?.start.line}:${range?.start.column}\n${message}`;
    return !seen.has(key) && seen.add(key);
  });
}
