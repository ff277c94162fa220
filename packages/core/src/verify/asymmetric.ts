import { createPrivateKey, sign as signWith, verify as verifyWith, type KeyObject } from 'node:crypto'
import { knownOptions } from '../words/options.ts'
import { claimsOf, untimely } from './claims.ts'
import { decoded } from './encodings.ts'
import type { AsymmetricScheme, Preset } from './preset.ts'
import { sealed } from './seal.ts'
import { publicKeys, type Secrets } from './secrets.ts'
import { refusal, type Source } from './source.ts'
import { signedBytes, template, type Part } from './template.ts'
import { withTolerance, type ToleranceOption } from './tolerance.ts'

export interface PublicKeyOptions extends ToleranceOption {
  /** As the provider hands it out. Several while they are rotated. */
  readonly publicKey: Secrets
}

export type AsymmetricPreset = Preset & { readonly scheme: AsymmetricScheme }

/**
 * A source whose sender signs with a private key over a template.
 * @param own  parts of the template that only this provider has
 * @throws SetupError for a missing or wrong key, an unknown option, a bad duration
 * @see RFC 8032
 */
export function asymmetricSource<Events>(
  record: AsymmetricPreset,
  options: PublicKeyOptions,
  own?: Readonly<Record<string, Part>>,
): Source<Events> {
  knownOptions(record.provider, options, ['publicKey', ...(record.scheme.timestamp ? ['tolerance'] : [])])
  const preset = withTolerance(record, options.tolerance)
  const { scheme } = preset
  const keys = publicKeys(preset, options.publicKey, scheme.algorithm)
  const parts = template(scheme.signed, own)
  return {
    preset,
    check: (request, nowMs) => {
      const claims = claimsOf(scheme, request.headers)
      if (!claims.ok) return claims
      const candidates = claims.signatures
        .map((text) => decoded(text, scheme.signature.encoding))
        .filter((bytes) => bytes?.length === 64)
      if (candidates.length === 0) {
        return refusal(
          'ERR_SIGNATURE_MALFORMED',
          `The signature in "${scheme.signature.header}" is not 64 bytes in ${scheme.signature.encoding}.`,
        )
      }
      const pieces = signedBytes(parts, request, claims)
      if (!pieces)
        return refusal('ERR_SIGNATURE_MALFORMED', 'Something that the signature covers is missing.')
      const bytes = joined(pieces)
      if (!keys.some((key) => candidates.some((candidate) => candidate && holds(key, bytes, candidate)))) {
        return refusal('ERR_SIGNATURE_MISMATCH', 'No configured public key matches the signature.')
      }
      return (scheme.timestamp && untimely(claims.timestamp, scheme.timestamp, nowMs)) ?? { ok: true }
    },
    seal: sealed(scheme, parts, (pieces, { privateKey }) => {
      if (privateKey === undefined)
        throw new TypeError('This sender signs with a private key: give privateKey.')
      return signWith(null, joined(pieces), createPrivateKey(privateKey)).toString(scheme.signature.encoding)
    }),
  }
}

const joined = (pieces: readonly (string | Buffer)[]): Buffer =>
  Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)))

const holds = (key: KeyObject, bytes: Buffer, signature: Buffer): boolean =>
  verifyWith(null, bytes, key, signature)
