import { hashSource, type HashPreset, type TimedSecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const workosPreset: HashPreset = {
  provider: 'workos',
  title: 'WorkOS',
  docs: 'https://workos.com/docs/events/data-syncing/webhooks',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: {
      header: 'workos-signature',
      separator: ',',
      prefix: 'v1=',
      encoding: 'hex',
      form: /^t=\d{1,15}, ?v1=/,
    },
    signed: '{timestamp}.{body}',
    timestamp: { entry: 't=', unit: 'ms', toleranceMs: 180_000 },
  },
  key: { body: 'id' },
  keySigned: true,
  type: { body: 'event' },
  retries: 'up to 12 times over 3 days, backing off',
  pitfalls: ['The timestamp is in milliseconds.'],
  notSecrets: { sk_: 'it begins with sk_, an API key; take the signing secret of the endpoint' },
}

/** Webhook endpoints of WorkOS. The secret is the endpoint's. */
export const workos = <Events = Record<string, unknown>>(options: TimedSecretOptions): Source<Events> =>
  hashSource(workosPreset, options)
