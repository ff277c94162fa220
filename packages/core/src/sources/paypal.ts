import { verify as verifyWith } from 'node:crypto'
import { crc32 } from '../verify/crc32.ts'
import { certificateKeys, type CertificateOptions } from '../verify/certificates.ts'
import { one } from '../verify/claims.ts'
import { decoded } from '../verify/encodings.ts'
import type { Preset } from '../verify/preset.ts'
import { required } from '../verify/secrets.ts'
import { refusal, type Source } from '../verify/source.ts'
import { knownOptions } from '../words/options.ts'

export const paypalPreset: Preset = {
  provider: 'paypal',
  title: 'PayPal',
  docs: 'https://developer.paypal.com/api/rest/webhooks/rest/#verify-messages-yourself',
  scheme: {
    kind: 'own',
    algorithm: 'RSA-SHA256, base64, in PAYPAL-TRANSMISSION-SIG',
    signed: '{paypal-transmission-id}|{paypal-transmission-time}|{webhookId}|{CRC-32 of the body, decimal}',
  },
  key: { body: 'id' },
  keySigned: true,
  type: { body: 'event_type' },
  headers: ['paypal-transmission-id', 'paypal-transmission-time'],
  answerWithinMs: 30_000,
  retries: 'up to 25 times over 3 days',
  rotation:
    'Each request names the URL of its certificate: fetch: true gets it, or hand in those that are in use as certificates, by URL.',
  pitfalls: [
    'The body is covered by a CRC-32 alone, which anybody can forge a collision for: who reads one request can forge its body.',
    'The id of the webhook is part of what is signed: set webhookId to that of this listener.',
    'PayPal retries for three days with the first time, so a tolerance would refuse its retries; there is none.',
  ],
}

/** Certificates are those that `PAYPAL-CERT-URL` names. */
export interface PaypalOptions extends CertificateOptions {
  /** The id of the webhook, as the developer dashboard shows it. */
  readonly webhookId: string
}

/** Only PayPal's own hosts, over https. */
const trusted = /^https:\/\/(?:[a-z0-9-]{1,63}\.){1,4}paypal\.com\/[\w./-]{1,200}$/

/** Webhooks of a PayPal app. */
export function paypal<Events = Record<string, unknown>>(options: PaypalOptions): Source<Events> {
  knownOptions('paypal', options, ['webhookId', 'certificates', 'fetch'])
  const webhookId = required('paypal', 'webhookId', options.webhookId)
  const keys = certificateKeys('paypal', options, trusted)
  return {
    preset: paypalPreset,
    wants: ({ headers }) => keys.wanted(headers.get('paypal-cert-url') ?? ''),
    check: ({ headers, rawBody }, nowMs) => {
      const read = (name: string): string => {
        const value = one(headers, `paypal-${name}`)
        return typeof value === 'string' ? value : ''
      }
      const written = one(headers, 'paypal-transmission-sig')
      if (typeof written === 'object') return written
      if (written === undefined) {
        return refusal('ERR_SIGNATURE_MISSING', 'The header "paypal-transmission-sig" is missing.')
      }
      const signature = written === '' ? undefined : decoded(written, 'base64')
      const [id, time, url] = ['transmission-id', 'transmission-time', 'cert-url'].map(read)
      if (!signature || !id || !time || !url) {
        return refusal(
          'ERR_SIGNATURE_MALFORMED',
          'A header of the transmission is missing or not of its form.',
        )
      }
      if (read('auth-algo') !== 'SHA256withRSA') {
        return refusal('ERR_SIGNATURE_MALFORMED', 'The header "paypal-auth-algo" is not "SHA256withRSA".')
      }
      const key = keys.find(url, nowMs)
      if (!key) {
        return refusal(
          'ERR_SIGNATURE_MISMATCH',
          'No configured certificate is the one that the request names.',
        )
      }
      const line = `${id}|${time}|${webhookId}|${crc32(rawBody)}`
      if (!verifyWith('sha256', Buffer.from(line), key, signature)) {
        return refusal('ERR_SIGNATURE_MISMATCH', 'The certificate does not match the signature.')
      }
      return { ok: true }
    },
  }
}
