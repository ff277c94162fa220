import * as core from '@trigger-hub/core'
import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { lift } from './lift.ts'

/** What to do with a refusal: reply to it (default), or pass the coded error to the app's error handler. */
export interface Rejecting {
  onReject?: core.OnReject
}

/** Keeps the exact bytes in `req.webhook.rawBody`. The other middlewares do it by themselves. */
export const rawBody = ({ onReject, ...options }: core.RawBodyOptions & Rejecting = {}): RequestHandler =>
  lift(core.rawBody(options), onReject && { onReject })

/** Lets only requests through that the source has signed; then `req.webhook.event` is there, and `req.body`. */
export const verifySignature = (
  source: Parameters<typeof core.verifySignature>[0],
  { onReject, ...options }: core.VerifySignatureOptions & Rejecting = {},
): RequestHandler => lift(core.verifySignature(source, options), onReject && { onReject })

/** Answers 2xx once the verified event is safe with the hub, or the promise of the function resolves; else 503. */
export const enqueue = (target: core.Intake | core.Publish, { onReject }: Rejecting = {}): RequestHandler =>
  lift(core.enqueue(target), onReject && { onReject })

/** Runs the route once per idempotency key and replays its reply to repeats. For one's own API. */
export function idempotency(options: core.IdempotencyOptions & Rejecting): RequestHandler {
  const { onReject, ...own } = { ...options } // core says what it wants if there are none
  return lift(core.idempotency(own), { ...(onReject && { onReject }), ...(own.log && { log: own.log }) })
}

/**
 * Runs a route's handler again when it throws or rejects, as long as it has not begun to answer and the sender waits.
 * The last error goes to the app's error handler.
 */
export function retry(
  options: core.RetryInRequestOptions,
  handler: (req: Request, res: Response, context: core.RetryContext) => unknown,
): RequestHandler {
  const retrying = core.retry(options)
  return (req, res, next: NextFunction) => {
    const gone = new AbortController()
    res.once('close', () => gone.abort())
    retrying(async (context) => {
      try {
        await handler(req, res, context)
      } catch (cause) {
        if (!res.headersSent) throw cause
        throw new core.PermanentError('The handler failed after it had begun to answer.', { cause })
      }
    }, gone.signal).catch(next)
  }
}
