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
  retries: 'none; a delivery can be sent again by hand or through the API',
  rotation: 'GitHub holds one secret: set the new one here beside the old one first, then there.',
  pitfalls: [
    'The delivery id is in a header that is not signed.',
    'A ping comes when a webhook is made; its type is "ping".',
  ],
}

/** Webhooks of GitHub repositories, organisations and apps. The older SHA-1 header is never looked at. */
export const github = <Events = Record<string, unknown>>(options: SecretOptions): Source<Events> =>
  hashSource(githubPreset, options)
