import { createServer, type Server } from 'node:http'
import { createListener, type ListenerOptions, type Receiving } from '../http/listener.ts'
import type { Clock } from '../words/clock.ts'
import { knownOptions, invalidOption, textOf } from '../words/options.ts'

export interface ListenOptions extends ListenerOptions {
  /** 0 takes any free one. */
  port: number
  /** Default: every interface. */
  host?: string
}

/**
 * A server for a hub, which does not listen yet.
 * @throws SetupError `ERR_OPTION_UNKNOWN`, `ERR_OPTION_INVALID`
 */
export function serverOf(hub: Receiving, options: ListenOptions): Server {
  knownOptions('listen', options, ['port', 'host', 'prefix', 'otherwise'])
  const { port, host, ...ofListener } = options
  if (host !== undefined) textOf('host', host, /./, `a name or an address, such as '127.0.0.1'`)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) {
    return createServer(createListener(hub, ofListener))
  }
  throw invalidOption('port', port, 'a number up to 65535, such as Number(process.env.PORT)')
}

/**
 * Takes no connection more, and cuts idle ones. A request on its way may be answered for so long: somebody may hold a
 * connection on which none ever comes. One that is about to listen is waited for: it would do so once it is closed.
 */
export async function closed(listening: Promise<Server>, ms: number, clock: Clock): Promise<void> {
  const server = await listening.catch(() => undefined) // its caller has heard of it
  if (!server) return
  const cancel = clock.after(ms, () => server.closeAllConnections())
  const ended = new Promise((resolve) => server.close(resolve))
  server.closeIdleConnections()
  await ended
  cancel()
}
