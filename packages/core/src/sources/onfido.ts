import { hashSource, type HashPreset, type SecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const onfidoPreset: HashPreset = {
  provider: 'onfido',
  title: 'Onfido',
  docs: 'https://documentation.onfido.com/api/latest/#webhook-security',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'x-sha2-signature', encoding: 'hex' },
    signed: '{body}',
  },
  key: [
    { body: 'payload.object.id' },
    { body: 'payload.action' },
    { body: 'payload.object.completed_at_iso8601' },
  ],
  keySigned: true,
  type: { body: 'payload.action' },
  answerWithinMs: 10_000,
  retries: 'up to 5 times: after 30 s, 2 min, 15 min, 2 h and 10 h',
}

/** Webhooks of Onfido. The secret is the webhook's token. */
export const onfido = <Events = Record<string, unknown>>(options: SecretOptions): Source<Events> =>
  hashSource(onfidoPreset, options)
