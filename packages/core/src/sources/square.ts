import { hashSource, type HashPreset, type UrlSecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const squarePreset: HashPreset = {
  provider: 'square',
  title: 'Square',
  docs: 'https://developer.squareup.com/docs/webhooks/step3validate',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'x-square-hmacsha256-signature', encoding: 'base64' },
    signed: '{url}{body}',
  },
  key: { body: 'event_id' },
  keySigned: true,
  type: { body: 'type' },
  headers: ['square-environment', 'square-retry-number', 'square-retry-reason'],
  answerWithinMs: 10_000,
  retries: 'up to 11 times within 24 hours',
  pitfalls: [
    'The URL must be the one of the subscription, letter by letter: set publicUrl behind a proxy.',
    'The older x-square-signature (SHA-1) is never looked at.',
  ],
}

/** Webhook subscriptions of Square. The secret is the subscription's signature key. */
export const square = <Events = Record<string, unknown>>(options: UrlSecretOptions): Source<Events> =>
  hashSource(squarePreset, options)
