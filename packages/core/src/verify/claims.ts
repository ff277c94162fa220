import type { RequestHeaders } from '../words/headers.ts'
import { at } from './payload.ts'
import type { SignaturePlace, TemplateScheme, TimestampPlace } from './preset.ts'
import { refusal, type Refusal } from './source.ts'

/** What the headers say about the signature, before any of it is believed. */
export interface Claims {
  readonly ok: true
  /** Each without its prefix. At least one. */
  readonly signatures: readonly string[]
  /** Whether all of them must hold, and not just one. */
  readonly every: boolean
  /** As written, in the form of its unit; empty when the scheme has none in a header. */
  readonly timestamp: string
  /** Empty when the scheme has none. */
  readonly id: string
}

/** A list of more entries is not a rotation but an attempt to keep us busy. */
export const mostSignatures = 16

/** Reads signature, timestamp and id. A header that comes twice is refused: who is right is not ours to guess. */
export function claimsOf(scheme: TemplateScheme, headers: RequestHeaders): Claims | Refusal {
  const { signature, timestamp, id, requires } = scheme
  const written = writtenIn(signature, headers)
  if (written === undefined) {
    return refusal('ERR_SIGNATURE_MISSING', `The header "${signature.header}" is missing.`)
  }
  if (typeof written === 'object' && 'code' in written) return written
  if (signature.form && !signature.form.test(String(written))) {
    return refusal(
      'ERR_SIGNATURE_MALFORMED',
      `The header "${signature.header}" is not written as this sender does.`,
    )
  }
  const found = entriesOf(scheme, written)
  if ('code' in found) return found
  for (const name in requires) {
    const value = requires[name]
    if (headers.get(name) !== value)
      return refusal('ERR_SIGNATURE_MALFORMED', `The header "${name}" is not "${value}".`)
  }
  const time = timestamp?.header === undefined ? found.time : one(headers, timestamp.header)
  if (typeof time === 'object') return refusal('ERR_TIMESTAMP_MALFORMED', time.message)
  const wrong = timestamp && timestamp.body === undefined ? malformed(time, timestamp) : undefined
  if (wrong) return wrong
  const identity = id === undefined ? '' : one(headers, id)
  if (typeof identity === 'object') return identity
  if (identity === undefined || (id !== undefined && identity === '')) {
    return refusal('ERR_SIGNATURE_MALFORMED', `The header "${id}", which is signed, is missing or empty.`)
  }
  const every = signature.repeats === true
  const signatures = signature.form ? found.signatures.slice(0, 1) : found.signatures
  return { ok: true, signatures, every, timestamp: time ?? '', id: identity }
}

/** The lines that hold signatures: one, unless the sender numbers or repeats them. */
function writtenIn(
  { header, repeats }: SignaturePlace,
  headers: RequestHeaders,
): string | readonly string[] | Refusal | undefined {
  if (header.endsWith('*')) return numbered(headers, header.slice(0, -1))
  const lines = headers.all(header)
  return lines.length < 2 ? lines[0] : repeats ? lines : twice(header, lines.length)
}

interface Entries {
  readonly signatures: string[]
  time: string | undefined
}

/** The signatures of a header, without what stands around them, and the timestamp if it is among them. */
function entriesOf(scheme: TemplateScheme, written: string | readonly string[]): Entries | Refusal {
  const { header, prefix = '', separator } = scheme.signature
  const mark = scheme.timestamp?.entry
  const entries: Entries = { signatures: [], time: undefined }
  const collected =
    typeof written === 'string'
      ? collect(entries, written, separator, prefix, mark)
      : written.every((text) => collect(entries, text, separator, prefix, mark))
  if (!collected) return refusal('ERR_TIMESTAMP_MALFORMED', `The header "${header}" has two timestamps.`)
  const { length } = entries.signatures
  if (length === 0) {
    return refusal(
      'ERR_SIGNATURE_MALFORMED',
      `The header "${header}" has no signature that begins with "${prefix}".`,
    )
  }
  return length > mostSignatures
    ? refusal('ERR_SIGNATURE_MALFORMED', `The header "${header}" has more than ${mostSignatures} signatures.`)
    : entries
}

