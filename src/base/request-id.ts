/**
 * Ids of requests: UUIDs of version 7 (RFC 9562 §5.7), which begin with the time. Databases store what arrives together
 * next to each other then; ids without an order cost the ledger twice the work, and more the larger it is.
 */
import { randomFillSync } from "node:crypto";

const HEX = Array.from({ length: 256 }, (_, octet) => octet.toString(16).padStart(2, "0"));

/** Octets of chance, drawn many at a time: asking costs more than drawing. */
const pool = Buffer.allocUnsafeSlow(4096);
let used = pool.length;

/** @param nowMs ms since the epoch */
export function newRequestId(nowMs: number): string {
  if (used + 10 > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const at = used;
  used += 10;
  const time = nowMs.toString(16).padStart(12, "0");
  const version = `7${HEX[pool[at]!]![1]}${HEX[pool[at + 1]!]!}`;
  const variant = HEX[0x80 | (pool[at + 2]! & 0x3f)]! + HEX[pool[at + 3]!]!;
  const node =
    HEX[pool[at + 4]!]! +
    HEX[pool[at + 5]!]! +
    HEX[pool[at + 6]!]! +
    HEX[pool[at + 7]!]! +
    HEX[pool[at + 8]!]! +
    HEX[pool[at + 9]!]!;
  return `${time.slice(0, 8)}-${time.slice(8, 12)}-${version}-${variant}-${node}`;
}
