/**
 * Subscription keys of a folder. Artifacts never contain them, so keys that the folder does not name
 * are made once and kept in a file of the data folder, readable by its owner alone: a restart must
 * not lock every caller out.
 */
import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { ResourceId } from "../../contract/resource.ts";
import { idKey } from "../ids.ts";
import { isObject } from "../kinds/shape.ts";

export interface KeyPair {
  readonly primaryKey: string;
  readonly secondaryKey: string;
}

/** Keeps generated keys between starts. */
export interface KeyStore {
  /** The pair of a subscription; made when there is none yet. */
  get(subscription: ResourceId): KeyPair;
  /** Writes what `get` made since the last call, if anything. */
  save(): Promise<void>;
}

/** 32 hexadecimal digits each, as the cloud makes them. */
export function generateKeys(): KeyPair {
  return { primaryKey: randomBytes(16).toString("hex"), secondaryKey: randomBytes(16).toString("hex") };
}

/** Keys that live as long as the process: for checks and tests. */
export function memoryKeyStore(): KeyStore {
  return new Keys(new Map(), undefined);
}

/**
 * Keys in a JSON file.
 *
 * @throws when the file exists but cannot be read or is damaged: making new keys over it would cut
 *         off every caller
 */
export async function fileKeyStore(path: string): Promise<KeyStore> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return new Keys(new Map(), path);
    throw new Error(`cannot read the subscription keys in ${path}`, { cause: error });
  }
  return new Keys(parseKeys(path, text), path);
}

function parseKeys(path: string, text: string): Map<string, KeyPair> {
  const damaged = (cause?: unknown) =>
    new Error(`${path} is damaged; restore it, or delete it to make new keys`, { cause });
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw damaged(error);
  }
  if (!isObject(content)) throw damaged();
  const pairs = new Map<string, KeyPair>();
  for (const [id, pair] of Object.entries(content)) {
    if (!isObject(pair) || typeof pair["primaryKey"] !== "string" || typeof pair["secondaryKey"] !== "string")
      throw damaged();
    pairs.set(id, { primaryKey: pair["primaryKey"], secondaryKey: pair["secondaryKey"] });
  }
  return pairs;
}

class Keys implements KeyStore {
  readonly #pairs: Map<string, KeyPair>;
  readonly #path: string | undefined;
  #unsaved = false;

  constructor(pairs: Map<string, KeyPair>, path: string | undefined) {
    this.#pairs = pairs;
    this.#path = path;
  }

  get(subscription: ResourceId): KeyPair {
    const key = idKey(subscription);
    let pair = this.#pairs.get(key);
    if (!pair) {
      pair = generateKeys();
      this.#pairs.set(key, pair);
      this.#unsaved = true;
    }
    return pair;
  }

  async save(): Promise<void> {
    if (!this.#unsaved || this.#path === undefined) return;
    await writeSafely(this.#path, JSON.stringify(Object.fromEntries(this.#pairs), null, 2) + "\n");
    this.#unsaved = false;
  }
}

/** Whole or not at all, even when the power goes: a new file, synced, then renamed over the old one. */
async function writeSafely(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomBytes(4).toString("hex")}.tmp`;
  try {
    await using handle = await open(temporary, "wx", 0o600);
    await handle.writeFile(text, "utf8");
    await handle.sync();
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
