import { isUtf8 } from 'node:buffer'
import type { EventRecord, WebhookEvent } from '../words/event.ts'
import { once } from './once.ts'

/**
 * The payload of a body: parsed JSON, the fields of a form, or the bytes themselves. Never undefined and never throws:
 * what claims to be JSON and is not comes as bytes, and so does what is not UTF-8. JSON is also looked for in
 * `text/plain` and without a content type, since some senders label it so. A byte order mark is skipped; of duplicate
 * keys the last one counts.
 * @see RFC 8259 §8.1
 */
export function payloadOf(rawBody: Buffer, contentType: string | undefined): unknown {
  if (!isUtf8(rawBody)) return rawBody
  const media = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (media === 'application/x-www-form-urlencoded') return fieldsOf(rawBody.toString('utf8'))
  const text = rawBody.toString('utf8', startsWithMark(rawBody) ? 3 : 0)
  if (!media.endsWith('json') && !(/^(text\/plain)?$/.test(media) && /^\s*[{[]/.test(text))) return rawBody
  try {
    return JSON.parse(text) as unknown
  } catch {
    return rawBody
  }
}

const startsWithMark = (body: Buffer): boolean => body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf

/** A field that comes more than once is a list, so that nothing is dropped. */
function fieldsOf(text: string): Record<string, string | string[]> {
  const fields = new Map<string, string | string[]>()
  for (const [name, value] of new URLSearchParams(text)) {
    const before = fields.get(name)
    if (Array.isArray(before)) before.push(value)
    else fields.set(name, before === undefined ? value : [before, value])
  }
  return Object.fromEntries(fields) // own properties, also for a field called __proto__
}

/** The event with its payload, which is parsed at the first look. */
export const withData = (
  record: EventRecord,
  payload = (): unknown => payloadOf(record.rawBody, record.contentType),
): WebhookEvent => new LazyEvent(record, once(payload)) as unknown as WebhookEvent

/** All events share one getter: with a closure each, every one would have a shape of its own, and each look at it be slow. */
class LazyEvent {
  static readonly #data = {
    enumerable: true,
    get(this: LazyEvent): unknown {
      return this.#payload()
    },
  }
  readonly #payload: () => unknown

  constructor(record: EventRecord, payload: () => unknown) {
    this.#payload = payload
    Object.assign(this, record)
    Object.defineProperty(this, 'data', LazyEvent.#data)
  }
}
