import { randomUUID } from 'node:crypto'
import { knownOptions, textOf } from '../words/options.ts'
import type { SecretOptions } from '../verify/hash.ts'
import { jwtSource, type JwtPreset } from '../verify/jwt.ts'
import { secretKeys } from '../verify/secrets.ts'
import type { Source } from '../verify/source.ts'

export const vonagePreset: JwtPreset = {
  provider: 'vonage',
  title: 'Vonage',
  docs: 'https://developer.vonage.com/en/getting-started/concepts/webhooks#decoding-signed-webhooks',
  scheme: {
    kind: 'jwt',
    header: 'authorization',
    prefix: 'Bearer ',
    algorithm: 'HS256',
    bodyHash: { claim: 'payload_hash', encoding: 'hex', optionalWhenEmpty: true, queryWhenEmpty: true },
    issuer: 'Vonage',
    required: ['iat'],
    maxAgeMs: 300_000,
    leewayMs: 0,
    aheadMs: 60_000,
  },
  key: [{ body: 'message_uuid' }, { body: 'status' }],
  keySigned: true,
  type: [{ body: 'channel' }, { body: 'status' }],
  answerWithinMs: 5_000,
  retries: 'for 24 hours, backing off',
  pitfalls: [
    'Signing must be turned on for the API in question.',
    'The body is covered by a hash in the token.',
  ],
}

export interface VonageOptions extends SecretOptions {
  /** Accept tokens for this API key alone. Default: any that the secret matches. */
  readonly apiKey?: string
}

/** Signed webhooks of Vonage (Messages, Voice, Verify). The secret is the account's signature secret. */
export function vonage<Events = Record<string, unknown>>(options: VonageOptions): Source<Events> {
  knownOptions('vonage', options, ['secret', 'apiKey'])
  const keys = secretKeys(vonagePreset, {}, options.secret).map((key) => ({ key }))
  const { apiKey } = options
  if (apiKey !== undefined) textOf('vonage.apiKey', apiKey)
  return jwtSource(
    vonagePreset,
    keys,
    ({ api_key: of }) =>
      apiKey === undefined || of === apiKey
        ? undefined
        : 'The token is for another API key than the configured one.',
    () => ({ jti: randomUUID(), ...(apiKey === undefined ? {} : { api_key: apiKey }) }),
  )
}
