import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Receiving } from '@trigger-hub/core'
import Koa from 'koa'
import koa2 from 'koa2'
import { webhooks } from '../src/index.ts'

/** The majors that the adapter is for. */
export const majors: [string, typeof Koa][] = [
  ['Koa 3', Koa],
  ['Koa 2', koa2],
]

/** Serves an app on a port of its own. */
export async function serve(app: Koa): Promise<{ url: string; close: () => Promise<void> }> {
  const server = createServer(app.callback()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** A hub in an app of its own, its sources below `/webhooks`. */
export function mount(hub: Receiving, App: typeof Koa = Koa): ReturnType<typeof serve> {
  const app = new App()
  app.use(webhooks(hub, { prefix: '/webhooks' }))
  return serve(app)
}
