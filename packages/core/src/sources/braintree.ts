import { createHash, createHmac } from 'node:crypto'
import { knownOptions } from '../words/options.ts'
import { isEncoded, sameText } from '../verify/encodings.ts'
import { form } from '../verify/payload.ts'
import type { Handshake, Preset } from '../verify/preset.ts'
import { credentials, required } from '../verify/secrets.ts'
import { refusal, type Source } from '../verify/source.ts'

/** The answer is a signature with the key of events, so only what could never be a payload is signed. */
const challenge = (publicKey: string): Handshake => ({
  verified: false,
  method: 'GET',
  when: [{ at: { query: 'bt_challenge' } }],
  reply: {
    status: 200,
    text: {
      hmac: { query: 'bt_challenge' },
      encoding: 'hex',
      prefix: `${publicKey}|`,
      only: /^[a-f\d]{20,32}$/,
    },
  },
})

export const braintreePreset: Preset = {
  provider: 'braintree',
  title: 'Braintree',
  docs: 'https://developer.paypal.com/braintree/docs/guides/webhooks/parse',
  scheme: {
    kind: 'own',
    algorithm: 'HMAC-SHA1 with the SHA-1 of the private key, hex, in the field bt_signature',
    signed: '{bt_payload}',
  },
  keySigned: false,
  answerWithinMs: 30_000,
  handshakes: [challenge('')],
  retries: 'for up to 3 hours in the sandbox and 24 hours in production',
  pitfalls: [
    'The body is a form; its field bt_payload is XML in base64 and has no id.',
    'The field bt_signature lists a signature for every API key; the one of the configured key counts.',
  ],
}

export interface BraintreeOptions {
  /** The public key of an API key pair: it says which signature is ours. */
  readonly publicKey: string
  /** The private key of the same pair. */
  readonly privateKey: string | undefined
}

/** Webhooks of Braintree. */
export function braintree<Events = Record<string, unknown>>(options: BraintreeOptions): Source<Events> {
  knownOptions('braintree', options, ['publicKey', 'privateKey'])
  const publicKey = required('braintree', 'publicKey', options.publicKey)
  const [privateKey = ''] = credentials(braintreePreset, options.privateKey, 'privateKey')
  const key = createHash('sha1').update(privateKey).digest()
  const mac = (text: string): Buffer => createHmac('sha1', key).update(text).digest()
  return {
    preset: { ...braintreePreset, handshakes: [challenge(publicKey)] },
    check: ({ rawBody }) => {
      const { bt_signature: list, bt_payload: payload } = form(rawBody)
      if (list === undefined || payload === undefined) {
        return refusal('ERR_SIGNATURE_MISSING', 'The form has no bt_signature and bt_payload.')
      }
      const ours = list
        .split('&')
        .map((pair) => pair.split('|'))
        .filter(([of]) => of === publicKey)
      const [[, signature] = [], ...more] = ours
      if (signature === undefined) {
        return refusal('ERR_SIGNATURE_MISMATCH', 'No signature is of the configured public key.')
      }
      if (more.length > 0 || !isEncoded(signature, 'hex', 20) || !/^[A-Za-z\d+/=\n]+$/.test(payload)) {
        return refusal(
          'ERR_SIGNATURE_MALFORMED',
          'The signature of the configured public key is not 20 bytes in hex, or the payload is not base64.',
        )
      }
      // the payload ends with a line break, which is lost on the way at times
      return [payload, `${payload}\n`].some((text) => sameText(signature, mac(text).toString('hex')))
        ? { ok: true }
        : refusal('ERR_SIGNATURE_MISMATCH', 'The private key does not match the signature.')
    },
    seal: ({ headers = {}, rawBody }) => {
      const payload = `${rawBody.toString('base64')}\n`
      const signature = `${publicKey}|${mac(payload).toString('hex')}`
      const fields = new URLSearchParams({ bt_signature: signature, bt_payload: payload })
      return {
        headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
        rawBody: Buffer.from(fields.toString()),
      }
    },
    knows: { mac },
  }
}
