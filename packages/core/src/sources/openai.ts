import { hashSource, type HashPreset, type TimedSecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'
import { standardScheme } from './standard.ts'

export const openaiPreset: HashPreset = {
  provider: 'openai',
  title: 'OpenAI',
  docs: 'https://platform.openai.com/docs/guides/webhooks',
  scheme: { ...standardScheme('webhook'), bareSecret: 'utf8' },
  key: { signed: 'id' },
  keySigned: true,
  type: { body: 'type' },
  headers: ['webhook-id', 'webhook-timestamp'],
  answerWithinMs: 10_000,
  retries: 'for up to 72 hours, backing off',
  notSecrets: {
    'sk-': 'it begins with sk-, an API key; take the signing secret of the webhook, which begins with whsec_',
  },
}

/** Webhooks of an OpenAI project. */
export const openai = <Events = Record<string, unknown>>(options: TimedSecretOptions): Source<Events> =>
  hashSource(openaiPreset, options)
