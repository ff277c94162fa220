import { knownOptions } from '../words/options.ts'
import type { SecretOptions } from '../verify/hash.ts'
import { jwtSource, type JwtPreset } from '../verify/jwt.ts'
import { secretKeys } from '../verify/secrets.ts'
import type { Source } from '../verify/source.ts'

export const netlifyPreset: JwtPreset = {
  provider: 'netlify',
  title: 'Netlify',
  docs: 'https://docs.netlify.com/deploy/deploy-notifications/#payload-signature',
  scheme: {
    kind: 'jwt',
    header: 'x-webhook-signature',
    algorithm: 'HS256',
    bodyHash: { claim: 'sha256', encoding: 'hex' },
    issuer: 'netlify',
    required: ['iss', 'sha256'],
    leewayMs: 60_000,
  },
  key: [{ body: 'id' }, { body: 'state' }, { header: 'x-netlify-event' }],
  keySigned: false,
  type: { header: 'x-netlify-event' },
  headers: ['x-netlify-event'],
  retries: 'none that is documented',
  pitfalls: ['The token has no time: a captured request can be sent again for ever.'],
}

/** HTTP deploy notifications of Netlify. The secret is the JWS secret token of the notification. */
export function netlify<Events = Record<string, unknown>>(options: SecretOptions): Source<Events> {
  knownOptions('netlify', options, ['secret'])
  return jwtSource(
    netlifyPreset,
    secretKeys(netlifyPreset, {}, options.secret).map((key) => ({ key })),
  )
}
