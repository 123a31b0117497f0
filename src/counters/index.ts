export type { Answer, Counters, QuotaClaim, Quotas, WindowClaim, Windows } from "./counters.ts";
export { MemoryQuotas } from "./memory-quotas.ts";
export { MemoryWindows } from "./memory-windows.ts";
export { SqliteQuotas } from "./sqlite-quotas.ts";
