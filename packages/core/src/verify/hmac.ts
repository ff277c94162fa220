import { createHmac, type KeyObject } from 'node:crypto'
import { knownOptions } from '../words/options.ts'
import { claimsOf, untimely } from './claims.ts'
import { isEncoded, sameText } from './encodings.ts'
import type { HmacScheme, Preset } from './preset.ts'
import { sealed } from './seal.ts'
import { secretKeys, type Secrets } from './secrets.ts'
import { refusal, type SignedRequest, type Source, type Verification } from './source.ts'
import { signedBytes, template, type Part } from './template.ts'
import { withTolerance, type ToleranceOption } from './tolerance.ts'

export interface SecretOptions {
  /** As the provider shows it, with any prefix. Several while they are rotated. */
  readonly secret: Secrets
}

/** For senders whose signature covers a timestamp. */
export interface TimedSecretOptions extends SecretOptions, ToleranceOption {}

export type HmacPreset = Preset & { readonly scheme: HmacScheme }

const digestBytes = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 }

/**
 * A source whose sender signs with a keyed hash over a template.
 * @param own  parts of the template that only this provider has
 * @throws SetupError for a missing or wrong secret, an unknown option, a bad duration
 * @see RFC 2104
 */
export function hmacSource<Events>(
  record: HmacPreset,
  options: TimedSecretOptions,
  own?: Readonly<Record<string, Part>>,
): Source<Events> {
  knownOptions(record.provider, options, ['secret', ...(record.scheme.timestamp ? ['tolerance'] : [])])
  const preset = withTolerance(record, options.tolerance)
  const keys = secretKeys(preset, preset.scheme, options.secret)
  const first = matcher(preset.scheme, keys, own)
  const second = preset.scheme.otherwise && matcher(preset.scheme.otherwise, keys, own)
  return {
    preset,
    check: (request, nowMs) =>
      second && request.headers.get(preset.scheme.signature.header) === undefined
        ? second(request, nowMs)
        : first(request, nowMs),
    seal: sealed(preset.scheme, template(preset.scheme.signed, own), (pieces) => {
      const [key] = keys
      return key ? digest(preset.scheme, key, pieces) : ''
    }),
  }
}

function matcher(
  scheme: HmacScheme,
  keys: readonly KeyObject[],
  own?: Readonly<Record<string, Part>>,
): Source['check'] {
  const parts = template(scheme.signed, own)
  const { encoding } = scheme.signature
  const byteLength = digestBytes[scheme.algorithm]
  return (request: SignedRequest, nowMs: number): Verification => {
    const claims = claimsOf(scheme, request.headers)
    if (!claims.ok) return claims
    const candidates = claims.signatures.filter((signature) => isEncoded(signature, encoding, byteLength))
    if (candidates.length === 0) {
      return refusal(
        'ERR_SIGNATURE_MALFORMED',
        `The signature in "${scheme.signature.header}" is not ${byteLength} bytes in ${encoding}.`,
      )
    }
    const pieces = signedBytes(parts, request, claims)
    if (!pieces) return refusal('ERR_SIGNATURE_MALFORMED', 'Something that the signature covers is missing.')
    for (const key of keys) {
      const expected = digest(scheme, key, pieces)
      for (const candidate of candidates) {
        if (sameText(candidate, expected)) return timely(scheme, claims.timestamp, nowMs)
      }
    }
    return refusal('ERR_SIGNATURE_MISMATCH', 'No configured secret matches the signature.')
  }
}

function digest(scheme: HmacScheme, key: KeyObject, pieces: readonly (string | Buffer)[]): string {
  const hmac = createHmac(scheme.algorithm, key)
  for (const piece of pieces) hmac.update(piece)
  return hmac.digest(scheme.signature.encoding)
}

const verified: Verification = { ok: true }

const timely = ({ timestamp }: HmacScheme, text: string, nowMs: number): Verification =>
  (timestamp && untimely(text, timestamp, nowMs)) ?? verified
