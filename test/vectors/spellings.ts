/** What providers, and so vectors, call what is a secret here; two of them are a rotation. */
const secretNames = new Set([
  'accessToken',
  'apiKey',
  'apiSecret',
  'authenticationSecret',
  'appSecret',
  'authToken',
  'authorization',
  'clientSecret',
  'consumerSecret',
  'currentSigningKey',
  'nextSigningKey',
  'hmacKey',
  'key',
  'sharedSecret',
  'signatureSecret',
  'signingKey',
  'signingSecret',
  'token',
  'verificationToken',
  'verifierToken',
  'webhookKey',
  'webhookSecret',
  'webhookToken',
])

const urlNames = new Set(['callbackUrl', 'notificationUrl', 'url', 'webhookUrl'])
const audienceNames = new Set(['appId', 'clientId'])
const headerNames = new Set(['authenticationField', 'authHeader', 'headerName'])

/**
 * The options, in order of preference, that a setting of a vector may be: under its own name, or under the one that a
 * preset has for it. Only set-up is lenient; what a preset accepts is not.
 */
export function spellings(given: string, value: unknown): (readonly [option: string, value: unknown])[] {
  const name = given.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
  const own = [name, name === 'jwks' ? keySet(value) : value] as const
  const also = (...options: string[]) => options.map((option) => [option, value] as const)
  if (name === 'tolerance' || name === 'toleranceSeconds') return [['tolerance', `${Number(value)}s`]]
  if (name === 'version' || name === 'signatureVersion') {
    return [['version', `v${String(value).replace(/^v/i, '')}`], own]
  }
  if (name === 'secret') return [own, ...also('privateKey', 'publicKey', 'primaryKey')]
  if (name === 'issuer') return [own, ...also('apiKey')]
  if (name === 'certificates') return [own, ['publicKey', Object.values(value as object)]]
  if (secretNames.has(name)) return [own, ...also('secret')]
  if (urlNames.has(name)) return [own, ...also('publicUrl')]
  if (audienceNames.has(name)) return [own, ...also('audience')]
  if (headerNames.has(name)) return [own, ...also('header')]
  if (/^publicKey(?:Pem|Base64|Hex)$/.test(name)) return [own, ...also('publicKey')]
  return [own]
}

/** A key set, however it is given: as text, as one key, as a list or by key id. */
function keySet(value: unknown): unknown {
  const set: unknown = typeof value === 'string' ? JSON.parse(value) : value
  if (Array.isArray(set)) return { keys: set as unknown[] }
  if (typeof set !== 'object' || set === null || 'keys' in set) return set
  return { keys: 'kty' in set ? [set] : Object.entries(set).map(([kid, key]) => ({ kid, ...(key as object) })) }
}
