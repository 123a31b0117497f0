import type { CounterStores, QuotaClaim, SyncCounters } from "./counters.ts";
import { MemoryQuotas } from "./memory-quotas.ts";
import { MemoryWindows } from "./memory-windows.ts";

/** Counters of one node that shares with nobody. @param quotas default: forgotten with the process */
export function countersAlone(quotas: SyncCounters<QuotaClaim> = new MemoryQuotas()): CounterStores {
  const windows = new MemoryWindows();
  return { windows, quotas, alone: { windows, quotas } };
}
