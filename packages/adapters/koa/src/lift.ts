import {
  callable,
  requestOf,
  respond,
  respondOptions,
  stateOf,
  type Next,
  type Reply,
} from '@trigger-hub/core'
import type { RespondOptions, Stage, WebhookRequest, WebhookState } from '@trigger-hub/core'
import type { Context, Middleware } from 'koa'
import { replyOf, write } from './reply.ts'

declare module 'koa' {
  interface DefaultState {
    /** What Trigger Hub knows of this request: `rawBody`, `source`, `event`, `verified`, `key`. */
    webhook?: WebhookState
  }
  interface Request {
    /** The payload, as a body parser or Trigger Hub has left it. */
    body?: unknown
  }
}

/** Stands for a reply that nobody asked to see. */
const passed: Reply = { status: 200, headers: {} }

/**
 * A core stage as a Koa middleware; what the stages learn is in `ctx.state.webhook`.
 * @throws SetupError `ERR_OPTION_INVALID` for what is no stage, and for an `onReject` that is not known
 */
export function lift(stage: Stage, options?: RespondOptions): Middleware {
  callable('stage', stage, 'a stage, such as rawBody() of @trigger-hub/core')
  const ofRefusals = respondOptions(options)
  return (ctx, next) => run(stage, ctx, next, ofRefusals)
}

/** Runs a stage on one request. */
export async function run(
  stage: Stage,
  ctx: Context,
  next: () => Promise<unknown>,
  options: RespondOptions,
): Promise<void> {
  ctx.state.webhook = stateOf(ctx.req)
  let fromRoute: Reply | undefined
  const rest: Next = async ({ holdBytes } = {}) => {
    offerBody(ctx)
    await next()
    return (fromRoute = holdBytes === undefined ? passed : await replyOf(ctx, holdBytes))
  }
  const reply = await respond(stage, seen(ctx), rest, options)
  if (reply !== fromRoute) write(ctx, reply) // else the route has answered; nothing to add
}

const seen = (ctx: Context): WebhookRequest => ({
  ...requestOf(ctx.req),
  url: ctx.originalUrl,
  // a parser that does not know the content type leaves {} and the bytes where they were
  parsedBody: ctx.req.readableDidRead ? ctx.request.body : undefined,
})

/** The route finds the payload in `ctx.request.body`, unless a parser has set it; parsers further on do not read again. */
function offerBody(ctx: Context): void {
  const { rawBody, event, payload } = stateOf(ctx.req)
  if (rawBody === undefined) return
  ctx.disableBodyParser = true // both body parsers look at this
  ctx.request.body ??= event?.data ?? payload
}
