import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PermanentError, steps } from '@trigger-hub/core'
import { hmac, stripe } from '@trigger-hub/core/sources'
import { sign } from '@trigger-hub/core/verify'
import { embedded } from '@trigger-hub/embedded'
import { TriggerHub, webhooks } from '@trigger-hub/express'
import express from 'express'
import { eventually } from '../eventually.ts'
import { listening, servers } from './apps.ts'
import { exchange, type WireRequest } from './wire.ts'

/** Each stands for something that must not come out anywhere. */
const canaries = {
  secret: 'canary-secret-7f3a',
  authorization: 'canary-authorization-91bc',
  cookie: 'canary-cookie-55de',
  query: 'canary-query-08aa',
  body: 'canary-body-c4f1',
  stack: 'canary-stack-31d9',
  cause: 'canary-cause-6e02',
}

const source = hmac({ secret: canaries.secret })
const { listen } = servers[1]!

/** What a handler throws: the message is its author's to choose, the rest is not to be kept. */
function failure(): PermanentError {
  const error = new PermanentError('the order is unknown', { cause: new Error(canaries.cause) })
  error.stack = canaries.stack
  return Object.assign(error, { config: { token: canaries.cause } })
}

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

test('no secret, credential, query or body comes out in a log, an answer, a channel or the record of a failure', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'trigger-hub-secrets-'))
  ends.push(() => rmSync(folder, { recursive: true }))
  const said: { where: string; what: string }[] = []
  const hear = (where: string) => (what: unknown) => void said.push({ where, what: JSON.stringify(what) })
  const listeners = Object.values(steps).map(({ name }) => ({ name, hear: hear(`channel ${String(name)}`) }))
  for (const { name, hear } of listeners) {
    subscribe(name, hear)
    ends.push(() => unsubscribe(name, hear))
  }

  const hub = new TriggerHub({
    driver: embedded({ path: join(folder, 'hub.db') }),
    sources: { shop: source, pay: stripe({ secret: canaries.secret }) },
    limit: 10_000,
    bodyTimeout: 300,
    acceptTimeout: '10s',
    log: hear('log'),
  })
  ends.push(() => hub.close())
  hub.bot('fails', { on: 'shop:**' }, () => {
    throw failure()
  })
  const app = express()
  app.use('/hooks', webhooks(hub))
  app.use('/parsed', express.json(), webhooks(hub))
  const serving = await listening(listen(app))
  ends.push(() => serving.close())
  await hub.work()

  const body = Buffer.from(JSON.stringify({ card: canaries.body }))
  const signature = sign(source, { rawBody: body, nowMs: Date.now() })
  const credentials = {
    authorization: `Bearer ${canaries.authorization}`,
    cookie: `session=${canaries.cookie}`,
  }
  const path = `/hooks/shop?token=${canaries.query}`
  const headers = { 'content-type': 'application/json', ...credentials }
  const right: WireRequest = { path, body, headers: { ...headers, ...signature, 'x-idempotency-key': 'one' } }
  const requests: [number, WireRequest][] = [
    [200, right],
    [200, right],
    [401, { path, body, headers }],
    [401, { ...right, headers: { ...headers, 'x-signature': canaries.secret } }],
    [
      401,
      {
        ...right,
        path: `/hooks/pay?token=${canaries.query}`,
        headers: { ...headers, 'stripe-signature': `t=1,v1=${canaries.secret}` },
      },
    ],
    [405, { ...right, method: 'PUT' }],
    [413, { ...right, body: canaries.body.repeat(1_000) }],
    [415, { ...right, headers: { ...right.headers, 'content-encoding': canaries.body } }],
    [400, { ...right, headers: { ...right.headers, 'content-encoding': 'gzip' } }],
    [408, { ...right, headers: { ...right.headers, 'content-length': '9999' } }],
    [500, { ...right, path: `/parsed/shop?token=${canaries.query}` }],
  ]
  for (const [status, request] of requests) {
    const reply = await exchange(serving.port, request)
    expect(reply.status).toBe(status)
    hear('answer')(reply)
  }
  await eventually(async () => (await hub.deadLetters.list()).length > 0)
  const letters = await hub.deadLetters.list()
  hear('record of a failure')(
    letters.map(({ event, ...letter }) => ({ ...letter, event: { ...event, rawBody: '' } })),
  )
  hear('report')(await hub.inspect())
  await serving.close()
  await hub.close()
  said.push(
    ...readdirSync(folder).map((name) => ({
      where: 'file',
      what: readFileSync(join(folder, name), 'latin1'),
    })),
  )

  expect(new Set(said.map(({ where }) => where)).size).toBeGreaterThanOrEqual(8) // they were really heard
  expect(said.some(({ where, what }) => where === 'file' && what.includes(canaries.body))).toBe(true) // it can be found
  const leaks = said.flatMap(({ where, what }) =>
    Object.entries(canaries)
      .filter(([name, canary]) => what.includes(canary) && !(where === 'file' && name === 'body')) // the file keeps the event
      .map(([name]) => `${name} in ${where}`),
  )
  expect(leaks).toEqual([])
})
