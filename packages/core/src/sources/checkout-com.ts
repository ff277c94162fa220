import { hashSource, type HashPreset, type SecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const checkoutComPreset: HashPreset = {
  provider: 'checkout-com',
  title: 'Checkout.com',
  docs: 'https://www.checkout.com/docs/developer-resources/webhooks',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'cko-signature', encoding: 'hex' },
    signed: '{body}',
  },
  key: { body: 'id' },
  keySigned: true,
  type: { body: 'type' },
  answerWithinMs: 10_000,
  pitfalls: ['The Authorization header that one may configure beside the signature is not looked at.'],
}

/** Workflows and webhooks of Checkout.com. The secret is the signature key of the webhook, not the API key. */
export const checkoutCom = <Events = Record<string, unknown>>(options: SecretOptions): Source<Events> =>
  hashSource(checkoutComPreset, options)
