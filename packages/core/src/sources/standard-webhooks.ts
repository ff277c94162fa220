import { asymmetricSource, type AsymmetricPreset, type TimedPublicKeyOptions } from '../verify/asymmetric.ts'
import { hashSource, type HashPreset, type TimedSecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'
import { optionsOf } from '../words/options.ts'
import { standardScheme } from './standard.ts'

export const standardWebhooksPreset: HashPreset = {
  provider: 'standard-webhooks',
  title: 'Standard Webhooks',
  docs: 'https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md',
  scheme: standardScheme('webhook'),
  key: { signed: 'id' },
  keySigned: true,
  type: { body: 'type' },
  headers: ['webhook-id', 'webhook-timestamp'],
  answerWithinMs: 15_000,
  retries: 'as the sender likes; the specification suggests about 3 days, backing off',
  rotation: 'The header may list a signature for each secret.',
  pitfalls: ['The secret is base64 behind whsec_, and decoded.'],
}

/** Version `v1a`: the same bytes, signed with the sender's private key. */
const standardWebhooksAsymmetricPreset: AsymmetricPreset = {
  ...standardWebhooksPreset,
  scheme: {
    kind: 'asymmetric',
    algorithm: 'ed25519',
    signature: { header: 'webhook-signature', separator: ' ', prefix: 'v1a,', encoding: 'base64' },
    signed: '{id}.{timestamp}.{body}',
    id: 'webhook-id',
    timestamp: { header: 'webhook-timestamp', unit: 's', toleranceMs: 300_000 },
  },
}

/** Any sender that follows Standard Webhooks: `secret` (`whsec_…`) for `v1`, or `publicKey` (`whpk_…`) for `v1a`. */
export function standardWebhooks<Events = Record<string, unknown>>(
  options: TimedSecretOptions | TimedPublicKeyOptions,
): Source<Events> {
  optionsOf('standard-webhooks', options)
  return 'publicKey' in options
    ? asymmetricSource(standardWebhooksAsymmetricPreset, options)
    : hashSource(standardWebhooksPreset, options)
}
