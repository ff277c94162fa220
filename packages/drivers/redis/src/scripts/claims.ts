import { script } from './script.ts'

/**
 * Takes a key. ARGV: key, fingerprint, token, lease. Answers 'claimed'; 'mismatch'; 'in-flight' and milliseconds; or
 * 'completed', status, headers, '1' if there is a body, the body.
 */
export const claimScript = script(
  'claim',
  `
local name = hub .. 'claim:' .. ARGV[1]
local known = redis.call('HMGET', name, 'fingerprint', 'status', 'headers', 'body')
if not known[1] then
  redis.call('HSET', name, 'fingerprint', ARGV[2], 'token', ARGV[3])
  redis.call('PEXPIRE', name, ARGV[4])
  return { 'claimed' }
end
if known[1] ~= ARGV[2] then
  return { 'mismatch' }
end
if not known[2] then
  return { 'in-flight', redis.call('PTTL', name) }
end
return { 'completed', known[2], known[3], known[4] and '1' or '0', known[4] or '' }
`,
)

const held = `
local name = hub .. 'claim:' .. ARGV[1]
local known = redis.call('HMGET', name, 'token', 'status')
if known[1] ~= ARGV[2] or known[2] then
  return 0
end
`

/** ARGV: key, token, lease. Answers 1, or 0 when the key is not held by the token. */
export const renewClaimScript = script('renew claim', `${held} return redis.call('PEXPIRE', name, ARGV[3])`)

/** ARGV: key, token, ttl, status, headers, and the body if there is one. Answers 1 or 0. */
export const completeScript = script(
  'complete',
  `${held}
redis.call('HSET', name, 'headers', ARGV[5], 'status', ARGV[4])
if ARGV[6] then redis.call('HSET', name, 'body', ARGV[6]) end
return redis.call('PEXPIRE', name, ARGV[3])
`,
)

/** ARGV: key, token. Answers 1 or 0. */
export const releaseScript = script('release', `${held} return redis.call('DEL', name)`)
