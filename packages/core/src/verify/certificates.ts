import { createPublicKey, X509Certificate, type KeyObject } from 'node:crypto'
import { SetupError } from '../words/errors.ts'
import { publicKeyOf } from './jwt.ts'

/** Certificates, or bare public keys, by the URL that a request names; PEM. */
export type Certificates = Readonly<Record<string, string>>

export interface CertificateKey {
  readonly key: KeyObject
  /** Whether the certificate is valid at an instant, epoch milliseconds; a bare key always is. */
  readonly validAt: (nowMs: number) => boolean
}

/**
 * The keys of certificates that were handed in. Nothing is fetched.
 * @throws SetupError `ERR_SECRET_MISSING`, `ERR_SECRET_WRONG_KIND`
 */
export function certificateKeys(
  provider: string,
  certificates: Certificates | undefined,
): ReadonlyMap<string, CertificateKey> {
  const entries = Object.entries(certificates ?? {})
  if (entries.length === 0) {
    throw new SetupError(
      'ERR_SECRET_MISSING',
      `The certificates of source "${provider}" are missing: give each by the URL that requests name.`,
    )
  }
  return new Map(entries.map(([url, pem]) => [url, keyOf(provider, pem)]))
}

function keyOf(provider: string, pem: string): CertificateKey {
  if (!pem.includes('BEGIN CERTIFICATE')) {
    return { key: publicKeyOf(provider, 'certificates', () => createPublicKey(pem)), validAt: () => true }
  }
  let times = [-Infinity, Infinity]
  const key = publicKeyOf(provider, 'certificates', () => {
    const certificate = new X509Certificate(pem)
    times = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)]
    return certificate.publicKey
  })
  const [from = -Infinity, to = Infinity] = times
  return { key, validAt: (nowMs) => nowMs >= from && nowMs <= to }
}

/**
 * Whether a URL that a request names is one of the provider's. Asked before the certificate is looked up, so that a key
 * of somebody else is never used, however it came to be known.
 */
export function isTrusted(url: string, form: RegExp): boolean {
  if (!form.test(url)) return false
  const { protocol, username, password, port, href } = new URL(url)
  return protocol === 'https:' && username === '' && password === '' && port === '' && href === url
}
