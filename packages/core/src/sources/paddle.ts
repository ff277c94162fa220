import { hashSource, type HashPreset, type TimedSecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const paddlePreset: HashPreset = {
  provider: 'paddle',
  title: 'Paddle Billing',
  docs: 'https://developer.paddle.com/webhooks/signature-verification',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'paddle-signature', separator: ';', prefix: 'h1=', encoding: 'hex' },
    signed: '{timestamp}:{body}',
    timestamp: { entry: 'ts=', unit: 's', toleranceMs: 5_000 },
  },
  key: { body: 'event_id' },
  keySigned: true,
  type: { body: 'event_type' },
  answerWithinMs: 5_000,
  retries: '60 times within 3 days in live mode, 3 times in the sandbox',
  rotation: 'The header lists a signature for each secret while one is replaced.',
  pitfalls: [
    'Paddle allows 5 seconds between signing and checking: a clock that is wrong fails everything. Set tolerance to be more patient.',
  ],
  notSecrets: {
    pdl_live_apikey_: 'it is an API key; take the secret of the notification destination',
    pdl_sdbx_apikey_: 'it is an API key; take the secret of the notification destination',
  },
}

/** Notification destinations of Paddle Billing. The secret is the destination's. */
export const paddle = <Events = Record<string, unknown>>(options: TimedSecretOptions): Source<Events> =>
  hashSource(paddlePreset, options)
