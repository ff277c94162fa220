import { Inject, Injectable, Optional, SetMetadata, type Type } from '@nestjs/common'
import { GUARDS_METADATA, INTERCEPTORS_METADATA } from '@nestjs/common/constants.js'
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core'
import { rawBody, type RawBodyOptions } from '@trigger-hub/core'
import { TRIGGER_HUB_OPTIONS, type TriggerHubModuleOptions } from '../options.ts'
import { rawBodyOptionsOf } from '../parts/raw-guard.ts'

/** On a handler that is registered with the platform: the stage that reads the exact bytes for its route. */
export const rawRouteKey = 'trigger-hub:raw-route'

/** What `@RouteConfig()` of the Fastify platform sets; there, `request.routeOptions.config` has it. */
const fastifyConfigKey = '__fastify_route_config__'

type Method = (...args: unknown[]) => unknown

/**
 * Marks the routes whose exact bytes are wanted. Nest copies the metadata of a method to the handler that it registers
 * with the platform, so that whoever comes before the parsers can see the mark.
 */
@Injectable()
export class RawRoutes {
  readonly #metadata = new Reflector()

  constructor(
    @Inject(DiscoveryService) discovery: DiscoveryService,
    @Inject(MetadataScanner) methods: MetadataScanner,
    @Optional() @Inject(TRIGGER_HUB_OPTIONS) { limit, bodyTimeout }: TriggerHubModuleOptions = {},
  ) {
    const ofTheModule = { ...(limit && { limit }), ...(bodyTimeout && { bodyTimeout }) }
    for (const { metatype } of discovery.getControllers()) {
      if (!metatype) continue
      const prototype = metatype.prototype as Record<string, Method>
      for (const name of methods.getAllMethodNames(prototype)) {
        const method = prototype[name]
        const options = method && (this.#wanted(method) ?? this.#wanted(metatype as Type))
        if (options) this.#mark(method, { ...ofTheModule, ...options })
      }
    }
  }

  /** How the guards and interceptors of a route or a controller read; undefined when none of them does. */
  #wanted(of: Method | Type): RawBodyOptions | undefined {
    const parts = [GUARDS_METADATA, INTERCEPTORS_METADATA].flatMap(
      (key) => this.#metadata.get<(object | undefined)[] | undefined>(key, of) ?? [],
    )
    return parts.map(rawBodyOptionsOf).find((options) => options !== undefined)
  }

  #mark(method: Method, options: RawBodyOptions): void {
    const stage = rawBody(options)
    const config = this.#metadata.get<object | undefined>(fastifyConfigKey, method)
    SetMetadata(rawRouteKey, stage)(method)
    SetMetadata(fastifyConfigKey, { ...config, [rawRouteKey]: stage })(method)
  }
}
