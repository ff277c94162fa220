import { hashSource, type HashPreset, type SecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const adyenPlatformsPreset: HashPreset = {
  provider: 'adyen-platforms',
  title: 'Adyen for Platforms',
  docs: 'https://docs.adyen.com/development-resources/webhooks/secure-webhooks/verify-hmac-signatures/',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'hmacsignature', encoding: 'base64' },
    signed: '{body}',
    secretEncoding: 'hex',
  },
  key: [{ body: 'type' }, { body: 'data.id' }, { body: 'timestamp' }],
  keySigned: true,
  type: { body: 'type' },
  answerWithinMs: 10_000,
  retries: 'for up to 30 days, less and less often',
  pitfalls: ['The key is hex and is decoded.'],
}

/** Balance platform, KYC and transfer webhooks of Adyen, whose signature is in a header; `adyen` is for payments. */
export const adyenPlatforms = <Events = Record<string, unknown>>(options: SecretOptions): Source<Events> =>
  hashSource(adyenPlatformsPreset, options)
