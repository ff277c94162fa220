import { tellingSecret } from '../verify/handshake.ts'
import { hashSource, type HashPreset, type SecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'
import { optionsOf } from '../words/options.ts'

export const asanaPreset: HashPreset = {
  provider: 'asana',
  title: 'Asana',
  docs: 'https://developers.asana.com/docs/webhooks-guide',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'x-hook-signature', encoding: 'hex' },
    signed: '{body}',
  },
  keySigned: false,
  type: [{ body: 'events.0.resource.resource_type' }, { body: 'events.0.action' }],
  answerWithinMs: 10_000,
  handshakes: [
    {
      verified: false,
      when: [{ at: { header: 'x-hook-secret' } }, { at: { header: 'x-hook-signature' }, absent: true }],
      tells: { header: 'x-hook-secret' },
      reply: { status: 200, headers: { 'x-hook-secret': { header: 'x-hook-secret' } } },
    },
  ],
  retries: 'for 24 hours, backing off; then the webhook is deleted',
  pitfalls: [
    'Asana chooses the secret and tells it once, when the webhook is made: keep what onSecret hears.',
    'Anybody can begin such an exchange, so a secret that is heard is never used by itself.',
    'A heartbeat is a request without events.',
  ],
}

export interface AsanaOptions extends SecretOptions {
  /** Hears the secret that Asana chose for a new webhook, to be kept and configured. */
  readonly onSecret?: (secret: string) => void
}

/** Webhooks of Asana. The secret is the `X-Hook-Secret` that Asana sent when the webhook was made. */
export function asana<Events = Record<string, unknown>>(given: AsanaOptions): Source<Events> {
  const { onSecret, ...options } = optionsOf('asana', given)
  return tellingSecret(hashSource<Events>(asanaPreset, options), onSecret)
}
