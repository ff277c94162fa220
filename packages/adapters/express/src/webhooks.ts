import { WebhookError, problemOf, writeReply, type Stage, type RespondOptions } from '@trigger-hub/core'
import type { ErrorRequestHandler, RequestHandler } from 'express'
import { run } from './lift.ts'

/** What `webhooks` needs of a hub. */
export interface Receiving {
  route(path: string): Stage | undefined
  readonly log: NonNullable<RespondOptions['log']>
}

/**
 * Receives for every source of a hub: mounted at `/webhooks`, `POST /webhooks/<source>` is that source's endpoint.
 * Mount it before any body parser. Paths of no source go on to the app's own routes.
 */
export function webhooks(hub: Receiving): RequestHandler {
  const options = { log: hub.log }
  return (req, res, next) => {
    const stage = hub.route(req.path)
    if (stage) run(stage, options, req, res, next)
    else next()
  }
}

/** Answers the coded errors that middlewares with `onReject: 'next'` pass on; every other error goes further. */
export const webhookErrors = (): ErrorRequestHandler => (error, _req, res, next) => {
  if (WebhookError.is(error) && !res.headersSent) writeReply(res, problemOf(error))
  else next(error)
}
