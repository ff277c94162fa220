import { script } from './script.ts'

const removing = `
local function letter(id)
  local entry = redis.call('XRANGE', hub .. 'dead', id, id)[1]
  if entry then
    local fields = entry[2]
    return { id = id, bot = fields[2], event = fields[6], once = fields[10] }
  end
end
local function remove(dead)
  redis.call('XDEL', hub .. 'dead', dead.id)
  redis.call('SREM', hub .. 'dead:of:' .. dead.event, dead.id)
  if redis.call('HINCRBY', hub .. 'dead:count', dead.bot, -1) <= 0 then
    redis.call('HDEL', hub .. 'dead:count', dead.bot)
  end
end
local count = 0
`

/**
 * Puts dead letters back as attempt 1, those of a bot for that bot. ARGV, of each: id, and, for an event that no bot has
 * seen, how many bots want it, and their names. One that nobody is there for stays. Answers how many were put back.
 */
export const redriveScript = script(
  'redrive',
  `${removing}
local at = 1
while at <= #ARGV do
  local id, given = ARGV[at], tonumber(ARGV[at + 1])
  local dead = letter(id)
  if dead and dead.once then dead = nil end -- its own driver redrives it
  local bots = {}
  if dead and dead.bot ~= '' then
    if isBot(dead.bot) then bots = { dead.bot } end
  elseif dead then
    for i = at + 2, at + 1 + given do
      if isBot(ARGV[i]) then bots[#bots + 1] = ARGV[i] end
    end
    if #bots > 1 then redis.call('HSET', hub .. 'refs', dead.event, #bots) end
  end
  for _, bot in ipairs(bots) do
    wait(bot, dead.event, now, '1', '0', '[]')
  end
  if #bots > 0 then
    remove(dead)
    count = count + 1
  end
  at = at + 2 + given
end
return count
`,
)

/** Removes dead letters for good. ARGV: ids. Answers how many. */
export const discardScript = script(
  'discard',
  `${removing}
for _, id in ipairs(ARGV) do
  local dead = letter(id)
  if dead then
    remove(dead)
    if dead.once then
      redis.call('UNLINK', hub .. 'buried:' .. dead.once)
    else
      forget(dead.event)
    end
    count = count + 1
  end
end
return count
`,
)

/**
 * Keeps a foreign dead letter, unless one that is once the same is there. ARGV: once, bot or '', event, reason, history,
 * when it died, record.
 */
export const buryScript = script(
  'bury',
  `
local once, bot, event, reason, history, at, record = unpack(ARGV)
if redis.call('SET', hub .. 'buried:' .. once, '-' .. record, 'NX') then
  bury(bot, event, reason, history, 'o', once, 'a', at)
end
return 1
`,
)
