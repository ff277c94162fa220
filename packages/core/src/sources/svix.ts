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
  retries: '8 times: at once, after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h and 10 h',
  rotation: 'The header lists a signature for each secret, for 24 hours after a rotation.',
  pitfalls: [
    'The secret is base64 behind whsec_, and decoded.',
    'Some senders use unbranded webhook- headers; both are read.',
  ],
}

/** Senders that deliver through Svix: Standard Webhooks in `svix-` headers. */
export const svix = <Events = Record<string, unknown>>(options: TimedSecretOptions): Source<Events> =>
  hashSource(svixPreset, options)
