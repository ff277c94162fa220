import { hashSource, type HashPreset, type TimedSecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const sanityPreset: HashPreset = {
  provider: 'sanity',
  title: 'Sanity',
  docs: 'https://www.sanity.io/docs/webhook-best-practices',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'sanity-webhook-signature', separator: ',', prefix: 'v1=', encoding: 'base64url' },
    signed: '{timestamp}.{body}',
    timestamp: { entry: 't=', unit: 'ms', toleranceMs: 300_000 },
  },
  key: { header: 'idempotency-key' },
  keySigned: false,
  type: { header: 'sanity-operation' },
  headers: [
    'sanity-operation',
    'sanity-document-id',
    'sanity-transaction-id',
    'sanity-dataset',
    'sanity-project-id',
    'sanity-webhook-id',
    'idempotency-key',
  ],
  retries: 'for 30 minutes, backing off, unless the answer is a 4xx other than 429',
  pitfalls: [
    'The idempotency key is in a header that is not signed.',
    'The timestamp is in milliseconds; the SDK does not look at its age, this does.',
  ],
}

/** GROQ-powered webhooks of Sanity. */
export const sanity = <Events = Record<string, unknown>>(options: TimedSecretOptions): Source<Events> =>
  hashSource(sanityPreset, options)
