import { evenIfFull, script } from './script.ts'

/** Most bytes of events that one call hands over, so that large ones stall nobody. */
const mostBytes = 8 * 1_024 ** 2

/**
 * Hands deliveries to a session: retries that are due, then what the stream has.
 *
 * ARGV: session, bot, most, turn, last turn whose answer has arrived. A turn is the number of a call. One that comes
 * late, after a newer one, hands out nothing; what was handed out in a turn whose answer did not arrive is given back.
 *
 * Answers 'lost' when the session is over, 'late' for an old turn; else 'taken', the deliveries (each event, attempt,
 * interrupted, history, record), whether there may be more, milliseconds until the next retry or -1, where stream and
 * bell end, and how many events were not there any more.
 */
export const takeScript = script(
  'take',
  `
local session, bot, most, turn, arrived = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local stream, waiting, state = hub .. 'stream:' .. bot, hub .. 'waiting:' .. bot, hub .. 'state:' .. bot
local running = hub .. 'running:' .. session
${evenIfFull}
local expires = redis.call('ZSCORE', hub .. 'sessions', session)
if not expires or tonumber(expires) <= now then
  return { 'lost' }
end
local last = tonumber(redis.call('HGET', running, bot) or 0)
if turn <= last then
  return { 'late' }
end
redis.call('HSET', running, bot, turn)
if last > arrived then
  eachRunning(session, function(ofBot, event, ofTurn, _, attempt, interrupted, history)
    if ofBot == bot and tonumber(ofTurn) > arrived then
      redis.call('HDEL', running, bot .. '/' .. event)
      wait(bot, event, now, attempt, interrupted, history)
    end
  end)
end

local deliveries, bytes, gone = {}, 0, 0
local function hand(event, attempt, interrupted, history)
  local record = redis.call('GET', hub .. 'event:' .. event)
  if not record then
    redis.call('HDEL', hub .. 'refs', event)
    gone = gone + 1
    return
  end
  local value = string.format('%d:%.0f:%s:%s:%s', turn, now, attempt, interrupted, history)
  redis.call('HSET', running, bot .. '/' .. event, value)
  deliveries[#deliveries + 1] = { event, attempt, interrupted, history, record }
  bytes = bytes + #record
end

for _, event in ipairs(redis.call('ZRANGEBYSCORE', waiting, '-inf', now, 'LIMIT', 0, most)) do
  if bytes < ${mostBytes} then
    local attempt, interrupted, history = string.match(redis.call('HGET', state, event) or '', '^(%d+):(%d):(.*)$')
    redis.call('ZREM', waiting, event)
    redis.call('HDEL', state, event)
    hand(event, attempt or '1', interrupted or '0', history or '[]')
  end
end
if #deliveries < most and bytes < ${mostBytes} then
  for _, entry in ipairs(redis.call('XRANGE', stream, '-', '+', 'COUNT', most - #deliveries)) do
    if bytes < ${mostBytes} then
      redis.call('XDEL', stream, entry[1])
      hand(entry[2][2], '1', '0', '[]')
    end
  end
end

local function lastId(name)
  local info = redis.pcall('XINFO', 'STREAM', name)
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then return info[i + 1] end
  end
  return '0-0'
end
local due = redis.call('ZRANGE', waiting, 0, 0, 'WITHSCORES')
local untilDue = due[2] and math.max(0, due[2] - now) or -1
if #deliveries == most or bytes >= ${mostBytes} or gone > 0 then
  return { 'taken', deliveries, 1, untilDue, '', '', gone }
end
return { 'taken', deliveries, 0, untilDue, lastId(stream), lastId(hub .. 'bell:' .. bot), gone }
`,
)

/**
 * Carries out verdicts. ARGV, of each: session, bot, event, turn, verdict, and for `retry` the wait and the history, for
 * `dead-letter` the reason and the history, for `release` whether the attempt had begun.
 *
 * Answers of each 1, or 0 when the delivery is no longer the session's from that turn.
 */
export const settleScript = script(
  'settle',
  `
local verdicts = {
  done = function(bot, event)
    forget(event)
  end,
  retry = function(bot, event, _, attempt, afterMs, history)
    wait(bot, event, now + afterMs, tostring(attempt + 1), '0', history)
  end,
  ['dead-letter'] = function(bot, event, _, _, reason, history)
    bury(bot, event, reason, history)
  end,
  release = function(bot, event, running, attempt, begun)
    local interrupted, history = string.match(running, '^%d+:%d+:%d+:(%d):(.*)$')
    wait(bot, event, now, attempt, begun == '1' and '1' or interrupted, history)
  end,
}
local outcomes = {}
for i = 1, #ARGV, 7 do
  local bot, event = ARGV[i + 1], ARGV[i + 2]
  local name, field = hub .. 'running:' .. ARGV[i], bot .. '/' .. event
  local running = redis.call('HGET', name, field)
  local turn, attempt = string.match(running or '', '^(%d+):%d+:(%d+)')
  if turn == ARGV[i + 3] then
    redis.call('HDEL', name, field)
    verdicts[ARGV[i + 4]](bot, event, running, attempt, ARGV[i + 5], ARGV[i + 6])
    outcomes[#outcomes + 1] = 1
  else
    outcomes[#outcomes + 1] = 0
  end
end
return outcomes
`,
)

/**
 * Prolongs the lease of a session, or begins it, and takes back what sessions ran whose lease is over: that costs the
 * attempt. ARGV: session, lease, '1' to begin. Answers whether it is held, and milliseconds until the next other
 * session's lease runs out or -1.
 */
export const renewScript = script(
  'renew',
  `
local session, leaseMs = ARGV[1], ARGV[2]
local sessions = hub .. 'sessions'
${evenIfFull}
local expires = redis.call('ZSCORE', sessions, session)
local isHeld = ARGV[3] == '1' or (expires and tonumber(expires) > now)
if isHeld then
  redis.call('ZADD', sessions, now + leaseMs, session)
end

for _, dead in ipairs(redis.call('ZRANGEBYSCORE', sessions, '-inf', now, 'LIMIT', 0, 10)) do
  eachRunning(dead, function(bot, event, _, startedAt, attempt, _, history)
    local lost = '{"attempt":' .. attempt .. ',"startedAt":' .. startedAt .. ',"endedAt":' .. string.format('%.0f', now)
      .. ',"outcome":"lost"}'
    history = string.sub(history, 1, -2) .. (history == '[]' and '' or ',') .. lost .. ']'
    wait(bot, event, now, tostring(attempt + 1), '1', history)
  end)
  redis.call('DEL', hub .. 'running:' .. dead)
  redis.call('ZREM', sessions, dead)
end

local untilNext = -1
local soonest = redis.call('ZRANGE', sessions, 0, 1, 'WITHSCORES')
for i = 1, #soonest, 2 do
  if soonest[i] ~= session and untilNext < 0 then untilNext = math.max(0, soonest[i + 1] - now) end
end
return { isHeld and 1 or 0, untilNext }
`,
)

/** Ends a session in good order: what it still runs is given back and costs no attempt. ARGV: session. */
export const endScript = script(
  'end',
  `
local session = ARGV[1]
${evenIfFull}
eachRunning(session, function(bot, event, _, _, attempt, _, history)
  wait(bot, event, now, attempt, '1', history)
end)
redis.call('DEL', hub .. 'running:' .. session)
redis.call('ZREM', hub .. 'sessions', session)
return 1
`,
)
