import { hashSource, type HashPreset, type TimedSecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'
import { standardScheme } from './standard.ts'

export const clerkPreset: HashPreset = {
  provider: 'clerk',
  title: 'Clerk',
  docs: 'https://clerk.com/docs/webhooks/sync-data',
  scheme: standardScheme('svix'),
  key: { signed: 'id' },
  keySigned: true,
  type: { body: 'type' },
  headers: ['svix-id', 'svix-timestamp'],
  answerWithinMs: 15_000,
  retries: 'over about a day, backing off, as Svix does',
  notSecrets: {
    sk_: 'it begins with sk_, a secret API key; take the signing secret of the endpoint, which begins with whsec_',
    pk_: 'it begins with pk_, a publishable key; take the signing secret of the endpoint, which begins with whsec_',
  },
}

/** Webhooks of a Clerk application, which come through Svix. */
export const clerk = <Events = Record<string, unknown>>(options: TimedSecretOptions): Source<Events> =>
  hashSource(clerkPreset, options)
