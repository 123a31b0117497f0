/** Where a logger of type `file` writes, and how much it keeps. */

export interface FileSettings {
  /** A folder: absolute, or below the data folder. */
  readonly path: string;
  /** A file that is larger is followed by the next of its day. */
  readonly maxFileBytes: number;
  /** Days, today among them. */
  readonly keepDays: number;
  readonly keepFiles: number;
}

const MB = 1024 * 1024;
const DEFAULTS = { maxFileMb: 100, keepDays: 30, keepFiles: 100 } as const;

/**
 * Reads `path`, `maxFileMb`, `keepDays` and `keepFiles` of a logger's credentials.
 *
 * @returns a sentence saying what is wrong and with which of them
 */
export function readFileSettings(
  given: Readonly<Record<string, string | undefined>>,
): FileSettings | { readonly key: string; readonly reason: string } {
  const path = (given["path"] ?? "").trim();
  if (path === "") return { key: "path", reason: "it has no path" };
  if (path.includes("\0")) return { key: "path", reason: "its path is none" };
  if (!isAbsolute(path) && path.split(/[/\\]/).includes(".."))
    return {
      key: "path",
      reason: "a relative path stays below the data folder; an absolute one may be anywhere",
    };
  const numbers: Record<string, number> = {};
  for (const [key, usual] of Object.entries(DEFAULTS)) {
    const value = given[key] === undefined || given[key] === "" ? usual : Number(given[key]);
    if (!Number.isInteger(value) || value < 1 || value > 100_000)
      return { key, reason: `${key} is not a whole number from 1 to 100000` };
    numbers[key] = value;
  }
  return {
    path,
    maxFileBytes: numbers["maxFileMb"]! * MB,
    keepDays: numbers["keepDays"]!,
    keepFiles: numbers["keepFiles"]!,
  };
}

export function isAbsolute(path: string): boolean {
  return path.startsWith("/") || /^[a-z]:[/\\]/i.test(path) || path.startsWith("\\\\");
}
