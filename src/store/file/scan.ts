/**
 * What a folder holds, as names, sizes and times: the first half of loading, and all that watching
 * needs. Hidden entries are skipped, symbolic links followed (Kubernetes mounts ConfigMaps through
 * them), loops noticed.
 */
import { lstat, readdir, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Problem } from "../../base/problem.ts";
import { problem } from "../messages.ts";
import { systemReason } from "./read.ts";

export interface ScanLimits {
  readonly maxDepth: number;
  readonly maxEntries: number;
}

export interface FileEntry {
  readonly name: string;
  /** Relative to the root, with `/`: what people see. */
  readonly file: string;
  /** For the operating system. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Times, size and inode in one: equal stamps mean that the file need not be read again. */
  readonly stamp: string;
}

export interface FolderEntry {
  readonly name: string;
  readonly file: string;
  readonly path: string;
  readonly folders: readonly FolderEntry[];
  readonly files: readonly FileEntry[];
}

export interface Scan {
  readonly root: FolderEntry | undefined;
  readonly problems: readonly Problem[];
}

interface Walk {
  readonly limits: ScanLimits;
  readonly problems: Problem[];
  entries: number;
}

/** Walks the tree. Never throws; what cannot be read is a problem. Entries are sorted by name. */
export async function scanFolder(root: string, limits: ScanLimits): Promise<Scan> {
  const walk: Walk = { limits, problems: [], entries: 0 };
  try {
    const real = await realpath(root);
    if (!(await stat(real)).isDirectory()) return missing(root);
    return { root: await scan(walk, "", real, "", [real]), problems: walk.problems };
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return missing(root);
    return { root: undefined, problems: [problem("HG5001", { reason: systemReason(error) }, { file: root })] };
  }
}

function missing(root: string): Scan {
  return { root: undefined, problems: [problem("HG5007", { path: root }, undefined)] };
}

async function scan(walk: Walk, name: string, path: string, file: string, ancestors: string[]): Promise<FolderEntry> {
  const folders: FolderEntry[] = [];
  const files: FileEntry[] = [];
  const found: FolderEntry = { name, path, file, folders, files };
  if (ancestors.length > walk.limits.maxDepth) {
    walk.problems.push(problem("HG5005", { limit: walk.limits.maxDepth }, { file }));
    return found;
  }
  let names: string[];
  try {
    names = (await readdir(path)).filter((entry) => !entry.startsWith("."));
  } catch (error) {
    walk.problems.push(problem("HG5001", { reason: systemReason(error) }, { file }));
    return found;
  }
  const before = walk.entries;
  walk.entries += names.length;
  if (walk.entries > walk.limits.maxEntries) {
    if (before <= walk.limits.maxEntries) {
      walk.problems.push(problem("HG5006", { limit: walk.limits.maxEntries }, { file }));
    }
    return found;
  }
  names.sort(compareNames);
  // Within one folder together: the operating system answers these from its cache.
  const entries = await Promise.all(names.map((entry) => look(walk, entry, path, file)));
  for (const entry of entries) {
    if (!entry) continue;
    if (entry.kind === "file") {
      files.push(entry.found);
    } else if (ancestors.includes(entry.real)) {
      walk.problems.push(problem("HG5004", {}, { file: entry.file }));
    } else {
      folders.push(await scan(walk, entry.name, entry.path, entry.file, [...ancestors, entry.real]));
    }
  }
  return found;
}

type Look =
  | { readonly kind: "file"; readonly found: FileEntry }
  | { readonly kind: "folder"; readonly name: string; readonly path: string; readonly file: string; readonly real: string };

/** One entry of a folder; folders come back with their real path, for the loop check. */
async function look(walk: Walk, name: string, parentPath: string, parentFile: string): Promise<Look | undefined> {
  const path = join(parentPath, name);
  const file = parentFile === "" ? name : `${parentFile}/${name}`;
  try {
    const found = await stat(path);
    if (found.isDirectory()) return { kind: "folder", name, path, file, real: await realpath(path) };
    if (!found.isFile()) return undefined;
    const { size, mtimeMs, ctimeMs, ino } = found;
    return { kind: "file", found: { name, path, file, sizeBytes: size, stamp: `${mtimeMs}.${ctimeMs}.${size}.${ino}` } };
  } catch (error) {
    const code = (error as { code?: string }).code;
    // A file that vanished since readdir was deleted: no problem. A link to nowhere is told.
    if (code === "ENOENT") {
      if (await isLink(path)) walk.problems.push(problem("HG5008", {}, { file }));
      return undefined;
    }
    const known = code === "ELOOP" ? problem("HG5004", {}, { file }) : problem("HG5001", { reason: systemReason(error) }, { file });
    walk.problems.push(known);
    return undefined;
  }
}

async function isLink(path: string): Promise<boolean> {
  return lstat(path).then(
    (entry) => entry.isSymbolicLink(),
    () => false,
  );
}

/** Numbers inside names count as numbers, so that `;rev=10` follows `;rev=9`; stable everywhere. */
function compareNames(a: string, b: string): number {
  return collator.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0);
}
const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** Every file of a scan. */
export function* filesOf(folder: FolderEntry): Generator<FileEntry> {
  yield* folder.files;
  for (const child of folder.folders) yield* filesOf(child);
}
