import { script } from './script.ts'

/** Most deliveries of each kind that one slice of a retirement moves. */
const slice = 200

/** Answers the version and the registry, name and patterns in turn. ARGV: bots to write into it first, likewise. */
export const declareScript = script(
  'declare',
  `
local version = redis.call('GET', hub .. 'version')
local isChanged = not version
for i = 1, #ARGV, 2 do
  if redis.call('HGET', hub .. 'bots', ARGV[i]) ~= ARGV[i + 1] then
    redis.call('HSET', hub .. 'bots', ARGV[i], ARGV[i + 1])
    isChanged = true
  end
end
if isChanged then
  version = changed()
end
return { version, redis.call('HGETALL', hub .. 'bots') }
`,
)

/**
 * Takes a bot out of the registry, then moves what waits for it to the dead letters, a slice at a time. A bot that is
 * declared again meanwhile keeps the rest.
 *
 * ARGV: bot, and what the call before has answered, at first ''. Answers '' when it is done.
 */
export const retireScript = script(
  'retire',
  `
local bot, last = ARGV[1], ARGV[2]
local stream, waiting, state = hub .. 'stream:' .. bot, hub .. 'waiting:' .. bot, hub .. 'state:' .. bot
if last == '' then
  if redis.call('HDEL', hub .. 'bots', bot) == 1 then
    changed()
  end
  local newest = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
  last = newest and newest[1] or '0-1'
elseif isBot(bot) then
  return ''
end
local entries = redis.call('XRANGE', stream, '-', last, 'COUNT', ${slice})
for _, entry in ipairs(entries) do
  redis.call('XDEL', stream, entry[1])
  bury(bot, entry[2][2], 'retired', '[]')
end
local events = redis.call('ZRANGE', waiting, 0, ${slice - 1})
for _, event in ipairs(events) do
  local history = string.match(redis.call('HGET', state, event) or '', '^%d+:%d:(.*)$')
  redis.call('ZREM', waiting, event)
  redis.call('HDEL', state, event)
  bury(bot, event, 'retired', history or '[]')
end
if #entries == ${slice} or #events == ${slice} then
  return last
end
if redis.call('XLEN', stream) == 0 then
  redis.call('DEL', stream)
end
redis.call('DEL', hub .. 'bell:' .. bot)
return ''
`,
)

/** Answers the bots, each as name, patterns, backlog, waiting, running, dead letters; then unmatched and quarantined. */
export const standingScript = script(
  'standing',
  `
local running = {}
for _, session in ipairs(redis.call('ZRANGE', hub .. 'sessions', 0, -1)) do
  eachRunning(session, function(bot) running[bot] = (running[bot] or 0) + 1 end)
end
local function dead(bot)
  return tonumber(redis.call('HGET', hub .. 'dead:count', bot) or 0)
end
local registry = redis.call('HGETALL', hub .. 'bots')
local bots = {}
for i = 1, #registry, 2 do
  local bot = registry[i]
  bots[#bots + 1] = {
    bot,
    registry[i + 1],
    redis.call('XLEN', hub .. 'stream:' .. bot),
    redis.call('ZCARD', hub .. 'waiting:' .. bot),
    running[bot] or 0,
    dead(bot),
  }
end
return { bots, redis.call('ZCARD', hub .. 'unmatched'), dead('') }
`,
)
