import { hashSource, type HashPreset, type SecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const mailersendPreset: HashPreset = {
  provider: 'mailersend',
  title: 'MailerSend',
  docs: 'https://developers.mailersend.com/api/v1/webhooks.html#security',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'signature', encoding: 'hex' },
    signed: '{body}',
  },
  key: { body: 'data.id' },
  keySigned: true,
  type: { body: 'type' },
  answerWithinMs: 3_000,
  handshakes: [
    { verified: false, when: [{ at: { body: 'type' }, is: 'webhook.test' }], reply: { status: 200 } },
  ],
  retries: '2 more times: after 10 and 100 seconds',
  pitfalls: [
    'While a webhook is saved, its URL is tested with an event of type webhook.test, signed with a key that everybody knows.',
  ],
}

/** Webhooks of MailerSend. The secret is the signing secret of the webhook. */
export const mailersend = <Events = Record<string, unknown>>(options: SecretOptions): Source<Events> =>
  hashSource(mailersendPreset, options)
