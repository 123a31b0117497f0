/**
 * The scripts behind shared holds: reserve, settle, renew. As in `redis-scripts.ts` each is one step for all nodes, and time
 * is Redis' own (ARGV[1] replaces it in tests). They do what `memory-holds.ts` and `meters.ts` do.
 *
 * Each claim has two keys. The first is a hash: `held` (the sum), `crowded` (until when), and the count itself: for a window
 * the log of `redis-scripts.ts`, for a bucket `taken` and `at`, for a period `start` and `used`. The second is a sorted set of
 * holds, "id:amount" by the moment at which they end by themselves: those of a node that has died vanish so.
 */
const COMMON = `
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local function number(x) return string.format('%.0f', x) end

local function keep(key, ms)
  if redis.call('PTTL', key) < ms then redis.call('PEXPIRE', key, math.ceil(ms)) end
end

-- ── What is held ──
local function readHeld(c)
  c.held = tonumber(redis.call('HGET', c.key, 'held')) or 0
  local gone = redis.call('ZRANGEBYSCORE', c.holds, '-inf', number(now))
  for _, member in ipairs(gone) do
    c.held = c.held - (tonumber(string.match(member, ':(%d+)$')) or 0)
    redis.call('ZREM', c.holds, member)
    c.heldChanged = true
  end
  c.holders = redis.call('ZCARD', c.holds)
  if c.holders == 0 then c.held = 0 end
end

-- ── What is used ──
local window, bucket, period = {}, {}, {}

function window.read(c)
  local v = redis.call('HMGET', c.key, 'h', 't', 's')
  c.h, c.t, c.s = tonumber(v[1]) or 0, tonumber(v[2]) or 0, tonumber(v[3]) or 0
  c.entry = function(i)
    local at, cost = string.match(redis.call('HGET', c.key, i) or '', '^(%d+):(%d+)$')
    return tonumber(at), tonumber(cost)
  end
  local changed = false
  if c.t > c.h then
    local last = c.entry(c.t - 1)
    -- The clock has stepped back: nothing may lie ahead of now, or it would stay for longer than a window.
    if last and last > now then
      for i = c.h, c.t - 1 do
        local at, cost = c.entry(i)
        if at and at > now then redis.call('HSET', c.key, i, number(now) .. ':' .. number(cost)) end
      end
    end
  end
  while c.h < c.t do
    local at, cost = c.entry(c.h)
    if at and at > now - c.a then break end
    redis.call('HDEL', c.key, c.h)
    c.s = c.s - (cost or 0)
    c.h = c.h + 1
    changed = true
  end
  if c.h == c.t then c.s = 0 end
  if changed then redis.call('HSET', c.key, 'h', c.h, 't', c.t, 's', number(c.s)) end
  c.used = c.s
end

function window.wait(c, excess)
  local free = 0
  local at, cost
  for i = c.h, c.t - 1 do
    at, cost = c.entry(i)
    free = free + (cost or 0)
    if at and free >= excess then return at + c.a - now end
  end
  if at then return at + c.a - now end
  return c.a
end

function window.count(c, cost)
  local last, lastCost
  if c.t > c.h then last, lastCost = c.entry(c.t - 1) end
  local slice = c.a / 128
  local crowded = last and c.t - c.h >= 128 and math.floor(last / slice) == math.floor(now / slice)
  if last and (last == now or crowded) then
    redis.call('HSET', c.key, c.t - 1, number(now) .. ':' .. number(lastCost + cost))
  else
    redis.call('HSET', c.key, c.t, number(now) .. ':' .. number(cost))
    c.t = c.t + 1
  end
  c.s = c.s + cost
  redis.call('HSET', c.key, 'h', c.h, 't', c.t, 's', number(c.s))
  c.used = c.s
  keep(c.key, c.a + 1000)
end

-- Without a limit there is nothing that refills: it waits for a whole filling time.
function bucket.read(c)
  local v = redis.call('HMGET', c.key, 'taken', 'at')
  local taken, at = tonumber(v[1]) or 0, tonumber(v[2]) or now
  c.used = math.max(0, taken - math.max(0, now - at) * c.limit / c.a)
end

function bucket.wait(c, excess)
  if c.limit > 0 then return excess * c.a / c.limit end
  return c.a
end

function bucket.count(c, cost)
  c.used = c.used + cost
  redis.call('HSET', c.key, 'taken', string.format('%.17g', c.used), 'at', number(now))
  keep(c.key, (c.limit > 0 and c.used * c.a / c.limit or c.a) + 1000)
end

-- a to d: beginnings of the last, this and the next period by the caller's clock, and the end of that.
function period.read(c)
  local start, ends = c.b, c.c
  if now < c.b then start, ends = c.a, c.b end
  if now >= c.c then start, ends = c.c, c.d end
  local v = redis.call('HMGET', c.key, 'start', 'used')
  local counted = tonumber(v[1])
  c.used = tonumber(v[2]) or 0
  -- As in fixed-period.ts: a small step back of the clock stays in the newer period.
  if counted and counted > start and counted <= ends then
    ends = counted + (ends - start)
    start = counted
  elseif counted ~= start then
    if counted then redis.call('DEL', c.holds) end
    if counted and counted > start then redis.call('HDEL', c.key, 'start', 'used') end
    c.used, c.held, c.holders, c.heldChanged = 0, 0, 0, true
  end
  c.start, c.ends = start, ends
end

function period.wait(c) return c.ends - now end

function period.count(c, cost)
  c.used = c.used + cost
  redis.call('HSET', c.key, 'start', number(c.start), 'used', number(c.used))
  keep(c.key, c.ends - now + 60000)
end

local meters = { w = window, b = bucket, p = period }

local function close(c, ttl)
  if c.heldChanged then
    redis.call('HSET', c.key, 'held', number(math.max(0, c.held)))
    keep(c.key, ttl)
  end
end
`;

