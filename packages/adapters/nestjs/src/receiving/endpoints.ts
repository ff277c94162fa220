import type { ApplicationConfig } from '@nestjs/core'
import { mounted, type Receiving, type Stage } from '@trigger-hub/core'

/**
 * Finds the stage for the path of a request: below the app's global prefix, unless that excludes the path. The global
 * prefix is set after the module is made, so it is asked for at the first request.
 */
export function endpoints(hub: Receiving, prefix: string, config: ApplicationConfig): typeof find {
  const bare = mounted(hub, prefix)
  let within: typeof bare | undefined
  function find(path: string): Stage | undefined {
    const { exclude = [] } = config.getGlobalPrefixOptions() as { exclude?: { pathRegex: RegExp }[] }
    if (exclude.some(({ pathRegex }) => pathRegex.test(path))) return bare(path)
    within ??= mounted(
      hub,
      `${config.getGlobalPrefix()}/${prefix}`.replace(/^\/*/, '/').replace(/\/{2,}/g, '/'),
    )
    return within(path)
  }
  return find
}
