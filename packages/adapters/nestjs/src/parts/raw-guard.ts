import { Inject, Optional, mixin, type CanActivate, type ExecutionContext, type Type } from '@nestjs/common'
import { TriggerHub, type RawBodyOptions, type Stage } from '@trigger-hub/core'
import { guard } from '../lift.ts'

/** On a guard or an interceptor that wants the exact bytes: how it reads. */
export const readsRawBody = Symbol.for('trigger-hub.reads-raw-body')

/** A guard over a stage that reads the exact bytes, so no parser may be first. */
export function rawGuard(options: RawBodyOptions, stageOf: (hub?: TriggerHub) => Stage): Type<CanActivate> {
  class Guard implements CanActivate {
    static readonly [readsRawBody] = options
    readonly #stage: Stage

    constructor(@Optional() @Inject(TriggerHub) hub?: TriggerHub) {
      this.#stage = stageOf(hub)
    }

    canActivate(context: ExecutionContext): Promise<boolean> {
      return guard(this.#stage, context)
    }
  }
  return mixin(Guard)
}

/** How such a part reads; undefined for any other. */
export const rawBodyOptionsOf = (part: object | undefined): RawBodyOptions | undefined =>
  (part as { [readsRawBody]?: RawBodyOptions } | undefined)?.[readsRawBody]
