/**
 * What has to happen at once on a Redis. Keys of a partition share a slot: its name is in braces. A script begins with what
 * needs memory: a full Redis refuses that, but only as long as nothing was written.
 */

export const SEMANTIC_SCRIPTS = {
  /**
   * Keeps an entry where a search module finds it.
   * Keys: the entry. Arguments: life in ms, then fields and values.
   */
  semanticKeep: `
    redis.call('HSET', KEYS[1], unpack(ARGV, 2))
    redis.call('PEXPIRE', KEYS[1], ARGV[1])
    local fields = {}
    for i = 2, #ARGV, 2 do fields[ARGV[i]] = true end
    for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
      if not fields[field] then redis.call('HDEL', KEYS[1], field) end
    end
    return 1
  `,
  /**
   * Keeps an entry where nodes learn of it by its version: microseconds, but never the same twice nor going back.
   * Keys: the entry, the partition's members by version, the same by expiry.
   * Arguments: member, prefix of the partition's entries, entries at most, life in ms, then fields and values.
   */
  semanticAdd: `
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    redis.call('HSET', KEYS[1], unpack(ARGV, 5))
    redis.call('PEXPIRE', KEYS[1], ARGV[4])
    for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now, 'LIMIT', 0, 100)) do
      redis.call('ZREM', KEYS[2], member)
      redis.call('ZREM', KEYS[3], member)
    end
    local last = redis.call('ZREVRANGE', KEYS[2], 0, 0, 'WITHSCORES')
    local version = math.max(time[1] * 1000000 + time[2], (tonumber(last[2]) or 0) + 1)
    redis.call('ZADD', KEYS[2], string.format('%.0f', version), ARGV[1])
    redis.call('ZADD', KEYS[3], string.format('%.0f', now + ARGV[4]), ARGV[1])
    while redis.call('ZCARD', KEYS[2]) > tonumber(ARGV[3]) do
      local oldest = redis.call('ZPOPMIN', KEYS[2])[1]
      redis.call('ZREM', KEYS[3], oldest)
      redis.call('DEL', ARGV[2] .. oldest)
    end
    local latest = redis.call('ZREVRANGE', KEYS[3], 0, 0, 'WITHSCORES')
    for i = 2, 3 do redis.call('PEXPIREAT', KEYS[i], latest[2]) end
    return 1
  `,
  /**
   * What is newer than a version: member, version, vector ('' when it is gone), ms left; and so on.
   * Keys: the partition's members by version. Arguments: version, prefix of the partition's entries, how many.
   */
  semanticNews: `
    local news = {}
    local found = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[3])
    for i = 1, #found, 2 do
      local key = ARGV[2] .. found[i]
      news[#news + 1] = found[i]
      news[#news + 1] = found[i + 1]
      news[#news + 1] = redis.call('HGET', key, 'vector') or ''
      news[#news + 1] = redis.call('PTTL', key)
    end
    return news
  `,
} as const;
