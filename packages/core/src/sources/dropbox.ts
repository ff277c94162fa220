import { hashSource, type HashPreset, type SecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const dropboxPreset: HashPreset = {
  provider: 'dropbox',
  title: 'Dropbox',
  docs: 'https://www.dropbox.com/developers/reference/webhooks',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'x-dropbox-signature', encoding: 'hex' },
    signed: '{body}',
  },
  keySigned: false,
  answerWithinMs: 10_000,
  handshakes: [
    {
      verified: false,
      method: 'GET',
      when: [{ at: { query: 'challenge' } }],
      reply: { status: 200, text: { query: 'challenge' } },
    },
  ],
  retries: 'for about a day, backing off; an app that fails too often is turned off',
  pitfalls: ['A notification names accounts that changed and nothing else: it has no id.'],
}

/** Webhooks of a Dropbox app. The secret is the app's. */
export const dropbox = <Events = Record<string, unknown>>(options: SecretOptions): Source<Events> =>
  hashSource(dropboxPreset, options)
