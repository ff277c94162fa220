import { hashSource, type HashPreset, type SecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const razorpayPreset: HashPreset = {
  provider: 'razorpay',
  title: 'Razorpay',
  docs: 'https://razorpay.com/docs/webhooks/validate-test/',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'x-razorpay-signature', encoding: 'hex' },
    signed: '{body}',
  },
  key: { header: 'x-razorpay-event-id' },
  keySigned: false,
  type: { body: 'event' },
  headers: ['x-razorpay-event-id'],
  answerWithinMs: 5_000,
  retries: 'for 24 hours, backing off; then the webhook is turned off',
  pitfalls: ['The event id is in a header that is not signed.'],
  notSecrets: {
    rzp_live_: 'it begins with rzp_live_, an API key id; take the secret that was set for the webhook',
    rzp_test_: 'it begins with rzp_test_, an API key id; take the secret that was set for the webhook',
  },
}

/** Webhooks of Razorpay. The secret is the webhook's, not the API key's. */
export const razorpay = <Events = Record<string, unknown>>(options: SecretOptions): Source<Events> =>
  hashSource(razorpayPreset, options)
