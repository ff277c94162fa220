import { createHash } from 'node:crypto'

/** A Lua script: one atomic step on the server. */
export interface Script {
  readonly name: string
  readonly lua: string
  readonly sha: string
}

/**
 * What every script begins with. A script is handed one key, the prefix of the hub, and makes all others from it: the
 * prefix has a hash tag, so that in a cluster they are on one node.
 *
 *     bots                  hash    name → patterns as JSON: the registry
 *     version               string  changes whenever the registry does
 *     key:<key>             string  an idempotency key: fingerprint, event, token, mark
 *     replay:<key>          string  there while bytes are remembered
 *     event:<id>            string  an event, once, whatever the number of its bots
 *     refs                  hash    event → how many refer to it, if more than one does
 *     stream:<bot>          stream  events not yet handed out
 *     waiting:<bot>         zset    events that wait for their next attempt, by when it is due
 *     state:<bot>           hash    event → attempt:interrupted:history, if it is not that of a first attempt
 *     bell:<bot>            stream  rung when something is due sooner than whoever waits can know
 *     sessions              zset    session → when its lease runs out
 *     running:<session>     hash    bot/event → turn:startedAt:attempt:interrupted:history; bot → its last turn
 *     dead                  stream  dead letters: bot, reason, event, history; of a foreign one also once, when it died
 *     dead:of:<event>       set     ids of its dead letters
 *     dead:count            hash    bot → number of its dead letters; '' for quarantined events
 *     unmatched             zset    events that no bot wanted, by when they came
 *     claim:<key>           hash    fingerprint; token, bot, note and how long that is kept beyond the lease; notes of
 *                                   earlier holders; the reply once there is one
 *     held:<bot>            zset    claims for a bot that are held, by when they are forgotten
 *     left:<bot>            zset    claims for a bot that were released with a note, likewise
 *     shared:<name>         hash    a text that processes share, and its version
 *     buried:<once>         string  the event of a foreign dead letter
 *
 * A foreign dead letter is one of a driver beside which this is the store.
 */
const prelude = `
local hub = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function isBot(bot)
  return redis.call('HEXISTS', hub .. 'bots', bot) == 1
end

local function forget(event)
  local refs = redis.call('HGET', hub .. 'refs', event)
  if not refs then
    redis.call('UNLINK', hub .. 'event:' .. event)
  elseif redis.call('HINCRBY', hub .. 'refs', event, -1) <= 1 then
    redis.call('HDEL', hub .. 'refs', event)
  end
end

local function bury(bot, event, reason, history, ...)
  local id = redis.call('XADD', hub .. 'dead', '*', 'b', bot, 'r', reason, 'e', event, 'h', history, ...)
  redis.call('SADD', hub .. 'dead:of:' .. event, id)
  redis.call('HINCRBY', hub .. 'dead:count', bot, 1)
end

-- who waits for the first that is due has to hear of one that is due before it
local function wait(bot, event, due, attempt, interrupted, history)
  if not isBot(bot) then
    return bury(bot, event, 'retired', history)
  end
  if attempt ~= '1' or interrupted ~= '0' then
    redis.call('HSET', hub .. 'state:' .. bot, event, attempt .. ':' .. interrupted .. ':' .. history)
  end
  redis.call('ZADD', hub .. 'waiting:' .. bot, due, event)
  if redis.call('ZRANK', hub .. 'waiting:' .. bot, event) == 0 then
    redis.call('XADD', hub .. 'bell:' .. bot, 'MAXLEN', 1, '*', 'r', '')
  end
end

-- gives to task what a session runs: bot, event, turn, startedAt, attempt, interrupted, history
local function eachRunning(session, task)
  local all = redis.call('HGETALL', hub .. 'running:' .. session)
  for i = 1, #all, 2 do
    local bot, event = string.match(all[i], '^([^/]*)/(.*)$')
    if bot then
      task(bot, event, string.match(all[i + 1], '^(%d+):(%d+):(%d+):(%d):(.*)$'))
    end
  end
end

-- epoch.number.instant: a server that has lost writes and gets others makes no version that there was
local function changed()
  local version = redis.call('GET', hub .. 'version')
  local epoch, n = string.match(version or '', '^(.-)%.(%d+)%.')
  local instant = time[1] .. '-' .. time[2]
  version = (epoch or instant) .. '.' .. ((n or 0) + 1) .. '.' .. instant
  redis.call('SET', hub .. 'version', version)
  return version
end
`

/**
 * For scripts that keep work going: a server that is full (maxmemory) refuses a script whose first write takes memory, and would
 * be full for ever if nobody could work off what it has. This write takes none.
 */
export const evenIfFull = `
redis.call('HDEL', hub .. 'refs', '')
`

export function script(name: string, body: string): Script {
  const lua = prelude + body
  return { name, lua, sha: createHash('sha1').update(lua).digest('hex') }
}
