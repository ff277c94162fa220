/** One server to measure, in a process of its own: `server.ts <variant>`. Tells its port and CPU time by messages. */
import { createHmac, createSecretKey } from 'node:crypto'
import { createServer as createPlainServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createListener, TriggerHub, type Driver } from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import { createServer, webhooks } from '@trigger-hub/express'
import express from 'express'
import { secret, sources } from './request.ts'

/** Accepts everything and keeps nothing, so that what is left is the cost of the hub itself. */
function nowhere(): Driver {
  const driver = memory()
  driver.accept = async ({ id }) => ({ is: 'accepted', id })
  return driver
}

const newHub = () => new TriggerHub({ driver: nowhere(), allowVolatile: true, sources, log: () => undefined })

const key = createSecretKey(Buffer.from(secret))

const bare = () => express().post('/webhooks/stripe', (_req, res) => void res.end())

/** What people write by hand, as good as it gets. */
const byHand = () =>
  express().post('/webhooks/stripe', express.raw({ type: '*/*' }), (req, res) => {
    const body = req.body as Buffer
    createHmac('sha256', key).update(body).digest('hex')
    JSON.parse(body.toString())
    res.end()
  })

const withHub = () => express().use('/webhooks', webhooks(newHub()))

const servers: Record<string, () => Server> = {
  'express bare': () => createPlainServer(bare()),
  'express raw + HMAC + JSON.parse': () => createPlainServer(byHand()),
  'express + hub': () => createPlainServer(withHub()),
  'express + hub, type in a header': () => createPlainServer(withHub()),
  'express bare, createServer': () => createServer(bare()),
  'express raw + HMAC + JSON.parse, createServer': () => createServer(byHand()),
  'express + hub, createServer': () => createServer(withHub()),
  'express + hub, type in a header, createServer': () => createServer(withHub()),
  'node:http + hub': () => createPlainServer(createListener(newHub(), { prefix: '/webhooks' })),
}

const server = servers[process.argv[2] ?? '']?.()
if (server) {
  server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
  process.on('message', () => process.send?.({ cpu: process.cpuUsage() }))
} else {
  process.send?.({ variants: Object.keys(servers) }, () => process.exit())
}
