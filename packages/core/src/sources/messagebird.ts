import { createHash, randomUUID } from 'node:crypto'
import { knownOptions } from '../words/options.ts'
import { sameText } from '../verify/encodings.ts'
import type { UrlSecretOptions } from '../verify/hash.ts'
import { jwtSource, type JwtPreset } from '../verify/jwt.ts'
import { calledBy, publicUrl, publicUrlOf } from '../verify/public-url.ts'
import { secretKeys } from '../verify/secrets.ts'
import type { Source } from '../verify/source.ts'

export const messagebirdPreset: JwtPreset = {
  provider: 'messagebird',
  title: 'MessageBird',
  docs: 'https://developers.messagebird.com/api/#verifying-http-requests',
  scheme: {
    kind: 'jwt',
    header: 'messagebird-signature-jwt',
    algorithm: 'HS256',
    alternatives: ['HS384', 'HS512'],
    bodyHash: { claim: 'payload_hash', encoding: 'hex', optionalWhenEmpty: true },
    issuer: 'MessageBird',
    required: ['exp', 'jti', 'url_hash'],
    leewayMs: 5_000,
  },
  key: { body: 'message.id' },
  keySigned: true,
  type: { body: 'type' },
  retries: 'up to 10 times, backing off',
  pitfalls: ['The URL is covered by a hash in the token: set publicUrl behind a proxy.'],
}

/** Webhooks of MessageBird. The secret is the signing key. */
export function messagebird<Events = Record<string, unknown>>(options: UrlSecretOptions): Source<Events> {
  knownOptions('messagebird', options, ['secret', 'publicUrl'])
  const configured = publicUrlOf('messagebird', options)
  const keys = secretKeys(messagebirdPreset, {}, options.secret).map((key) => ({ key }))
  const hashOf = (request: Parameters<typeof publicUrl>[0]): string =>
    createHash('sha256').update(publicUrl(request, configured)).digest('hex')
  return jwtSource(
    messagebirdPreset,
    keys,
    ({ url_hash: hash }, request) =>
      typeof hash === 'string' && sameText(hash, hashOf(request))
        ? undefined
        : 'The token is for another URL.',
    (message) => ({ jti: randomUUID(), url_hash: hashOf(calledBy(message)) }),
  )
}
