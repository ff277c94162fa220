import { hashSource, type HashPreset, type SecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const xTwitterPreset: HashPreset = {
  provider: 'x-twitter',
  title: 'X (Twitter)',
  docs: 'https://docs.x.com/x-api/webhooks/introduction',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'x-twitter-webhooks-signature', prefix: 'sha256=', encoding: 'base64' },
    signed: '{body}',
  },
  keySigned: false,
  answerWithinMs: 10_000,
  handshakes: [
    {
      verified: false,
      method: 'GET',
      when: [{ at: { query: 'crc_token' } }],
      reply: {
        status: 200,
        json: { response_token: { hmac: { query: 'crc_token' }, encoding: 'base64', prefix: 'sha256=' } },
      },
    },
  ],
  retries: 'none to three times, as the product has it',
  pitfalls: [
    'The challenge is answered with the key that signs events: only a plain token is signed, never anything that could be a body.',
    'X asks the challenge again every hour.',
  ],
}

/** Account Activity and other webhooks of X. The secret is the app's consumer secret. */
export const xTwitter = <Events = Record<string, unknown>>(options: SecretOptions): Source<Events> =>
  hashSource(xTwitterPreset, options)
