/** From bytes to parsed files: size, encoding and syntax are judged here, nothing else. */
import type { Problem } from "../../base/problem.ts";
import { problem } from "../messages.ts";
import { type Disk, waitingDisk } from "./disk.ts";
import { parseJson } from "./json.ts";
import { SourceText, type ParsedFile } from "./source.ts";
import { parseYaml, type YamlOptions } from "./yaml.ts";

export interface FileText {
  readonly text?: string;
  readonly problems: readonly Problem[];
  /** False when the file changed while it was read: read it again. */
  readonly stable: boolean;
}

/**
 * Reads a UTF-8 file of at most `maxBytes`. Never throws.
 *
 * @param file the name for messages
 */
export async function readText(
  path: string,
  file: string,
  maxBytes: number,
  disk: Disk = waitingDisk,
): Promise<FileText> {
  try {
    const found = await disk.read(path, maxBytes);
    if (found === "not-a-file")
      return failed(problem("HG5001", { reason: "it is not a regular file" }, { file }));
    if (found === "too-large") return failed(problem("HG5002", { limit: sizeText(maxBytes) }, { file }));
    return { ...decode(found.bytes, file), stable: found.stable };
  } catch (error) {
    return failed(problem("HG5001", { reason: systemReason(error) }, { file }));
  }
}

function failed(found: Problem): FileText {
  return { problems: [found], stable: true };
}

const UTF8 = new TextDecoder("utf-8", { fatal: true });
const NO_PROBLEMS: readonly Problem[] = [];

function decode(bytes: Buffer, file: string): { text?: string; problems: readonly Problem[] } {
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    return { problems: [problem("HG5003", { detail: ", but UTF-16" }, { file }, "save it as UTF-8")] };
  }
  if (bytes.includes(0)) {
    return { problems: [problem("HG5003", { detail: ", but binary" }, { file })] };
  }
  try {
    // `fatal` also drops a byte order mark, which some editors write.
    return { text: UTF8.decode(bytes), problems: NO_PROBLEMS };
  } catch {
    const offset = firstInvalid(bytes);
    const valid = new SourceText(file, bytes.subarray(0, offset).toString("utf8"));
    const end = valid.text.length;
    const byte = `, byte 0x${bytes[offset]?.toString(16).padStart(2, "0") ?? "??"} is not`;
    return { problems: [problem("HG5003", { detail: byte }, valid.at(end, end), "save it as UTF-8")] };
  }
}

/** Offset of the first byte that is not UTF-8, by halving: decoding a prefix fails from there on. */
function firstInvalid(bytes: Buffer): number {
  let low = 0;
  let high = bytes.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (decodes(bytes.subarray(0, middle))) low = middle;
    else high = middle - 1;
  }
  return low;
}

function decodes(bytes: Buffer): boolean {
  try {
    // `stream` forgives a character cut off at the end of the prefix.
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** The operating system's reason in words people know. */
export function systemReason(error: unknown): string {
  const code = (error as { code?: unknown }).code;
  switch (code) {
    case "ENOENT":
      return "it does not exist";
    case "EACCES":
    case "EPERM":
      return "permission denied";
    case "ELOOP":
      return "its symbolic links form a loop";
    case "EISDIR":
      return "it is a folder";
    case "ENOTDIR":
      return "part of its path is a file, not a folder";
    case "EMFILE":
    case "ENFILE":
      return "too many files are open";
    default:
      return typeof code === "string" ? code : String(error);
  }
}

function sizeText(bytes: number): string {
  return bytes >= 1024 * 1024 ? `${Math.floor(bytes / 1024 / 1024)} MB` : `${Math.floor(bytes / 1024)} KB`;
}

/** Parses by extension: `.json` strictly, everything else as YAML. */
export function parseStructured(file: string, text: string, options?: YamlOptions): ParsedFile {
  return /\.json$/i.test(file) ? parseJson(file, text) : parseYaml(file, text, options);
}
