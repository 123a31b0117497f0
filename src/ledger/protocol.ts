/** What the ledger asks of its worker, and what it answers. */
import type { RollupQuery, SearchQuery, TailQuery } from "./query.ts";
import type { SegmentKind } from "./segment.ts";
import type { ImportCounts } from "./store/import.ts";

export type Request =
  | { readonly kind: "search"; readonly query: SearchQuery }
  | { readonly kind: "tail"; readonly query: TailQuery }
  | { readonly kind: "rollup"; readonly query: RollupQuery }
  | { readonly kind: "contents"; readonly requestId: string }
  | {
      readonly kind: "import";
      readonly now: number;
      /** Numbers of this process's last files that are not written to any more. */
      readonly closed: Readonly<Record<SegmentKind, number>>;
      /** Also what other processes have left. */
      readonly others: boolean;
    }
  | { readonly kind: "retain"; readonly now: number }
  | { readonly kind: "close" };

export type Question = Request & { readonly id: number };

export type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string };

export interface StoreCounts extends ImportCounts {
  readonly databaseBytes: number;
  readonly journalBytes: number;
  readonly setAside: string | null;
}
