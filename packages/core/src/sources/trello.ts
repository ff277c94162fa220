import { hashSource, type HashPreset, type UrlSecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const trelloPreset: HashPreset = {
  provider: 'trello',
  title: 'Trello',
  docs: 'https://developer.atlassian.com/cloud/trello/guides/rest-api/webhooks/#webhook-signatures',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha1',
    signature: { header: 'x-trello-webhook', encoding: 'base64' },
    signed: '{body}{url}',
  },
  key: { body: 'action.id' },
  keySigned: true,
  type: { body: 'action.type' },
  answerWithinMs: 30_000,
  handshakes: [{ verified: false, method: 'HEAD', when: [], reply: { status: 200 } }],
  retries: '3 times: after 30, 60 and 120 seconds',
  pitfalls: [
    'The URL is the callback URL as it was registered: set publicUrl behind a proxy.',
    'The signature is SHA-1, and the URL comes after the body.',
  ],
}

/** Webhooks of Trello. The secret is the application's. */
export const trello = <Events = Record<string, unknown>>(options: UrlSecretOptions): Source<Events> =>
  hashSource(trelloPreset, options)
