import type { SecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'
import { tokenSource, type TokenPreset } from '../verify/token.ts'

export const postmarkPreset: TokenPreset = {
  provider: 'postmark',
  title: 'Postmark',
  docs: 'https://postmarkapp.com/developer/webhooks/webhooks-overview#protecting-your-webhook',
  scheme: { kind: 'token', token: { header: 'authorization' }, prefix: 'Basic ', encoding: 'base64' },
  key: [{ body: 'RecordType' }, { body: 'MessageID' }, { body: 'ID' }],
  keySigned: false,
  type: { body: 'RecordType' },
  answerWithinMs: 120_000,
  retries: '10 times within about 10 hours; a 403 stops them',
  pitfalls: ['Postmark signs nothing: the credentials in the URL are all there is.'],
}

/** Webhooks of Postmark with HTTP Basic authentication. The secret is `user:password`, as in the URL. */
export const postmark = <Events = Record<string, unknown>>(options: SecretOptions): Source<Events> =>
  tokenSource(postmarkPreset, options)
