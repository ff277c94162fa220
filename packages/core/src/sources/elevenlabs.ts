import { hashSource, type HashPreset, type TimedSecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const elevenlabsPreset: HashPreset = {
  provider: 'elevenlabs',
  title: 'ElevenLabs',
  docs: 'https://elevenlabs.io/docs/overview/administration/webhooks',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: {
      header: 'elevenlabs-signature',
      separator: ',',
      prefix: 'v0=',
      encoding: 'hex',
      form: /(?:^|,)v0=/,
    },
    signed: '{timestamp}.{body}',
    timestamp: { entry: 't=', unit: 's', toleranceMs: 1_800_000 },
  },
  key: [{ body: 'type' }, { body: 'data.conversation_id' }, { body: 'event_timestamp' }],
  keySigned: true,
  type: { body: 'type' },
  retries: 'none; ten failures in a row turn the webhook off',
  pitfalls: ['ElevenLabs allows 30 minutes between signing and checking.'],
  notSecrets: {
    sk_: 'it begins with sk_, an API key; take the secret of the webhook, which begins with wsec_',
  },
}

/** Webhooks of an ElevenLabs workspace. */
export const elevenlabs = <Events = Record<string, unknown>>(options: TimedSecretOptions): Source<Events> =>
  hashSource(elevenlabsPreset, options)
