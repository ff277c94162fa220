import { runStage, stateOf, type RespondOptions, type Stage } from '@trigger-hub/core'
import type { RequestHandler } from 'express'

/** A core stage as an Express middleware; what the stages learn is in `req.webhook`. */
export const lift =
  (stage: Stage, options?: RespondOptions): RequestHandler =>
  (req, res, next) => {
    req.webhook ??= stateOf(req)
    runStage(stage, req, res, next, options)
  }
