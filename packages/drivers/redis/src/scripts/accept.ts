import { script } from './script.ts'

/** Events that no bot wanted are kept for a look: the last so many, and so long. */
const mostUnmatched = 1_000
const unmatchedMs = 86_400_000

/**
 * Accepts any number of events. A script that fails half way is not undone, so each event is stored before its key is
 * claimed: the worst is an event without a key, never a key without its event.
 *
 * ARGV: version of the registry by which the bots were chosen, then of each event: key, fingerprint, replay key, what to
 * do (`q` quarantine, `r` reject a replay), ttl, token, id, record, bot to resume or '', its wait, attempt and history,
 * number of other bots, their names.
 *
 * Answers nothing when the registry has another version. Else of each event: what became of it, its id, and the number
 * of its dead letters or whether it is a suspected replay.
 */
export const acceptScript = script(
  'accept',
  `
if (redis.call('GET', hub .. 'version') or '') ~= ARGV[1] then
  return false
end
local at = 1
local function nextArg()
  at = at + 1
  return ARGV[at]
end
local function known(name)
  local value = redis.call('GET', name)
  if value then
    return string.match(value, '^(.-)\\n(.-)\\n(.-)\\n(.*)$')
  end
end
local function remember(name, print, id, token, mark, ttl)
  redis.call('SET', name, print .. '\\n' .. id .. '\\n' .. token .. '\\n' .. mark, 'PX', ttl)
end

local function keepUnmatched(id)
  local unmatched = hub .. 'unmatched'
  redis.call('ZADD', unmatched, now, id)
  local over = redis.call('ZRANGE', unmatched, 0, -${mostUnmatched + 1})
  if #over == 0 then
    over = redis.call('ZRANGEBYSCORE', unmatched, '-inf', now - ${unmatchedMs}, 'LIMIT', 0, 10)
  end
  for _, old in ipairs(over) do
    redis.call('ZREM', unmatched, old)
    redis.call('UNLINK', hub .. 'event:' .. old)
  end
end

local function accept(key, print, replayKey, how, ttl, token, id, record, resume, bots)
  local name = hub .. 'key:' .. key
  if how == 'q' then name = name .. '#' .. print end
  local knownPrint, knownId, knownToken, mark = known(name)
  if knownPrint and how ~= 'q' then
    if knownToken == token then
      return { 'accepted', knownId, mark }
    end
    if knownPrint == print then
      return { 'duplicate', knownId, redis.call('SCARD', hub .. 'dead:of:' .. knownId) }
    end
    how = 'q'
    name = name .. '#' .. print
    knownPrint, knownId = known(name)
  end
  if how == 'q' then
    if knownPrint then
      return { 'mismatch', knownId }
    end
    redis.call('SET', hub .. 'event:' .. id, '-' .. record)
    bury('', id, 'key-reused', '[]')
    remember(name, print, id, token, '', ttl)
    return { 'mismatch', id }
  end

  mark = ''
  if replayKey ~= '' and redis.call('EXISTS', hub .. 'replay:' .. replayKey) == 1 then
    mark = 's'
    if how == 'r' then
      return { 'replay' }
    end
  end
  redis.call('SET', hub .. 'event:' .. id, (mark == '' and '-' or mark) .. record)
  local wanted = #bots + (resume and 1 or 0)
  if wanted > 1 then
    redis.call('HSET', hub .. 'refs', id, wanted)
  end
  for _, bot in ipairs(bots) do
    redis.call('XADD', hub .. 'stream:' .. bot, '*', 'e', id)
  end
  if resume then
    wait(resume.bot, id, now + resume.afterMs, resume.attempt, '0', resume.history)
  end
  if wanted == 0 then
    keepUnmatched(id)
  end
  if replayKey ~= '' and mark == '' then
    redis.call('SET', hub .. 'replay:' .. replayKey, '', 'PX', ttl)
  end
  remember(name, print, id, token, mark, ttl)
  return { 'accepted', id, mark }
end

local answers = {}
while at < #ARGV do
  local key, print, replayKey, how = nextArg(), nextArg(), nextArg(), nextArg()
  local ttl, token, id, record = nextArg(), nextArg(), nextArg(), nextArg()
  local resume = { bot = nextArg(), afterMs = nextArg(), attempt = nextArg(), history = nextArg() }
  if resume.bot == '' then resume = nil end
  local bots = {}
  for i = 1, tonumber(nextArg()) do bots[i] = nextArg() end
  answers[#answers + 1] = accept(key, print, replayKey, how, ttl, token, id, record, resume, bots)
end
return answers
`,
)
