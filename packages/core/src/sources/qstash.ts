import { knownOptions } from '../words/options.ts'
import type { UrlSecretOptions } from '../verify/hash.ts'
import { jwtSource, type JwtPreset } from '../verify/jwt.ts'
import { calledBy, publicUrl, publicUrlOf } from '../verify/public-url.ts'
import { secretKeys } from '../verify/secrets.ts'
import type { Source } from '../verify/source.ts'

export const qstashPreset: JwtPreset = {
  provider: 'qstash',
  title: 'Upstash QStash',
  docs: 'https://upstash.com/docs/qstash/howto/signature',
  scheme: {
    kind: 'jwt',
    header: 'upstash-signature',
    algorithm: 'HS256',
    bodyHash: { claim: 'body', encoding: 'base64url' },
    issuer: 'Upstash',
    required: ['exp', 'sub', 'body'],
    leewayMs: 0,
  },
  key: { header: 'upstash-message-id' },
  keySigned: false,
  headers: ['upstash-message-id', 'upstash-retried', 'upstash-schedule-id', 'upstash-topic-name'],
  retries: 'as the message says; 3 times by default, backing off',
  rotation: 'There are two keys at any time, the current and the next: give both.',
  pitfalls: [
    'The token names the URL that was called: set publicUrl behind a proxy.',
    'The message id is in a header that is not signed.',
  ],
}

/** Messages of QStash. The secrets are the current and the next signing key. */
export function qstash<Events = Record<string, unknown>>(options: UrlSecretOptions): Source<Events> {
  knownOptions('qstash', options, ['secret', 'publicUrl'])
  const configured = publicUrlOf('qstash', options)
  const keys = secretKeys(qstashPreset, {}, options.secret).map((key) => ({ key }))
  return jwtSource(
    qstashPreset,
    keys,
    ({ sub }, request) =>
      sub === publicUrl(request, configured) ? undefined : 'The token is for another URL.',
    (message) => ({ sub: publicUrl(calledBy(message), configured) }),
  )
}
