import { hashSource, type HashPreset, type UrlSecretOptions } from '../verify/hash.ts'
import { sortedFields } from '../verify/form.ts'
import { form, json } from '../verify/payload.ts'
import type { Source } from '../verify/source.ts'

export const mandrillPreset: HashPreset = {
  provider: 'mandrill',
  title: 'Mailchimp Transactional (Mandrill)',
  docs: 'https://mailchimp.com/developer/transactional/guides/track-respond-activity-webhooks/#authenticating-webhook-requests',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha1',
    signature: { header: 'x-mandrill-signature', encoding: 'base64' },
    signed: '{url}{sortedParameters}',
  },
  key: [{ body: '0._id' }, { body: '0.event' }, { body: '0.ts' }],
  keySigned: true,
  type: { body: '0.event' },
  answerWithinMs: 10_000,
  handshakes: [{ verified: false, method: 'HEAD', when: [], reply: { status: 200 } }],
  retries: 'for up to 3 days, backing off',
  pitfalls: [
    'Names and values of a form are signed with nothing between them, so who captures a request can move a boundary.',
    'The URL is signed as it was registered: set publicUrl behind a proxy.',
    'The events are JSON in the field mandrill_events of a form; key and type are those of the first one.',
    'While a webhook is made, its URL is tested with an empty list signed with the key "test-webhook"; that is refused.',
  ],
}

/** Webhooks of Mailchimp Transactional. The secret is the webhook's authentication key. */
export const mandrill = <Events = Record<string, unknown>>(options: UrlSecretOptions): Source<Events> => ({
  ...hashSource<Events>(mandrillPreset, options, {
    sortedParameters: ({ rawBody }) => sortedFields(rawBody),
  }),
  payload: ({ rawBody }) => json(Buffer.from(form(rawBody).mandrill_events ?? '')),
})
