import { hashSource, type HashPreset, type SecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const intercomPreset: HashPreset = {
  provider: 'intercom',
  title: 'Intercom',
  docs: 'https://developers.intercom.com/docs/webhooks/setting-up-webhooks',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha1',
    signature: { header: 'x-hub-signature', prefix: 'sha1=', encoding: 'hex' },
    signed: '{body}',
  },
  key: { body: 'id' },
  keySigned: true,
  type: { body: 'topic' },
  answerWithinMs: 5_000,
  handshakes: [{ verified: false, method: 'HEAD', when: [], reply: { status: 200 } }],
  retries: 'once after a minute; many failures throttle or turn the webhook off',
  pitfalls: ['The signature is SHA-1.'],
}

/** Webhooks of an Intercom app. The secret is the app's client secret. */
export const intercom = <Events = Record<string, unknown>>(options: SecretOptions): Source<Events> =>
  hashSource(intercomPreset, options)
