import { HOLD_SCRIPTS } from "./redis-hold-scripts.ts";

/**
 * The two scripts behind the shared counters. A script runs alone in Redis, so a check over several keys is one step, for
 * all nodes together. Time is Redis' own, so nodes need not agree on theirs; ARGV[1] replaces it in tests.
 *
 * ARGV: now in ms or "", "1" to count whatever the limit says, then per key what its claim has.
 * Answers: {1, remaining, …} taken; {0, index from 0, ms to wait or -1 for never, …} refused.
 */
const NOW = `
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local force = ARGV[2] == '1'
`;

/**
 * Per key: limit, cost, window in ms. The same log as \`sliding-window.ts\`, in a hash: fields h and t are the first entry's
 * number and the one after the last's, s is the sum, and each number holds "time:cost".
 */
export const TAKE_WINDOWS = `${NOW}
local function read(key, ms)
  local v = redis.call('HMGET', key, 'h', 't', 's')
  local w = { key = key, ms = ms, h = tonumber(v[1]) or 0, t = tonumber(v[2]) or 0, s = tonumber(v[3]) or 0 }
  local function entry(i)
    local at, cost = string.match(redis.call('HGET', key, i) or '', '^(%d+):(%d+)$')
    return tonumber(at), tonumber(cost)
  end
  w.entry = entry
  if w.t > w.h then
    local last = entry(w.t - 1)
    -- The clock has stepped back: nothing may lie ahead of now, or it would stay for longer than a window.
    if last and last > now then
      for i = w.h, w.t - 1 do
        local at, cost = entry(i)
        if at and at > now then redis.call('HSET', key, i, string.format('%.0f:%.0f', now, cost)) end
      end
    end
  end
  while w.h < w.t do
    local at, cost = entry(w.h)
    if at and at > now - ms then break end
    redis.call('HDEL', key, w.h)
    w.s = w.s - (cost or 0)
    w.h = w.h + 1
    w.changed = true
  end
  if w.h == w.t then w.s = 0 end
  return w
end

local function untilFree(w, excess)
  local free = 0
  local at, cost
  for i = w.h, w.t - 1 do
    at, cost = w.entry(i)
    free = free + cost
    if free >= excess then return at + w.ms - now end
  end
  if at then return at + w.ms - now end
  return w.ms
end

local windows = {}
local refused, wait = -1, -1
for i, key in ipairs(KEYS) do
  local at = i * 3
  local limit, cost, ms = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local w = read(key, ms)
  w.limit, w.cost = limit, cost
  windows[i] = w
  local excess = w.s + math.max(cost, 1) - limit
  if not force and excess > 0 then
    local until_ = untilFree(w, excess)
    if until_ > wait then refused, wait = i - 1, until_ end
  end
end

local remaining = math.huge
for _, w in ipairs(windows) do
  if refused < 0 and w.cost > 0 then
    local last, lastCost
    if w.t > w.h then last, lastCost = w.entry(w.t - 1) end
    local slice = w.ms / 128
    local crowded = last and w.t - w.h >= 128 and math.floor(last / slice) == math.floor(now / slice)
    if last and (last == now or crowded) then
      redis.call('HSET', w.key, w.t - 1, string.format('%.0f:%.0f', now, lastCost + w.cost))
    else
      redis.call('HSET', w.key, w.t, string.format('%.0f:%.0f', now, w.cost))
      w.t = w.t + 1
    end
    w.s = w.s + w.cost
    w.changed = true
    redis.call('PEXPIRE', w.key, math.ceil(w.ms) + 1000)
  end
  if w.changed then
    if w.h == w.t then redis.call('DEL', w.key)
    else redis.call('HSET', w.key, 'h', w.h, 't', w.t, 's', string.format('%.0f', w.s)) end
  end
  remaining = math.min(remaining, math.max(0, w.limit - w.s))
end
if refused >= 0 then return { 0, refused, math.ceil(wait) } end
return { 1, remaining }
`;

/**
 * Per key: limit, cost, anchor in ms, period in ms (0 = never ends). A hash with start and used; after the verdict come, per
 * key, what is used and when the period began, as texts, for the node's own copy.
 */
export const TAKE_QUOTAS = `${NOW}
local counts = {}
local refused, latest = -1, -math.huge
for i, key in ipairs(KEYS) do
  local at = i * 4 - 1
  local limit, cost = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  local anchor, period = tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local start, ends = anchor, math.huge
  if period > 0 then
    start = anchor + math.floor((now - anchor) / period) * period
    ends = start + period
  end
  local v = redis.call('HMGET', key, 'start', 'used')
  local counted, used = tonumber(v[1]), tonumber(v[2]) or 0
  -- As in fixed-period.ts: a small step back of the clock stays in the newer period.
  local same = counted and (counted == start or (counted > start and counted <= ends))
  if same then start = counted else used = 0 end
  counts[i] = { key = key, limit = limit, cost = cost, start = start, ends = ends, used = used }
  if not force and used + math.max(cost, 1) > limit and ends > latest then refused, latest = i - 1, ends end
end

local remaining = math.huge
local said = {}
for i, c in ipairs(counts) do
  if refused < 0 and c.cost > 0 then
    c.used = c.used + c.cost
    redis.call('HSET', c.key, 'start', string.format('%.0f', c.start), 'used', string.format('%.0f', c.used))
    if c.ends == math.huge then redis.call('PERSIST', c.key)
    else redis.call('PEXPIRE', c.key, math.ceil(c.ends - now) + 60000) end
  end
  remaining = math.min(remaining, math.max(0, c.limit - c.used))
  said[#said + 1] = string.format('%.0f', c.used)
  said[#said + 1] = string.format('%.0f', c.start)
end
local answer
if refused < 0 then answer = { 1, remaining }
elseif latest == math.huge then answer = { 0, refused, -1 }
else answer = { 0, refused, math.ceil(latest - now) } end
for _, text in ipairs(said) do answer[#answer + 1] = text end
return answer
`;

/** Notes that this node lives. KEYS: the nodes' set; ARGV: this node, ms after which one is gone. @returns how many live */
export const COUNT_NODES = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2] * 2)
return redis.call('ZCARD', KEYS[1])
`;

export const COUNTER_SCRIPTS = {
  headgateTakeWindows: TAKE_WINDOWS,
  headgateTakeQuotas: TAKE_QUOTAS,
  headgateCountNodes: COUNT_NODES,
  ...HOLD_SCRIPTS,
} as const;
