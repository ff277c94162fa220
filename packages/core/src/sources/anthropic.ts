import { hashSource, type HashPreset, type TimedSecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'
import { standardScheme } from './standard.ts'

export const anthropicPreset: HashPreset = {
  provider: 'anthropic',
  title: 'Anthropic',
  docs: 'https://platform.claude.com/docs/en/build-with-claude/webhooks',
  scheme: standardScheme('webhook'),
  key: { signed: 'id' },
  keySigned: true,
  type: { body: 'data.type' },
  headers: ['webhook-id', 'webhook-timestamp'],
  answerWithinMs: 10_000,
  notSecrets: {
    'sk-ant-':
      'it begins with sk-ant-, an API key; take the signing secret of the webhook, which begins with whsec_',
  },
}

/** Webhooks of the Claude platform. */
export const anthropic = <Events = Record<string, unknown>>(options: TimedSecretOptions): Source<Events> =>
  hashSource(anthropicPreset, options)
