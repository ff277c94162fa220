import * as core from '@trigger-hub/core'
import type { Context, Middleware } from 'koa'
import { lift } from './lift.ts'

export type { Rejecting } from '@trigger-hub/core'

const stages = core.lifted(lift)

/** Keeps the exact bytes in `ctx.state.webhook.rawBody`. The other middlewares do it by themselves. */
export const rawBody = stages.rawBody

/** Lets only requests through that the source has signed; then `ctx.state.webhook.event` and `ctx.request.body` are there. */
export const verifySignature = stages.verifySignature

/** Answers 2xx once the verified event is safe with the hub, or the promise of the function resolves; else 503. */
export const enqueue = stages.enqueue

/** Runs the route once per idempotency key and replays its reply to repeats. For one's own API. */
export const idempotency = stages.idempotency

/** Runs a route's handler again when it rejects, while the sender waits. The last error is thrown as it is. */
export function retry(
  options: core.RetryInRequestOptions,
  handler: (ctx: Context, context: core.RetryContext) => unknown,
): Middleware {
  const retrying = core.retry(options)
  core.callable('handler', handler)
  return async (ctx) => {
    const gone = new AbortController()
    ctx.res.once('close', () => gone.abort())
    await retrying((context) => handler(ctx, context), gone.signal)
  }
}
