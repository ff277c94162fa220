import { hashSource, type HashPreset, type SecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const pagerdutyPreset: HashPreset = {
  provider: 'pagerduty',
  title: 'PagerDuty',
  docs: 'https://developer.pagerduty.com/docs/verifying-webhook-signatures',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'x-pagerduty-signature', separator: ',', prefix: 'v1=', encoding: 'hex' },
    signed: '{body}',
  },
  key: { body: 'event.id' },
  keySigned: true,
  type: { body: 'event.event_type' },
  headers: ['x-webhook-id', 'x-webhook-subscription'],
  answerWithinMs: 5_000,
  rotation: 'The header lists a signature for every active secret.',
}

/** Webhook subscriptions of PagerDuty, version 3. */
export const pagerduty = <Events = Record<string, unknown>>(options: SecretOptions): Source<Events> =>
  hashSource(pagerdutyPreset, options)
