/** `caches` → external caches. The connection string may be a named value. */
import type { ExternalCache } from "../cache/cache.ts";
import { parseRedisAddress } from "../redis/connection-string.ts";
import type { ResourceSet } from "../store/resource-set.ts";
import type { Fill } from "./backends.ts";
import type { Reporter } from "./report.ts";

export function buildCaches(resources: ResourceSet, fill: Fill, report: Reporter): ExternalCache[] {
  const caches: ExternalCache[] = [];
  for (const { id, name, properties } of resources.ofType("caches")) {
    const connectionString = fill(properties.connectionString ?? "", id, ["connectionString"]);
    if (connectionString === null) continue;
    const address = parseRedisAddress(connectionString);
    if (typeof address === "string")
      report.error("HG5505", { cache: name, reason: address }, id, ["connectionString"]);
    else caches.push({ id: name, location: properties.useFromLocation ?? "default", connectionString });
  }
  return caches;
}
