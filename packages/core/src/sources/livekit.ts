import { knownOptions, textOf } from '../words/options.ts'
import type { SecretOptions } from '../verify/hash.ts'
import { jwtSource, type JwtPreset } from '../verify/jwt.ts'
import { secretKeys } from '../verify/secrets.ts'
import type { Source } from '../verify/source.ts'

export const livekitPreset: JwtPreset = {
  provider: 'livekit',
  title: 'LiveKit',
  docs: 'https://docs.livekit.io/home/server/webhooks/',
  scheme: {
    kind: 'jwt',
    header: 'authorization',
    algorithm: 'HS256',
    bodyHash: { claim: 'sha256', encoding: 'base64' },
    required: ['exp', 'sha256'],
    leewayMs: 10_000,
  },
  key: { body: 'id' },
  keySigned: true,
  type: { body: 'event' },
  answerWithinMs: 10_000,
  retries: 'a few times, backing off',
  pitfalls: ['The token comes without "Bearer" in front.', 'The content type is application/webhook+json.'],
}

export interface LivekitOptions extends SecretOptions {
  /** Accept tokens of this API key alone. Default: any that the secret matches. */
  readonly apiKey?: string
}

/** Webhooks of LiveKit. The secret is the API secret. */
export function livekit<Events = Record<string, unknown>>(options: LivekitOptions): Source<Events> {
  knownOptions('livekit', options, ['secret', 'apiKey'])
  const keys = secretKeys(livekitPreset, {}, options.secret).map((key) => ({ key }))
  const { apiKey } = options
  if (apiKey !== undefined) textOf('livekit.apiKey', apiKey)
  return jwtSource(
    livekitPreset,
    keys,
    ({ iss }) =>
      apiKey === undefined || iss === apiKey
        ? undefined
        : 'The token is of another API key than the configured one.',
    () => (apiKey === undefined ? {} : { iss: apiKey }),
  )
}
