/**
 * What a folder holds, as names, sizes and times: the first half of loading, and all that watching
 * needs. Hidden entries are skipped, symbolic links followed (Kubernetes mounts ConfigMaps through
 * them), loops noticed.
 *
 * A scan can start from an earlier one. What is as it was is taken over, the same objects, so that
 * whoever works with scans can tell by identity what to do again; and folders in which nothing can
 * have happened are not even looked at, so that a change to one of ten thousand files looks at one.
 */
import type { Dirent } from "node:fs";
import { sep } from "node:path";
import type { Problem } from "../../base/problem.ts";
import { problem } from "../messages.ts";
import { type Disk, waitingDisk } from "./disk.ts";
import { systemReason } from "./read.ts";

export interface ScanLimits {
  readonly maxDepth: number;
  readonly maxEntries: number;
}

export interface FileEntry {
  readonly name: string;
  /** Relative to the root, with `/`: what people see. */
  readonly file: string;
  /** The path of its folder, for the operating system. */
  readonly folder: string;
  /** Times, size and inode in one: equal stamps mean that the file need not be read again. */
  readonly stamp: string;
}

export interface FolderEntry {
  readonly name: string;
  /** Relative to the root; `""` for the root itself. */
  readonly file: string;
  readonly path: string;
  /** Changes when an entry comes or goes, and when another folder takes its place. */
  readonly stamp: string;
  /** Which folder this is to the operating system. */
  readonly identity: string;
  readonly folders: readonly FolderEntry[];
  readonly files: readonly FileEntry[];
  /** What is wrong with entries of this very folder. */
  readonly problems: readonly Problem[];
}

export interface Scan {
  /** Undefined when there is no such folder. */
  readonly root: FolderEntry | undefined;
  readonly problems: readonly Problem[];
}

/** Ends a scan that something more urgent overtook. */
export class ScanCancelled extends Error {}

export interface Earlier {
  readonly root: FolderEntry;
  /** `file` of the folders in which something happened; without it everything is looked at. */
  readonly dirty?: ReadonlySet<string>;
}

/**
 * Walks the tree. What cannot be read is a problem. Entries are sorted by name.
 *
 * @param isCancelled asked before each folder
 * @throws ScanCancelled when `isCancelled` says so; otherwise never
 */
export async function scanFolder(
  root: string,
  limits: ScanLimits,
  earlier?: Earlier,
  disk: Disk = waitingDisk,
  isCancelled: () => boolean = () => false,
): Promise<Scan> {
  const problems: Problem[] = [];
  try {
    const path = await disk.realpath(root);
    const found = await disk.stat(path);
    if (!found.isDirectory()) return missing(root);
    const walk = new Walk(disk, limits, earlier?.dirty, isCancelled);
    const place = { name: "", path, file: "", ...identify(found), real: path };
    const entry = await walk.folder(place, [], earlier?.root);
    for (const folder of foldersOf(entry)) problems.push(...folder.problems);
    return { root: entry, problems };
  } catch (error) {
    if (error instanceof ScanCancelled) throw error;
    if ((error as { code?: string }).code === "ENOENT") return missing(root);
    return {
      root: undefined,
      problems: [problem("HG5001", { reason: systemReason(error) }, { file: root })],
    };
  }
}

function missing(root: string): Scan {
  return { root: undefined, problems: [problem("HG5007", { path: root }, undefined)] };
}

interface Place {
  readonly name: string;
  readonly path: string;
  readonly file: string;
  readonly stamp: string;
  readonly identity: string;
  /** Without symbolic links, for the loop check. */
  readonly real: string;
}

/** Entries of one folder that are looked at at once: enough to keep the disk busy, few enough to be forgotten soon. */
const TOGETHER = 64;

type Look =
  | { readonly kind: "file"; readonly entry: FileEntry }
  | { readonly kind: "folder"; readonly place: Place };

