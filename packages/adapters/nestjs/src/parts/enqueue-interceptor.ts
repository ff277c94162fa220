import { Inject, Optional, mixin } from '@nestjs/common'
import type { CallHandler, ExecutionContext, NestInterceptor, Type } from '@nestjs/common'
import { SetupError, TriggerHub, enqueue, type Intake, type Publish, type Stage } from '@trigger-hub/core'
import type { Observable } from 'rxjs'
import { intercept } from '../lift.ts'

/**
 * Answers in place of the route, 2xx once the verified event is safe with the module's hub, or the promise of the
 * function resolves; else 503. The route's method is not called.
 */
export function EnqueueInterceptor(target?: Intake | Publish): Type<NestInterceptor> {
  const given = target === undefined ? undefined : enqueue(target)
  class Interceptor implements NestInterceptor {
    readonly #stage: Stage

    constructor(@Optional() @Inject(TriggerHub) hub?: TriggerHub) {
      this.#stage = given ?? enqueue(here(hub))
    }

    intercept(context: ExecutionContext, handler: CallHandler): Promise<Observable<unknown>> {
      return intercept(this.#stage, context, handler)
    }
  }
  return mixin(Interceptor)
}

function here(hub: TriggerHub | undefined): TriggerHub {
  if (hub) return hub
  throw new SetupError(
    'ERR_OPTION_INVALID',
    'EnqueueInterceptor() has no hub: import TriggerHubModule.forRoot(…).',
  )
}
