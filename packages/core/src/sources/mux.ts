import { hashSource, type HashPreset, type TimedSecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const muxPreset: HashPreset = {
  provider: 'mux',
  title: 'Mux',
  docs: 'https://www.mux.com/docs/core/verify-webhook-signatures',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'mux-signature', separator: ',', prefix: 'v1=', encoding: 'hex' },
    signed: '{timestamp}.{body}',
    timestamp: { entry: 't=', unit: 's', toleranceMs: 300_000 },
  },
  key: { body: 'id' },
  keySigned: true,
  type: { body: 'type' },
  answerWithinMs: 5_000,
  retries: 'for 24 hours, backing off',
}

/** Webhooks of a Mux environment. The secret is the webhook's signing secret. */
export const mux = <Events = Record<string, unknown>>(options: TimedSecretOptions): Source<Events> =>
  hashSource(muxPreset, options)
