import { hashSource, type HashPreset, type SecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const lemonsqueezyPreset: HashPreset = {
  provider: 'lemonsqueezy',
  title: 'Lemon Squeezy',
  docs: 'https://docs.lemonsqueezy.com/help/webhooks/signing-requests',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'x-signature', encoding: 'hex' },
    signed: '{body}',
  },
  keySigned: false,
  type: { body: 'meta.event_name' },
  headers: ['x-event-name'],
  retries: 'up to 3 more times: after 5, 25 and 125 seconds',
  pitfalls: ['Nothing in a request tells a retry from a new event: meta.webhook_id names the subscription.'],
}

/** Webhooks of a Lemon Squeezy store. */
export const lemonsqueezy = <Events = Record<string, unknown>>(options: SecretOptions): Source<Events> =>
  hashSource(lemonsqueezyPreset, options)
