import type { Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { memory } from '@trigger-hub/core/memory'
import type { Accepted, Driver, EventRecord } from '@trigger-hub/core'
import { createServer } from '@trigger-hub/express'
import express5, { type Express } from 'express'

/** Express 4 has the types of Express 5 as far as they are used here. */
export const express4 = createRequire(__filename)('express4') as typeof express5

const viaListen = (app: Express): Server => app.listen(0, '127.0.0.1')
const viaCreateServer = (app: Express): Server => createServer(app).listen(0, '127.0.0.1')

/** Every way in which an Express app becomes a server. */
export const servers = [
  { server: 'Express 5 and app.listen()', express: express5, listen: viaListen },
  { server: 'Express 5 and createServer(app)', express: express5, listen: viaCreateServer },
  { server: 'Express 4 and app.listen()', express: express4, listen: viaListen },
  { server: 'Express 4 and createServer(app)', express: express4, listen: viaCreateServer },
]

/** A server that listens, and how to reach and end it. */
export interface Serving {
  readonly port: number
  readonly server: Server
  close(): Promise<void>
}

export async function listening(server: Server): Promise<Serving> {
  if (!server.listening) await new Promise((resolve) => server.once('listening', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    server,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** A memory driver that tells what it was asked to store and what it said. */
export function recording(driver: Driver = memory()): {
  driver: Driver
  accepts: { event: EventRecord; said: Accepted }[]
} {
  const accepts: { event: EventRecord; said: Accepted }[] = []
  const accept = driver.accept.bind(driver)
  driver.accept = async (event, options) => {
    const said = await accept(event, options)
    accepts.push({ event, said })
    return said
  }
  return { driver, accepts }
}
