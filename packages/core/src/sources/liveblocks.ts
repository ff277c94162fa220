import { hashSource, type HashPreset, type TimedSecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'
import { standardScheme } from './standard.ts'

export const liveblocksPreset: HashPreset = {
  provider: 'liveblocks',
  title: 'Liveblocks',
  docs: 'https://liveblocks.io/docs/platform/webhooks',
  scheme: standardScheme('webhook'),
  key: { signed: 'id' },
  keySigned: true,
  type: { body: 'type' },
  headers: ['webhook-id', 'webhook-timestamp'],
  answerWithinMs: 15_000,
  retries: 'over about a day, backing off',
  notSecrets: {
    sk_: 'it begins with sk_, a secret API key; take the signing secret of the webhook, which begins with whsec_',
  },
}

/** Webhooks of a Liveblocks project. */
export const liveblocks = <Events = Record<string, unknown>>(options: TimedSecretOptions): Source<Events> =>
  hashSource(liveblocksPreset, options)
