/** Entries by nearness: codes in memory, everything else in SQLite. Synchronous; the worker is what makes it harmless. */
import { hash } from "node:crypto";
import { encode } from "../scan/code.ts";
import { VectorIndex } from "../scan/vector-index.ts";
import type { Near, SemanticEntry } from "../semantic-store.ts";
import { unitVector } from "../unit-vector.ts";
import { Database, isDamage } from "./database.ts";

export interface EntriesOptions {
  /** null: nothing outlives the process. */
  readonly file: string | null;
  /** Memory at most: codes, and everything where there is no file. */
  readonly memoryBytes: number;
  /** Disk at most. */
  readonly diskBytes: number;
}

/** Rows and keys. */
const OVERHEAD_BYTES = 200;
/** What SQLite's pages take more than what is in them, measured with vectors of 1,536 dimensions. */
const PAGES_SHARE = 1.25;
const SWEEP_EVERY_MS = 60_000;
/** After a write that failed. */
const REFUSES_MS = 10_000;
const EVICTED_AT_ONCE = 32;
const MOST_NEAR = 100;

export class Entries {
  readonly #options: EntriesOptions;
  readonly #report: (trouble: string) => void;
  #database: Database;
  #index = new VectorIndex();
  #memoryBytes = 0;
  #diskBytes = 0;
  #sweptMs = -Infinity;
  #refusesUntilMs = -Infinity;

  /**
   * @param nowMs   ms since the epoch
   * @param report  told of a file that was set aside or could not be opened
   */
  constructor(options: EntriesOptions, nowMs: number, report: (trouble: string) => void) {
    this.#options = options;
    this.#report = report;
    this.#database = this.#open(nowMs);
    this.#loadOrBegin(nowMs);
  }

  get size(): number {
    return this.#index.size;
  }

  /** Something was written that a crash would lose. */
  get pending(): boolean {
    return this.#database.pending;
  }

