export interface SearchResult {
  readonly key: string;
  readonly score: number;
}

/**
 * What FT.SEARCH found, in either form: RESP2's `[count, key, [field, value, …], …]`, or RESP3's map with `results`, each
 * with `id` and `extra_attributes`. Clients give maps as objects or as flat lists. What is not understood is left out.
 */
export function readSearchReply(reply: unknown): SearchResult[] {
  if (Array.isArray(reply) && (typeof reply[0] === "number" || /^\d+$/.test(String(reply[0])))) {
    const results: SearchResult[] = [];
    for (let i = 1; i + 1 < reply.length; i += 2) add(results, reply[i], reply[i + 1]);
    return results;
  }
  const found = memberOf(reply, "results");
  if (!Array.isArray(found)) return [];
  const results: SearchResult[] = [];
  for (const one of found as unknown[]) add(results, memberOf(one, "id"), memberOf(one, "extra_attributes"));
  return results;
}

function add(results: SearchResult[], key: unknown, fields: unknown): void {
  const score = Number.parseFloat(String(memberOf(fields, "score")));
  if (typeof key === "string" && Number.isFinite(score)) results.push({ key, score });
}

function memberOf(map: unknown, name: string): unknown {
  if (map instanceof Map) return map.get(name) as unknown;
  if (Array.isArray(map)) {
    for (let i = 0; i + 1 < map.length; i += 2) if (map[i] === name) return map[i + 1] as unknown;
    return undefined;
  }
  return typeof map === "object" && map !== null ? (map as Record<string, unknown>)[name] : undefined;
}
