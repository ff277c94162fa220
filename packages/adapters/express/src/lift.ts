import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  callable,
  respondOptions,
  runStage,
  stateOf,
  type RespondOptions,
  type Stage,
  type WebhookState,
} from '@trigger-hub/core'

/** Fits every route, and leaves what TypeScript knows of its parameters and bodies to the handlers behind. */
export type Middleware = (
  req: IncomingMessage & { webhook?: WebhookState },
  res: ServerResponse,
  next: (error?: unknown) => void,
) => void

/**
 * A core stage as an Express middleware; what the stages learn is in `req.webhook`.
 * @throws SetupError `ERR_OPTION_INVALID` for what is no stage, and for an `onReject` that is not known
 */
export function lift(stage: Stage, options?: RespondOptions): Middleware {
  callable('stage', stage, 'a stage, such as rawBody() of @trigger-hub/core')
  const ofRefusals = respondOptions(options)
  return (req, res, next) => {
    req.webhook ??= stateOf(req)
    runStage(stage, req, res, next, ofRefusals)
  }
}
