import { hashSource, type HashPreset, type TimedSecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const linearPreset: HashPreset = {
  provider: 'linear',
  title: 'Linear',
  docs: 'https://linear.app/developers/webhooks#securing-webhooks',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'linear-signature', encoding: 'hex' },
    signed: '{body}',
    timestamp: { body: 'webhookTimestamp', unit: 'ms', toleranceMs: 60_000 },
  },
  key: { header: 'linear-delivery' },
  keySigned: false,
  type: [{ body: 'type' }, { body: 'action' }],
  headers: ['linear-event', 'linear-delivery'],
  answerWithinMs: 5_000,
  retries: '3 times: after 1 minute, 1 hour and 6 hours',
  pitfalls: [
    'The delivery id is in a header that is not signed; the time is in the signed body.',
    'Linear allows 60 seconds between signing and checking.',
  ],
}

/** Webhooks of a Linear workspace or app. */
export const linear = <Events = Record<string, unknown>>(options: TimedSecretOptions): Source<Events> =>
  hashSource(linearPreset, options)
