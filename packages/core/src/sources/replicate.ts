import { hashSource, type HashPreset, type TimedSecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'
import { standardScheme } from './standard.ts'

export const replicatePreset: HashPreset = {
  provider: 'replicate',
  title: 'Replicate',
  docs: 'https://replicate.com/docs/topics/webhooks/verify-webhook',
  scheme: standardScheme('webhook'),
  key: { signed: 'id' },
  keySigned: true,
  type: { body: 'status' },
  headers: ['webhook-id', 'webhook-timestamp'],
  retries: 'for terminal events only, backing off for about a minute',
  pitfalls: ['The body is a prediction; what its status is counts as the type.'],
  notSecrets: { r8_: 'it begins with r8_, an API token; fetch the signing secret, which begins with whsec_' },
}

/** Webhooks of Replicate predictions and trainings. */
export const replicate = <Events = Record<string, unknown>>(options: TimedSecretOptions): Source<Events> =>
  hashSource(replicatePreset, options)
