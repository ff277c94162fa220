import { hashSource, type HashPreset, type SecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const githubPreset: HashPreset = {
  provider: 'github',
  title: 'GitHub',
  docs: 'https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'x-hub-signature-256', prefix: 'sha256=', encoding: 'hex' },
    signed: '{body}',
  },
  key: { header: 'x-github-delivery' },
  keySigned: false,
  type: [{ header: 'x-github-event' }, { body: 'action' }],
  headers: [
    'x-github-event',
    'x-github-delivery',
    'x-github-hook-id',
    'x-github-hook-installation-target-id',
  ],
  answerWithinMs: 10_000,
}

/** Webhooks of GitHub repositories, organisations and apps. The older SHA-1 header is never looked at. */
export const github = <Events = Record<string, unknown>>(options: SecretOptions): Source<Events> =>
  hashSource(githubPreset, options)
