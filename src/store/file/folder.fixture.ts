/** Artifact folders for tests: a record of texts becomes a temporary folder. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Problem } from "../../base/problem.ts";
import { defaultHints } from "../messages.ts";
import { loadFolder, type LoadedFolder } from "./load.ts";
import type { LoadOptions } from "./options.ts";

/** Texts as they are, everything else as JSON; `undefined` makes an empty folder. */
export type Files = { readonly [path: string]: unknown };

export async function writeFiles(folder: string, files: Files): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const target = join(folder, path);
    if (content === undefined) {
      await mkdir(target, { recursive: true });
      continue;
    }
    await mkdir(dirname(target), { recursive: true });
    const isRaw = typeof content === "string" || content instanceof Uint8Array;
    await writeFile(target, isRaw ? content : JSON.stringify(content, null, 2));
  }
}

/** Runs `use` with a folder that is gone afterwards. */
export async function withFolder<T>(files: Files, use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "headgate-folder-"));
  try {
    await writeFiles(folder, files);
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export function loadFiles(files: Files, options?: LoadOptions): Promise<LoadedFolder> {
  return withFolder(files, (folder) => loadFolder(folder, options));
}

/** `HG4501 error products/p/apis.json:1:12 message (hint)` */
export function told(problems: readonly Problem[]): string[] {
  return problems.map(({ code, severity, file = "-", range, message, hint }) => {
    const at = range ? `:${range.start.line}:${range.start.column}` : "";
    return `${code} ${severity} ${file}${at} ${message}${hint && hint !== (defaultHints as Record<string, string>)[code] ? ` (${hint})` : ""}`;
  });
}

/** Ids in order, without what is built in. */
export function idsOf({ resources }: LoadedFolder): string[] {
  const builtIn =
    /^\/(groups\/(administrators|developers|guests)|users\/1|gateways\/managed|subscriptions\/master)$/;
  return [...resources.all()].map((resource) => resource.id).filter((id) => !builtIn.test(id));
}

export const info = (properties: object) => ({ properties });
