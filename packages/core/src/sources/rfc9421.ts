import {
  createHash,
  createHmac,
  createPrivateKey,
  createSecretKey,
  sign as signWith,
  timingSafeEqual,
  verify as verifyWith,
  type KeyObject,
} from 'node:crypto'
import { SetupError } from '../words/errors.ts'
import { RequestHeaders } from '../words/headers.ts'
import { invalidOption, knownOptions, textOf } from '../words/options.ts'
import { milliseconds, type Duration } from '../words/amounts.ts'
import { digestHolds } from '../verify/content-digest.ts'
import { decoded } from '../verify/encodings.ts'
import { signatureBase, signaturesOf, type MessageSignature } from '../verify/message-signature.ts'
import type { Preset } from '../verify/preset.ts'
import { credentials, publicKey } from '../verify/secrets.ts'
import {
  refusal,
  unable,
  type Message,
  type Refusal,
  type Sealed,
  type SignedRequest,
  type Source,
  type Verification,
} from '../verify/source.ts'

export const rfc9421Preset: Preset = {
  provider: 'rfc9421',
  title: 'HTTP Message Signatures',
  docs: 'https://www.rfc-editor.org/rfc/rfc9421',
  scheme: {
    kind: 'own',
    algorithm: 'HMAC-SHA256, Ed25519, ECDSA P-256, RSA-PSS or RSA PKCS #1 v1.5, as the key says',
    signed: 'the components that Signature-Input lists; the body through Content-Digest (RFC 9530)',
  },
  keySigned: false,
  pitfalls: [
    'A signature covers what its sender chose: requiredComponents says what you insist on.',
    'The body is covered only through Content-Digest, which is computed again whenever it is there.',
  ],
}

type Algorithm = 'hmac-sha256' | 'ed25519' | 'ecdsa-p256-sha256' | 'rsa-pss-sha512' | 'rsa-v1_5-sha256'

/** One key that a signature may name; its algorithm is ours to say, never the signature's. */
export type Rfc9421Key =
  | { readonly alg: 'hmac-sha256'; readonly secretBase64: string | undefined }
  | { readonly alg: Exclude<Algorithm, 'hmac-sha256'>; readonly publicKey: string | undefined }

export interface Rfc9421Options {
  /** Keys by `keyid`. */
  readonly keys: Readonly<Record<string, Rfc9421Key>>
  /** What a signature must cover, such as `['@method', '@authority', '@path', 'content-digest']`. Default: nothing. */
  readonly requiredComponents?: readonly string[]
  /** Parameters that a signature must have, such as `created`. Default: `keyid` alone. */
  readonly requiredParams?: readonly string[]
  /** How old `created` may be: a duration, or seconds. Default `'5m'`. */
  readonly maxAge?: Duration
}

interface Key {
  readonly alg: Algorithm
  readonly key: KeyObject
}

/** Any sender that signs by RFC 9421. One signature that holds and meets the policy is enough. */
export function rfc9421<Events = Record<string, unknown>>(options: Rfc9421Options): Source<Events> {
  knownOptions('rfc9421', options, ['keys', 'requiredComponents', 'requiredParams', 'maxAge'])
  const keys = new Map(
    Object.entries((options.keys as typeof options.keys | undefined) ?? {}).map(([id, key]) => [
      id,
      keyOf(key),
    ]),
  )
  if (keys.size === 0) throw new SetupError('ERR_SECRET_MISSING', 'The keys of source "rfc9421" are missing.')
  const { requiredComponents = [], requiredParams = [], maxAge = 300 } = options
  for (const [option, names] of Object.entries({ requiredComponents, requiredParams })) {
    if (!Array.isArray(names)) throw invalidOption(`rfc9421.${option}`, names, 'a list of names')
    for (const name of names) textOf(`rfc9421.${option}`, name, /./, 'a list of names')
  }
  const maxAgeMs = milliseconds(typeof maxAge === 'number' ? maxAge * 1_000 : maxAge, 'rfc9421.maxAge', [
    '1ms',
  ])
  return {
    preset: rfc9421Preset,
    check: (request, nowMs) => {
      const found = signaturesOf(request.headers)
      if (!Array.isArray(found)) return found
      const digest = request.headers.get('content-digest')
      if (digest !== undefined && !digestHolds(digest, request.rawBody)) {
        return refusal('ERR_SIGNATURE_MISMATCH', 'The body is not the one whose hash is in "content-digest".')
      }
      let last: Verification = refusal('ERR_SIGNATURE_MISSING', 'The header "signature" has no signature.')
      for (const signature of found) {
        last = unmet(signature, requiredComponents, requiredParams) ??
          mismatch(signature, request, keys) ??
          untimely(signature, nowMs, maxAgeMs) ?? { ok: true }
        if (last.ok) return last
      }
      return last
    },
    seal: (message) => sealed(message, keys, requiredComponents),
  }
}