  /** @throws Error in SQLite's words */
  find(partition: string, vector: Float32Array, distance: number, limit: number, nowMs: number): Near[] {
    const unit = unitVector(vector);
    if (unit === null || !(limit >= 1)) return [];
    return this.#guarded(nowMs, () => {
      const gone: number[] = [];
      const vectorOf = (id: number): Float32Array | null => {
        const octets = this.#database.vector(id);
        if (octets === null) gone.push(id);
        return octets === null ? null : floatsOf(octets);
      };
      const most = Math.min(Math.floor(limit), MOST_NEAR);
      const ids = this.#index.nearest(keyOf(partition), unit, distance, most, nowMs, vectorOf);
      const near: Near[] = [];
      for (const { id, distance: d } of ids) {
        const body = this.#database.body(id);
        if (body !== null) near.push({ distance: d, prompt: body.prompt, payload: body.payload });
      }
      for (const id of gone) this.#forget(id);
      return near;
    });
  }

  /** @returns false when it cannot be kept @throws Error in SQLite's words */
  add(partition: string, { vector, prompt, payload }: SemanticEntry, endMs: number, nowMs: number): boolean {
    const unit = unitVector(vector);
    if (unit === null || !(endMs > nowMs)) return false;
    const key = keyOf(partition);
    const promptKey = promptKeyOf(prompt);
    const memory = this.#memoryOf(unit.length);
    const text = Buffer.byteLength(prompt);
    const code = encode(unit);
    const octets = unit.byteLength + code.octets.length + text + payload.length + OVERHEAD_BYTES;
    const disk = Math.ceil(octets * PAGES_SHARE);
    const inMemory = this.#options.file === null ? memory + disk : memory;
    if (nowMs < this.#refusesUntilMs) return false;
    if (inMemory > this.#options.memoryBytes || disk > this.#options.diskBytes) return false;
    return this.#guarded(nowMs, () => {
      if (nowMs - this.#sweptMs >= SWEEP_EVERY_MS) this.#sweep(nowMs);
      const before = this.#database.idOf(key, promptKey);
      if (before !== null) this.#forget(before);
      this.#makeRoom(memory, disk);
      const id = this.#database.insert(
        {
          partition: key,
          dimensions: unit.length,
          scale: code.scale,
          error: code.error,
          code: octetsOf(code.octets),
          endMs,
          size: disk,
        },
        promptKey,
        { vector: octetsOf(unit), prompt, payload },
      );
      if (!this.#index.add(key, id, unit.length, code, endMs)) {
        this.#database.delete(id);
        return false;
      }
      this.#memoryBytes += memory;
      this.#diskBytes += disk;
      return true;
    });
  }

  /** Entries by their prompts; those that are not there are none. @throws Error in SQLite's words */
  forget(partition: string, prompts: readonly string[], nowMs: number): void {
    this.#guarded(nowMs, () => {
      for (const prompt of prompts) {
        const id = this.#database.idOf(keyOf(partition), promptKeyOf(prompt));
        if (id !== null) this.#forget(id);
      }
    });
  }

  clear(partition: string | null, nowMs: number): void {
    this.#guarded(nowMs, () => {
      const ids = partition === null ? this.#index.expired(Infinity) : this.#index.idsOf(keyOf(partition));
      for (const id of ids) this.#forget(id);
      this.#database.commit();
    });
  }

  commit(nowMs: number): void {
    this.#guarded(nowMs, () => this.#database.commit());
  }

  close(): void {
    this.#database.close();
  }

  #memoryOf(dimensions: number): number {
    return VectorIndex.sizeOf(dimensions);
  }

  /** A file that breaks while it is used is set aside, and all is forgotten. */
  #guarded<T>(nowMs: number, work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (isDamage(error)) this.#beginAnew(error, nowMs);
      else {
        // A full disk, most likely: what was there before the transaction is there still. Trying again costs reading all.
        this.#database.rollback();
        this.#refusesUntilMs = nowMs + REFUSES_MS;
        this.#loadOrBegin(nowMs);
      }
      throw error;
    }
  }

  #loadOrBegin(nowMs: number): void {
    try {
      this.#load(nowMs);
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#beginAnew(error, nowMs);
    }
  }

  #beginAnew(damage: unknown, nowMs: number): void {
    this.#report(`the semantic cache's file is damaged: ${String(damage)}`);
    try {
      this.#database.close();
    } catch {
      // It is given up anyway.
    }
    this.#database = this.#open(nowMs, true);
    this.#load(nowMs);
  }

  #open(nowMs: number, isDamaged = false): Database {
    const { file } = this.#options;
    try {
      const database = new Database(file, nowMs, isDamaged);
      if (database.setAside !== null) this.#report(`what was in the way is now ${database.setAside}`);
      return database;
    } catch (error) {
      this.#report(
        `the semantic cache's file cannot be used, entries end with this process: ${String(error)}`,
      );
      return new Database(null, nowMs);
    }
  }

  #load(nowMs: number): void {
    this.#index = new VectorIndex();
    this.#memoryBytes = 0;
    this.#diskBytes = 0;
    const late: number[] = [];
    for (const row of this.#database.rows()) {
      const { id, partition, dimensions, scale, error, code, endMs, size } = row;
      this.#diskBytes += size;
      const octets = new Int8Array(code.buffer, code.byteOffset, code.length);
      const isKept =
        endMs > nowMs && this.#index.add(partition, id, dimensions, { octets, scale, error }, endMs);
      if (isKept) this.#memoryBytes += this.#memoryOf(dimensions);
      else late.push(id);
    }
    for (const id of late) this.#forget(id);
    this.#makeRoom(0, 0);
    this.#database.commit();
    this.#sweptMs = nowMs;
  }

  #sweep(nowMs: number): void {
    this.#sweptMs = nowMs;
    for (const id of this.#index.expired(nowMs)) this.#forget(id);
  }

  /** Lets the oldest go until there is room for so much more. */
  #makeRoom(memory: number, disk: number): void {
    const { file, memoryBytes, diskBytes } = this.#options;
    const isOver = (): boolean => {
      const used = this.#memoryBytes + memory + (file === null ? this.#diskBytes + disk : 0);
      return used > memoryBytes || this.#diskBytes + disk > diskBytes;
    };
    while (isOver()) {
      const ids = this.#database.oldest(EVICTED_AT_ONCE);
      if (ids.length === 0) return;
      for (const id of ids) {
        if (!isOver()) return;
        this.#forget(id);
      }
    }
  }

  #forget(id: number): void {
    this.#memoryBytes -= this.#index.remove(id);
    this.#diskBytes -= this.#database.delete(id);
  }
}

/** Partitions are told apart by all of their text, however long. */
function keyOf(partition: string): string {
  return hash("sha256", partition, "base64url");
}

function promptKeyOf(prompt: string): Uint8Array {
  return hash("sha256", prompt, "buffer").subarray(0, 16);
}

function octetsOf(view: Float32Array | Int8Array): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function floatsOf(octets: Uint8Array): Float32Array {
  if (octets.byteOffset % 4 === 0)
    return new Float32Array(octets.buffer, octets.byteOffset, octets.length / 4);
  return new Float32Array(new Uint8Array(octets).buffer);
}
