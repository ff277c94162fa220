import { SetupError } from '../words/errors.ts'
import { textOf } from '../words/options.ts'
import type { Stage } from '../words/request.ts'

/** Where the sources of a hub are, below what an app's router has cut off. */
interface Routing {
  route(path: string): Stage | undefined
}

/**
 * Finds the stage for a path of an app; undefined when it is no source's, so that the app goes on.
 * @param prefix  such as `'/webhooks'` for `POST /webhooks/<source>`; empty when a router has cut it off
 * @throws SetupError `ERR_OPTION_INVALID` for a prefix that cannot be one, and for what is no hub
 */
export function mounted(hub: Routing, prefix = ''): (path: string) => Stage | undefined {
  if (typeof (hub as Partial<Routing> | undefined)?.route !== 'function') {
    throw new SetupError(
      'ERR_OPTION_INVALID',
      'There is nothing to receive for: give the hub, new TriggerHub(…).',
    )
  }
  textOf('prefix', prefix, /^(\/[^/?#]+)*\/?$/, `a path, such as '/webhooks'`)
  const before = prefix.replace(/\/$/, '')
  return (path) => (path.startsWith(`${before}/`) ? hub.route(path.slice(before.length)) : undefined)
}
