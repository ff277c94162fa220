import { hashSource, type HashPreset, type TimedSecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const slackPreset: HashPreset = {
  provider: 'slack',
  title: 'Slack',
  docs: 'https://docs.slack.dev/authentication/verifying-requests-from-slack',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'x-slack-signature', prefix: 'v0=', encoding: 'hex' },
    signed: 'v0:{timestamp}:{body}',
    timestamp: { header: 'x-slack-request-timestamp', unit: 's', toleranceMs: 300_000 },
  },
  key: { body: 'event_id' },
  keySigned: true,
  type: [{ body: 'type' }, { body: 'event.type' }],
  headers: ['x-slack-retry-num', 'x-slack-retry-reason'],
  answerWithinMs: 3_000,
  handshakes: [
    {
      verified: true,
      when: [{ at: { body: 'type' }, is: 'url_verification' }],
      reply: { status: 200, text: { body: 'challenge' } },
    },
  ],
  retries: '3 times: at once, after 1 minute and after 5 minutes',
  pitfalls: [
    'Slash commands and interactions have no event_id, and want their answer in the reply: use ack "sync".',
  ],
  notSecrets: {
    'xoxb-': 'it begins with xoxb-, a bot token; take the app’s signing secret',
    'xoxp-': 'it begins with xoxp-, a user token; take the app’s signing secret',
    'xapp-': 'it begins with xapp-, an app-level token; take the app’s signing secret',
  },
}

/** Events, slash commands and interactions of a Slack app. The secret is the app's signing secret. */
export const slack = <Events = Record<string, unknown>>(options: TimedSecretOptions): Source<Events> =>
  hashSource(slackPreset, options)
