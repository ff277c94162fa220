import { hashSource, type HashPreset, type SecretOptions } from '../verify/hash.ts'
import type { SignedRequest, Source } from '../verify/source.ts'
import { optionsOf } from '../words/options.ts'

export const easypostPreset: HashPreset = {
  provider: 'easypost',
  title: 'EasyPost',
  docs: 'https://docs.easypost.com/guides/webhooks-guide#hmac-validation',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'x-hmac-signature', prefix: 'hmac-sha256-hex=', encoding: 'hex' },
    signed: '{bodyWithDecimalWeights}',
  },
  key: { body: 'id' },
  keySigned: true,
  type: { body: 'description' },
  answerWithinMs: 7_000,
  retries: 'up to 6 times, backing off',
  pitfalls: [
    'Whole numbers after "weight" are signed with ".0" behind them, however the body writes them.',
    'The text of the secret is brought into Unicode form NFKD before it is the key.',
  ],
}

/** Webhooks of EasyPost. The secret is the `webhook_secret` that was given when the webhook was made. */
export function easypost<Events = Record<string, unknown>>(given: SecretOptions): Source<Events> {
  const { secret, ...options } = optionsOf('easypost', given)
  return hashSource(
    easypostPreset,
    {
      ...options,
      secret:
        typeof secret === 'string' ? normal(secret) : Array.isArray(secret) ? secret.map(normal) : secret,
    },
    { bodyWithDecimalWeights },
  )
}

const normal = (secret: unknown): string => (typeof secret === 'string' ? secret.normalize('NFKD') : '')

// one character a byte, so that bytes which are not UTF-8 come through
const bodyWithDecimalWeights = ({ rawBody }: SignedRequest): Buffer =>
  rawBody.includes('"weight"')
    ? Buffer.from(rawBody.toString('latin1').replace(/("weight":\s*\d+)(?=\s*[,}])/g, '$1.0'), 'latin1')
    : rawBody
