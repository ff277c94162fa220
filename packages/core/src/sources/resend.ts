import { hashSource, type HashPreset, type TimedSecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'
import { standardScheme } from './standard.ts'

export const resendPreset: HashPreset = {
  provider: 'resend',
  title: 'Resend',
  docs: 'https://resend.com/docs/dashboard/webhooks/verify-webhooks-requests',
  scheme: standardScheme('svix'),
  key: { signed: 'id' },
  keySigned: true,
  type: { body: 'type' },
  headers: ['svix-id', 'svix-timestamp'],
  answerWithinMs: 15_000,
  retries: '8 times within about a day: after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h and 10 h',
  notSecrets: {
    re_: 'it begins with re_, an API key; take the signing secret of the webhook, which begins with whsec_',
  },
}

/** Webhooks of Resend, which come through Svix. */
export const resend = <Events = Record<string, unknown>>(options: TimedSecretOptions): Source<Events> =>
  hashSource(resendPreset, options)
