import { evenIfFull, script } from './script.ts'

/** What there is of a key, and where a claim for a bot is counted: so long as it is remembered, held or left, or nowhere. */
const claim = `
local key = ARGV[1]
local name = hub .. 'claim:' .. key
local known = redis.call('HMGET', name, 'fingerprint', 'token', 'status', 'keep', 'bot', 'note', 'notes')
local fingerprint, token, status, keep, ofBot, note = unpack(known)
local notes = known[7] and cmsgpack.unpack(known[7]) or {}
keep = tonumber(keep or 0)

local function count(bot, where, forMs)
  for _, kind in ipairs({ 'held:', 'left:' }) do
    local set = hub .. kind .. bot
    if kind == where then
      local over = redis.call('ZRANGEBYSCORE', set, '-inf', now, 'LIMIT', 0, 2)
      if #over > 0 then redis.call('ZREM', set, unpack(over)) end
      redis.call('ZADD', set, now + forMs, key)
      if redis.call('PTTL', set) < forMs then redis.call('PEXPIRE', set, forMs) end
    else
      redis.call('ZREM', set, key)
    end
  end
end
`

/**
 * Takes a key, or recognises that this token has it. ARGV: key, fingerprint, token, lease, and if it leaves a trace: note, how long it is kept, bot or ''.
 *
 * Answers 'claimed' and the notes of earlier holders; 'mismatch'; 'in-flight' and milliseconds; or 'completed', status,
 * headers, '1' if there is a body, the body.
 */
export const claimScript = script(
  'claim',
  `${claim}
if fingerprint and fingerprint ~= ARGV[2] then
  return { 'mismatch' }
end
if status then
  local reply = redis.call('HMGET', name, 'headers', 'body')
  return { 'completed', status, reply[1], reply[2] and '1' or '0', reply[2] or '' }
end
if token and token == ARGV[3] then
  redis.call('PEXPIRE', name, ARGV[4] + keep)
  return { 'claimed', notes }
end
local leftMs = token and redis.call('PTTL', name) - keep or 0
if leftMs > 0 then
  return { 'in-flight', leftMs }
end

if (ARGV[7] or '') ~= '' then ${evenIfFull} end
if fingerprint then
  if note then notes[#notes + 1] = note end
  if ofBot then count(ofBot) end
  redis.call('DEL', name)
end
redis.call('HSET', name, 'fingerprint', ARGV[2], 'token', ARGV[3])
if #notes > 0 then redis.call('HSET', name, 'notes', cmsgpack.pack(notes)) end
local forMs = tonumber(ARGV[4])
if ARGV[5] then
  redis.call('HSET', name, 'note', ARGV[5], 'keep', ARGV[6])
  forMs = forMs + ARGV[6]
  if ARGV[7] ~= '' then
    redis.call('HSET', name, 'bot', ARGV[7])
    count(ARGV[7], 'held:', forMs)
  end
end
redis.call('PEXPIRE', name, forMs)
return { 'claimed', notes }
`,
)

const held = `${claim}
if token ~= ARGV[2] then
  return 0
end
`

/** ARGV: key, token, lease. Answers 1, or 0 when the key is not held by the token. */
export const renewClaimScript = script(
  'renew claim',
  `${held}
${evenIfFull}
if ofBot then count(ofBot, 'held:', ARGV[3] + keep) end
return redis.call('PEXPIRE', name, ARGV[3] + keep)
`,
)

/** ARGV: key, token, ttl, status, headers, and the body if there is one. Answers 1 or 0. */
export const completeScript = script(
  'complete',
  `${held}
if ofBot then count(ofBot) end
redis.call('HDEL', name, 'token', 'keep', 'bot', 'note', 'notes')
redis.call('HSET', name, 'headers', ARGV[5], 'status', ARGV[4])
if ARGV[6] then redis.call('HSET', name, 'body', ARGV[6]) end
return redis.call('PEXPIRE', name, ARGV[3])
`,
)

/** ARGV: key, token, and a note if one is to be left. Answers 1 or 0. */
export const releaseScript = script(
  'release',
  `${held}
if ARGV[3] then notes[#notes + 1] = ARGV[3] end
if #notes == 0 then
  if ofBot then count(ofBot) end
  return redis.call('DEL', name)
end
if ofBot then count(ofBot, 'left:', keep) end
redis.call('HDEL', name, 'token', 'note')
redis.call('HSET', name, 'notes', cmsgpack.pack(notes))
return redis.call('PEXPIRE', name, keep)
`,
)

/** What stands open for a bot. ARGV: bot, or '' for quarantined events alone. Answers held, left, dead letters. */
export const tallyScript = script(
  'tally',
  `
local function open(kind)
  return redis.call('ZCOUNT', hub .. kind .. ARGV[1], '(' .. now, '+inf')
end
return { open('held:'), open('left:'), tonumber(redis.call('HGET', hub .. 'dead:count', ARGV[1]) or 0) }
`,
)
