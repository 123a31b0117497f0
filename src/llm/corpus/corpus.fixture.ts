/**
 * The torture corpus: answers in the forms that providers document, and in the worse ones that networks and proxies make of
 * them; one small file each, and what must be read from it. A table per family of dialects.
 */
import type { DialectName } from "../dialect.ts";

/** What a file says. What is left out is null, 0, empty, false; `total` is the sum. */
export interface Said {
  readonly model?: string;
  /** Prompt and completion tokens; left out: nothing reported. */
  readonly tokens?: readonly [number, number];
  readonly total?: number;
  readonly cached?: number;
  readonly cacheWrites?: number;
  readonly cachedBeside?: true;
  readonly reasoning?: number;
  readonly promptAudio?: number;
  readonly completionAudio?: number;
  readonly finish?: string;
  readonly text?: string;
  /** The end was seen. */
  readonly whole?: true;
  /** The rest can be asked for by its id. */
  readonly goesOn?: true;
  /** When it is not 1 for what is whole, 0 for what is not. */
  readonly responses?: number;
  readonly error?: string;
}

export interface CorpusCase {
  /** Below the family's folder. */
  readonly file: string;
  readonly dialect: DialectName;
  readonly said: Said;
  readonly contentType?: string;
  readonly contentEncoding?: string;
}
