import { hashSource, type HashPreset, type TimedSecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const zendeskPreset: HashPreset = {
  provider: 'zendesk',
  title: 'Zendesk',
  docs: 'https://developer.zendesk.com/documentation/webhooks/verifying/',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'x-zendesk-webhook-signature', encoding: 'base64' },
    signed: '{timestamp}{body}',
    timestamp: { header: 'x-zendesk-webhook-signature-timestamp', unit: 'rfc3339', toleranceMs: 300_000 },
  },
  key: { header: 'x-zendesk-webhook-invocation-id' },
  keySigned: false,
  type: { body: 'type' },
  headers: ['x-zendesk-account-id', 'x-zendesk-webhook-id', 'x-zendesk-webhook-invocation-id'],
  answerWithinMs: 12_000,
  retries: 'on 409 three times; on 429 and 503 with retry-after; on a timeout up to five times',
  pitfalls: [
    'The invocation id is in a header that is not signed.',
    'While a webhook is made, Zendesk tests it with a static secret of its documentation: do not configure that one.',
  ],
}

/** Webhooks of Zendesk. */
export const zendesk = <Events = Record<string, unknown>>(options: TimedSecretOptions): Source<Events> =>
  hashSource(zendeskPreset, options)
