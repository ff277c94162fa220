import { hashSource, type HashPreset, type SecretOptions } from '../verify/hash.ts'
import type { Source } from '../verify/source.ts'

export const docusignPreset: HashPreset = {
  provider: 'docusign',
  title: 'DocuSign Connect',
  docs: 'https://developers.docusign.com/platform/webhooks/connect/hmac/',
  scheme: {
    kind: 'hmac',
    algorithm: 'sha256',
    signature: { header: 'x-docusign-signature-*', encoding: 'base64' },
    signed: '{body}',
  },
  key: [{ body: 'data.envelopeId' }, { body: 'event' }, { body: 'generatedDateTime' }],
  keySigned: true,
  type: { body: 'event' },
  answerWithinMs: 100_000,
  retries: 'for up to 15 days, less and less often',
  rotation: 'Add a second key: DocuSign signs with every active key, each in a header of its own.',
  pitfalls: [
    'The key is not decoded from base64.',
    'XML payloads are signed the same way and have no key that could be read.',
  ],
}

/** DocuSign Connect. A secret is an HMAC key of the account, used as text although it looks like base64. */
export const docusign = <Events = Record<string, unknown>>(options: SecretOptions): Source<Events> =>
  hashSource(docusignPreset, options)
