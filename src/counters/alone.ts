import type { CounterStores, QuotaClaim, SyncCounters } from "./counters.ts";
import { MemoryHolds } from "./memory-holds.ts";
import { MemoryQuotas } from "./memory-quotas.ts";
import { MemoryWindows } from "./memory-windows.ts";
import type { PeriodTotals } from "./meters.ts";
import { OutputSizes } from "./output-sizes.ts";

export interface CountersAlone extends CounterStores {
  readonly tokens: MemoryHolds;
}

/** Counters of one node that shares with nobody. @param quotas default: forgotten with the process */
export function countersAlone(
  quotas: SyncCounters<QuotaClaim> & PeriodTotals = new MemoryQuotas(),
): CountersAlone {
  const windows = new MemoryWindows();
  const tokens = new MemoryHolds(quotas);
  const alone = { windows, quotas, tokens };
  return { windows, quotas, tokens, alone, outputs: new OutputSizes(), unanswered: { count: 0 } };
}
