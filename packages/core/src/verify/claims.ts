import type { RequestHeaders } from '../words/headers.ts'
import type { Scheme, TimestampPlace } from './preset.ts'
import { refusal, type Refusal } from './source.ts'

/** What the headers say about the signature, before any of it is believed. */
export interface Claims {
  readonly ok: true
  /** Each without its prefix. At least one. */
  readonly signatures: readonly string[]
  /** As written, in the form of its unit; empty when the scheme has none in a header. */
  readonly timestamp: string
  /** Empty when the scheme has none. */
  readonly id: string
}

// a list of more entries is not a rotation but an attempt to keep us busy
const mostSignatures = 16

/** Reads signature, timestamp and id. A header that comes twice is refused: who is right is not ours to guess. */
export function claimsOf(scheme: Scheme, headers: RequestHeaders): Claims | Refusal {
  const { signature, timestamp, id } = scheme
  const written = one(headers, signature.header)
  if (written === undefined) {
    return refusal('ERR_SIGNATURE_MISSING', `The header "${signature.header}" is missing.`)
  }
  if (typeof written !== 'string') return written
  const { prefix = '', separator } = signature
  const entries = separator === undefined ? [written] : written.split(separator)
  const signatures: string[] = []
  let time: string | undefined
  for (const entry of entries) {
    const text = separator === ',' ? entry.trim() : entry
    if (text.startsWith(prefix)) signatures.push(text.slice(prefix.length))
    if (timestamp?.entry === undefined || !text.startsWith(timestamp.entry)) continue
    if (time !== undefined) {
      return refusal('ERR_TIMESTAMP_MALFORMED', `The header "${signature.header}" has two timestamps.`)
    }
    time = text.slice(timestamp.entry.length)
  }
  if (signatures.length === 0 || signatures.length > mostSignatures) {
    return refusal(
      'ERR_SIGNATURE_MALFORMED',
      signatures.length === 0
        ? `The header "${signature.header}" has no signature that begins with "${prefix}".`
        : `The header "${signature.header}" has more than ${mostSignatures} signatures.`,
    )
  }
  if (timestamp?.header !== undefined) {
    const value = one(headers, timestamp.header)
    if (typeof value === 'object') return refusal('ERR_TIMESTAMP_MALFORMED', value.message)
    time = value
  }
  const untimely = timestamp && timestamp.body === undefined ? malformed(time, timestamp) : undefined
  if (untimely) return untimely
  const identity = id === undefined ? '' : one(headers, id)
  if (typeof identity !== 'string') {
    return identity ?? refusal('ERR_SIGNATURE_MALFORMED', `The header "${id}", which is signed, is missing.`)
  }
  return { ok: true, signatures, timestamp: time ?? '', id: identity }
}

function one(headers: RequestHeaders, name: string): string | Refusal | undefined {
  const values = headers.all(name)
  return values.length > 1
    ? refusal('ERR_SIGNATURE_MALFORMED', `The header "${name}" came ${values.length} times.`)
    : values[0]
}

const forms = {
  s: /^\d{1,12}$/,
  ms: /^\d{1,15}$/,
  rfc3339: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/,
}

function malformed(text: string | undefined, { unit }: TimestampPlace): Refusal | undefined {
  if (text === undefined)
    return refusal('ERR_TIMESTAMP_MISSING', 'The timestamp, which is signed, is missing.')
  if (forms[unit].test(text)) return undefined
  return refusal('ERR_TIMESTAMP_MALFORMED', 'The timestamp is not of the form that this sender writes.')
}

/**
 * Whether a signed timestamp is of now. Asked after the signature holds, so that "stale" means: the sender's own, but
 * late or replayed, or a clock is wrong.
 */
export function untimely(
  text: string | undefined,
  place: TimestampPlace,
  nowMs: number,
): Refusal | undefined {
  const refused = malformed(text, place)
  if (refused || text === undefined) return refused
  const at = place.unit === 's' ? Number(text) * 1_000 : place.unit === 'ms' ? Number(text) : Date.parse(text)
  const behindMs = nowMs - at
  if (Math.abs(behindMs) <= place.toleranceMs) return undefined
  if (!Number.isFinite(behindMs)) return refusal('ERR_TIMESTAMP_MALFORMED', 'The timestamp is not a date.')
  const seconds = Math.round(Math.abs(behindMs) / 1_000)
  const allowed = `${place.toleranceMs / 1_000} s are allowed`
  return behindMs > 0
    ? refusal('ERR_TIMESTAMP_STALE', `It was signed ${seconds} s ago; ${allowed}.`)
    : refusal(
        'ERR_TIMESTAMP_FUTURE',
        `Its timestamp is ${seconds} s ahead of this machine's clock; ${allowed}.`,
      )
}
