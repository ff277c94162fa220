import { sameText } from '../verify/encodings.ts'
import { hashSource, type HashPreset, type SecretOptions } from '../verify/hash.ts'
import { credentials } from '../verify/secrets.ts'
import type { SignedRequest, Source } from '../verify/source.ts'
import { optionsOf } from '../words/options.ts'

export const metaPreset: HashPreset = {
  provider: 'meta',
  title: 'Meta (Facebook, Messenger, Instagram, WhatsApp)',
  docs: 'https://developers.facebook.com/docs/graph-api/webhooks/getting-started',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'x-hub-signature-256', prefix: 'sha256=', encoding: 'hex' },
    signed: '{escapedBody}',
  },
  keySigned: false,
  type: [{ body: 'object' }, { body: 'entry.0.changes.0.field' }],
  answerWithinMs: 5_000,
  handshakes: [
    {
      verified: false,
      method: 'GET',
      when: [{ at: { query: 'hub.mode' }, is: 'subscribe' }, { at: { query: 'hub.challenge' } }],
      known: { option: 'verifyToken', at: { query: 'hub.verify_token' } },
      reply: { status: 200, text: { query: 'hub.challenge' } },
    },
  ],
  retries: 'for 36 hours, less and less often; then the subscription is turned off',
  pitfalls: [
    'What is signed is the body with every character beyond ASCII written as \\uXXXX in lower case.',
    'One request may hold several entries and has no id; the type is that of the first one.',
  ],
}

export interface MetaOptions extends SecretOptions {
  /** The verify token that was typed into the app's dashboard; without it, a subscription check is answered 403. */
  readonly verifyToken?: string | undefined
}

/** Webhooks of a Meta app. The secret is the app secret. */
export function meta<Events = Record<string, unknown>>(given: MetaOptions): Source<Events> {
  const { verifyToken, ...options } = optionsOf('meta', given)
  const source = hashSource<Events>(metaPreset, options, { escapedBody: escaped })
  if (verifyToken === undefined) return source
  const [expected = ''] = credentials(metaPreset, verifyToken, 'verifyToken')
  return { ...source, knows: { ...source.knows, holds: (_, text) => sameText(text, expected) } }
}

/** The body as Meta signs it. One that is ASCII, as Meta sends it, is not touched. */
function escaped({ rawBody }: SignedRequest): Buffer {
  if (!rawBody.some((byte) => byte > 0x7f)) return rawBody
  return Buffer.from(
    rawBody
      .toString('utf8')
      .replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  )
}
