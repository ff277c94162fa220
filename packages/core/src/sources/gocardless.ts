import { hashSource, type HashPreset, type SecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const gocardlessPreset: HashPreset = {
  provider: 'gocardless',
  title: 'GoCardless',
  docs: 'https://developer.gocardless.com/api-reference/#webhooks-signing-webhooks',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'webhook-signature', encoding: 'hex' },
    signed: '{body}',
  },
  key: { body: 'meta.webhook_id' },
  keySigned: true,
  type: [{ body: 'events.0.resource_type' }, { body: 'events.0.action' }],
  answerWithinMs: 10_000,
  refusalStatus: 498,
  retries: 'up to 8 times, backing off',
  pitfalls: ['One request holds up to 250 events; the type is that of the first one.'],
}

/** Webhook endpoints of GoCardless. The secret is the endpoint's. */
export const gocardless = <Events = Record<string, unknown>>(options: SecretOptions): Source<Events> =>
  hashSource(gocardlessPreset, options)