const keyTypes = {
  ed25519: 'ed25519',
  'ecdsa-p256-sha256': 'ec',
  'rsa-pss-sha512': 'rsa',
  'rsa-v1_5-sha256': 'rsa',
} as const

function keyOf(given: Rfc9421Key): Key {
  const key = (given as Rfc9421Key | null) ?? ({} as Rfc9421Key)
  if (key.alg === 'hmac-sha256') {
    const [text = ''] = credentials(rfc9421Preset, key.secretBase64, 'keys')
    const bytes = decoded(text, 'base64')
    if (bytes?.length) return { alg: key.alg, key: createSecretKey(bytes) }
    throw new SetupError('ERR_SECRET_WRONG_KIND', 'A secretBase64 of source "rfc9421" is not base64.')
  }
  if (!Object.hasOwn(keyTypes, key.alg)) {
    throw new SetupError(
      'ERR_OPTION_INVALID',
      `Option "rfc9421.keys" has the alg ${JSON.stringify(key.alg)}: use hmac-sha256, ${Object.keys(keyTypes).join(', ')}.`,
    )
  }
  return { alg: key.alg, key: publicKey(rfc9421Preset, key.publicKey, keyTypes[key.alg]) }
}

/** What the receiver insists on and the signature does not cover. */
function unmet(
  { components, params }: MessageSignature,
  requiredComponents: readonly string[],
  requiredParams: readonly string[],
): Refusal | undefined {
  const covered = new Set(components.filter(({ params: of }) => of.size === 0).map(({ name }) => name))
  const component = requiredComponents.find((name) => !covered.has(name))
  if (component !== undefined) {
    return refusal(
      'ERR_SIGNATURE_MISMATCH',
      `The signature does not cover "${component}", which is required.`,
    )
  }
  const param = requiredParams.find((name) => !params.has(name))
  return param === undefined
    ? undefined
    : refusal(
        param === 'created' ? 'ERR_TIMESTAMP_MISSING' : 'ERR_SIGNATURE_MALFORMED',
        `The signature has no parameter "${param}", which is required.`,
      )
}

function mismatch(
  signature: MessageSignature,
  request: SignedRequest,
  keys: ReadonlyMap<string, Key>,
): Refusal | undefined {
  const { params, bytes } = signature
  const id = params.get('keyid')
  const found = typeof id === 'string' ? keys.get(id) : undefined
  if (!found) return refusal('ERR_SIGNATURE_MISMATCH', 'The signature names no configured key.')
  const alg = params.get('alg')
  if (alg !== undefined && alg !== found.alg) {
    return refusal('ERR_SIGNATURE_MALFORMED', 'The signature names another algorithm than its key is for.')
  }
  const base = signatureBase(signature, request)
  if (base === undefined) {
    return refusal(
      'ERR_SIGNATURE_MALFORMED',
      'Something that the signature covers is missing or not supported.',
    )
  }
  return holds(found, Buffer.from(base), bytes)
    ? undefined
    : refusal('ERR_SIGNATURE_MISMATCH', 'The configured key does not match the signature.')
}

