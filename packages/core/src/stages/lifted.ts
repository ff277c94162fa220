import type { Source } from '../verify/source.ts'
import { isRecord, knownOptions } from '../words/options.ts'
import type { Stage } from '../words/request.ts'
import { enqueue, type Intake, type Publish } from './enqueue.ts'
import { idempotency, type IdempotencyOptions } from './idempotency.ts'
import { rawBody, type RawBodyOptions } from './raw-body.ts'
import type { OnReject, RespondOptions } from './respond.ts'
import { verifySignature, type VerifySignatureOptions } from './verify-signature.ts'

/** What the middlewares of an adapter take beside the options of their stage. */
export interface Rejecting {
  /** What to do with a refusal: reply to it (default), or hand the coded error to the app. */
  onReject?: OnReject
}

/**
 * The stages that stand alone on a route, each as a middleware of a framework.
 * @param lift  makes one of a stage
 */
export const lifted = <Middleware>(lift: (stage: Stage, options: RespondOptions) => Middleware) => ({
  rawBody: (options: RawBodyOptions & Rejecting = {}): Middleware => {
    const [ofStage, ofRefusals] = parted(options)
    return lift(rawBody(ofStage), ofRefusals)
  },
  verifySignature: (source: Source, options: VerifySignatureOptions & Rejecting = {}): Middleware => {
    const [ofStage, ofRefusals] = parted(options)
    return lift(verifySignature(source, ofStage), ofRefusals)
  },
  enqueue: (target: Intake | Publish, options: Rejecting = {}): Middleware => {
    knownOptions('enqueue', options, ['onReject'])
    return lift(enqueue(target), options)
  },
  idempotency: (options: IdempotencyOptions & Rejecting): Middleware => {
    const [ofStage, ofRefusals] = parted(options)
    return lift(idempotency(ofStage), ofRefusals)
  },
})

/** Options of a stage, and what becomes of its refusals. */
function parted<Options extends RespondOptions>(
  options: Options,
): [ofStage: Omit<Options, 'onReject'>, ofRefusals: RespondOptions] {
  if (!isRecord(options)) return [options, {}] // which the stage refuses, and says what it takes
  const { onReject: _, ...ofStage } = options
  const { onReject, log }: RespondOptions = options
  return [ofStage, { onReject, log }]
}
