import { hashSource, type HashPreset, type SecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const paystackPreset: HashPreset = {
  provider: 'paystack',
  title: 'Paystack',
  docs: 'https://paystack.com/docs/payments/webhooks/#signature-validation',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha512',
    signature: { header: 'x-paystack-signature', encoding: 'hex' },
    signed: '{body}',
  },
  key: [{ body: 'event' }, { body: 'data.id' }],
  keySigned: true,
  type: { body: 'event' },
  retries: 'every 3 minutes for 4 tries, then hourly for 72 hours',
  pitfalls: ['The signature is SHA-512, not SHA-256.'],
  notSecrets: { pk_: 'it begins with pk_, the public key; take the secret key of the same mode' },
}

/** Webhooks of Paystack. The secret is the secret API key of the same mode, test or live. */
export const paystack = <Events = Record<string, unknown>>(options: SecretOptions): Source<Events> =>
  hashSource(paystackPreset, options)
