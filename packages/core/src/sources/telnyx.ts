import { asymmetricSource, type AsymmetricPreset, type TimedPublicKeyOptions } from '../verify/asymmetric.ts'
import type { Source } from '../verify/source.ts'

export const telnyxPreset: AsymmetricPreset = {
  provider: 'telnyx',
  title: 'Telnyx',
  docs: 'https://developers.telnyx.com/docs/messaging/messages/receiving-webhooks',
  scheme: {
    kind: 'asymmetric',
    algorithm: 'ed25519',
    signature: { header: 'telnyx-signature-ed25519', encoding: 'base64' },
    signed: '{timestamp}|{body}',
    timestamp: { header: 'telnyx-timestamp', unit: 's', toleranceMs: 300_000 },
  },
  key: { body: 'data.id' },
  keySigned: true,
  type: { body: 'data.event_type' },
  answerWithinMs: 2_000,
  retries: 'up to 3 times per URL, then the failover URL',
}

/** Webhooks of Telnyx, API version 2. The key is the account's public key, in base64. */
export const telnyx = <Events = Record<string, unknown>>(options: TimedPublicKeyOptions): Source<Events> =>
  asymmetricSource(telnyxPreset, options)