class Walk {
  readonly #isCancelled: () => boolean;
  readonly #disk: Disk;
  readonly #limits: ScanLimits;
  readonly #dirty: ReadonlySet<string> | undefined;
  /** Every folder above a dirty one: those are walked through, not looked at. */
  readonly #above = new Set<string>();
  #entries = 0;

  constructor(
    disk: Disk,
    limits: ScanLimits,
    dirty: ReadonlySet<string> | undefined,
    isCancelled: () => boolean,
  ) {
    this.#isCancelled = isCancelled;
    this.#disk = disk;
    this.#limits = limits;
    this.#dirty = dirty;
    for (const file of dirty ?? []) {
      for (let end = file.lastIndexOf("/"); end > 0; end = file.lastIndexOf("/", end - 1))
        this.#above.add(file.slice(0, end));
      this.#above.add("");
    }
  }

  async folder(
    place: Place,
    ancestors: readonly string[],
    before: FolderEntry | undefined,
  ): Promise<FolderEntry> {
    if (this.#isCancelled()) throw new ScanCancelled();
    const same = before !== undefined && before.stamp === place.stamp && before.path === place.path;
    if (same && this.#dirty && !this.#dirty.has(place.file)) {
      this.#entries += before.files.length + before.folders.length;
      return this.#above.has(place.file) ? this.#through(place, ancestors, before) : before;
    }
    return this.#look(place, ancestors, before);
  }

  /** Nothing happened here, but further down. */
  async #through(place: Place, ancestors: readonly string[], before: FolderEntry): Promise<FolderEntry> {
    const folders: FolderEntry[] = [];
    for (const child of before.folders) {
      if (!this.#dirty!.has(child.file) && !this.#above.has(child.file)) {
        folders.push(child);
        continue;
      }
      // Always as if it were a link: what it was last time proves nothing.
      const found = await this.#entry(child.name, true, place, [], undefined);
      if (found?.kind === "folder")
        folders.push(await this.folder(found.place, [...ancestors, place.real], child));
    }
    return sameList(folders, before.folders) ? before : { ...before, folders };
  }

