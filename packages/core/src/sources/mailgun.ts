import { createHmac, randomBytes, type KeyObject } from 'node:crypto'
import { knownOptions } from '../words/options.ts'
import { untimely } from '../verify/claims.ts'
import { isEncoded, sameText } from '../verify/encodings.ts'
import type { ToleranceOption } from '../verify/engine.ts'
import { tolerated } from '../verify/engine.ts'
import { multipartFields } from '../verify/form.ts'
import type { SecretOptions } from '../verify/hash.ts'
import { at, form, json } from '../verify/payload.ts'
import type { Preset, TimestampPlace } from '../verify/preset.ts'
import { secretKeys } from '../verify/secrets.ts'
import { refusal, type SignedRequest, type Source } from '../verify/source.ts'

export const mailgunPreset: Preset = {
  provider: 'mailgun',
  title: 'Mailgun',
  docs: 'https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks',
  scheme: { kind: 'own', algorithm: 'HMAC-SHA256, hex, in the body', signed: '{timestamp}{token}' },
  key: { body: 'signature.token' },
  keySigned: true,
  type: { body: 'event-data.event' },
  answerWithinMs: 20_000,
  retries: 'for 8 hours: after 10 min, 10 min, 15 min, 30 min, 1 h, 2 h and 4 h; a 406 stops them',
  pitfalls: [
    'Only a timestamp and a token are signed: the event itself is not covered. Who reads one request can forge another within the tolerance, but not reuse its token.',
    'The body must be read to find the signature; nothing else of it is looked at before it holds.',
  ],
}

const timestampPlace: TimestampPlace = { unit: 's', toleranceMs: 300_000 }

/** Webhooks and routes of Mailgun. The secret is the HTTP webhook signing key. */
export function mailgun<Events = Record<string, unknown>>(
  options: SecretOptions & ToleranceOption,
): Source<Events> {
  knownOptions('mailgun', options, ['secret', 'tolerance'])
  const keys = secretKeys(mailgunPreset, {}, options.secret)
  const place =
    options.tolerance === undefined
      ? timestampPlace
      : { ...timestampPlace, toleranceMs: tolerated('mailgun', options.tolerance) }
  return {
    preset: mailgunPreset,
    check: (request, nowMs) => {
      const { timestamp, token, signature } = signatureOf(request)
      if (typeof signature !== 'string' || typeof token !== 'string' || typeof timestamp !== 'string') {
        return refusal('ERR_SIGNATURE_MISSING', 'The body has no signature with timestamp and token.')
      }
      if (!isEncoded(signature, 'hex', 32) || !/^\d{1,12}$/.test(timestamp)) {
        return refusal('ERR_SIGNATURE_MALFORMED', 'The signature in the body is not 32 bytes in hex.')
      }
      const holds = keys.some((key) => sameText(signature, digest(key, timestamp + token)))
      if (!holds) return refusal('ERR_SIGNATURE_MISMATCH', 'No configured secret matches the signature.')
      return untimely(place, timestamp, () => undefined, nowMs) ?? { ok: true }
    },
    seal: ({ headers = {}, rawBody, nowMs }) => {
      const [timestamp, token] = [String(Math.floor(nowMs / 1_000)), randomBytes(25).toString('hex')]
      const signature = { timestamp, token, signature: keys[0] ? digest(keys[0], timestamp + token) : '' }
      const event = json(rawBody)
      const whole = at(event, 'event-data') === undefined ? { 'event-data': event } : (event as object)
      return { headers: { ...headers }, rawBody: Buffer.from(JSON.stringify({ ...whole, signature })) }
    },
  }
}

const digest = (key: KeyObject, text: string): string => createHmac('sha256', key).update(text).digest('hex')

function signatureOf({
  headers,
  rawBody,
}: SignedRequest): Record<'timestamp' | 'token' | 'signature', unknown> {
  const type = headers.get('content-type') ?? ''
  const found = /^application\/x-www-form-urlencoded\b/i.test(type)
    ? form(rawBody)
    : /^multipart\//i.test(type)
      ? multipartFields(rawBody, type)
      : at(json(rawBody), 'signature')
  return { timestamp: at(found, 'timestamp'), token: at(found, 'token'), signature: at(found, 'signature') }
}
