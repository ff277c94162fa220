import { createPrivateKey, sign as signWith, verify as verifyWith, type KeyObject } from 'node:crypto'
import { decoded } from './encodings.ts'
import { templateOptions, templateSource, type Algorithm, type ToleranceOption } from './engine.ts'
import type { AsymmetricScheme, Preset } from './preset.ts'
import type { PublicUrlOption } from './public-url.ts'
import { publicKeys, type Secrets } from './secrets.ts'
import { unable, type Source } from './source.ts'
import { piecesOf, template, type Part, type Parts, type Pieces } from './template.ts'

export interface PublicKeyOptions {
  /** As the provider hands it out: PEM, base64 of the DER, raw in hex or base64. Several while they are rotated. */
  readonly publicKey: Secrets
}

/** For senders whose signature covers a timestamp. */
export interface TimedPublicKeyOptions extends PublicKeyOptions, ToleranceOption {}

/** A sender that signs with a private key. */
export type AsymmetricPreset = Preset & { readonly scheme: AsymmetricScheme }

/**
 * A source whose sender signs a template with its private key.
 * @param own  parts of the template that only this provider has
 * @throws SetupError for a missing or wrong key, an unknown option, a bad duration
 * @see RFC 8032, FIPS 186-5, RFC 8017 §8.2
 */
export function asymmetricSource<Events>(
  record: AsymmetricPreset,
  options: PublicKeyOptions & ToleranceOption & PublicUrlOption,
  own?: Parts,
): Source<Events> {
  templateOptions(record, options, 'publicKey')
  const keys = publicKeys(record, options.publicKey, keyTypes[record.scheme.algorithm])
  return templateSource<AsymmetricPreset, Events>(
    record,
    options,
    (scheme, parts) => signing(scheme, keys, template(scheme.signed, parts)),
    own,
  )
}

const keyTypes = { ed25519: 'ed25519', 'ecdsa-p256-sha256': 'ec', 'rsa-sha256': 'rsa' } as const

function signing(scheme: AsymmetricScheme, keys: readonly KeyObject[], parts: readonly Part[]): Algorithm {
  const { algorithm, signature } = scheme
  const hash = algorithm === 'ed25519' ? null : 'sha256'
  return {
    form: algorithm === 'ed25519' ? `64 bytes in ${signature.encoding}` : `in ${signature.encoding}`,
    isFormed: (text) => {
      const bytes = decoded(text, signature.encoding)
      return bytes !== undefined && (algorithm === 'ed25519' ? bytes.length === 64 : bytes.length > 0)
    },
    holds: (request, claims, signatures) => {
      const pieces = piecesOf(parts, request, claims)
      if (!pieces) return undefined
      const bytes = joined(pieces)
      const decodedOnes = signatures.map((text) => Buffer.from(text, signature.encoding))
      return keys.some((key) => decodedOnes.some((one) => verifyWith(hash, bytes, key, one)))
    },
    make: (request, claims, { privateKey }) => {
      if (privateKey === undefined) throw unable('This sender signs with a private key: give privateKey.')
      const pieces = piecesOf(parts, request, claims)
      return (
        pieces && signWith(hash, joined(pieces), createPrivateKey(privateKey)).toString(signature.encoding)
      )
    },
  }
}

const joined = (pieces: Pieces): Buffer =>
  Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)))
