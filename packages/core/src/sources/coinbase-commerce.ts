import { hashSource, type HashPreset, type SecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const coinbaseCommercePreset: HashPreset = {
  provider: 'coinbase-commerce',
  title: 'Coinbase Commerce',
  docs: 'https://docs.cdp.coinbase.com/commerce/docs/webhooks-security',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'x-cc-webhook-signature', encoding: 'hex' },
    signed: '{body}',
  },
  key: { body: 'event.id' },
  keySigned: true,
  type: { body: 'event.type' },
  retries: 'for 3 days, backing off',
}

/** Webhooks of Coinbase Commerce. The secret is the webhook shared secret. */
export const coinbaseCommerce = <Events = Record<string, unknown>>(options: SecretOptions): Source<Events> =>
  hashSource(coinbaseCommercePreset, options)
