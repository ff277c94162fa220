import { SetupError, type ErrorCode } from '../words/errors.ts'
import type { RequestHeaders } from '../words/headers.ts'
import type { Preset } from './preset.ts'

/** What verification looks at: the request as the sender made it. */
export interface SignedRequest {
  readonly method: string
  /** Absolute public URL for senders that sign it; path and query are enough for the others. */
  readonly url: string
  readonly headers: RequestHeaders
  readonly rawBody: Buffer
}

/** Codes of a request that is not the sender's, or not of now. All of them are 401. */
export type VerificationCode = Extract<ErrorCode, `ERR_SIGNATURE_${string}` | `ERR_TIMESTAMP_${string}`>

/** Why a request was refused. The message names the thing, never a secret, a signature or a payload. */
export interface Refusal {
  readonly ok: false
  readonly code: VerificationCode
  readonly message: string
}

/** What `verify` found. */
export type Verification = { readonly ok: true } | Refusal

/** What a receiver cannot make. */
export const unable = (why: string): SetupError => new SetupError('ERR_SIGN_UNABLE', why)

export const refusal = (code: VerificationCode, message: string): Refusal => ({ ok: false, code, message })

/** What `sign` makes headers for. */
export interface Message {
  /** Default `'POST'`. */
  readonly method?: string
  /** Absolute for senders that sign it. */
  readonly url?: string
  /** Headers that the signature covers, or that belong beside it; lower case. */
  readonly headers?: Readonly<Record<string, string>>
  readonly rawBody: Buffer
  /** The sender's id of the event, where the scheme has a header for it. Default: a random one. */
  readonly id?: string
  /** When it is signed, epoch milliseconds. */
  readonly nowMs: number
  /** PEM, for schemes whose receiver holds only a public key. */
  readonly privateKey?: string
  /** Claims beside those that the scheme asks for, for senders of JSON Web Tokens. */
  readonly claims?: Readonly<Record<string, unknown>>
}

/** What `seal` makes: headers, and the body or the URL where the signature is in it. */
export interface Sealed {
  readonly headers: Record<string, string>
  readonly rawBody?: Buffer
  readonly url?: string
}

/** A key that a request names and a source does not have. */
export interface Wanted {
  /** One of the provider's own, over https. */
  readonly url: string
  /** Takes what was found there. May throw when it is not a key. */
  readonly keep: (text: string) => void
}

/** What a source knows beside its checks, to answer endpoint validations. */
export interface Knowledge {
  /** A keyed hash with the source's secret: HMAC-SHA256, if the sender asks for no other. */
  readonly mac?: (text: string) => Buffer
  /** Whether an option holds this text. */
  readonly holds?: (option: string, text: string) => boolean
  /** Hears a secret that the sender chose. */
  readonly onSecret?: (secret: string) => void
}

declare const events: unique symbol

/**
 * A sender as configured: its preset and its secrets. The secrets live in the two functions and nowhere else, so that a
 * source can be logged. `Events` maps dotted types to payloads and exists only for the compiler.
 */
export interface Source<Events = unknown> {
  /** The record, with what the options changed in it. */
  readonly preset: Preset
  /** Use `verify`, which never throws. */
  readonly check: (request: SignedRequest, nowMs: number) => Verification
  /** Use `sign` or `signedRequest`. Absent where a receiver cannot make what it checks. */
  readonly seal?: (message: Message) => Sealed
  /** The payload, for senders that wrap it in a form; for all others it is the body itself. Only after verification. */
  readonly payload?: (request: SignedRequest) => unknown
  /** Use `prepare`. Only with the option `fetch`. */
  readonly wants?: (request: SignedRequest, nowMs: number) => Wanted | undefined
  /** Use `confirm`. The URL with which a verified message asks to confirm a subscription; only with that option. */
  readonly confirms?: (request: SignedRequest) => string | undefined
  /** Use `handshake`. */
  readonly knows?: Knowledge
  readonly [events]?: Events
}

/** True for what a preset returns, also one of another copy of this module: an ESM and a CommonJS copy may be loaded. */
export const isSource = (value: unknown): value is Source =>
  typeof value === 'object' &&
  value !== null &&
  'preset' in value &&
  'check' in value &&
  typeof value.check === 'function'

/**
 * What a preset has returned.
 * @param what  names it, should it be something else
 * @throws SetupError `ERR_OPTION_INVALID`
 */
export function sourceIn(what: string, value: unknown): Source {
  if (isSource(value)) return value
  throw new SetupError(
    'ERR_OPTION_INVALID',
    `${what} is not a source: use a preset, such as github({ secret }) from @trigger-hub/core/sources.`,
  )
}
