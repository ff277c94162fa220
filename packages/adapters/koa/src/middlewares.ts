import * as core from '@trigger-hub/core'
import type { Context, Middleware } from 'koa'
import { lift } from './lift.ts'

/** What to do with a refusal: reply to it (default), or throw the coded error to the middlewares before. */
export interface Rejecting {
  onReject?: core.OnReject
}

/** Keeps the exact bytes in `ctx.state.webhook.rawBody`. The other middlewares do it by themselves. */
export const rawBody = ({ onReject, ...options }: core.RawBodyOptions & Rejecting = {}): Middleware =>
  lift(core.rawBody(options), onReject && { onReject })

/** Lets only requests through that the source has signed; then `ctx.state.webhook.event` and `ctx.request.body` are there. */
export const verifySignature = (
  source: Parameters<typeof core.verifySignature>[0],
  { onReject, ...options }: core.VerifySignatureOptions & Rejecting = {},
): Middleware => lift(core.verifySignature(source, options), onReject && { onReject })

/** Answers 2xx once the verified event is safe with the hub, or the promise of the function resolves; else 503. */
export const enqueue = (target: core.Intake | core.Publish, { onReject }: Rejecting = {}): Middleware =>
  lift(core.enqueue(target), onReject && { onReject })

/** Runs the route once per idempotency key and replays its reply to repeats. For one's own API. */
export function idempotency(options: core.IdempotencyOptions & Rejecting): Middleware {
  const { onReject, ...own } = { ...options } // core says what it wants if there are none
  return lift(core.idempotency(own), { ...(onReject && { onReject }), ...(own.log && { log: own.log }) })
}

/** Runs a route's handler again when it rejects, while the sender waits. The last error is thrown as it is. */
export function retry(
  options: core.RetryInRequestOptions,
  handler: (ctx: Context, context: core.RetryContext) => unknown,
): Middleware {
  const retrying = core.retry(options)
  return async (ctx) => {
    const gone = new AbortController()
    ctx.res.once('close', () => gone.abort())
    await retrying((context) => handler(ctx, context), gone.signal)
  }
}
