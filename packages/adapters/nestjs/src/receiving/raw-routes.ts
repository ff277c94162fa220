import { Inject, Injectable, SetMetadata, type Type } from '@nestjs/common'
import { GUARDS_METADATA } from '@nestjs/common/constants.js'
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core'

/** A guard class with this property reads the exact bytes, so no parser may be first. */
export const readsRawBody = Symbol.for('trigger-hub.reads-raw-body')

/** On a handler that is registered with the platform: the route wants its exact bytes. */
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
  /** Whether there are any. */
  readonly any: boolean = false

  constructor(
    @Inject(DiscoveryService) discovery: DiscoveryService,
    @Inject(MetadataScanner) methods: MetadataScanner,
  ) {
    const metadata = new Reflector()
    const guarded = (of: Type | Method): boolean =>
      (metadata.get<(object | undefined)[] | undefined>(GUARDS_METADATA, of) ?? []).some(
        (one) => one !== undefined && readsRawBody in one,
      )
    for (const { metatype } of discovery.getControllers()) {
      if (!metatype) continue
      const prototype = metatype.prototype as Record<string, Method>
      for (const name of methods.getAllMethodNames(prototype)) {
        const method = prototype[name]
        if (!method || !(guarded(metatype as Type) || guarded(method))) continue
        const config = metadata.get<object | undefined>(fastifyConfigKey, method)
        SetMetadata(rawRouteKey, true)(method)
        SetMetadata(fastifyConfigKey, { ...config, [rawRouteKey]: true })(method)
        this.any = true
      }
    }
  }
}
