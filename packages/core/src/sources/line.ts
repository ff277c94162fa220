import { hashSource, type HashPreset, type SecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const linePreset: HashPreset = {
  provider: 'line',
  title: 'LINE Messaging API',
  docs: 'https://developers.line.biz/en/docs/messaging-api/verify-webhook-signature/',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'x-line-signature', encoding: 'base64' },
    signed: '{body}',
  },
  key: { body: 'events.0.webhookEventId' },
  keySigned: true,
  type: { body: 'events.0.type' },
  answerWithinMs: 2_000,
  retries: 'when redelivery is turned on for the channel',
  pitfalls: [
    'One request may hold several events; key and type are those of the first one.',
    'A request without events checks the URL.',
  ],
}

/** Webhooks of a LINE channel. The secret is the channel's. */
export const line = <Events = Record<string, unknown>>(options: SecretOptions): Source<Events> =>
  hashSource(linePreset, options)
