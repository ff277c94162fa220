import { hashSource, type HashPreset, type SecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const modernTreasuryPreset: HashPreset = {
  provider: 'modern-treasury',
  title: 'Modern Treasury',
  docs: 'https://docs.moderntreasury.com/platform/docs/webhook-signatures',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'x-signature', encoding: 'hex' },
    signed: '{body}',
  },
  key: { header: 'x-webhook-id' },
  keySigned: false,
  type: [{ header: 'x-topic' }, { body: 'event' }],
  headers: ['x-topic', 'x-webhook-id', 'x-event-id', 'x-idempotency-key', 'x-organization-id'],
  retries: 'for 3 days, backing off',
  pitfalls: ['The webhook id is in a header that is not signed.'],
}

/** Webhooks of Modern Treasury. */
export const modernTreasury = <Events = Record<string, unknown>>(options: SecretOptions): Source<Events> =>
  hashSource(modernTreasuryPreset, options)
