import { knownOptions } from '../words/options.ts'
import { jwtSource, keysOfSet, type JwtPreset, type KeySet } from '../verify/jwt.ts'
import type { Source } from '../verify/source.ts'

export const plaidPreset: JwtPreset = {
  provider: 'plaid',
  title: 'Plaid',
  docs: 'https://plaid.com/docs/api/webhooks/webhook-verification/',
  scheme: {
    kind: 'jwt',
    header: 'plaid-verification',
    algorithm: 'ES256',
    bodyHash: { claim: 'request_body_sha256', encoding: 'hex' },
    required: ['iat', 'request_body_sha256'],
    maxAgeMs: 300_000,
    leewayMs: 60_000,
  },
  keySigned: false,
  type: [{ body: 'webhook_type' }, { body: 'webhook_code' }],
  answerWithinMs: 10_000,
  retries: 'for up to 24 hours, starting at 30 seconds and four times longer each time',
  rotation:
    'Tokens name their key; fetch it with /webhook_verification_key/get and drop keys that have expired.',
  pitfalls: ['Bodies are indented by two spaces, and that is what is hashed.', 'A request has no id.'],
}

export interface PlaidOptions {
  /** The keys, as `/webhook_verification_key/get` gives them; `expired_at` is heeded. */
  readonly jwks: KeySet
}

/** Webhooks of Plaid. */
export function plaid<Events = Record<string, unknown>>(options: PlaidOptions): Source<Events> {
  knownOptions('plaid', options, ['jwks'])
  return jwtSource(plaidPreset, keysOfSet(plaidPreset, options.jwks))
}