/**
 * ARGV: now, id, ms after which the hold ends by itself, ms for which a key stays crowded; per claim: kind (w, b, p), limit,
 * need, cost, own or -1, four numbers of its kind.
 *
 * @returns {1 taken / 0 refused, index, ms to wait or -1 for never, then per claim that was read: used by all and held by
 *          others, amount, used, beginning of the period}
 */
export const RESERVE_HOLDS = `${COMMON}
local id, ttl, crowdedFor = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local claims = {}
local refused, wait = -1, 0
for i = 1, #KEYS / 2 do
  local at = 5 + (i - 1) * 9
  local function arg(k) return tonumber(ARGV[at + k]) end
  local c = {
    key = KEYS[2 * i - 1], holds = KEYS[2 * i], kind = ARGV[at], meter = meters[ARGV[at]], limit = arg(1), need = arg(2),
    cost = arg(3), own = arg(4), a = arg(5), b = arg(6), c = arg(7), d = arg(8), start = 0,
  }
  claims[i] = c
  readHeld(c)
  c.meter.read(c)
  local mine = math.max(0, c.own)
  local others = c.holders > (mine > 0 and 1 or 0)
  local crowded = (tonumber(redis.call('HGET', c.key, 'crowded')) or 0) > now
  if others and c.cost > 0 then redis.call('HSET', c.key, 'crowded', number(now + crowdedFor)) end
  local whole = math.max(c.need, c.cost)
  local needed = c.need
  if others or (crowded and whole <= c.limit) then needed = whole end
  c.taken = c.used + c.held - mine
  local fits = c.taken < c.limit
  if needed > 0 then fits = c.taken + needed <= c.limit end
  if not fits then
    refused = i - 1
    if c.need > c.limit then wait = -1
    else
      local least = c.kind == 'b' and 0 or 1
      local excess = c.used + (needed > 0 and math.min(needed, c.limit) or least) - c.limit
      local onlyHeld = excess < least
      if needed > 0 then onlyHeld = excess <= 0 end
      wait = onlyHeld and 1000 or math.max(1, c.meter.wait(c, excess))
    end
    break
  end
  c.amount = 0
  if c.cost > 0 and c.own < 0 then
    c.amount = math.max(c.need, math.min(c.cost, c.limit - math.ceil(c.taken)))
  end
end
local answer = { refused < 0 and 1 or 0, refused, math.ceil(wait) }
for _, c in ipairs(claims) do
  if refused < 0 and c.amount > 0 then
    redis.call('ZADD', c.holds, number(now + ttl), id .. ':' .. number(c.amount))
    keep(c.holds, ttl + 1000)
    c.held = c.held + c.amount
    c.heldChanged = true
    if c.kind == 'p' then redis.call('HSET', c.key, 'start', number(c.start), 'used', number(c.used)) end
  end
  close(c, (c.kind == 'p' and c.ends - now or ttl) + crowdedFor)
  answer[#answer + 1] = math.ceil(c.taken)
  answer[#answer + 1] = c.amount or 0
  answer[#answer + 1] = number(c.used)
  answer[#answer + 1] = number(c.start)
end
return answer
`;

