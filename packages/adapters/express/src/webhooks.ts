import { WebhookError, mounted, problemOf, runStage, writeReply, type Receiving } from '@trigger-hub/core'
import type { ErrorRequestHandler, RequestHandler } from 'express'

/**
 * Receives for every source of a hub: mounted at `/webhooks`, `POST /webhooks/<source>` is that source's endpoint.
 * Mount it before any body parser. Paths of no source go on to the app's own routes.
 * @throws SetupError `ERR_OPTION_INVALID` for what is no hub
 */
export function webhooks(hub: Receiving): RequestHandler {
  const stageOf = mounted(hub)
  return (req, res, next) => {
    const stage = stageOf(req.path)
    if (stage) runStage(stage, req, res, next, hub)
    else next()
  }
}

/** Answers the coded errors that middlewares with `onReject: 'next'` pass on; every other error goes further. */
export const webhookErrors = (): ErrorRequestHandler => (error, _req, res, next) => {
  if (WebhookError.is(error) && !res.headersSent) writeReply(res, problemOf(error))
  else next(error)
}
