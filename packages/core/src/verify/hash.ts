import { createHash, createHmac, type KeyObject } from 'node:crypto'
import { comparison, encodedLength, isEncoded } from './encodings.ts'
import { templateOptions, templateSource, type Algorithm, type ToleranceOption } from './engine.ts'
import { keyedHash } from './keyed-hash.ts'
import type { HashScheme, Preset } from './preset.ts'
import type { PublicUrlOption } from './public-url.ts'
import { secretKeys, type Secrets } from './secrets.ts'
import type { SignedRequest, Source } from './source.ts'
import { piecesOf, template, type Parts, type Pieces } from './template.ts'
import type { Claims } from './claims.ts'

export interface SecretOptions {
  /** As the provider shows it, with any prefix. Several while they are rotated: one match is enough. */
  readonly secret: Secrets
}

/** For senders whose signature covers a timestamp. */
export interface TimedSecretOptions extends SecretOptions, ToleranceOption {}

/** For senders whose signature covers the URL that they call. */
export interface UrlSecretOptions extends SecretOptions, PublicUrlOption {}

/** A sender that signs with a secret that it shares with us. */
export type HashPreset = Preset & { readonly scheme: HashScheme }

/**
 * A source whose sender signs with a hash over a template.
 * @param own  parts of the template that only this provider has
 * @throws SetupError for a missing or wrong secret, an unknown option, a bad duration
 */
export function hashSource<Events>(
  record: HashPreset,
  options: SecretOptions & ToleranceOption & PublicUrlOption,
  own?: Parts,
): Source<Events> {
  templateOptions(record, options, 'secret')
  const keys = secretKeys(record, record.scheme, options.secret)
  const source = templateSource<HashPreset, Events>(
    record,
    options,
    (scheme, parts) => hashing(scheme, keys, parts),
    own,
  )
  const [key] = keys
  return key
    ? { ...source, knows: { mac: (text) => createHmac('sha256', key).update(text).digest() } }
    : source
}

const digestBytes = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 }

type Digest = (request: SignedRequest, claims: Pick<Claims, 'timestamp' | 'id'>) => string | undefined

function hashing(scheme: HashScheme, keys: readonly KeyObject[], own: Parts): Algorithm {
  const { encoding } = scheme.signature
  const byteLength = digestBytes[scheme.algorithm]
  const digests = keys.map((key) => digest(scheme, key, own))
  const same = comparison(encodedLength(byteLength, encoding))
  return {
    form: `${byteLength} bytes in ${encoding}`,
    isFormed: (signature) => isEncoded(signature, encoding, byteLength),
    holds: (request, claims, signatures) => {
      for (const make of digests) {
        const expected = make(request, claims)
        if (expected === undefined) return undefined
        for (const signature of signatures) if (same(signature, expected)) return true
      }
      return false
    },
    make: (request, claims) => digests[0]?.(request, claims),
  }
}

function digest({ kind, algorithm, signed, signature }: HashScheme, key: KeyObject, own: Parts): Digest {
  const parts = template(signed, kind === 'hash' ? { ...own, secret: () => key.export() } : own)
  const digestOf =
    kind === 'hash' ? plainHash(algorithm, signature.encoding) : keyedHash(algorithm, key, signature.encoding)
  return (request, claims) => {
    const pieces = piecesOf(parts, request, claims)
    return pieces && digestOf(pieces)
  }
}

const plainHash =
  (algorithm: HashScheme['algorithm'], encoding: HashScheme['signature']['encoding']) =>
  (pieces: Pieces): string => {
    const hash = createHash(algorithm)
    for (const piece of pieces) hash.update(piece)
    return hash.digest(encoding)
  }
