import type { KeyStore } from "./keys.ts";
import type { Environment } from "./secrets.ts";

export interface LoadOptions {
  /** Environment variables: secrets, tokens. Default: none. */
  readonly environment?: Environment;
  /** `--var NAME=VALUE`: values of tokens; they win over the environment. */
  readonly variables?: { readonly [name: string]: string | undefined };
  /** Path of the overrides file, wherever it is. */
  readonly overridesFile?: string;
  /** Or the `{env}` of a `configuration.{env}.yaml` inside the folder. */
  readonly overridesFor?: string;
  /** Keeps generated subscription keys. Default: they live as long as the loader. */
  readonly keys?: KeyStore;
  /** Largest file read, in bytes. Default 16 MiB. */
  readonly maxFileBytes?: number;
  /** Default 24 levels, 200,000 entries. */
  readonly maxDepth?: number;
  readonly maxEntries?: number;
}

export const DEFAULT_MAX_FILE_BYTES = 16 * 1024 * 1024;
export const DEFAULT_MAX_DEPTH = 24;
export const DEFAULT_MAX_ENTRIES = 200_000;
