/** What becomes of a settled request to a model: it is priced, written into the ledger and counted. */
import type { LedgerContents, Ledger } from "../../ledger/index.ts";
import type { LedgerRecord } from "../../ledger/record.ts";
import type { Observations } from "../../telemetry/metrics/registry.ts";
import type { Prices } from "../../llm/prices/index.ts";
import type { Settlement } from "../../llm/settlement.ts";
import { type Priced, ledgerRecord, providerOf } from "./ledger-record.ts";
import type { LaterBooks } from "./later-answers.ts";
import type { Contents } from "./llm-rows.ts";
import type { ModelCall } from "./model-call.ts";

export interface Books {
  /** null: nothing is kept. */
  readonly ledger: Pick<Ledger, "append" | "addContents"> | null;
  /** As the configuration has them now. */
  readonly prices: () => Prices;
  /** Metrics. */
  readonly count: (record: LedgerRecord, chunkGaps: Observations | null) => void;
  /** Of what is added to a request that was counted. */
  readonly countLater: (record: LedgerRecord) => void;
}

/** @returns the record as it was written */
export function enter(books: Books, call: ModelCall, settlement: Settlement): LedgerRecord {
  const record = ledgerRecord(call, settlement, priced(books.prices(), call, settlement), call.part);
  books.ledger?.append(record);
  books.count(record, call.chunkGaps);
  return record;
}

/** For calls whose usage comes with another request: what they cost then goes into the same books. */
export function laterBooks(books: Books, clock: LaterBooks["clock"]): LaterBooks {
  return {
    clock,
    priceOf: (record, usage) => books.prices().priceOf({ ...record, usage }),
    enter: (record) => {
      books.ledger?.append(record);
      books.countLater(record);
    },
  };
}

/** Messages of a request that has been entered. */
export function enterContents(books: Books, call: ModelCall, contents: Contents): void {
  books.ledger?.addContents({
    requestId: call.exchange.requestId,
    part: call.part,
    request: contents.request,
    response: contents.response,
    requestTruncated: contents.truncated,
    responseTruncated: contents.truncated,
  } satisfies LedgerContents);
}

/** Nobody is paid for these, whatever the model's price is. */
const FREE: Priced = { costMicros: 0, price: "none" };

function priced(prices: Prices, call: ModelCall, settlement: Settlement): Priced | null {
  const { ending, request, found, exchange } = call;
  const { usage } = settlement;
  const nothing =
    usage.prompt === 0 && usage.completion === 0 && usage.cached === 0 && usage.cacheWrites === 0;
  if (ending === "cache-hit" || ending === "refused") return FREE;
  if (nothing && (ending === "failed" || ending === "upstream-error")) return FREE;
  // An answer without tokens (an image, speech) is not free: it is priced by something that nobody has told us.
  if (nothing && settlement.evidence !== "reported") return null;
  return prices.priceOf({
    provider: providerOf(call),
    modelServed: found?.model ?? null,
    modelAsked: request.model,
    deployment: request.deployment,
    usage,
    timeMs: exchange.timestampMs,
  });
}
