/**
 * Rows as lines of JSON in a folder: `{logger}-2026-11-23.jsonl`, then `{logger}-2026-11-23.1.jsonl` and so on when one is
 * full. Days are those of UTC. Old files are deleted by age and number; no others are touched. What cannot be written
 * waits in the bounded queue of every sink and is given up and counted there, so a full disk costs rows, never requests.
 *
 * The last part of a path is never a symbolic link that is followed, and a relative folder is really below the data folder.
 */
import { constants } from "node:fs";
import { type FileHandle, lstat, mkdir, open, readdir, realpath, unlink } from "node:fs/promises";
import { join, resolve, sep } from "node:path";
import type { LogRow } from "../../diagnostic.ts";
import { Delivery, type Sent } from "../../delivery.ts";
import type { FileLogger, ExporterWorld, Sink, SinkState } from "../../logger.ts";
import { isAbsolute } from "./settings.ts";

// A pipe without a reader must not be waited for.
const FLAGS =
  constants.O_WRONLY |
  constants.O_APPEND |
  constants.O_CREAT |
  (constants.O_NOFOLLOW ?? 0) |
  (constants.O_NONBLOCK ?? 0);
const MODE = 0o640;
const RECORD_BYTES = 1024;
const BATCH_BYTES = 256 * 1024;
const DAY_MS = 86_400_000;

interface OpenFile {
  readonly handle: FileHandle;
  readonly day: string;
  readonly index: number;
  /** Up to the end of the last whole line. */
  size: number;
}

export class FileExporter implements Sink {
  readonly #logger: FileLogger;
  readonly #world: ExporterWorld;
  readonly #delivery: Delivery<LogRow>;
  #file: OpenFile | null = null;
  #closed = false;

  constructor(logger: FileLogger, world: ExporterWorld) {
    this.#logger = logger;
    this.#world = world;
    const { clock, random, report } = world;
    this.#delivery = new Delivery<LogRow>({
      name: `files in ${logger.settings.path} (logger ${logger.id})`,
      send: (batch) => this.#write(batch),
      batch: countTogether,
      clock,
      random,
      report,
    });
  }

  get state(): SinkState {
    return this.#delivery;
  }

  addRow(row: LogRow): void {
    this.#delivery.add(row, bytesOf(row));
  }

  async flush(): Promise<void> {
    await this.#delivery.flush();
  }

  close(): void {
    this.#closed = true;
    this.#delivery.close();
    // One that is being written to is closed when that is done.
    if (this.#delivery.waiting === 0) void this.#leave();
  }

  async #write(batch: readonly LogRow[]): Promise<Sent> {
    let text = "";
    for (const { timeMs, category, columns } of batch)
      text += `${JSON.stringify({ time: new Date(timeMs).toISOString(), category, ...columns })}\n`;
    const bytes = Buffer.from(text);
    const file = await this.#fileFor(bytes.length);
    try {
      await file.handle.appendFile(bytes);
      file.size += bytes.length;
      return { kind: "done" };
    } catch (error) {
      await withoutPart(file, bytes.length).catch(() => {});
      await this.#leave();
      throw error;
    } finally {
      if (this.#closed) await this.#leave();
    }
  }

  async #fileFor(bytes: number): Promise<OpenFile> {
    const day = dayOf(this.#world.clock.now());
    const { maxFileBytes } = this.#logger.settings;
    const current = this.#file;
    if (
      current !== null &&
      current.day === day &&
      (current.size === 0 || current.size + bytes <= maxFileBytes)
    )
      return current;
    await this.#leave();
    const folder = await this.#folder();
    const known = await this.#files(folder);
    const last = known.filter((one) => one.day === day).reduce((most, { index }) => Math.max(most, index), 0);
    for (let index = last; ; index++) {
      const file = await openFile(join(folder, this.#nameOf(day, index)), day, index);
      if (file.size === 0 || file.size + bytes <= maxFileBytes) {
        this.#file = file;
        await this.#forgetOld(folder, known, day);
        return file;
      }
      await file.handle.close();
    }
  }

  async #leave(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.handle.close().catch(() => {});
  }

  /** @throws Error that says why nothing may be written there */
  async #folder(): Promise<string> {
    const { path } = this.#logger.settings;
    if (isAbsolute(path)) {
      await mkdir(path, { recursive: true, mode: 0o750 });
      if (!(await lstat(path)).isDirectory()) throw new Error(`${path} is no folder`);
      return path;
    }
    const { dataDir } = this.#world;
    if (dataDir == null) throw new Error("there is no data folder that a relative path could be below");
    const folder = resolve(dataDir, path);
    await mkdir(folder, { recursive: true, mode: 0o750 });
    const [root, real] = [await realpath(dataDir), await realpath(folder)];
    if (real !== root && !real.startsWith(root + sep))
      throw new Error(`${path} leads out of the data folder`);
    return real;
  }

  #nameOf(day: string, index: number): string {
    return `${this.#logger.id}-${day}${index === 0 ? "" : `.${index}`}.jsonl`;
  }

  /** Ours, oldest first. */
  async #files(folder: string): Promise<{ name: string; day: string; index: number }[]> {
    const prefix = `${this.#logger.id}-`;
    const found = (await readdir(folder)).flatMap((name) => {
      if (!name.startsWith(prefix)) return [];
      const match = /^(\d{4}-\d\d-\d\d)(?:\.(\d{1,6}))?\.jsonl$/.exec(name.slice(prefix.length));
      return match === null ? [] : [{ name, day: match[1]!, index: Number(match[2] ?? 0) }];
    });
    return found.sort((a, b) => (a.day === b.day ? a.index - b.index : a.day < b.day ? -1 : 1));
  }

  async #forgetOld(
    folder: string,
    known: readonly { name: string; day: string }[],
    today: string,
  ): Promise<void> {
    const { keepDays, keepFiles } = this.#logger.settings;
    const first = dayOf(Date.parse(today) - (keepDays - 1) * DAY_MS);
    const current = this.#nameOf(this.#file!.day, this.#file!.index);
    const others = known.filter(({ name }) => name !== current);
    const tooMany = others.length - (keepFiles - 1);
    for (const [i, { name, day }] of others.entries())
      if (day < first || i < tooMany) await unlink(join(folder, name)).catch(() => {});
  }
}

async function openFile(path: string, day: string, index: number): Promise<OpenFile> {
  const handle = await open(path, FLAGS, MODE);
  const found = await handle.stat();
  if (found.isFile()) return { handle, day, index, size: found.size };
  await handle.close();
  throw new Error(`${path} is no file`);
}

/** Half a line must not stand before the next; what somebody else wrote meanwhile stays. */
async function withoutPart({ handle, size }: OpenFile, bytes: number): Promise<void> {
  const { size: now } = await handle.stat();
  if (now > size && now < size + bytes) await handle.truncate(size);
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

function bytesOf({ columns }: LogRow): number {
  let bytes = RECORD_BYTES;
  for (const name in columns) {
    const value = columns[name];
    if (typeof value === "string" && value.length > 200) bytes += value.length * 2;
  }
  return bytes;
}

function countTogether(waiting: readonly LogRow[]): number {
  let bytes = 0;
  let count = 0;
  for (const row of waiting) {
    bytes += bytesOf(row);
    if (count > 0 && bytes > BATCH_BYTES) break;
    count++;
  }
  return count;
}
