import { hashSource, type HashPreset, type TimedSecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'
import { standardScheme } from './standard.ts'

export const svixPreset: HashPreset = {
  provider: 'svix',
  title: 'Svix',
  docs: 'https://docs.svix.com/receiving/verifying-payloads/how-manual',
  scheme: { ...standardScheme('svix'), otherwise: standardScheme('webhook') },
  key: { signed: 'id' },
  keySigned: true,
  type: { body: 'type' },
  headers: ['svix-id', 'svix-timestamp'],
  answerWithinMs: 15_000,
}

/** Senders that deliver through Svix: Standard Webhooks in `svix-` headers. */
export const svix = <Events = Record<string, unknown>>(options: TimedSecretOptions): Source<Events> =>
  hashSource(svixPreset, options)
