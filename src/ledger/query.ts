/** What can be asked of the ledger, and what it answers. Times are ms since the epoch. */
import type { LedgerRecord } from "./record.ts";

/** All that is given must hold. Names are exact, or a beginning and `*`. */
export interface LedgerFilters {
  readonly api?: string;
  readonly subscription?: string;
  readonly product?: string;
  readonly user?: string;
  readonly workspace?: string;
  readonly backend?: string;
  /** Asked for, served, or deployed under that name. */
  readonly model?: string;
  /** 429, or "4xx". */
  readonly status?: number | string;
  readonly ending?: string;
  readonly evidence?: string;
  /** Total tokens, at least. */
  readonly minTokens?: number;
  readonly requestId?: string;
}

export interface SearchQuery extends LedgerFilters {
  /** Inclusive. */
  readonly from?: number;
  /** Exclusive. */
  readonly to?: number;
  /** A phrase in what was said, with `*` at its end also longer words; only what was logged can be found. */
  readonly text?: string;
  /** 1 to 1000; default 100. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly cursor?: string;
}

/** A record as the ledger has it. */
export interface LedgerRow extends LedgerRecord {
  /** Grows in the order of arrival. */
  readonly seq: number;
  /** Whether messages of it were logged. */
  readonly hasContents: boolean;
}

/** Newest first. */
export interface Page {
  readonly rows: readonly LedgerRow[];
  /** For `cursor`; null when this is the last page. */
  readonly next: string | null;
}

export interface TailQuery extends LedgerFilters {
  /** What came after this one; absent: nothing yet, only where the end is. */
  readonly after?: number;
  readonly limit?: number;
}

/** In the order of arrival. */
export interface Tail {
  readonly rows: readonly LedgerRow[];
  /** For `after`. */
  readonly last: number;
}

export const DIMENSIONS = ["subscription", "product", "api", "model", "backend"] as const;
export type Dimension = (typeof DIMENSIONS)[number];

export const STEPS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;
export type StepName = keyof typeof STEPS;

export interface RollupQuery {
  /** Begins with the step that it falls into. */
  readonly from: number;
  /** Ends with the step that the last millisecond before falls into. */
  readonly to: number;
  /** What a row stands for; nothing = one row for all. */
  readonly by?: readonly Dimension[];
  /** Absent: one row for the whole time. Steps begin at full minutes, hours and days of UTC. */
  readonly step?: StepName;
  /** Exact names; null = requests that have none. */
  readonly filters?: Readonly<Partial<Record<Dimension, string | null>>>;
}

/** Sums of records. */
export interface Sums {
  readonly requests: number;
  /** Status of 400 and above, or an answer that broke off. */
  readonly errors: number;
  readonly streams: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly totalTokens: number;
  readonly cachedTokens: number;
  readonly cacheWriteTokens: number;
  readonly reasoningTokens: number;
  readonly promptAudioTokens: number;
  readonly completionAudioTokens: number;
  readonly chargedTokens: number;
  /** Of the requests whose price is known. */
  readonly costMicros: number;
  /** Requests whose price is not known. */
  readonly unpriced: number;
  /** Sum, in ms. */
  readonly durationMs: number;
  readonly longestMs: number;
  readonly reported: number;
  readonly counted: number;
  readonly estimated: number;
  /** Requests without any evidence of tokens. */
  readonly unknown: number;
}

export interface RollupRow extends Sums, Readonly<Partial<Record<Dimension, string | null>>> {
  /** Start of the step; null without one. */
  readonly time: number | null;
}

export interface Rollup {
  /** By time, then the dearest first. */
  readonly rows: readonly RollupRow[];
  /** There were more rows than are shown. */
  readonly truncated: boolean;
}

export interface ContentsText {
  readonly text: string;
  readonly truncated: boolean;
}

/** What was said in one request. */
export interface ReadContents {
  readonly part: number;
  readonly request: ContentsText | null;
  readonly response: ContentsText | null;
}
