import { hashSource, type HashPreset, type TimedSecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const retellPreset: HashPreset = {
  provider: 'retell',
  title: 'Retell AI',
  docs: 'https://docs.retellai.com/features/secure-webhook',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: {
      header: 'x-retell-signature',
      separator: ',',
      prefix: 'd=',
      encoding: 'hex',
      form: /^v=\d{1,15},d=[\da-f]+$/,
    },
    signed: '{body}{timestamp}',
    timestamp: { entry: 'v=', unit: 'ms', toleranceMs: 300_000 },
  },
  key: [{ body: 'event' }, { body: 'call.call_id' }],
  keySigned: true,
  type: { body: 'event' },
  answerWithinMs: 10_000,
  retries: 'up to 3 times',
  pitfalls: ['Only the API key with the webhook badge signs.'],
}

/** Webhooks of Retell AI. The secret is the API key with the webhook badge. */
export const retell = <Events = Record<string, unknown>>(options: TimedSecretOptions): Source<Events> =>
  hashSource(retellPreset, options)
