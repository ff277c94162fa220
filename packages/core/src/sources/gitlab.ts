import type { SecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'
import { tokenSource, type TokenPreset } from '../verify/token.ts'

export const gitlabPreset: TokenPreset = {
  provider: 'gitlab',
  title: 'GitLab (secret token)',
  docs: 'https://docs.gitlab.com/user/project/integrations/webhooks/',
  scheme: { kind: 'token', token: { header: 'x-gitlab-token' } },
  key: { header: 'idempotency-key' },
  keySigned: false,
  type: { body: 'object_kind' },
  headers: [
    'x-gitlab-event',
    'x-gitlab-event-uuid',
    'x-gitlab-webhook-uuid',
    'x-gitlab-instance',
    'idempotency-key',
  ],
  answerWithinMs: 10_000,
  retries: 'none for most; failing webhooks are paused for longer and longer',
  pitfalls: [
    'The token is sent along and covers nothing: who reads one request can forge others. Prefer a signing token.',
  ],
  notSecrets: {
    'glpat-': 'it begins with glpat-, a personal access token; take the secret token of the webhook',
  },
}

/** GitLab webhooks with a secret token, which proves the sender and says nothing of the body; `gitlabSigned` is for signing tokens. */
export const gitlab = <Events = Record<string, unknown>>(options: SecretOptions): Source<Events> =>
  tokenSource(gitlabPreset, options)
