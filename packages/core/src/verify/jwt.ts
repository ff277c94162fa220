import {
  createHash,
  createHmac,
  createPublicKey,
  verify as verifyWith,
  type JsonWebKeyInput,
  type KeyObject,
} from 'node:crypto'
import { SetupError } from '../words/errors.ts'
import { one } from './claims.ts'
import { decoded, sameText } from './encodings.ts'
import type { Keys } from './key-sets.ts'
import { json } from './payload.ts'
import type { JwtScheme, Preset } from './preset.ts'
import { queryOf } from './public-url.ts'
import { refusal, unable, type Message, type Refusal, type SignedRequest, type Source } from './source.ts'

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

/** What a token must be. */
export type TokenTerms = Pick<
  JwtScheme,
  'algorithm' | 'alternatives' | 'required' | 'maxAgeMs' | 'leewayMs' | 'aheadMs'
>

/** The claims of a token whose signature holds. */
export type TokenClaims = Readonly<Record<string, unknown>>

/** A JSON Web Key Set, RFC 7517. */
export interface KeySet {
  readonly keys: readonly JsonWebKeyInput['key'][]
}

/**
 * A source whose sender proves itself with a JSON Web Token.
 * @param keys   those that a token may be signed with
 * @param check  what only this provider asks of the claims; gives what is wrong
 * @param own    the claims that only this provider makes, to sign
 * @see RFC 7515, RFC 7519, RFC 8725
 */
export function jwtSource<Events>(
  preset: JwtPreset,
  keys: readonly TokenKey[] | Keys,
  check?: (claims: TokenClaims, request: SignedRequest) => string | undefined,
  own?: (message: Message) => TokenClaims,
): Source<Events> {
  const { scheme } = preset
  const current: Keys = 'known' in keys ? keys : { known: () => keys, wanted: () => undefined }
  return {
    preset,
    check: (request, nowMs) => {
      const token = tokenOf(scheme, request)
      if (typeof token !== 'string') return token
      const claims = verifiedClaims(token, scheme, current.known(nowMs), nowMs)
      if ('ok' in claims) return claims
      const mismatch = unlike(claims.of, scheme, request) ?? check?.(claims.of, request)
      return mismatch === undefined ? { ok: true } : refusal('ERR_SIGNATURE_MISMATCH', mismatch)
    },
    wants: (request, nowMs) => {
      const token = tokenOf(scheme, request)
      return typeof token === 'string' ? current.wanted(keyIdOf(token), nowMs) : undefined
    },
    ...('known' in keys || scheme.algorithm !== 'HS256' ? {} : { seal: sealed(scheme, keys, own) }),
  }
}

/** The key that a token says that it is signed with. Nothing of it is believed. */
export const keyIdOf = (token: string): unknown => objectOf(token.split('.', 1)[0] ?? '')?.kid

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

/**
 * The claims of a token that is signed with one of the keys, and of now. Looks at the algorithms that are configured,
 * never at what else the token would like.
 */
export function verifiedClaims(
  token: string,
  scheme: TokenTerms,
  keys: readonly TokenKey[],
  nowMs: number,
): { readonly of: TokenClaims } | Refusal {
  const { algorithm, alternatives = [] } = scheme
  const malformed = refusal('ERR_SIGNATURE_MALFORMED', 'The token is not a JSON Web Token.')
  const [first, second, third, ...more] = token.split('.')
  if (first === undefined || second === undefined || third === undefined || more.length > 0) return malformed
  const header = objectOf(first)
  const claims = objectOf(second)
  const signature = decoded(third, 'base64url')
  if (!header || !claims || !signature || third === '' || 'crit' in header) return malformed
  const used = [algorithm, ...alternatives].find((one) => one === header.alg)
  if (used === undefined) {
    return refusal('ERR_SIGNATURE_MALFORMED', `The token is not signed with ${algorithm}.`)
  }
  const usable = keys.filter(({ id, expiresAt }) => {
    return (id === undefined || id === header.kid) && (expiresAt === undefined || nowMs < expiresAt)
  })
  if (usable.length === 0)
    return refusal('ERR_SIGNATURE_MISMATCH', 'No configured key is the one that the token names.')
  const bytes = `${first}.${second}`
  return usable.some(({ key }) => holds(used, key, bytes, third, signature))
    ? (untimely(claims, scheme, nowMs) ?? { of: claims })
    : refusal('ERR_SIGNATURE_MISMATCH', 'No configured key matches the signature of the token.')
}

