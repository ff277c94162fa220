import { hashSource, type HashPreset, type SecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const shopifyPreset: HashPreset = {
  provider: 'shopify',
  title: 'Shopify',
  docs: 'https://shopify.dev/docs/apps/build/webhooks/subscribe/https',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'x-shopify-hmac-sha256', encoding: 'base64' },
    signed: '{body}',
  },
  // not x-shopify-event-id: one action of a merchant gives the same to orders/create and orders/paid
  key: { header: 'x-shopify-webhook-id' },
  keySigned: false,
  type: { header: 'x-shopify-topic' },
  headers: [
    'x-shopify-topic',
    'x-shopify-shop-domain',
    'x-shopify-api-version',
    'x-shopify-webhook-id',
    'x-shopify-event-id',
    'x-shopify-triggered-at',
  ],
  answerWithinMs: 5_000,
  notSecrets: {
    shpat_: 'it begins with shpat_, an access token; take the app’s client secret',
    shppa_: 'it begins with shppa_, an access token; take the app’s client secret',
  },
}

/** Webhooks of a Shopify app. The secret is the app's client secret. */
export const shopify = <Events = Record<string, unknown>>(options: SecretOptions): Source<Events> =>
  hashSource(shopifyPreset, options)
