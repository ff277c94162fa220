/** One server to measure, in a process of its own: `server.ts <variant>`. Tells its port and CPU time by messages. */
import { createHmac, createSecretKey } from 'node:crypto'
import { createServer as createPlainServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createListener, TriggerHub, type Driver } from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import { createServer, webhooks } from '@trigger-hub/express'
import express, { type Express } from 'express'
import { secret, sources } from './request.ts'

/**
 * Accepts everything and keeps nothing, so that what is left is the cost of the hub itself. It answers in a later turn of
 * the event loop, as whatever waits for a disk or a server does.
 */
function nowhere(): Driver {
  const driver = memory()
  driver.accept = async ({ id }) => {
    await nextTurn()
    return { is: 'accepted', id }
  }
  return driver
}

const newHub = () => new TriggerHub({ driver: nowhere(), allowVolatile: true, sources, log: () => undefined })

const key = createSecretKey(Buffer.from(secret))

/** How an app replies: replies that go out together, at the end of a turn, cost less each. */
type Answer = (res: ServerResponse) => void
const atOnce: Answer = (res) => res.end()
const turnLater: Answer = (res) => void setImmediate(() => res.end())

const bare = (answer: Answer) => express().post('/webhooks/stripe', (_req, res) => answer(res))

/** What people write by hand, as good as it gets. */
const byHand = (answer: Answer) =>
  express().post('/webhooks/stripe', express.raw({ type: '*/*' }), (req, res) => {
    const body = req.body as Buffer
    createHmac('sha256', key).update(body).digest('hex')
    JSON.parse(body.toString())
    answer(res)
  })

const withHub = () => express().use('/webhooks', webhooks(newHub()))

const apps: Record<string, () => Express> = {
  'express bare': () => bare(atOnce),
  'express bare, a turn later': () => bare(turnLater),
  'express raw + HMAC + JSON.parse': () => byHand(atOnce),
  'express raw + HMAC + JSON.parse, a turn later': () => byHand(turnLater),
  'express + hub': withHub,
  'express + hub, type in a header': withHub,
}

const servers: Record<string, () => Server> = {
  'node:http + hub': () => createPlainServer(createListener(newHub(), { prefix: '/webhooks' })),
}
for (const [name, app] of Object.entries(apps)) {
  servers[name] = () => createPlainServer(app())
  servers[`${name}, createServer`] = () => createServer(app())
}

const server = servers[process.argv[2] ?? '']?.()
if (server) {
  server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
  process.on('message', () => process.send?.({ cpu: process.cpuUsage() }))
} else {
  process.send?.({ variants: Object.keys(servers) }, () => process.exit())
}
