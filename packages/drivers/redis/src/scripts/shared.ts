import { script } from './script.ts'

/** Replaces a text if it has the version, '' if there is none. ARGV: name, version, text, its new version. Answers 1 or 0. */
export const shareScript = script(
  'share',
  `
local name = hub .. 'shared:' .. ARGV[1]
if (redis.call('HGET', name, 'version') or '') ~= ARGV[2] then
  return 0
end
redis.call('HSET', name, 'text', ARGV[3], 'version', ARGV[4])
return 1
`,
)
