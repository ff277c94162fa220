import { either } from '../verify/either.ts'
import { hashSource, type HashPreset, type SecretOptions } from '../verify/hash.ts'
import type { HashScheme } from '../verify/preset.ts'
import type { Source } from '../verify/source.ts'

/** Mollie's own examples and libraries take the signature with and without its prefix. */
const bare: HashScheme = {
  kind: 'hmac',
  algorithm: 'sha256',
  signature: { header: 'x-mollie-signature', separator: ',', encoding: 'hex', repeats: true },
  signed: '{body}',
}

export const molliePreset: HashPreset = {
  provider: 'mollie',
  title: 'Mollie',
  docs: 'https://docs.mollie.com/reference/webhooks-new#manual-signature-verification',
  scheme: { ...bare, signature: { ...bare.signature, prefix: 'sha256=' } },
  key: { body: 'id' },
  keySigned: true,
  type: { body: 'type' },
  answerWithinMs: 15_000,
  retries: '10 times within 26 hours',
  rotation:
    'For 24 hours each request comes with two signatures, of the old and the new secret, and both must hold: give both secrets.',
  pitfalls: ['Classic webhooks have no signature: fetch the object by its id from the API instead.'],
  notSecrets: { live_: 'it begins with live_, an API key; take the secret of the webhook' },
}

/** Next-generation webhooks of Mollie; the classic ones, which hold nothing but an id, are not signed. */
export const mollie = <Events = Record<string, unknown>>(options: SecretOptions): Source<Events> =>
  either(hashSource<Events>(molliePreset, options), hashSource({ ...molliePreset, scheme: bare }, options))
