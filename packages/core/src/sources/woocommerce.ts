import { hashSource, type HashPreset, type SecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const woocommercePreset: HashPreset = {
  provider: 'woocommerce',
  title: 'WooCommerce',
  docs: 'https://woocommerce.com/document/webhooks/',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'x-wc-webhook-signature', encoding: 'base64' },
    signed: '{body}',
  },
  key: { header: 'x-wc-webhook-delivery-id' },
  keySigned: false,
  type: { header: 'x-wc-webhook-topic' },
  headers: ['x-wc-webhook-topic', 'x-wc-webhook-source', 'x-wc-webhook-id', 'x-wc-webhook-delivery-id'],
  retries: 'none; five failures in a row turn the webhook off',
  pitfalls: [
    'The delivery id is in a header that is not signed.',
    'When a webhook is saved, the shop sends an unsigned ping with webhook_id in a form; it is refused.',
  ],
}

/** Webhooks of a WooCommerce shop. */
export const woocommerce = <Events = Record<string, unknown>>(options: SecretOptions): Source<Events> =>
  hashSource(woocommercePreset, options)
