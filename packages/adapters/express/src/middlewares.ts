import * as core from '@trigger-hub/core'
import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { lift } from './lift.ts'

export type { Rejecting } from '@trigger-hub/core'

const stages = core.lifted(lift)

/** Keeps the exact bytes in `req.webhook.rawBody`. The other middlewares do it by themselves. */
export const rawBody = stages.rawBody

/** Lets only requests through that the source has signed; then `req.webhook.event` is there, and `req.body`. */
export const verifySignature = stages.verifySignature

/** Answers 2xx once the verified event is safe with the hub, or the promise of the function resolves; else 503. */
export const enqueue = stages.enqueue

/** Runs the route once per idempotency key and replays its reply to repeats. For one's own API. */
export const idempotency = stages.idempotency

/**
 * Runs a route's handler again when it throws or rejects, as long as it has not begun to answer and the sender waits.
 * The last error goes to the app's error handler.
 */
export function retry(
  options: core.RetryInRequestOptions,
  handler: (req: Request, res: Response, context: core.RetryContext) => unknown,
): RequestHandler {
  const retrying = core.retry(options)
  core.callable('handler', handler)
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