  async #look(
    place: Place,
    ancestors: readonly string[],
    before: FolderEntry | undefined,
  ): Promise<FolderEntry> {
    const { name, path, file, stamp, identity, real } = place;
    const folders: FolderEntry[] = [];
    const files: FileEntry[] = [];
    const problems: Problem[] = [];
    const found = (): FolderEntry => {
      const entry = { name, path, file, stamp, identity };
      const isSame = before !== undefined && before.path === path && before.stamp === stamp;
      if (isSame && sameList(folders, before.folders) && sameList(files, before.files)) {
        if (problems.length + before.problems.length === 0) return before;
      }
      return { ...entry, folders: exact(folders), files: exact(files), problems: exact(problems) };
    };
    const { maxDepth, maxEntries } = this.#limits;
    if (ancestors.length > maxDepth) {
      problems.push(problem("HG5005", { limit: maxDepth }, { file }));
      return found();
    }
    let entries: Dirent[];
    try {
      entries = (await this.#disk.readdir(path)).filter((entry) => !entry.name.startsWith("."));
    } catch (error) {
      problems.push(problem("HG5001", { reason: systemReason(error) }, { file }));
      return found();
    }
    const already = this.#entries;
    this.#entries += entries.length;
    if (this.#entries > maxEntries) {
      if (already <= maxEntries) problems.push(problem("HG5006", { limit: maxEntries }, { file }));
      return found();
    }
    if (entries.length > 1) entries.sort((a, b) => compareNames(a.name, b.name));
    const earlierFiles = byName(before?.files);
    const earlierFolders = byName(before?.folders);
    for (let from = 0; from < entries.length; from += TOGETHER) {
      const looks = entries
        .slice(from, from + TOGETHER)
        .map((child) =>
          this.#entry(child.name, child.isSymbolicLink(), place, problems, earlierFiles(child.name)),
        );
      for (const entry of await Promise.all(looks)) {
        if (!entry) continue;
        if (entry.kind === "file") {
          files.push(entry.entry);
        } else if (entry.place.real === real || ancestors.includes(entry.place.real)) {
          problems.push(problem("HG5004", {}, { file: entry.place.file }));
        } else {
          const earlier = earlierFolders(entry.place.name);
          folders.push(await this.folder(entry.place, [...ancestors, real], earlier));
        }
      }
    }
    return found();
  }

  async #entry(
    name: string,
    mayBeLink: boolean,
    parent: Place,
    problems: Problem[],
    before: FileEntry | undefined,
  ): Promise<Look | undefined> {
    // Joined, not added: a sum of texts is kept with its parts, and of these there are tens of thousands.
    const path = [parent.path, name].join(sep);
    const file = parent.file === "" ? name : [parent.file, name].join("/");
    try {
      const found = await this.#disk.stat(path);
      if (found.isDirectory()) {
        const real = mayBeLink
          ? await this.#disk.realpath(path)
          : parent.real === parent.path
            ? path
            : [parent.real, name].join(sep);
        return { kind: "folder", place: { name, path, file, ...identify(found), real } };
      }
      if (!found.isFile()) return undefined;
      const { size, mtimeMs, ctimeMs, ino } = found;
      const stamp = [mtimeMs, ctimeMs, size, ino].join(" ");
      if (before !== undefined && before.stamp === stamp && before.folder === parent.path)
        return { kind: "file", entry: before };
      return { kind: "file", entry: { name, folder: parent.path, file, stamp } };
    } catch (error) {
      const code = (error as { code?: string }).code;
      // A file that vanished since readdir was deleted: no problem. A link to nowhere is told.
      if (code === "ENOENT") {
        if (mayBeLink) problems.push(problem("HG5008", {}, { file }));
      } else if (code === "ELOOP") problems.push(problem("HG5004", {}, { file }));
      else problems.push(problem("HG5001", { reason: systemReason(error) }, { file }));
      return undefined;
    }
  }
}

function identify({ mtimeMs, ino, dev }: { mtimeMs: number; ino: number; dev: number }) {
  return { stamp: [mtimeMs, ino, dev].join(" "), identity: [ino, dev].join(" ") };
}

/** Numbers inside names count as numbers, so that `;rev=10` follows `;rev=9`; the same everywhere. */
function compareNames(a: string, b: string): number {
  return collator.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0);
}
const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** As long as its content: most folders of a large tree hold one entry, and a list grown by `push` has room for more. */
function exact<T>(list: readonly T[]): readonly T[] {
  return list.length === 0 ? NOTHING : list.slice();
}
const NOTHING: readonly never[] = [];

function sameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

function byName<T extends { readonly name: string }>(
  entries: readonly T[] = NOTHING,
): (name: string) => T | undefined {
  if (entries.length < 8) return (name) => entries.find((entry) => entry.name === name);
  const known = new Map(entries.map((entry) => [entry.name, entry]));
  return (name) => known.get(name);
}

/** The folder and everything below it that is a folder. */
export function* foldersOf(folder: FolderEntry): Generator<FolderEntry> {
  yield folder;
  for (const child of folder.folders) yield* foldersOf(child);
}

/** True when both hold the same entries with the same stamps. Folder times alone do not matter. */
export function sameTree(a: FolderEntry | undefined, b: FolderEntry | undefined): boolean {
  if (a === b) return true;
  if (!a || !b || a.files.length !== b.files.length || a.folders.length !== b.folders.length) return false;
  const sameFile = (file: FileEntry, i: number) =>
    file.name === b.files[i]!.name && file.stamp === b.files[i]!.stamp;
  const sameFolder = (folder: FolderEntry, i: number) =>
    folder.name === b.folders[i]!.name && sameTree(folder, b.folders[i]);
  return a.files.every(sameFile) && a.folders.every(sameFolder);
}
