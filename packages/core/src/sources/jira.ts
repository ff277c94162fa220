import { hashSource, type HashPreset, type SecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const jiraPreset: HashPreset = {
  provider: 'jira',
  title: 'Jira Cloud',
  docs: 'https://developer.atlassian.com/cloud/jira/platform/webhooks/',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'x-hub-signature', prefix: 'sha256=', encoding: 'hex' },
    signed: '{body}',
  },
  key: { header: 'x-atlassian-webhook-identifier' },
  keySigned: false,
  type: { body: 'webhookEvent' },
  headers: ['x-atlassian-webhook-identifier', 'x-atlassian-webhook-retry', 'x-atlassian-webhook-flow'],
  answerWithinMs: 20_000,
  retries: 'up to 5 times within 15 minutes',
  pitfalls: [
    'The identifier is the same for all retries of one delivery, but it is not signed.',
    'The header names its method; only sha256 is accepted.',
  ],
}

/** Webhooks that an administrator of Jira Cloud made, with a secret. */
export const jira = <Events = Record<string, unknown>>(options: SecretOptions): Source<Events> =>
  hashSource(jiraPreset, options)
