import { randomUUID } from 'node:crypto'
import { milliseconds, type Duration } from '../words/amounts.ts'
import { RequestHeaders } from '../words/headers.ts'
import { knownOptions } from '../words/options.ts'
import { claimsOf, untimely, type Claims } from './claims.ts'
import { json } from './payload.ts'
import type { Preset, TemplateScheme, TimestampPlace } from './preset.ts'
import { publicUrl, publicUrlOf, type PublicUrlOption } from './public-url.ts'
import {
  refusal,
  unable,
  type Message,
  type SignedRequest,
  type Source,
  type Verification,
} from './source.ts'
import type { Parts } from './template.ts'

export interface ToleranceOption {
  /** How far the sender's timestamp may be from this machine's clock, either way. Default: the provider's own. */
  readonly tolerance?: Duration
}

/** What a kind of signature adds to the reading of headers and the check of the clock. */
export interface Algorithm {
  /** What a signature looks like, for people: `32 bytes in hex`. */
  readonly form: string
  readonly isFormed: (signature: string) => boolean
  /** Whether any of the well-formed signatures holds; undefined when something that is signed is missing. */
  readonly holds: (
    request: SignedRequest,
    claims: Claims,
    signatures: readonly string[],
  ) => boolean | undefined
  /** Undefined when something that is signed is missing. */
  readonly make: (
    request: SignedRequest,
    claims: Pick<Claims, 'timestamp' | 'id'>,
    message: Message,
  ) => string | undefined
}

type TemplatePreset = Preset & { readonly scheme: TemplateScheme }

/**
 * Refuses options that a template gives no meaning to. To be asked before the secrets are looked at: a misspelt one would
 * be called missing.
 * @param secret  name of the option that holds the secrets
 * @throws SetupError `ERR_OPTION_UNKNOWN`
 */
export function templateOptions({ provider, scheme }: TemplatePreset, options: object, secret: string): void {
  const { timestamp, signed } = scheme
  knownOptions(provider, options, [
    secret,
    ...(timestamp ? ['tolerance'] : []),
    ...(signed.includes('{url}') ? ['publicUrl'] : []),
  ])
}

/**
 * A source whose sender signs a template.
 * @param algorithm  makes the signature's kind for one scheme of the record
 * @param own        parts of the template that only this provider has
 * @throws SetupError for a bad duration
 */
export function templateSource<P extends TemplatePreset, Events>(
  record: P,
  options: ToleranceOption & PublicUrlOption,
  algorithm: (scheme: P['scheme'], own: Parts) => Algorithm,
  own: Parts = {},
): Source<Events> {
  const { scheme }: { scheme: P['scheme'] } = record
  const { timestamp } = scheme
  const effective: P['scheme'] =
    options.tolerance === undefined || !timestamp
      ? scheme
      : { ...scheme, timestamp: { ...timestamp, toleranceMs: tolerated(record.provider, options.tolerance) } }
  const configured = publicUrlOf(record.provider, options)
  const parts: Parts =
    configured === undefined ? own : { url: (request) => publicUrl(request, configured), ...own }
  const engine = algorithm(effective, parts)
  const first = checked(effective, engine)
  const second = effective.otherwise && checked(effective.otherwise, algorithm(effective.otherwise, parts))
  return {
    preset: withScheme(record, effective),
    check: second
      ? (request, nowMs) => {
          const found = first(request, nowMs)
          return found.ok || found.code !== 'ERR_SIGNATURE_MISSING' ? found : second(request, nowMs)
        }
      : first,
    seal: sealed(effective, engine),
  }
}

const withScheme = (preset: Preset, scheme: TemplateScheme): Preset => ({ ...preset, scheme })

/** @throws SetupError for what is not a duration, or is none */
export const tolerated = (provider: string, tolerance: Duration): number =>
  milliseconds(tolerance, `${provider}.tolerance`, ['1ms'])

const verified: Verification = { ok: true }

function checked(scheme: TemplateScheme, algorithm: Algorithm): Source['check'] {
  const { signature, timestamp } = scheme
  return (request, nowMs) => {
    const claims = claimsOf(scheme, request.headers)
    if (!claims.ok) return claims
    const { isFormed } = algorithm
    const wellFormed = claims.signatures.every(isFormed)
    const signatures = wellFormed ? claims.signatures : claims.signatures.filter(isFormed)
    if (signatures.length === 0 || (claims.every && !wellFormed)) {
      return refusal(
        'ERR_SIGNATURE_MALFORMED',
        `The signature in "${signature.header}" is not ${algorithm.form}.`,
      )
    }
    const holds = claims.every
      ? signatures.every((signature) => algorithm.holds(request, claims, [signature]))
      : algorithm.holds(request, claims, signatures)
    if (holds === undefined) {
      return refusal('ERR_SIGNATURE_MALFORMED', 'Something that the signature covers is missing.')
    }
    if (!holds) return refusal('ERR_SIGNATURE_MISMATCH', 'No configured secret matches the signature.')
    return (
      (timestamp && untimely(timestamp, claims.timestamp, () => json(request.rawBody), nowMs)) ?? verified
    )
  }
}

function sealed(scheme: TemplateScheme, algorithm: Algorithm): NonNullable<Source['seal']> {
  const { signature, timestamp, id, requires } = scheme
  return (message) => {
    const { method = 'POST', url = '/', headers = {}, rawBody, nowMs } = message
    const claims = {
      timestamp: timestamp && timestamp.body === undefined ? written(timestamp, nowMs) : '',
      id: id === undefined ? '' : (message.id ?? `msg_${randomUUID()}`),
    }
    const beside: Record<string, string> = {
      ...headers,
      ...requires,
      ...(id === undefined ? {} : { [id]: claims.id }),
      ...(timestamp?.header === undefined ? {} : { [timestamp.header]: claims.timestamp }),
    }
    const request = { method, url, headers: RequestHeaders.from(beside), rawBody }
    const { prefix = '', separator = '' } = signature
    const time = timestamp?.entry === undefined ? '' : `${timestamp.entry}${claims.timestamp}${separator}`
    const name = signature.header.replace('*', '1')
    const made = algorithm.make(request, claims, message)
    if (made === undefined)
      throw unable(
        `Not all is there that is signed, "${scheme.signed}": put the url and the headers into the message, content-type too.`,
      )
    return { headers: { ...beside, [name]: `${time}${prefix}${made}` } }
  }
}

const written = ({ unit }: TimestampPlace, nowMs: number): string =>
  unit === 's'
    ? String(Math.floor(nowMs / 1_000))
    : unit === 'ms'
      ? String(nowMs)
      : new Date(nowMs).toISOString()
