import { hashSource, type HashPreset, type TimedSecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const twitchPreset: HashPreset = {
  provider: 'twitch',
  title: 'Twitch EventSub',
  docs: 'https://dev.twitch.tv/docs/eventsub/handling-webhook-events/#verifying-the-event-message',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'twitch-eventsub-message-signature', prefix: 'sha256=', encoding: 'hex' },
    signed: '{id}{timestamp}{body}',
    timestamp: { header: 'twitch-eventsub-message-timestamp', unit: 'rfc3339', toleranceMs: 600_000 },
    id: 'twitch-eventsub-message-id',
  },
  key: { signed: 'id' },
  keySigned: true,
  type: { body: 'subscription.type' },
  headers: [
    'twitch-eventsub-message-id',
    'twitch-eventsub-message-type',
    'twitch-eventsub-message-retry',
    'twitch-eventsub-subscription-type',
    'twitch-eventsub-subscription-version',
  ],
  answerWithinMs: 10_000,
  refusalStatus: 403,
  handshakes: [
    {
      verified: true,
      when: [{ at: { header: 'twitch-eventsub-message-type' }, is: 'webhook_callback_verification' }],
      reply: { status: 200, text: { body: 'challenge' } },
    },
  ],
  retries: 'a few times; too many failures revoke the subscription',
  pitfalls: ['Revocations come as events too, with the message type "revocation".'],
}

/** EventSub subscriptions of Twitch. The secret is the one given when subscribing. */
export const twitch = <Events = Record<string, unknown>>(options: TimedSecretOptions): Source<Events> =>
  hashSource(twitchPreset, options)