/**
 * ARGV: now, id, cost; per claim: kind, limit, amount held, "again" when it was sent before and nobody knows
 * whether it arrived (it did if nothing is held any more), four numbers of its kind (for a period a = 0, b and c
 * its beginning and end). @returns per claim what is used and the beginning of the period, as texts
 */
export const SETTLE_HOLDS = `${COMMON}
local id, cost = ARGV[2], tonumber(ARGV[3])
local answer = {}
for i = 1, #KEYS / 2 do
  local at = 4 + (i - 1) * 8
  local function arg(k) return tonumber(ARGV[at + k]) end
  local kind, amount = ARGV[at], arg(2)
  local c = {
    key = KEYS[2 * i - 1], holds = KEYS[2 * i], kind = kind, limit = arg(1), a = arg(4), b = arg(5), c = arg(6), start = 0,
  }
  local mine = amount > 0 and redis.call('ZREM', c.holds, id .. ':' .. number(amount)) == 1
  readHeld(c)
  if mine then
    c.held = c.held - amount
    c.heldChanged = true
  end
  if kind == 'p' then
    local v = redis.call('HMGET', c.key, 'start', 'used')
    local counted = tonumber(v[1])
    c.used = tonumber(v[2]) or 0
    c.start, c.ends = c.b, c.c
    if counted ~= c.start then
      -- Over: a newer period has begun, and what belongs to an older one counts no more.
      if counted and counted > c.start then c.over = true else c.used = 0 end
      if c.over then c.start = counted end
    end
  else meters[kind].read(c) end
  local counts = mine or amount == 0 or ARGV[at + 3] ~= 'again'
  if cost > 0 and counts and not c.over then meters[kind].count(c, cost) end
  if redis.call('EXISTS', c.key) == 1 then close(c, 60000) end
  answer[#answer + 1] = number(c.used)
  answer[#answer + 1] = number(c.start)
end
return answer
`;

/** ARGV: now, ms after which holds end by themselves, per key its member. KEYS: sets of holds. */
export const RENEW_HOLDS = `
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local ttl = tonumber(ARGV[2])
for i, key in ipairs(KEYS) do
  redis.call('ZADD', key, 'XX', string.format('%.0f', now + ttl), ARGV[2 + i])
  if redis.call('PTTL', key) < ttl then redis.call('PEXPIRE', key, ttl + 1000) end
  local count = string.match(key, '^(.*):holds$')
  if count and redis.call('PTTL', count) >= 0 and redis.call('PTTL', count) < ttl then
    redis.call('PEXPIRE', count, ttl + 1000)
  end
end
return #KEYS
`;

export const HOLD_SCRIPTS = {
  headgateReserveHolds: RESERVE_HOLDS,
  headgateSettleHolds: SETTLE_HOLDS,
  headgateRenewHolds: RENEW_HOLDS,
} as const;
