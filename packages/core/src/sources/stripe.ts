import { hashSource, type HashPreset, type TimedSecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const stripePreset: HashPreset = {
  provider: 'stripe',
  title: 'Stripe',
  docs: 'https://docs.stripe.com/webhooks/signature',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'stripe-signature', separator: ',', prefix: 'v1=', encoding: 'hex' },
    signed: '{timestamp}.{body}',
    timestamp: { entry: 't=', unit: 's', toleranceMs: 300_000 },
  },
  key: { body: 'id' },
  keySigned: true,
  type: { body: 'type' },
  answerWithinMs: 20_000,
  retries: 'for 3 days in live mode, 3 times within hours in a sandbox, backing off',
  rotation:
    'Rolling a secret keeps the old one for up to 24 hours: the header then has a signature for each.',
  pitfalls: [
    'Each endpoint has a secret of its own, and the one that the CLI prints is another one.',
    'The secret is used as text, with its whsec_ prefix.',
  ],
  notSecrets: {
    sk_: 'it begins with sk_, a secret API key; the endpoint’s signing secret begins with whsec_',
    rk_: 'it begins with rk_, a restricted API key; the endpoint’s signing secret begins with whsec_',
    pk_: 'it begins with pk_, a publishable API key; the endpoint’s signing secret begins with whsec_',
  },
}

/** Webhook endpoints of Stripe. The secret is the endpoint's, which begins with `whsec_`, and is used as text. */
export const stripe = <Events = Record<string, unknown>>(options: TimedSecretOptions): Source<Events> =>
  hashSource(stripePreset, options)
