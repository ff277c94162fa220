import type { SecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'
import { tokenSource, type TokenPreset } from '../verify/token.ts'

export const auth0Preset: TokenPreset = {
  provider: 'auth0',
  title: 'Auth0',
  docs: 'https://auth0.com/docs/customize/log-streams/custom-log-streams',
  scheme: { kind: 'token', token: { header: 'authorization' } },
  key: { body: '0.log_id' },
  keySigned: false,
  type: { body: '0.data.type' },
  retries: '3 times; then the stream is paused after a while',
  pitfalls: [
    'The token is sent as it was typed: with "Bearer " in front only if that was typed too.',
    'It covers nothing of the body.',
    'One request may hold several log entries; key and type are those of the first one.',
  ],
}

/** Custom log streams of Auth0. The secret is the authorization token, with everything that was typed into its field. */
export const auth0 = <Events = Record<string, unknown>>(options: SecretOptions): Source<Events> =>
  tokenSource(auth0Preset, options)
