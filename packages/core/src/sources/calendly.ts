import { hashSource, type HashPreset, type TimedSecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const calendlyPreset: HashPreset = {
  provider: 'calendly',
  title: 'Calendly',
  docs: 'https://developer.calendly.com/api-docs/4c305798a61d3-webhook-signatures',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'calendly-webhook-signature', separator: ',', prefix: 'v1=', encoding: 'hex' },
    signed: '{timestamp}.{body}',
    timestamp: { entry: 't=', unit: 's', toleranceMs: 180_000 },
  },
  key: [{ body: 'event' }, { body: 'payload.uri' }, { body: 'created_at' }],
  keySigned: true,
  type: { body: 'event' },
  answerWithinMs: 15_000,
  retries: 'for 24 hours, backing off; then the subscription is turned off',
}

/** Webhook subscriptions of Calendly. The secret is the subscription's signing key. */
export const calendly = <Events = Record<string, unknown>>(options: TimedSecretOptions): Source<Events> =>
  hashSource(calendlyPreset, options)
