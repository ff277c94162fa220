import { either } from '../verify/either.ts'
import { hashSource, type HashPreset, type SecretOptions } from '../verify/hash.ts'
import type { HashScheme } from '../verify/preset.ts'
import type { Source } from '../verify/source.ts'

const signedIn = (header: string): HashScheme => ({
  kind: 'hmac',
  algorithm: 'sha256',
  signature: { header, prefix: 'sha256=', encoding: 'base64' },
  signed: '{body}',
})

/** With the consumer secret of OAuth 1.0. */
const legacy = signedIn('x-twitter-webhooks-signature')

export const xTwitterPreset: HashPreset = {
  provider: 'x-twitter',
  title: 'X (Twitter)',
  docs: 'https://docs.x.com/x-api/webhooks/introduction',
  scheme: { ...signedIn('x-twitter-webhooks-signature-oauth2'), otherwise: legacy },
  keySigned: false,
  type: { body: 'data.event_type' },
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
  rotation:
    'Give both secrets while the app goes from the consumer secret to the client secret, the client secret first.',
  pitfalls: [
    'The key is the client secret of OAuth 2.0, or the consumer secret in X-Twitter-Webhooks-Signature if the app has no other. With both, X may send both headers: one that holds is enough.',
    'The challenge is answered with the first secret: only a plain token is signed, never anything that could be a body.',
    'X asks the challenge again every hour.',
  ],
}

/**
 * Account Activity and other webhooks of X. The secret is the app's OAuth 2.0 client secret, or the consumer secret of an
 * app that has none.
 */
export const xTwitter = <Events = Record<string, unknown>>(options: SecretOptions): Source<Events> =>
  either(
    hashSource<Events>(xTwitterPreset, options),
    hashSource({ ...xTwitterPreset, scheme: legacy }, options),
  )
