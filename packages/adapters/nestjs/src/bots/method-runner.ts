import { Inject, Injectable } from '@nestjs/common'
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js'
import { ContextIdFactory, ExternalContextCreator, ModuleRef, type DiscoveryService } from '@nestjs/core'
import type { AttemptContext, Handler, WebhookEvent } from '@trigger-hub/core'
import { eventParams } from './event-params.ts'

/** A provider or controller as Nest keeps it. */
export type Host = ReturnType<DiscoveryService['getProviders']>[number]

type Method = (event: WebhookEvent, attempt: AttemptContext) => unknown

/** How `ExecutionContext.getType()` calls the run of a bot. */
export const contextType = 'trigger-hub'

/**
 * Runs a method of a provider for an event, with its parameter decorators and pipes. The app's guards, interceptors and
 * exception filters are for requests, and this is none.
 */
@Injectable()
export class MethodRunner {
  readonly #contexts: ExternalContextCreator
  readonly #moduleRef: ModuleRef

  constructor(
    @Inject(ExternalContextCreator) contexts: ExternalContextCreator,
    @Inject(ModuleRef) moduleRef: ModuleRef,
  ) {
    this.#contexts = contexts
    this.#moduleRef = moduleRef
  }

  /** A request-scoped provider is made anew for each attempt; its `REQUEST` is the event. */
  handlerOf(host: Host, method: string): Handler {
    if (host.isDependencyTreeStatic()) return this.#bound(host.instance as object, method)
    return async (event, attempt) => {
      const contextId = ContextIdFactory.create()
      this.#moduleRef.registerRequestByContextId(event, contextId)
      const instance: object = await this.#moduleRef.resolve(host.token as string, contextId, {
        strict: false,
      })
      return this.#bound(instance, method, contextId, host.id)(event, attempt)
    }
  }

  #bound(
    instance: object,
    method: string,
    contextId?: ReturnType<typeof ContextIdFactory.create>,
    inquirerId?: string,
  ): Method {
    const methods = instance as Record<string, (...args: unknown[]) => unknown>
    return this.#contexts.create(
      methods,
      methods[method] as Method & ((...args: unknown[]) => unknown),
      method,
      ROUTE_ARGS_METADATA,
      eventParams,
      contextId,
      inquirerId,
      { guards: false, interceptors: false, filters: false },
      contextType,
    )
  }
}
