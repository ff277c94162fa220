import { asymmetricSource, type AsymmetricPreset, type TimedPublicKeyOptions } from '../verify/asymmetric.ts'
import type { Source } from '../verify/source.ts'

export const discordPreset: AsymmetricPreset = {
  provider: 'discord',
  title: 'Discord',
  docs: 'https://docs.discord.com/developers/interactions/overview#setting-up-an-endpoint',
  scheme: {
    kind: 'asymmetric',
    algorithm: 'ed25519',
    signature: { header: 'x-signature-ed25519', encoding: 'hex' },
    signed: '{timestamp}{body}',
    timestamp: { header: 'x-signature-timestamp', unit: 's', toleranceMs: 300_000 },
  },
  key: { body: 'id' },
  keySigned: true,
  type: { body: 'event.type' },
  answerWithinMs: 3_000,
  handshakes: [
    {
      verified: true,
      when: [
        { at: { body: 'type' }, is: '1' },
        { at: { body: 'event.type' }, absent: true },
      ],
      reply: { status: 200, json: { type: 1 } },
    },
    { verified: true, when: [{ at: { body: 'type' }, is: '0' }], reply: { status: 204 } },
  ],
  pitfalls: [
    'Discord sends requests with wrong signatures now and then, and turns the endpoint off when they are accepted.',
    'Interactions need their answer in the reply: use ack "sync".',
    'Discord names no tolerance; this refuses what is older than 5 minutes.',
  ],
}

/** Interactions and webhook events of a Discord app. The key is the app's public key, in hex. */
export const discord = <Events = Record<string, unknown>>(options: TimedPublicKeyOptions): Source<Events> =>
  asymmetricSource(discordPreset, options)
