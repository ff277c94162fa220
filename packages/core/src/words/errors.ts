/**
 * Every way in which a request can be refused: the HTTP status, whether trying again can help, and a title for the
 * problem body. A code is API: it is never renamed. Each has a section in `docs/errors.md`.
 */
export const ERRORS = {
  ERR_SIGNATURE_MISSING: { status: 401, retryable: false, title: 'Unauthorized' },
  ERR_SIGNATURE_MALFORMED: { status: 401, retryable: false, title: 'Unauthorized' },
  ERR_SIGNATURE_MISMATCH: { status: 401, retryable: false, title: 'Unauthorized' },
  ERR_TIMESTAMP_MISSING: { status: 401, retryable: false, title: 'Unauthorized' },
  ERR_TIMESTAMP_MALFORMED: { status: 401, retryable: false, title: 'Unauthorized' },
  ERR_TIMESTAMP_STALE: { status: 401, retryable: false, title: 'Unauthorized' },
  ERR_TIMESTAMP_FUTURE: { status: 401, retryable: false, title: 'Unauthorized' },
  ERR_REPLAYED: { status: 401, retryable: false, title: 'Unauthorized' },
  ERR_REQUEST_MALFORMED: { status: 400, retryable: false, title: 'Bad Request' },
  ERR_BODY_ABORTED: { status: 400, retryable: true, title: 'Bad Request' },
  ERR_BODY_ENCODING_INVALID: { status: 400, retryable: false, title: 'Bad Request' },
  ERR_BODY_ENCODING_UNSUPPORTED: { status: 415, retryable: false, title: 'Unsupported Media Type' },
  ERR_BODY_TOO_LARGE: { status: 413, retryable: false, title: 'Content Too Large' },
  ERR_BODY_TIMEOUT: { status: 408, retryable: true, title: 'Request Timeout' },
  ERR_BODY_CONSUMED: { status: 500, retryable: false, title: 'Internal Server Error' },
  ERR_ROUTE_UNKNOWN: { status: 404, retryable: false, title: 'Not Found' },
  ERR_METHOD_NOT_ALLOWED: { status: 405, retryable: false, title: 'Method Not Allowed' },
  ERR_KEY_MISSING: { status: 400, retryable: false, title: 'Bad Request' },
  ERR_KEY_MALFORMED: { status: 400, retryable: false, title: 'Bad Request' },
  ERR_KEY_IN_FLIGHT: { status: 409, retryable: true, title: 'Conflict' },
  ERR_KEY_REUSED: { status: 422, retryable: false, title: 'Unprocessable Content' },
  ERR_EVENT_IN_FLIGHT: { status: 503, retryable: true, title: 'Service Unavailable' },
  ERR_NOT_ACCEPTED: { status: 503, retryable: true, title: 'Service Unavailable' },
  ERR_DRIVER_UNAVAILABLE: { status: 503, retryable: true, title: 'Service Unavailable' },
  ERR_STORE_UNAVAILABLE: { status: 503, retryable: true, title: 'Service Unavailable' },
  ERR_CLOSING: { status: 503, retryable: true, title: 'Service Unavailable' },
} as const satisfies Record<string, { status: number; retryable: boolean; title: string }>

/** A code of `ERRORS`. */
export type ErrorCode = keyof typeof ERRORS

const brand = Symbol.for('trigger-hub.error')

export interface WebhookErrorOptions extends ErrorOptions {
  /** When the sender should try again, in milliseconds; becomes `retry-after`. */
  retryAfterMs?: number
  /** Where a sender wants another status than the usual one of the code. */
  status?: number
  /** Where a sender wants a refusal to have no body. */
  bare?: boolean
  /** Whether it belongs into the app's log. Default: from status 500 on. */
  notable?: boolean
}

/**
 * A request that was refused, or a part that could not do its work. `code` is stable, `status` is the HTTP status that
 * it becomes, `retryable` says whether the same request may succeed later. The message names the thing and the fix,
 * and never holds a secret, a signature or a payload.
 */
export class WebhookError extends Error {
  readonly code: ErrorCode
  readonly status: number
  readonly retryable: boolean
  readonly retryAfterMs: number | undefined
  readonly bare: boolean
  readonly notable: boolean

  constructor(code: ErrorCode, message: string, options: WebhookErrorOptions = {}) {
    super(message, options)
    this.name = 'WebhookError'
    this.code = code
    this.status = options.status ?? ERRORS[code].status
    this.retryable = ERRORS[code].retryable
    this.bare = options.bare ?? false
    this.notable = options.notable ?? this.status >= 500
    this.retryAfterMs = options.retryAfterMs ?? (this.status === 503 ? 1_000 : undefined)
    Object.defineProperty(this, brand, { value: true })
  }

  /** True for a `WebhookError` of any copy of this module: an ESM and a CommonJS copy may both be loaded. */
  static is(error: unknown): error is WebhookError {
    return typeof error === 'object' && error !== null && brand in error
  }
}

/** Thrown by a driver whose file or server is out of reach. The receiver answers 503 with `retry-after`. */
export class DriverUnavailableError extends WebhookError {
  constructor(driver: string, fix: string, options?: WebhookErrorOptions) {
    super('ERR_DRIVER_UNAVAILABLE', `The ${driver} driver is out of reach: ${fix}`, options)
    this.name = 'DriverUnavailableError'
  }
}

/** Every mistake that a set-up can have. As stable as the others, and in `docs/errors.md` too. */
export type SetupCode =
  | 'ERR_OPTION_UNKNOWN'
  | 'ERR_OPTION_INVALID'
  | 'ERR_SECRET_MISSING'
  | 'ERR_SECRET_WRONG_KIND'
  | 'ERR_SIGN_UNABLE'
  | 'ERR_BOT_INVALID'
  | 'ERR_SOURCE_UNKNOWN'
  | 'ERR_DRIVER_MISSING'
  | 'ERR_DRIVER_UNUSABLE'
  | 'ERR_NOT_DURABLE'
  | 'ERR_HUB_STARTED'

/** A mistake in how the parts were put together, thrown when they are made or started; its one line names the fix. */
export class SetupError extends TypeError {
  readonly code: SetupCode

  constructor(code: SetupCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'SetupError'
    this.code = code
  }
}

const permanent = Symbol.for('trigger-hub.permanent')
const retryAfter = Symbol.for('trigger-hub.retry-after')

/** Throw it from a bot when trying again cannot help: the delivery goes straight to the dead letters. */
export class PermanentError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'PermanentError'
    Object.defineProperty(this, permanent, { value: true })
  }

  static is(error: unknown): error is PermanentError {
    return typeof error === 'object' && error !== null && permanent in error
  }
}

/** Throw it from a bot when the other side said when to come back. The wait replaces the backoff, up to `max`. */
export class RetryAfterError extends Error {
  /** Milliseconds to wait before the next attempt. */
  readonly retryAfterMs: number

  constructor(message: string, retryAfterMs: number, options?: ErrorOptions) {
    super(message, options)
    this.name = 'RetryAfterError'
    this.retryAfterMs = retryAfterMs
    Object.defineProperty(this, retryAfter, { value: true })
  }

  static is(error: unknown): error is RetryAfterError {
    return typeof error === 'object' && error !== null && retryAfter in error
  }
}
