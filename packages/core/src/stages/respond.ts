import { WebhookError, ERRORS } from '../words/errors.ts'
import { steps, tell } from '../words/channels.ts'
import { stderrLog, type Log } from '../words/log.ts'
import { callable, knownOptions, oneOf } from '../words/options.ts'
import type { Next, Reply, Stage, WebhookRequest } from '../words/request.ts'
import { errorRecord } from './attempt.ts'

/** What to do with a refusal: answer it, or hand the coded error to the app's own error handler. */
export type OnReject = 'reply' | 'next'

/**
 * The reply that an error becomes: `application/problem+json` with a stable code. An unauthenticated sender learns only
 * that it is one: every 401 has the same body. What is the app's own trouble is for its log: no sender reads of its files and
 * servers.
 * @see RFC 9457
 */
export function problemOf(error: WebhookError): Reply {
  const { status, bare } = error
  if (bare) return { status, headers: { 'cache-control': 'no-store' } }
  const { status: usual, title } = ERRORS[error.code]
  const code = usual === 401 ? 'ERR_UNAUTHORIZED' : error.code
  const detail = usual === 401 || status >= 500 ? {} : { detail: error.message }
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(error.retryAfterMs === undefined
        ? {}
        : { 'retry-after': String(Math.ceil(error.retryAfterMs / 1_000)) }),
      ...(status === 405 ? { allow: 'POST' } : {}),
      // what is left of the body may come for ever
      ...(status === 408 ? { connection: 'close' } : {}),
    },
    body: JSON.stringify({ type: 'about:blank', title, status, code, ...detail }),
  }
}

export interface RespondOptions {
  /** Default `'reply'`. */
  readonly onReject?: OnReject | undefined
  /** Hears of refusals that are the app's own trouble, or look like a mistake in its set-up. Default: stderr. */
  readonly log?: Log | undefined
}

/**
 * Checks what a person wrote about refusals.
 * @throws SetupError `ERR_OPTION_UNKNOWN`, `ERR_OPTION_INVALID`
 */
export function respondOptions(options: RespondOptions = {}): RespondOptions {
  knownOptions('lift', options, ['onReject', 'log'])
  const { onReject = 'reply', log = stderrLog } = options
  return { onReject: oneOf('onReject', onReject, ['reply', 'next']), log: callable('log', log) }
}

/**
 * Runs a stage around the rest of an app. A refusal by the stage becomes a reply (or, with `'next'`, is thrown); an
 * error of the rest is thrown as it is, even if it is coded, because it is the app's own.
 */
export async function respond(
  stage: Stage,
  request: WebhookRequest,
  rest: Next,
  { onReject = 'reply', log = stderrLog }: RespondOptions = {},
): Promise<Reply> {
  let ofTheRest: unknown
  const next: Next = async (options) => {
    try {
      return await rest(options)
    } catch (error) {
      ofTheRest = error
      throw error
    }
  }
  try {
    return await stage(request, next)
  } catch (error) {
    if (error === ofTheRest || !WebhookError.is(error)) throw error
    const { code, status, message, notable } = error
    tell(steps.rejected, () => ({ source: request.webhook.source, code, status }))
    if (notable) log({ level: 'warn', code, message: message + causeOf(error) })
    if (onReject === 'next') throw error
    return problemOf(error)
  }
}

/** What the app's own function or the store threw is all that tells a bug from an outage. */
function causeOf({ cause }: WebhookError): string {
  if (cause === undefined) return ''
  const { name, message } = errorRecord(cause)
  return ` Cause: ${name}: ${message}`
}
