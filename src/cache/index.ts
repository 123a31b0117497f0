export type { Cache, Caches, ExternalCache } from "./cache.ts";
export { GatewayCaches } from "./caches.ts";
export { MemoryCache } from "./memory-cache.ts";
export { RedisCache } from "./redis-cache.ts";
