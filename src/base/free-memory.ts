/**
 * Gives back what starting used up. Reading a large configuration leaves the heap several times as large as what is
 * kept of it, and an idle process never collects: it would hold those pages for good.
 */
import { Session } from "node:inspector/promises";
import { getHeapStatistics } from "node:v8";

/** Below this a collection has little to give. */
const WORTH_IT_BYTES = 64 * 1024 * 1024;

/** Collects everything at once, which stops the process for up to a tenth of a second: for before it serves anybody. */
export async function freeMemory(): Promise<void> {
  const { total_heap_size: total, used_heap_size: used } = getHeapStatistics();
  // What counts as used may be garbage as well: of a large heap it surely is.
  if (total < 2 * WORTH_IT_BYTES && total - used < WORTH_IT_BYTES) return;
  const session = new Session();
  try {
    session.connect();
    await session.post("HeapProfiler.collectGarbage");
    session.disconnect();
  } catch {
    // A Node without its inspector, or one that does not let us: then the memory stays.
  }
}
