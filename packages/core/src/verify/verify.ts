import { RequestHeaders } from '../words/headers.ts'
import {
  refusal,
  unable,
  type Message,
  type Refusal,
  type Sealed,
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
 * @throws SetupError `ERR_SIGN_UNABLE` where a receiver cannot make what it checks, or the signature is not in a header
 */
export function sign(source: Source, message: Message): Record<string, string> {
  const { headers, rawBody, url } = sealed(source, message)
  if (rawBody === undefined && url === undefined) return headers
  throw unable(`${source.preset.title} puts its signature into the body or the URL: use signedRequest.`)
}

/**
 * A whole request as this sender would make it, for tests and tools. A sender that signs in the body gets it from the
 * payload that the message holds.
 * @throws SetupError `ERR_SIGN_UNABLE` where a receiver cannot make what it checks
 */
export function signedRequest(source: Source, message: Message): SignedRequest {
  const { headers, rawBody = message.rawBody, url = message.url ?? '/' } = sealed(source, message)
  return { method: message.method ?? 'POST', url, headers: RequestHeaders.from(headers), rawBody }
}

function sealed(source: Source, message: Message): Sealed {
  if (source.seal) return source.seal(message)
  throw unable(`A receiver of ${source.preset.title} holds no key to sign in its name.`)
}
