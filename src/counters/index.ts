export type {
  Answer,
  CounterStores,
  Counters,
  QuotaClaim,
  Quotas,
  SyncCounters,
  WindowClaim,
  Windows,
} from "./counters.ts";
export { MemoryQuotas } from "./memory-quotas.ts";
export { MemoryWindows } from "./memory-windows.ts";
export { SqliteQuotas } from "./sqlite-quotas.ts";
export { countersAlone } from "./alone.ts";
export { COUNTER_SCRIPTS } from "./redis-scripts.ts";
export { sharedCounters } from "./shared.ts";
export type { Hold, HoldClaim, Holds, Moment, Reserved, SyncHolds, TokenCounters } from "./holds.ts";
export type { CalendarUnit } from "./calendar-period.ts";
