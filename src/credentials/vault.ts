/**
 * Where tokens that a person consented to are kept over a restart: a SQLite file in the data folder, each entry sealed with
 * AES-256-GCM under a key that lies beside it, both readable by their owner alone. Sealing keeps the tokens out of
 * backups and copies of the database that come without the key; who has both has the tokens. An entry names
 * the connection it belongs to and fits no other.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { chmodSync, closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type JsonObject, isJsonObject } from "../base/json-object.ts";

export interface Vault {
  /** What was kept under `name`; null when there is nothing, or nothing that this key opens. */
  read(name: string): JsonObject | null;
  write(name: string, value: object): void;
  remove(name: string): void;
  close(): void;
}

const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Keeps nothing beyond the process. */
export function memoryVault(): Vault {
  const kept = new Map<string, string>();
  return {
    read: (name) => parsed(kept.get(name) ?? ""),
    write: (name, value) => void kept.set(name, JSON.stringify(value)),
    remove: (name) => void kept.delete(name),
    close: () => {},
  };
}

/** Opened when it is first needed; one that cannot be opened is said once, and then nothing outlives the process. */
export function lazyVault(open: () => Vault, onFailure: (error: unknown) => void): Vault {
  let opened: Vault | null = null;
  const vault = (): Vault => {
    if (opened !== null) return opened;
    try {
      return (opened = open());
    } catch (error) {
      onFailure(error);
      return (opened = memoryVault());
    }
  };
  return {
    read: (name) => vault().read(name),
    write: (name, value) => vault().write(name, value),
    remove: (name) => vault().remove(name),
    close: () => opened?.close(),
  };
}

/**
 * @param folder of data; exists
 * @throws Error when its files cannot be made or read, or are damaged
 */
export function fileVault(folder: string): Vault {
  const key = keyIn(join(folder, "credentials.key"));
  const file = join(folder, "credentials.db");
  // SQLite makes files that others may read; its log takes over the mode of the database.
  closeSync(openSync(file, "a", 0o600));
  chmodSync(file, 0o600);
  const database = new DatabaseSync(file);
  database.exec("PRAGMA journal_mode = WAL");
  // A refresh token may be good for one use only: the next one must not be lost with the power.
  database.exec("PRAGMA synchronous = FULL");
  database.exec("PRAGMA busy_timeout = 1000");
  database.exec(
    "CREATE TABLE IF NOT EXISTS credentials (name TEXT PRIMARY KEY, sealed BLOB NOT NULL) WITHOUT ROWID",
  );
  const select = database.prepare("SELECT sealed FROM credentials WHERE name = ?");
  const upsert = database.prepare(
    "INSERT INTO credentials VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed",
  );
  const remove = database.prepare("DELETE FROM credentials WHERE name = ?");
  return {
    read: (name) => {
      const sealed = select.get(name)?.["sealed"];
      const text = sealed instanceof Uint8Array ? unseal(key, name, sealed) : null;
      return text === null ? null : parsed(text);
    },
    write: (name, value) => void upsert.run(name, seal(key, name, JSON.stringify(value))),
    remove: (name) => void remove.run(name),
    close: () => {
      if (database.isOpen) database.close();
    },
  };
}

/** IV, tag, ciphertext; the name is authenticated with it. */
export function seal(key: Uint8Array, name: string, text: string): Buffer {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, iv).setAAD(Buffer.from(name));
  const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]);
}

/** null when it was sealed with another key or for another name, or was changed since. */
export function unseal(key: Uint8Array, name: string, sealed: Uint8Array): string | null {
  if (sealed.length < IV_BYTES + TAG_BYTES) return null;
  const iv = sealed.subarray(0, IV_BYTES);
  const tag = sealed.subarray(IV_BYTES, IV_BYTES + TAG_BYTES);
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, iv, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(name)).setAuthTag(tag);
    const opened = [decipher.update(sealed.subarray(IV_BYTES + TAG_BYTES)), decipher.final()];
    return Buffer.concat(opened).toString("utf8");
  } catch {
    return null;
  }
}

/** Made when it is not there yet. */
function keyIn(file: string): Buffer {
  try {
    writeFileSync(file, `${randomBytes(KEY_BYTES).toString("base64")}\n`, { mode: 0o600, flag: "wx" });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
  const key = Buffer.from(readFileSync(file, "utf8").trim(), "base64");
  if (key.length === KEY_BYTES) return key;
  throw new Error(
    `${file} is damaged: restore it, or delete it together with credentials.db; then consents have to be given again`,
  );
}

function parsed(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}
