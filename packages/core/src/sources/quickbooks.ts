import { hashSource, type HashPreset, type SecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const quickbooksPreset: HashPreset = {
  provider: 'quickbooks',
  title: 'QuickBooks Online',
  docs: 'https://developer.intuit.com/app/developer/qbo/docs/develop/webhooks',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'intuit-signature', encoding: 'base64' },
    signed: '{body}',
  },
  key: { body: '0.id' },
  keySigned: true,
  type: { body: '0.type' },
  answerWithinMs: 3_000,
  retries: 'after 20, 30 and 50 minutes',
  pitfalls: [
    'One request holds several CloudEvents; key and type are those of the first one.',
    'The format before 2026, eventNotifications, has no id.',
  ],
}

/** Webhooks of a QuickBooks app. The secret is the verifier token. */
export const quickbooks = <Events = Record<string, unknown>>(options: SecretOptions): Source<Events> =>
  hashSource(quickbooksPreset, options)
