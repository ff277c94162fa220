import { tellingSecret } from '../verify/handshake.ts'
import { hashSource, type HashPreset, type SecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'
import { optionsOf } from '../words/options.ts'

export const notionPreset: HashPreset = {
  provider: 'notion',
  title: 'Notion',
  docs: 'https://developers.notion.com/reference/webhooks',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'x-notion-signature', prefix: 'sha256=', encoding: 'hex' },
    signed: '{body}',
  },
  key: { body: 'id' },
  keySigned: true,
  type: { body: 'type' },
  handshakes: [
    {
      verified: false,
      when: [{ at: { body: 'verification_token' } }, { at: { header: 'x-notion-signature' }, absent: true }],
      tells: { body: 'verification_token' },
      reply: { status: 200 },
    },
  ],
  retries: 'up to 8 times within about 24 hours',
  pitfalls: [
    'The very first request holds the verification_token and is not signed: onSecret hears it, to be pasted into Notion and configured here.',
    'Anybody can send such a request, so a token that is heard is never used by itself.',
  ],
  notSecrets: { ntn_: 'it begins with ntn_, an API token; take the verification_token of the subscription' },
}

export interface NotionOptions extends SecretOptions {
  /** Hears the `verification_token` of a new subscription, to be pasted into Notion and configured. */
  readonly onSecret?: (secret: string) => void
}

/** Webhook subscriptions of a Notion integration. The secret is the `verification_token` that Notion sends first. */
export function notion<Events = Record<string, unknown>>(given: NotionOptions): Source<Events> {
  const { onSecret, ...options } = optionsOf('notion', given)
  return tellingSecret(hashSource<Events>(notionPreset, options), onSecret)
}
