import { asymmetricSource, type AsymmetricPreset, type PublicKeyOptions } from '../verify/asymmetric.ts'
import type { Source } from '../verify/source.ts'

export const wisePreset: AsymmetricPreset = {
  provider: 'wise',
  title: 'Wise',
  docs: 'https://docs.wise.com/guides/developer/webhooks/event-handling',
  scheme: {
    kind: 'asymmetric',
    algorithm: 'rsa-sha256',
    signature: { header: 'x-signature-sha256', encoding: 'base64' },
    signed: '{body}',
  },
  key: { header: 'x-delivery-id' },
  keySigned: false,
  type: { body: 'event_type' },
  headers: ['x-delivery-id', 'x-test-notification'],
  answerWithinMs: 5_000,
  retries: 'for 2 weeks, backing off',
  rotation: 'Sandbox and production have a key each; Wise announces new ones.',
  pitfalls: ['The delivery id is in a header that is not signed.'],
}

/** Webhooks of Wise. The key is the public key of the environment, from Wise's documentation. */
export const wise = <Events = Record<string, unknown>>(options: PublicKeyOptions): Source<Events> =>
  asymmetricSource(wisePreset, options)
