import { createPublicKey, X509Certificate, type KeyObject } from 'node:crypto'
import { SetupError } from '../words/errors.ts'
import { publicKeyOf } from './jwt.ts'
import type { Wanted } from './source.ts'
import { oneOf } from '../words/options.ts'

/** Certificates, or bare public keys, by the URL that a request names; PEM. */
export type Certificates = Readonly<Record<string, string>>

interface CertificateKey {
  readonly key: KeyObject
  /** Whether the certificate is valid at an instant, epoch milliseconds; a bare key always is. */
  readonly validAt: (nowMs: number) => boolean
}

export interface CertificateOptions {
  /** Certificates by the URL that requests name, PEM. Optional with `fetch`. */
  readonly certificates?: Certificates
  /** Let `prepare` fetch certificates from the provider's own hosts. Default false: nothing is fetched. */
  readonly fetch?: boolean
}

/** A source has no more certificates than this; the oldest one goes first. */
const mostKeys = 20

/**
 * The keys of certificates: those that were handed in, and with `fetch` those that are found later.
 * @param form  what URLs of this provider look like
 * @throws SetupError `ERR_SECRET_MISSING`, `ERR_SECRET_WRONG_KIND`
 */
export function certificateKeys(provider: string, options: CertificateOptions, form: RegExp) {
  if (options.fetch !== undefined) oneOf(`${provider}.fetch`, options.fetch, [true, false])
  const keys = new Map(
    Object.entries(options.certificates ?? {}).map(([url, pem]) => [url, keyOf(provider, pem)]),
  )
  if (keys.size === 0 && options.fetch !== true) {
    throw new SetupError(
      'ERR_SECRET_MISSING',
      `The certificates of source "${provider}" are missing: give each by the URL that requests name, or set fetch: true.`,
    )
  }
  return {
    /** The key for a URL, if it is one of the provider's, its certificate is here, and it is valid now. */
    find: (url: string, nowMs: number): KeyObject | undefined => {
      const found = isTrusted(url, form) ? keys.get(url) : undefined
      return found?.validAt(nowMs) ? found.key : undefined
    },
    /** What `prepare` should fetch for a request that names this URL. */
    wanted: (url: string): Wanted | undefined => {
      if (options.fetch !== true || keys.has(url) || !isTrusted(url, form)) return undefined
      const keep = (pem: string): void => {
        const [oldest] = keys.keys()
        if (keys.size >= mostKeys && oldest !== undefined) keys.delete(oldest)
        keys.set(url, keyOf(provider, pem))
      }
      return { url, keep }
    },
  }
}

function keyOf(provider: string, pem: string): CertificateKey {
  if (!String(pem).includes('BEGIN CERTIFICATE')) {
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
function isTrusted(url: string, form: RegExp): boolean {
  if (!form.test(url)) return false
  const { protocol, username, password, port, href } = new URL(url)
  return protocol === 'https:' && username === '' && password === '' && port === '' && href === url
}
