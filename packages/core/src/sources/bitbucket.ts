import { hashSource, type HashPreset, type SecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const bitbucketPreset: HashPreset = {
  provider: 'bitbucket',
  title: 'Bitbucket Cloud',
  docs: 'https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'x-hub-signature', prefix: 'sha256=', encoding: 'hex' },
    signed: '{body}',
  },
  key: { header: 'x-request-uuid' },
  keySigned: false,
  type: { header: 'x-event-key' },
  headers: ['x-event-key', 'x-hook-uuid', 'x-request-uuid', 'x-attempt-number'],
  answerWithinMs: 10_000,
  retries: '2 more times on a timeout or 5xx',
  pitfalls: ['The request id is in a header that is not signed.'],
}

/** Webhooks of Bitbucket repositories and workspaces, with a secret. */
export const bitbucket = <Events = Record<string, unknown>>(options: SecretOptions): Source<Events> =>
  hashSource(bitbucketPreset, options)
