import { hashSource, type HashPreset, type SecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const vercelPreset: HashPreset = {
  provider: 'vercel',
  title: 'Vercel',
  docs: 'https://vercel.com/docs/webhooks/webhooks-api#securing-webhooks',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha1',
    signature: { header: 'x-vercel-signature', encoding: 'hex' },
    signed: '{body}',
  },
  key: { body: 'id' },
  keySigned: true,
  type: { body: 'type' },
  answerWithinMs: 30_000,
  retries: 'up to 24 hours, backing off',
  pitfalls: [
    'The signature is SHA-1.',
    'An integration signs with its client secret, an account webhook with the secret shown when it was made.',
  ],
}

/** Account webhooks, integrations and log drains of Vercel. */
export const vercel = <Events = Record<string, unknown>>(options: SecretOptions): Source<Events> =>
  hashSource(vercelPreset, options)
