import { hashSource, type HashPreset, type TimedSecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'
import { standardScheme } from './standard.ts'

export const polarPreset: HashPreset = {
  provider: 'polar',
  title: 'Polar',
  docs: 'https://polar.sh/docs/integrate/webhooks/delivery',
  scheme: { ...standardScheme('webhook'), secretEncoding: 'utf8' },
  key: { signed: 'id' },
  keySigned: true,
  type: { body: 'type' },
  headers: ['webhook-id', 'webhook-timestamp'],
  answerWithinMs: 10_000,
  retries: 'up to 10 times, backing off',
  pitfalls: [
    'The text of the secret, prefix and all, is the key: a library of Standard Webhooks wants it in base64 first.',
  ],
}

/** Webhooks of a Polar organization. Standard Webhooks, but for the secret, whose text is the key. */
export const polar = <Events = Record<string, unknown>>(options: TimedSecretOptions): Source<Events> =>
  hashSource(polarPreset, options)
