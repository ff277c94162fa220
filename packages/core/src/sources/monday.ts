import { knownOptions } from '../words/options.ts'
import type { SecretOptions } from '../verify/hash.ts'
import { jwtSource, type JwtPreset } from '../verify/jwt.ts'
import { required, secretKeys } from '../verify/secrets.ts'
import type { Source } from '../verify/source.ts'

export const mondayPreset: JwtPreset = {
  provider: 'monday',
  title: 'monday.com',
  docs: 'https://developer.monday.com/api-reference/reference/webhooks',
  scheme: { kind: 'jwt', header: 'authorization', algorithm: 'HS256', required: ['aud', 'exp'], leewayMs: 0 },
  key: { body: 'event.triggerUuid' },
  keySigned: false,
  type: { body: 'event.type' },
  handshakes: [
    {
      verified: false,
      when: [{ at: { body: 'challenge' } }, { at: { body: 'event' }, absent: true }],
      reply: { status: 200, json: { challenge: { body: 'challenge' } } },
    },
  ],
  retries: 'once a minute for 30 minutes',
  pitfalls: [
    'The token proves the sender and says nothing of the body.',
    'It comes without "Bearer" in front.',
  ],
}

export interface MondayOptions extends SecretOptions {
  /** The URL that monday.com calls, as it was registered: the audience of its tokens. */
  readonly audience: string
}

/** Webhooks of a monday.com app. The secret is the app's signing secret. */
export function monday<Events = Record<string, unknown>>(options: MondayOptions): Source<Events> {
  knownOptions('monday', options, ['secret', 'audience'])
  const keys = secretKeys(mondayPreset, {}, options.secret).map((key) => ({ key }))
  const audience = required('monday', 'audience', options.audience)
  return jwtSource(
    mondayPreset,
    keys,
    ({ aud }) =>
      aud === audience ? undefined : 'The token is for another audience than the configured one.',
    () => ({ aud: audience }),
  )
}
