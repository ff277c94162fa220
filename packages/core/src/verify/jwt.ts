import {
  createHash,
  createHmac,
  createPublicKey,
  verify as verifyWith,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto'
import { SetupError } from '../words/errors.ts'
import { one } from './claims.ts'
import { decoded, sameText } from './encodings.ts'
import { json } from './payload.ts'
import type { JwtScheme, Preset } from './preset.ts'
import { queryOf } from './public-url.ts'
import { refusal, type Refusal, type SignedRequest, type Source } from './source.ts'

/** A sender that signs with a JSON Web Token. */
export type JwtPreset = Preset & { readonly scheme: JwtScheme }

/** A key that a token may be signed with. */
export interface TokenKey {
  readonly key: KeyObject
  /** The `kid` of the tokens that it is for; without one it is for all. */
  readonly id?: string
  /** From when on it is not used any more, epoch milliseconds. */
  readonly expiresAt?: number
}

/** The claims of a token whose signature holds. */
export type TokenClaims = Readonly<Record<string, unknown>>

/** A JSON Web Key Set, RFC 7517. */
export interface KeySet {
  readonly keys: readonly JsonWebKey[]
}

/**
 * A source whose sender proves itself with a JSON Web Token.
 * @param keys   those that a token may be signed with
 * @param check  what only this provider asks of the claims; gives what is wrong
 * @see RFC 7515, RFC 7519, RFC 8725
 */
export function jwtSource<Events>(
  preset: JwtPreset,
  keys: readonly TokenKey[],
  check?: (claims: TokenClaims, request: SignedRequest) => string | undefined,
): Source<Events> {
  const { scheme } = preset
  return {
    preset,
    check: (request, nowMs) => {
      const token = tokenOf(scheme, request)
      if (typeof token !== 'string') return token
      const claims = verifiedClaims(token, scheme, keys, nowMs)
      if ('ok' in claims) return claims
      const wrong = untimely(claims.of, scheme, nowMs)
      if (wrong) return wrong
      const mismatch = unlike(claims.of, scheme, request) ?? check?.(claims.of, request)
      return mismatch === undefined ? { ok: true } : refusal('ERR_SIGNATURE_MISMATCH', mismatch)
    },
    ...(scheme.algorithm === 'HS256' ? { seal: sealed(scheme, keys) } : {}),
  }
}

function tokenOf({ header, prefix = '', query }: JwtScheme, request: SignedRequest): string | Refusal {
  const written = one(request.headers, header)
  if (typeof written === 'object') return written
  if (written === undefined) {
    const [inQuery, ...more] =
      query === undefined ? [] : new URLSearchParams(queryOf(request.url)).getAll(query)
    return inQuery !== undefined && more.length === 0
      ? inQuery
      : refusal('ERR_SIGNATURE_MISSING', `The header "${header}" is missing.`)
  }
  return written.startsWith(prefix)
    ? written.slice(prefix.length)
    : refusal('ERR_SIGNATURE_MALFORMED', `The header "${header}" does not begin with "${prefix}".`)
}

/** Looks at the algorithm that is configured, never at what the token would like. */
function verifiedClaims(
  token: string,
  { algorithm }: JwtScheme,
  keys: readonly TokenKey[],
  nowMs: number,
): { readonly of: TokenClaims } | Refusal {
  const malformed = refusal('ERR_SIGNATURE_MALFORMED', 'The token is not a JSON Web Token.')
  const [first, second, third, ...more] = token.split('.')
  if (first === undefined || second === undefined || third === undefined || more.length > 0) return malformed
  const header = objectOf(first)
  const claims = objectOf(second)
  const signature = decoded(third, 'base64url')
  if (!header || !claims || !signature || third === '' || 'crit' in header) return malformed
  if (header.alg !== algorithm) {
    return refusal('ERR_SIGNATURE_MALFORMED', `The token is not signed with ${algorithm}.`)
  }
  const usable = keys.filter(({ id, expiresAt }) => {
    return (id === undefined || id === header.kid) && (expiresAt === undefined || nowMs < expiresAt)
  })
  if (usable.length === 0)
    return refusal('ERR_SIGNATURE_MISMATCH', 'No configured key is the one that the token names.')
  const bytes = `${first}.${second}`
  return usable.some(({ key }) => holds(algorithm, key, bytes, third, signature))
    ? { of: claims }
    : refusal('ERR_SIGNATURE_MISMATCH', 'No configured key matches the signature of the token.')
}

function objectOf(part: string): TokenClaims | undefined {
  const bytes = decoded(part, 'base64url')
  const value = bytes && json(bytes)
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as TokenClaims)
    : undefined
}

const holds = (
  algorithm: JwtScheme['algorithm'],
  key: KeyObject,
  bytes: string,
  text: string,
  signature: Buffer,
): boolean =>
  algorithm === 'HS256'
    ? key.type === 'secret' && sameText(hs256(key, bytes), text)
    : key.type === 'public' &&
      verifyWith('sha256', Buffer.from(bytes), { key, dsaEncoding: 'ieee-p1363' }, signature)

