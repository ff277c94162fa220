import { hashSource, type HashPreset, type TimedSecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'
import { standardScheme } from './standard.ts'

export const gitlabSignedPreset: HashPreset = {
  provider: 'gitlab-signed',
  title: 'GitLab (signing token)',
  docs: 'https://docs.gitlab.com/user/project/integrations/webhooks/',
  scheme: standardScheme('webhook'),
  key: { signed: 'id' },
  keySigned: true,
  type: { body: 'object_kind' },
  headers: ['webhook-id', 'webhook-timestamp', 'x-gitlab-event', 'x-gitlab-event-uuid', 'x-gitlab-instance'],
  answerWithinMs: 10_000,
  retries: 'none for most; failing webhooks are paused for longer and longer',
  rotation: 'Set a new token in GitLab and keep both here until the old deliveries are through.',
}

/** GitLab webhooks with a signing token (`whsec_…`), which covers the body; `gitlab` is for the older secret token. */
export const gitlabSigned = <Events = Record<string, unknown>>(options: TimedSecretOptions): Source<Events> =>
  hashSource(gitlabSignedPreset, options)
