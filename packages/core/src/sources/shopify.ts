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
  retries: '8 times within 4 hours; then the subscription is removed if it was made through the API',
  rotation:
    'After the client secret was rotated, it may take an hour until webhooks are signed with the new one: keep both here.',
  pitfalls: [
    'The webhook id is in a header that is not signed.',
    'Webhooks that were made in the admin are signed with the key shown there, not with an app’s secret.',
  ],
  notSecrets: {
    shpat_: 'it begins with shpat_, an access token; take the app’s client secret',
    shppa_: 'it begins with shppa_, an access token; take the app’s client secret',
  },
}

/** Webhooks of a Shopify app. The secret is the app's client secret. */
export const shopify = <Events = Record<string, unknown>>(options: SecretOptions): Source<Events> =>
  hashSource(shopifyPreset, options)
