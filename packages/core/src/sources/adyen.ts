import { createHmac, type KeyObject } from 'node:crypto'
import { knownOptions } from '../words/options.ts'
import { isEncoded, sameText } from '../verify/encodings.ts'
import type { SecretOptions } from '../verify/hash.ts'
import { at, json } from '../verify/payload.ts'
import type { Preset } from '../verify/preset.ts'
import { secretKeys } from '../verify/secrets.ts'
import { refusal, unable, type Source } from '../verify/source.ts'

const item = 'notificationItems.0.NotificationRequestItem'

export const adyenPreset: Preset = {
  provider: 'adyen',
  title: 'Adyen (payments)',
  docs: 'https://docs.adyen.com/development-resources/webhooks/secure-webhooks/verify-hmac-signatures/',
  scheme: {
    kind: 'own',
    algorithm: 'HMAC-SHA256, base64, in every item of the body',
    signed:
      '{pspReference}:{originalReference}:{merchantAccountCode}:{merchantReference}:{amount.value}:{amount.currency}:{eventCode}:{success}',
  },
  key: [{ body: `${item}.pspReference` }, { body: `${item}.eventCode` }, { body: `${item}.success` }],
  keySigned: true,
  type: { body: `${item}.eventCode` },
  answerWithinMs: 10_000,
  ackBody: '[accepted]',
  retries: 'for up to 30 days, less and less often',
  rotation: 'A new key replaces the old one at once: keep both here until the old deliveries are through.',
  pitfalls: [
    'Eight fields are signed and the rest of the item is not, so reason or additionalData can be forged.',
    'The key is hex and is decoded.',
    'The body must be read to find the signatures; nothing else of it is looked at before they hold.',
  ],
}

/** Standard payment webhooks of Adyen; `adyenPlatforms` is for those whose signature is in a header. */
export function adyen<Events = Record<string, unknown>>(options: SecretOptions): Source<Events> {
  knownOptions('adyen', options, ['secret'])
  const keys = secretKeys(adyenPreset, { secretEncoding: 'hex' }, options.secret)
  return {
    preset: adyenPreset,
    check: (request) => {
      const items = at(json(request.rawBody), 'notificationItems')
      if (!Array.isArray(items) || items.length === 0) {
        return refusal('ERR_SIGNATURE_MISSING', 'The body has no notification items, and so no signature.')
      }
      for (const each of items) {
        const of = at(each, 'NotificationRequestItem')
        const signature = at(of, 'additionalData.hmacSignature')
        if (typeof signature !== 'string') {
          return refusal('ERR_SIGNATURE_MISSING', 'A notification item has no hmacSignature.')
        }
        if (!isEncoded(signature, 'base64', 32)) {
          return refusal('ERR_SIGNATURE_MALFORMED', 'The hmacSignature of an item is not 32 bytes in base64.')
        }
        const line = signedLine(of)
        if (line === undefined || !keys.some((key) => sameText(signature, digest(key, line)))) {
          return refusal(
            'ERR_SIGNATURE_MISMATCH',
            'No configured secret matches the hmacSignature of an item.',
          )
        }
      }
      return { ok: true }
    },
    seal: ({ headers = {}, rawBody }) => {
      const [key] = keys
      const payload = json(rawBody)
      const items = at(payload, 'notificationItems')
      for (const each of Array.isArray(items) ? items : []) {
        const of = at(each, 'NotificationRequestItem')
        const line = signedLine(of)
        if (!key || line === undefined) throw unable('A notification item has what cannot be signed.')
        const { additionalData, ...rest } = of as { additionalData?: object }
        const signed = { ...additionalData, hmacSignature: digest(key, line) }
        Object.assign(each as object, { NotificationRequestItem: { ...rest, additionalData: signed } })
      }
      return { headers: { ...headers }, rawBody: Buffer.from(JSON.stringify(payload) ?? '') }
    },
  }
}

const digest = (key: KeyObject, line: string): string =>
  createHmac('sha256', key).update(line).digest('base64')

const fields = [
  'pspReference',
  'originalReference',
  'merchantAccountCode',
  'merchantReference',
  'amount.value',
  'amount.currency',
  'eventCode',
  'success',
]

/** The signed fields, an absent one as nothing. Undefined for a field that is neither text nor a number. */
function signedLine(of: unknown): string | undefined {
  const values = fields.map((path) => at(of, path) ?? '')
  return values.every(
    (value) => typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean',
  )
    ? values.join(':')
    : undefined
}
