import {
  callable,
  respondOptions,
  runStage,
  stateOf,
  type RespondOptions,
  type Stage,
} from '@trigger-hub/core'
import type { RequestHandler } from 'express'

/**
 * A core stage as an Express middleware; what the stages learn is in `req.webhook`.
 * @throws SetupError `ERR_OPTION_INVALID` for what is no stage, and for an `onReject` that is not known
 */
export function lift(stage: Stage, options?: RespondOptions): RequestHandler {
  callable('stage', stage, 'a stage, such as rawBody() of @trigger-hub/core')
  const ofRefusals = respondOptions(options)
  return (req, res, next) => {
    req.webhook ??= stateOf(req)
    runStage(stage, req, res, next, ofRefusals)
  }
}