/** Cuts by index, which takes a third of the time of `split`. False when there are two timestamps. */
function collect(
  entries: Entries,
  text: string,
  separator: string | undefined,
  prefix: string,
  mark: string | undefined,
): boolean {
  for (let start = 0, end = 0; end < text.length || start === 0; start = end + 1) {
    const next = separator === undefined ? -1 : text.indexOf(separator, start)
    end = next === -1 ? text.length : next
    if (separator === ',') while (text[start] === ' ') start++
    if (text.startsWith(prefix, start)) entries.signatures.push(text.slice(start + prefix.length, end))
    if (mark === undefined || !text.startsWith(mark, start)) continue
    if (entries.time !== undefined) return false
    entries.time = text.slice(start + mark.length, end)
  }
  return true
}

/** The value of a header that must not come twice. */
export function one(headers: RequestHeaders, name: string): string | Refusal | undefined {
  const values = headers.all(name)
  return values.length > 1 ? twice(name, values.length) : values[0]
}

const twice = (name: string, times: number): Refusal =>
  refusal('ERR_SIGNATURE_MALFORMED', `The header "${name}" came ${times} times.`)

function numbered(headers: RequestHeaders, prefix: string): string[] | Refusal | undefined {
  const found: string[] = []
  for (let n = 1; n <= mostSignatures + 1; n++) {
    const value = one(headers, `${prefix}${n}`)
    if (typeof value === 'object') return value
    if (value !== undefined) found.push(value)
  }
  return found.length > 0 ? found : undefined
}

const forms = {
  s: /^\d{1,12}$/,
  ms: /^\d{1,15}$/,
  rfc3339: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/,
}

/** A refusal if there is no timestamp, or it is not written as this sender does: digits only, or RFC 3339. */
export function malformed(
  text: string | undefined,
  { unit }: Pick<TimestampPlace, 'unit'>,
): Refusal | undefined {
  if (text === undefined)
    return refusal('ERR_TIMESTAMP_MISSING', 'The timestamp, which is signed, is missing.')
  if (forms[unit].test(text)) return undefined
  return refusal('ERR_TIMESTAMP_MALFORMED', 'The timestamp is not of the form that this sender writes.')
}

/**
 * Whether a signed timestamp is of now. Asked after the signature holds, so that "stale" means: the sender's own, but
 * late or replayed, or a clock is wrong.
 * @param payload  gives the parsed body, for the timestamp of a sender that writes it there
 */
export function untimely(
  place: TimestampPlace,
  written: string,
  payload: () => unknown,
  nowMs: number,
): Refusal | undefined {
  const text = place.body === undefined ? written : digits(at(payload(), place.body))
  const refused = place.body === undefined ? undefined : malformed(text, place) // a header's was looked at before
  if (refused || text === undefined) return refused
  const time =
    place.unit === 's' ? Number(text) * 1_000 : place.unit === 'ms' ? Number(text) : Date.parse(text)
  return farFrom(nowMs, time, place.toleranceMs)
}

const digits = (value: unknown): string | undefined =>
  typeof value === 'number' ? String(value) : typeof value === 'string' ? value : undefined

/** A refusal if a time is further from now than allowed. Milliseconds. */
function farFrom(nowMs: number, timeMs: number, toleranceMs: number): Refusal | undefined {
  const behindMs = nowMs - timeMs
  if (Math.abs(behindMs) <= toleranceMs) return undefined
  if (!Number.isFinite(behindMs)) return refusal('ERR_TIMESTAMP_MALFORMED', 'The timestamp is not a date.')
  const seconds = Math.ceil(Math.abs(behindMs) / 1_000)
  const allowed = `${toleranceMs / 1_000} s are allowed`
  return behindMs > 0
    ? refusal('ERR_TIMESTAMP_STALE', `It was signed ${seconds} s ago; ${allowed}.`)
    : refusal(
        'ERR_TIMESTAMP_FUTURE',
        `Its timestamp is ${seconds} s ahead of this machine's clock; ${allowed}.`,
      )
}
