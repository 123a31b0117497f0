/** What others use of the ledger. */
export { type LedgerContents, MOST_CONTENTS } from "./contents.ts";
export { Ledger, type LedgerOptions, type LedgerStats } from "./ledger.ts";
export type {
  ContentsText,
  Dimension,
  LedgerFilters,
  LedgerRow,
  Page,
  ReadContents,
  Rollup,
  RollupQuery,
  RollupRow,
  SearchQuery,
  Tail,
  TailQuery,
} from "./query.ts";
export type { LedgerRecord } from "./record.ts";
