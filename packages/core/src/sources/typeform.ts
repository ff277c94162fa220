import { hashSource, type HashPreset, type SecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const typeformPreset: HashPreset = {
  provider: 'typeform',
  title: 'Typeform',
  docs: 'https://www.typeform.com/developers/webhooks/secure-your-webhooks/',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'typeform-signature', prefix: 'sha256=', encoding: 'base64' },
    signed: '{body}',
  },
  key: { body: 'event_id' },
  keySigned: true,
  type: { body: 'event_type' },
  answerWithinMs: 30_000,
  retries: 'on 429, 408, 5xx every 2 to 20 minutes for up to 10 hours; a 404 or 410 turns the webhook off',
  pitfalls: ['The digest is base64 although the prefix is that of GitHub.'],
}

/** Webhooks of a Typeform. */
export const typeform = <Events = Record<string, unknown>>(options: SecretOptions): Source<Events> =>
  hashSource(typeformPreset, options)
