import { verify as verifyWith, type KeyObject } from 'node:crypto'
import { knownOptions } from '../words/options.ts'
import { malformed, one, untimely } from '../verify/claims.ts'
import { decoded } from '../verify/encodings.ts'
import { publishedKeys, type Keys, type KeySetOptions } from '../verify/key-sets.ts'
import { json } from '../verify/payload.ts'
import type { Preset, TimestampPlace } from '../verify/preset.ts'
import { pathOf, queryOf } from '../verify/public-url.ts'
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
    'The signature names its key; TrueLayer publishes them at https://webhooks.truelayer.com/.well-known/jwks: fetch: true gets them (those of the sandbox from there), or hand them in as jwks.',
  pitfalls: ['The path is signed as TrueLayer calls it: a proxy must not change it.'],
}

export interface TruelayerOptions extends KeySetOptions {
  /** Instead of `jwks`: PEM. */
  readonly publicKey?: Secrets
}

const live = 'https://webhooks.truelayer.com/.well-known/jwks'
const sandbox = 'https://webhooks.truelayer-sandbox.com/.well-known/jwks'

const timestampHeader = 'x-tl-webhook-timestamp'
const timestampPlace: TimestampPlace = { unit: 'rfc3339', toleranceMs: 300_000 }

/** Webhooks of TrueLayer, live and sandbox. */
export function truelayer<Events = Record<string, unknown>>(options: TruelayerOptions): Source<Events> {
  knownOptions('truelayer', options, ['jwks', 'publicKey', 'fetch'])
  const keys = keysOf(options)
  return {
    preset: truelayerPreset,
    wants: ({ headers }, nowMs) => {
      const written = one(headers, 'tl-signature')
      const signature = typeof written === 'string' ? signatureOf(written) : undefined
      return signature && keys[signature.isSandbox ? 'sandbox' : 'live'].wanted(signature.id, nowMs)
    },
    check: (request, nowMs) => {
      const written = one(request.headers, 'tl-signature')
      if (typeof written === 'object') return written
      if (written === undefined)
        return refusal('ERR_SIGNATURE_MISSING', 'The header "tl-signature" is missing.')
      const signature = signatureOf(written)
      if (!signature) {
        return refusal(
          'ERR_SIGNATURE_MALFORMED',
          'The header "tl-signature" is not a detached JWS with ES512, version 2, and a key of TrueLayer.',
        )
      }
      const lines = linesOf(signature.names, request)
      if (lines === undefined)
        return refusal('ERR_SIGNATURE_MALFORMED', 'A header that is signed is missing or came twice.')
      const usable = keys[signature.isSandbox ? 'sandbox' : 'live']
        .known(nowMs)
        .filter(({ id, key }) => (id === undefined || id === signature.id) && key.asymmetricKeyType === 'ec')
      if (!usable.some(({ key }) => holds(key, signature, request, lines)))
        return refusal('ERR_SIGNATURE_MISMATCH', 'No configured key matches the signature.')
      const time = one(request.headers, timestampHeader)
      if (
        !signature.names.some((name) => name.toLowerCase() === timestampHeader) ||
        typeof time !== 'string'
      ) {
        return { ok: true } // older deliveries have no time
      }
      return (
        malformed(time, timestampPlace) ??
        untimely(timestampPlace, time, () => undefined, nowMs) ?? { ok: true }
      )
    },
  }
}

/** Those of each environment; what is handed in is for both. */
function keysOf(options: TruelayerOptions): Record<'live' | 'sandbox', Keys> {
  if (options.publicKey === undefined) {
    return {
      live: publishedKeys(truelayerPreset, options, live),
      sandbox: publishedKeys(truelayerPreset, options, sandbox),
    }
  }
  const keys = publicKeys(truelayerPreset, options.publicKey, 'ec').map((key) => ({ key }))
  const fixed: Keys = { known: () => keys, wanted: () => undefined }
  return { live: fixed, sandbox: fixed }
}

interface Detached {
  readonly protectedText: string
  readonly id: unknown
  readonly isSandbox: boolean
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
  const { alg, kid, jku, tl_version: version, tl_headers: headers = '' } = fields as Record<string, unknown>
  if (alg !== 'ES512' || version !== '2' || typeof headers !== 'string' || 'crit' in fields) return undefined
  if (jku !== undefined && jku !== live && jku !== sandbox) return undefined
  const names = headers === '' ? [] : headers.split(',')
  return { protectedText, id: kid, isSandbox: jku === sandbox, names, bytes }
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

function holds(
  key: KeyObject,
  { protectedText, bytes }: Detached,
  { method, url, rawBody }: SignedRequest,
  lines: string,
): boolean {
  const [path, query] = [pathOf(url), queryOf(url)]
  // a slash at the end is added or cut off by many routers, and TrueLayer's own libraries try both
  const paths = [path, path.endsWith('/') ? path.slice(0, -1) : `${path}/`]
  return [...paths, ...(query === '' ? [] : [`${path}?${query}`])].some((tried) => {
    const head = Buffer.from(`${method.toUpperCase()} ${tried}\n${lines}`)
    const signed = Buffer.from(`${protectedText}.${Buffer.concat([head, rawBody]).toString('base64url')}`)
    return verifyWith('sha512', signed, { key, dsaEncoding: 'ieee-p1363' }, bytes)
  })
}
