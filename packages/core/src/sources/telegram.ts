import type { SecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'
import { tokenSource, type TokenPreset } from '../verify/token.ts'

export const telegramPreset: TokenPreset = {
  provider: 'telegram',
  title: 'Telegram Bot API',
  docs: 'https://core.telegram.org/bots/api#setwebhook',
  scheme: { kind: 'token', token: { header: 'x-telegram-bot-api-secret-token' } },
  key: { body: 'update_id' },
  keySigned: false,
  retries: 'until a 2xx or the update is 24 hours old',
  pitfalls: [
    'The token covers nothing of the body.',
    'Not the token of the bot: that one is never sent along.',
  ],
}

/** Updates of a Telegram bot. The secret is the `secret_token` that was given to `setWebhook`. */
export const telegram = <Events = Record<string, unknown>>(options: SecretOptions): Source<Events> =>
  tokenSource(telegramPreset, options)
