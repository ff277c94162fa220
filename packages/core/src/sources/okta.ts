import { headerNamed } from '../words/headers.ts'
import { knownOptions } from '../words/options.ts'
import type { SecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'
import { tokenSource, type TokenPreset } from '../verify/token.ts'

export const oktaPreset: TokenPreset = {
  provider: 'okta',
  title: 'Okta',
  docs: 'https://developer.okta.com/docs/concepts/event-hooks/',
  scheme: { kind: 'token', token: { header: 'authorization' } },
  key: { body: 'eventId' },
  keySigned: false,
  type: { body: 'data.events.0.eventType' },
  answerWithinMs: 3_000,
  handshakes: [
    {
      verified: false,
      method: 'GET',
      when: [{ at: { header: 'x-okta-verification-challenge' } }],
      reply: { status: 200, json: { verification: { header: 'x-okta-verification-challenge' } } },
    },
  ],
  retries: 'once',
  pitfalls: [
    'The token is sent along and covers nothing.',
    'The hook names the header of the token: set header if it is not Authorization.',
    'One request may hold several events; the type is that of the first one.',
  ],
}

export interface OktaOptions extends SecretOptions {
  /** The authentication field of the hook, in any case. Default `'Authorization'`. */
  readonly header?: string
}

/** Event hooks of Okta. The secret is the authentication secret of the hook, with its `Basic ` or `Bearer ` if it has one. */
export function okta<Events = Record<string, unknown>>(options: OktaOptions): Source<Events> {
  knownOptions('okta', options, ['secret', 'header'])
  const { secret, header = 'authorization' } = options
  return tokenSource(
    { ...oktaPreset, scheme: { kind: 'token', token: { header: headerNamed('okta.header', header) } } },
    { secret },
  )
}
