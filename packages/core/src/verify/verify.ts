import {
  refusal,
  type Message,
  type Refusal,
  type SignedRequest,
  type Source,
  type Verification,
} from './source.ts'

/**
 * Whether the request was made by the holder of the secret, recently. Looks at the exact bytes and never at their
 * meaning, compares in constant time, and never throws.
 * @param nowMs  this machine's clock, epoch milliseconds
 */
export function verify(source: Source, request: SignedRequest, nowMs: number): Verification {
  try {
    const checked = source.check(request, nowMs)
    return checked.ok ? (ambiguous(source, request) ?? checked) : checked
  } catch {
    return refusal('ERR_SIGNATURE_MALFORMED', 'The signature could not be read.')
  }
}

/** A second id that nobody signed could make an old event look new. */
function ambiguous({ preset: { key } }: Source, { headers }: SignedRequest): Refusal | undefined {
  if (key === undefined || 'signed' in key) return undefined
  for (const place of 'length' in key ? key : [key]) {
    if ('header' in place && headers.all(place.header).length > 1) {
      return refusal('ERR_SIGNATURE_MALFORMED', `The header "${place.header}" came more than once.`)
    }
  }
  return undefined
}

/**
 * The headers of a request as this sender would make it, for tests and tools; those of the message are among them.
 * @throws TypeError where a receiver cannot make what it checks
 */
export function sign(source: Source, message: Message): Record<string, string> {
  if (source.seal) return source.seal(message)
  throw new TypeError(`A receiver of ${source.preset.title} cannot sign in its name.`)
}