const pssPadding = 6 // crypto.constants.RSA_PKCS1_PSS_PADDING

const hashes = {
  ed25519: null,
  'ecdsa-p256-sha256': 'sha256',
  'rsa-pss-sha512': 'sha512',
  'rsa-v1_5-sha256': 'sha256',
} as const

/** How the signatures of each algorithm are written, RFC 9421 §3.3. */
const forms = {
  ed25519: {},
  'ecdsa-p256-sha256': { dsaEncoding: 'ieee-p1363' },
  'rsa-pss-sha512': { padding: pssPadding, saltLength: 64 },
  'rsa-v1_5-sha256': {},
} as const

function holds({ alg, key }: Key, base: Buffer, signature: Buffer): boolean {
  if (alg !== 'hmac-sha256') return verifyWith(hashes[alg], base, { key, ...forms[alg] }, signature)
  const expected = createHmac('sha256', key).update(base).digest()
  return expected.length === signature.length && timingSafeEqual(expected, signature)
}

/** The headers with which the first key signs what the receiver insists on, and by default method, URL and body. */
function sealed(message: Message, keys: ReadonlyMap<string, Key>, required: readonly string[]): Sealed {
  const { method = 'POST', url = '/', headers = {}, rawBody, nowMs, privateKey } = message
  const [first] = keys
  if (!first) throw unable('There is no key to sign with.')
  const [id, { alg, key }] = first
  const components = required.length > 0 ? required : ['@method', '@target-uri', 'content-digest']
  const list = components.map((name) => JSON.stringify(name)).join(' ')
  const all = {
    ...headers,
    'content-digest': `sha-256=:${createHash('sha256').update(rawBody).digest('base64')}:`,
    'signature-input': `sig1=(${list});created=${Math.floor(nowMs / 1_000)};keyid=${JSON.stringify(id)}`,
  }
  const request = { method, url, headers: RequestHeaders.from({ ...all, signature: 'sig1=:AAAA:' }), rawBody }
  const found = signaturesOf(request.headers)
  const base = Array.isArray(found) && found[0] ? signatureBase(found[0], request) : undefined
  if (base === undefined) throw unable('A header that must be signed is missing: put it into headers.')
  if (alg !== 'hmac-sha256' && privateKey === undefined)
    throw unable('This key is a public one: give privateKey.')
  const bytes =
    alg === 'hmac-sha256'
      ? createHmac('sha256', key).update(base).digest()
      : signWith(hashes[alg], Buffer.from(base), { key: createPrivateKey(privateKey ?? ''), ...forms[alg] })
  return { headers: { ...all, signature: `sig1=:${bytes.toString('base64')}:` } }
}

/** How far a sender's clock may be ahead of ours, milliseconds. */
const aheadMs = 60_000

function untimely({ params }: MessageSignature, nowMs: number, maxAgeMs: number): Refusal | undefined {
  const created = params.get('created')
  const expires = params.get('expires')
  if (typeof expires === 'number' && nowMs >= expires * 1_000) {
    return refusal('ERR_TIMESTAMP_STALE', 'The signature has expired.')
  }
  if (typeof created !== 'number') return undefined
  const ageMs = nowMs - created * 1_000
  if (ageMs > maxAgeMs) {
    return refusal(
      'ERR_TIMESTAMP_STALE',
      `It was signed ${Math.round(ageMs / 1_000)} s ago; ${maxAgeMs / 1_000} s are allowed.`,
    )
  }
  return -ageMs > aheadMs
    ? refusal(
        'ERR_TIMESTAMP_FUTURE',
        `It was signed ${Math.round(-ageMs / 1_000)} s ahead of this machine's clock.`,
      )
    : undefined
}
