import { Inject, Optional, mixin } from '@nestjs/common'
import type { CallHandler, ExecutionContext, NestInterceptor, Type } from '@nestjs/common'
import { idempotency, optionsOf, type IdempotencyOptions, type Stage, type Store } from '@trigger-hub/core'
import type { Observable } from 'rxjs'
import { intercept } from '../lift.ts'
import { nestLog } from '../nest-log.ts'
import { readsRawBody } from './raw-guard.ts'
import { TRIGGER_HUB_OPTIONS, type TriggerHubModuleOptions } from '../options.ts'

/**
 * Runs the route once per idempotency key and replays its reply to repeats, for one's own API:
 * `@UseInterceptors(IdempotencyInterceptor({ required: true }))`. The store is the module's, unless one is given.
 */
export function IdempotencyInterceptor(options: Partial<IdempotencyOptions> = {}): Type<NestInterceptor> {
  const { key, limit, bodyTimeout } = optionsOf('IdempotencyInterceptor', options)
  class Interceptor implements NestInterceptor {
    static readonly [readsRawBody] =
      typeof key === 'object' ? { ...(limit && { limit }), ...(bodyTimeout && { bodyTimeout }) } : undefined
    readonly #stage: Stage

    constructor(@Optional() @Inject(TRIGGER_HUB_OPTIONS) module: TriggerHubModuleOptions = {}) {
      this.#stage = idempotency({ store: storeOf(module), log: nestLog, ...options } as IdempotencyOptions)
    }

    intercept(context: ExecutionContext, handler: CallHandler): Promise<Observable<unknown>> {
      return intercept(this.#stage, context, handler, options.log)
    }
  }
  return mixin(Interceptor)
}

const storeOf = ({ store, driver }: TriggerHubModuleOptions): Store | undefined =>
  store ?? (driver && 'claim' in driver ? (driver as unknown as Store) : undefined)
