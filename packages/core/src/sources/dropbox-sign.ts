import { createHmac, type KeyObject } from 'node:crypto'
import { knownOptions } from '../words/options.ts'
import { isEncoded, sameText } from '../verify/encodings.ts'
import { multipartFields } from '../verify/form.ts'
import type { SecretOptions } from '../verify/hash.ts'
import { at, form, json } from '../verify/payload.ts'
import type { Preset } from '../verify/preset.ts'
import { secretKeys } from '../verify/secrets.ts'
import { refusal, type SignedRequest, type Source } from '../verify/source.ts'

/** Without this text in the answer, an event counts as lost and is sent again. */
const ackBody = 'Hello API Event Received'

export const dropboxSignPreset: Preset = {
  provider: 'dropbox-sign',
  title: 'Dropbox Sign',
  docs: 'https://developers.hellosign.com/docs/events/walkthrough/',
  scheme: {
    kind: 'own',
    algorithm: 'HMAC-SHA256, hex, in event.event_hash of the body',
    signed: '{event.event_time}{event.event_type}',
  },
  key: [{ body: 'event.event_hash' }, { body: 'signature_request.signature_request_id' }],
  keySigned: false,
  type: { body: 'event.event_type' },
  answerWithinMs: 30_000,
  ackBody,
  handshakes: [
    {
      verified: true,
      when: [{ at: { body: 'event.event_type' }, is: 'callback_test' }],
      reply: { status: 200, text: { text: ackBody } },
    },
  ],
  retries: '6 times over about 3 days, backing off',
  pitfalls: [
    'Only time and type are signed: the rest of the event can be forged by who reads one request.',
    `The answer must have the text "${ackBody}".`,
    'The body is a multipart form with the event in its field "json".',
  ],
}

/** Callbacks of Dropbox Sign. The secret is the API key. */
export function dropboxSign<Events = Record<string, unknown>>(options: SecretOptions): Source<Events> {
  knownOptions('dropbox-sign', options, ['secret'])
  const keys = secretKeys(dropboxSignPreset, {}, options.secret)
  return {
    preset: dropboxSignPreset,
    payload,
    check: (request) => {
      const event = at(payload(request), 'event')
      const [time, type, hash] = ['event_time', 'event_type', 'event_hash'].map((name) => at(event, name))
      if (typeof time !== 'string' || typeof type !== 'string' || typeof hash !== 'string') {
        return refusal('ERR_SIGNATURE_MISSING', 'The body has no event with time, type and hash.')
      }
      if (!isEncoded(hash, 'hex', 32) || !/^\d{1,12}$/.test(time)) {
        return refusal('ERR_SIGNATURE_MALFORMED', 'The hash of the event is not 32 bytes in hex.')
      }
      return keys.some((key) => sameText(hash, digest(key, time + type)))
        ? { ok: true }
        : refusal('ERR_SIGNATURE_MISMATCH', 'No configured secret matches the hash of the event.')
    },
    seal: ({ headers = {}, rawBody, nowMs }) => {
      const whole = json(rawBody)
      const event = { event_type: 'callback_test', event_time: String(Math.floor(nowMs / 1_000)) }
      Object.assign(event, at(whole, 'event'))
      const hash = keys[0] ? digest(keys[0], event.event_time + event.event_type) : ''
      const signed = { ...(whole as object), event: { ...event, event_hash: hash } }
      return {
        headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
        rawBody: Buffer.from(new URLSearchParams({ json: JSON.stringify(signed) }).toString()),
      }
    },
  }
}

const digest = (key: KeyObject, text: string): string => createHmac('sha256', key).update(text).digest('hex')

function payload({ headers, rawBody }: SignedRequest): unknown {
  const type = headers.get('content-type') ?? ''
  if (/^multipart\//i.test(type)) return json(Buffer.from(multipartFields(rawBody, type).json ?? ''))
  if (/^application\/x-www-form-urlencoded\b/i.test(type)) return json(Buffer.from(form(rawBody).json ?? ''))
  return json(rawBody)
}
