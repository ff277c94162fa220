import {
  hold,
  requestOf,
  respond,
  stateOf,
  writeReply,
  type HeldReply,
  type Next,
  type Reply,
  type RespondOptions,
  type Stage,
} from '@trigger-hub/core'
import type { NextFunction, Request, RequestHandler, Response } from 'express'

/** Stands for a reply that the route writes by itself, whenever it does. */
const passed: Reply = { status: 200, headers: {} }

/** A core stage as an Express middleware. */
export const lift =
  (stage: Stage, options?: RespondOptions): RequestHandler =>
  (req, res, next) =>
    run(stage, options, req, res, next)

/** Runs a stage on one request: where the bytes are, how the rest runs, how a reply is written. */
export function run(
  stage: Stage,
  options: RespondOptions | undefined,
  req: Request,
  res: Response,
  next: NextFunction,
): void {
  req.webhook ??= stateOf(req)
  let fromRoute: Reply | undefined
  let held: HeldReply | undefined
  const rest: Next = async ({ holdBytes } = {}) => {
    offerBody(req)
    if (holdBytes !== undefined) held = hold(res, holdBytes)
    next()
    return (fromRoute = held ? await held.reply : passed)
  }
  respond(stage, requestOf(req), rest, options).then((reply) => {
    if (reply === fromRoute) return held?.release()
    held?.drop()
    writeReply(res, reply)
  }, next)
}

/** After verification `req.body` is the payload, unless a parser has set it; parsers further on see that it was read. */
function offerBody(req: Request & { _body?: boolean }): void {
  const webhook = stateOf(req)
  if (webhook.rawBody === undefined) return
  req._body = true // the parsers of Express 4 look at this, those of Express 5 at the stream
  if (req.body === undefined) req.body = webhook.event?.data ?? webhook.payload
}