function objectOf(part: string): TokenClaims | undefined {
  const bytes = decoded(part, 'base64url')
  const value = bytes && json(bytes)
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as TokenClaims)
    : undefined
}

type Algorithm = JwtScheme['algorithm'] | 'HS384' | 'HS512'

const holds = (
  algorithm: Algorithm,
  key: KeyObject,
  bytes: string,
  text: string,
  signature: Buffer,
): boolean =>
  algorithm.startsWith('HS')
    ? key.type === 'secret' && sameText(hashed(algorithm, key, bytes), text)
    : key.type === 'public' &&
      verifyWith('sha256', Buffer.from(bytes), { key, dsaEncoding: 'ieee-p1363' }, signature)

const hashed = (algorithm: string, key: KeyObject, bytes: string): string =>
  createHmac(algorithm.replace('HS', 'sha'), key).update(bytes).digest('base64url')

function untimely(claims: TokenClaims, scheme: TokenTerms, nowMs: number): Refusal | undefined {
  const { required, maxAgeMs, leewayMs, aheadMs: iatAheadMs = leewayMs } = scheme
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
    if (name !== 'exp' && aheadMs > (name === 'iat' ? iatAheadMs : leewayMs)) {
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
  { rawBody, url }: SignedRequest,
): string | undefined {
  const absent = required.find((name) => claims[name] === undefined)
  if (absent !== undefined) return `The token has no claim "${absent}".`
  const issuers = [issuer ?? []].flat()
  if (issuers.length > 0 && !issuers.includes(String(claims.iss)))
    return `The token is not issued by ${issuers.join(' or ')}.`
  if (!bodyHash) return undefined
  const given = claims[bodyHash.claim]
  const empty = rawBody.length === 0
  if (given === undefined && bodyHash.optionalWhenEmpty && empty) return undefined
  const covered = empty && bodyHash.queryWhenEmpty ? queryAsJson(queryOf(url)) : rawBody
  if (covered === undefined)
    return 'A parameter of the query came twice, and the token can hold one of them only.'
  const expected = createHash('sha256').update(covered).digest(bodyHash.encoding)
  // base64url with its padding is the same hash
  const bare =
    typeof given === 'string' && bodyHash.encoding === 'base64url' ? given.replace(/={1,2}$/, '') : given
  return typeof bare === 'string' && sameText(bare, expected)
    ? undefined
    : `The body is not the one whose hash the token holds in "${bodyHash.claim}".`
}

/** Undefined when a name comes twice: who reads the first value would not see the one that is hashed. */
function queryAsJson(query: string): string | undefined {
  const fields = [...new URLSearchParams(query)]
  const values = Object.fromEntries(fields)
  if (Object.keys(values).length < fields.length) return undefined
  return fields.length === 0 ? '' : JSON.stringify(values)
}

const sealed =
  (
    scheme: JwtScheme,
    keys: readonly TokenKey[],
    own?: (message: Message) => TokenClaims,
  ): NonNullable<Source['seal']> =>
  (message) => {
    const [only] = keys
    if (!only) throw unable('There is no key to sign with.')
    const { headers = {}, rawBody, nowMs, claims = {} } = message
    const { bodyHash, issuer, header, prefix = '' } = scheme
    const now = Math.floor(nowMs / 1_000)
    const all = {
      iat: now,
      exp: now + 300,
      ...(issuer === undefined ? {} : { iss: [issuer].flat()[0] }),
      ...(bodyHash && { [bodyHash.claim]: createHash('sha256').update(rawBody).digest(bodyHash.encoding) }),
      ...own?.(message),
      ...claims,
    }
    const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const bytes = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(all)}`
    return { headers: { ...headers, [header]: `${prefix}${bytes}.${hashed('HS256', only.key, bytes)}` } }
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
    const { kid, expired_at: end } = ((jwk as unknown) ?? {}) as { kid?: unknown; expired_at?: unknown }
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