const hs256 = (key: KeyObject, bytes: string): string =>
  createHmac('sha256', key).update(bytes).digest('base64url')

function untimely(claims: TokenClaims, scheme: JwtScheme, nowMs: number): Refusal | undefined {
  const { required, maxAgeMs, leewayMs } = scheme
  for (const name of ['exp', 'iat', 'nbf']) {
    const value = claims[name]
    if (value === undefined && required.includes(name)) {
      return refusal('ERR_TIMESTAMP_MISSING', `The token has no claim "${name}".`)
    }
    if (value === undefined) continue
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      return refusal('ERR_TIMESTAMP_MALFORMED', `The claim "${name}" of the token is not a number.`)
    }
    const aheadMs = value * 1_000 - nowMs
    if (
      name === 'exp'
        ? aheadMs + leewayMs <= 0
        : maxAgeMs !== undefined && name === 'iat' && -aheadMs > maxAgeMs
    ) {
      return refusal(
        'ERR_TIMESTAMP_STALE',
        `The token is too old: its "${name}" is ${Math.round(-aheadMs / 1_000)} s ago.`,
      )
    }
    if (name !== 'exp' && aheadMs > leewayMs) {
      return refusal(
        'ERR_TIMESTAMP_FUTURE',
        `The claim "${name}" of the token is ${Math.round(aheadMs / 1_000)} s ahead.`,
      )
    }
  }
  return undefined
}

function unlike(
  claims: TokenClaims,
  { bodyHash, issuer, required }: JwtScheme,
  { rawBody }: SignedRequest,
): string | undefined {
  const absent = required.find((name) => claims[name] === undefined)
  if (absent !== undefined) return `The token has no claim "${absent}".`
  const issuers = [issuer ?? []].flat()
  if (issuers.length > 0 && !issuers.includes(String(claims.iss)))
    return `The token is not issued by ${issuers.join(' or ')}.`
  if (!bodyHash) return undefined
  const given = claims[bodyHash.claim]
  if (given === undefined && bodyHash.optionalWhenEmpty && rawBody.length === 0) return undefined
  const expected = createHash('sha256').update(rawBody).digest(bodyHash.encoding)
  // base64url with its padding is the same hash
  const bare =
    typeof given === 'string' && bodyHash.encoding === 'base64url' ? given.replace(/={1,2}$/, '') : given
  return typeof bare === 'string' && sameText(bare, expected)
    ? undefined
    : `The body is not the one whose hash the token holds in "${bodyHash.claim}".`
}

const sealed =
  (scheme: JwtScheme, keys: readonly TokenKey[]): NonNullable<Source['seal']> =>
  ({ headers = {}, rawBody, nowMs, claims = {} }) => {
    const [only] = keys
    if (!only) throw new TypeError('There is no key to sign with.')
    const { bodyHash, issuer, header, prefix = '' } = scheme
    const now = Math.floor(nowMs / 1_000)
    const all = {
      iat: now,
      exp: now + 300,
      ...(issuer === undefined ? {} : { iss: [issuer].flat()[0] }),
      ...(bodyHash && { [bodyHash.claim]: createHash('sha256').update(rawBody).digest(bodyHash.encoding) }),
      ...claims,
    }
    const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const bytes = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(all)}`
    return { ...headers, [header]: `${prefix}${bytes}.${hs256(only.key, bytes)}` }
  }

/**
 * The keys of a JSON Web Key Set. `expired_at`, which some senders add, is when a key ends, Unix seconds.
 * @throws SetupError `ERR_SECRET_MISSING`, `ERR_SECRET_WRONG_KIND`
 */
export function keysOfSet({ provider }: Preset, set: KeySet | undefined): TokenKey[] {
  if (!set?.keys?.length) {
    throw new SetupError(
      'ERR_SECRET_MISSING',
      `The jwks of source "${provider}" is missing or empty: give the key set.`,
    )
  }
  return set.keys.map((jwk) => {
    const { kid, expired_at: end } = jwk as { kid?: unknown; expired_at?: unknown }
    return {
      key: publicKeyOf(provider, 'jwks', () => createPublicKey({ key: jwk, format: 'jwk' })),
      ...(typeof kid === 'string' ? { id: kid } : {}),
      ...(typeof end === 'number' ? { expiresAt: end * 1_000 } : {}),
    }
  })
}

/** A public key, or one line that says that it is none. */
export function publicKeyOf(provider: string, option: string, make: () => KeyObject): KeyObject {
  try {
    return make()
  } catch {
    throw new SetupError(
      'ERR_SECRET_WRONG_KIND',
      `The ${option} of source "${provider}" holds what is not a public key.`,
    )
  }
}
