import { verify as verifyWith } from 'node:crypto'
import { SetupError } from '../words/errors.ts'
import { knownOptions } from '../words/options.ts'
import { malformed, one, untimely } from '../verify/claims.ts'
import { decoded } from '../verify/encodings.ts'
import { keysOfSet, type KeySet, type TokenKey } from '../verify/jwt.ts'
import { json } from '../verify/payload.ts'
import type { Preset, TimestampPlace } from '../verify/preset.ts'
import { pathOf } from '../verify/public-url.ts'
import { publicKeys, type Secrets } from '../verify/secrets.ts'
import { refusal, type SignedRequest, type Source } from '../verify/source.ts'

export const truelayerPreset: Preset = {
  provider: 'truelayer',
  title: 'TrueLayer',
  docs: 'https://docs.truelayer.com/docs/validate-payments-webhooks',
  scheme: {
    kind: 'own',
    algorithm: 'detached JWS, ES512, in Tl-Signature',
    signed: '{method} {path}, a line for each header that the signature names, and {body}',
  },
  key: { body: 'event_id' },
  keySigned: true,
  type: { body: 'type' },
  headers: ['x-tl-webhook-timestamp'],
  answerWithinMs: 10_000,
  retries: 'for up to 72 hours, backing off',
  rotation:
    'The signature names its key; TrueLayer publishes them at https://webhooks.truelayer.com/.well-known/jwks.',
  pitfalls: ['The path is signed as TrueLayer calls it: a proxy must not change it.'],
}

export interface TruelayerOptions {
  /** TrueLayer's key set, as published. The URL in the signature is never followed. */
  readonly jwks?: KeySet
  /** Instead of `jwks`: PEM. */
  readonly publicKey?: Secrets
}

const timestampHeader = 'x-tl-webhook-timestamp'
const timestampPlace: TimestampPlace = { unit: 'rfc3339', toleranceMs: 300_000 }

/** Webhooks of TrueLayer. */
export function truelayer<Events = Record<string, unknown>>(options: TruelayerOptions): Source<Events> {
  knownOptions('truelayer', options, ['jwks', 'publicKey'])
  const keys = keysOf(options)
  return {
    preset: truelayerPreset,
    check: (request, nowMs) => {
      const written = one(request.headers, 'tl-signature')
      if (typeof written === 'object') return written
      if (written === undefined)
        return refusal('ERR_SIGNATURE_MISSING', 'The header "tl-signature" is missing.')
      const signature = signatureOf(written)
      if (!signature) {
        return refusal(
          'ERR_SIGNATURE_MALFORMED',
          'The header "tl-signature" is not a detached JWS with ES512, version 2.',
        )
      }
      const { protectedText, id, names, bytes } = signature
      const lines = linesOf(names, request)
      if (!lines)
        return refusal('ERR_SIGNATURE_MALFORMED', 'A header that is signed is missing or came twice.')
      const path = pathOf(request.url)
      const holds = keys
        .filter((key) => key.id === undefined || key.id === id)
        .some(({ key }) =>
          // a slash at the end is added or cut off by many routers, and TrueLayer's own libraries try both
          [path, path.endsWith('/') ? path.slice(0, -1) : `${path}/`].some((tried) => {
            const head = Buffer.from(`${request.method.toUpperCase()} ${tried}\n${lines}`)
            const payload = Buffer.concat([head, request.rawBody]).toString('base64url')
            const signed = Buffer.from(`${protectedText}.${payload}`)
            return verifyWith('sha512', signed, { key, dsaEncoding: 'ieee-p1363' }, bytes)
          }),
        )
      if (!holds) return refusal('ERR_SIGNATURE_MISMATCH', 'No configured key matches the signature.')
      const time = one(request.headers, timestampHeader)
      if (!names.some((name) => name.toLowerCase() === timestampHeader) || typeof time !== 'string') {
        return { ok: true } // older deliveries have no time
      }
      return (
        malformed(time, timestampPlace) ??
        untimely(timestampPlace, time, () => undefined, nowMs) ?? { ok: true }
      )
    },
  }
}

function keysOf({ jwks, publicKey }: TruelayerOptions): TokenKey[] {
  if (jwks) return keysOfSet(truelayerPreset, jwks)
  if (publicKey !== undefined) return publicKeys(truelayerPreset, publicKey, 'ec').map((key) => ({ key }))
  throw new SetupError('ERR_SECRET_MISSING', 'The jwks of source "truelayer" is missing: give the key set.')
}

interface Detached {
  readonly protectedText: string
  readonly id: unknown
  /** Names of the signed headers, as the signature spells them. */
  readonly names: readonly string[]
  readonly bytes: Buffer
}

function signatureOf(written: string): Detached | undefined {
  const [protectedText = '', payload, signature = '', ...more] = written.split('.')
  const head = decoded(protectedText, 'base64url')
  const bytes = decoded(signature, 'base64url')
  const fields = head && json(head)
  if (payload !== '' || more.length > 0 || bytes?.length !== 132) return undefined
  if (typeof fields !== 'object' || fields === null) return undefined
  const { alg, kid, tl_version: version, tl_headers: headers = '' } = fields as Record<string, unknown>
  if (alg !== 'ES512' || version !== '2' || typeof headers !== 'string' || 'crit' in fields) return undefined
  return { protectedText, id: kid, names: headers === '' ? [] : headers.split(','), bytes }
}

function linesOf(names: readonly string[], { headers }: SignedRequest): string | undefined {
  let lines = ''
  for (const name of names.slice(0, 50)) {
    const value = one(headers, name.toLowerCase())
    if (typeof value !== 'string') return undefined
    lines += `${name}: ${value}\n`
  }
  return lines
}
