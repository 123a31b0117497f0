/** What `headgate logs` and `headgate usage` ask of the running gateway. */
import type { Ledger } from "../../ledger/index.ts";
import { QueryError, readRollup, readSearch, readTail } from "../../ledger/read-query.ts";
import { type DoorAnswer, type DoorHandler, type DoorPaths, type DoorQuestion, refusal } from "../door.ts";

/** @param now ms since the epoch */
export function ledgerPaths(ledger: Ledger | null, now: () => number): DoorPaths {
  if (ledger === null) return {};
  return {
    "/ledger/search": answering(async (question) => ledger.search(readSearch(question, now()))),
    "/ledger/tail": answering(async (question) => ledger.tail(readTail(question))),
    "/ledger/usage": answering(async (question) => ledger.rollup(readRollup(question, now()))),
    "/ledger/messages": answering(async ({ requestId }) => ({
      parts: await ledger.contents(String(requestId).slice(0, 200)),
    })),
    "/ledger/stats": answering(async () => ledger.stats()),
  };
}

function answering(ask: (question: DoorQuestion) => Promise<object>): DoorHandler {
  return async (question): Promise<DoorAnswer> => {
    try {
      return { status: 200, body: await ask(question) };
    } catch (error) {
      if (error instanceof QueryError) return refusal(400, "InvalidQuery", error.message);
      return refusal(503, "LedgerUnavailable", error instanceof Error ? error.message : String(error));
    }
  };
}
