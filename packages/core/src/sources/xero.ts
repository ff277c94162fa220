import { hashSource, type HashPreset, type SecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const xeroPreset: HashPreset = {
  provider: 'xero',
  title: 'Xero',
  docs: 'https://developer.xero.com/documentation/guides/webhooks/configuring-your-server/',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'x-xero-signature', encoding: 'base64' },
    signed: '{body}',
  },
  key: [{ body: 'events.0.tenantId' }, { body: 'lastEventSequence' }],
  keySigned: true,
  type: [{ body: 'events.0.eventCategory' }, { body: 'events.0.eventType' }],
  answerWithinMs: 5_000,
  bareRefusal: true,
  handshakes: [
    {
      verified: true,
      when: [{ at: { body: 'events.0' }, absent: true }, { at: { body: 'entropy' } }],
      reply: { status: 200 },
    },
  ],
  retries: 'for 24 hours, backing off; then the webhook is turned off',
  pitfalls: [
    'The answer must have no body and no cookie.',
    'One request may hold several events; the type is that of the first one.',
  ],
}

/** Webhooks of a Xero app. The secret is the webhooks key, used as text. */
export const xero = <Events = Record<string, unknown>>(options: SecretOptions): Source<Events> =>
  hashSource(xeroPreset, options)
