/** Header fields that belong to one connection and are not passed on (RFC 9110 §7.6.1). */
import { sameName } from "../base/headers.ts";

const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Lengths that occur in the set; most names are ruled out without lower-casing them. */
const LENGTHS = new Set([...HOP_BY_HOP].map((name) => name.length));

/**
 * A copy of a flat list without hop-by-hop fields and without those that `Connection` names.
 *
 * @param meant in lower case: one that stays, because it is meant for whoever is at the next hop
 */
export function withoutHopByHop(raw: readonly string[], meant?: string): string[] {
  const named = namedByConnection(raw);
  const kept: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!;
    if (LENGTHS.has(name.length)) {
      const lower = name.toLowerCase();
      if (lower !== meant && HOP_BY_HOP.has(lower)) continue;
    }
    if (named !== null && named.has(name.toLowerCase())) continue;
    kept.push(name, raw[i + 1]!);
  }
  return kept;
}

function namedByConnection(raw: readonly string[]): Set<string> | null {
  let named: Set<string> | null = null;
  for (let i = 0; i < raw.length; i += 2) {
    if (!sameName(raw[i]!, "connection")) continue;
    const value = raw[i + 1]!;
    if (sameName(value, "keep-alive") || sameName(value, "close")) continue;
    for (const part of value.split(",")) (named ??= new Set()).add(part.trim().toLowerCase());
  }
  return named;
}
