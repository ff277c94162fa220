import { TriggerHub, type WebhookEvent } from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import { github, hmac } from '@trigger-hub/core/sources'
import { sign } from '@trigger-hub/core/verify'
import express from 'express'
import request from 'supertest'
import { createServer, webhooks } from '../src/index.ts'

const secret = 'It is a secret to everybody'

function receiving(bots: (hub: TriggerHub) => void = () => undefined) {
  const hub = new TriggerHub({
    driver: memory(),
    allowVolatile: true,
    sources: { code: github({ secret }), plain: hmac({ secret }) },
  })
  bots(hub)
  const app = express()
  app.use('/webhooks', webhooks(hub))
  app.use(express.json())
  app.post('/echo', (req, res) => void res.json(req.body))
  return { hub, app }
}

const delivery = (body: object | string | Buffer, headers: Record<string, string> = {}) => {
  const rawBody = Buffer.isBuffer(body)
    ? body
    : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  return {
    rawBody,
    headers: {
      'content-type': 'application/json',
      'x-github-event': 'issues',
      'x-github-delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958',
      ...headers,
      ...sign(github({ secret }), { rawBody, nowMs: Date.now() }),
    },
  }
}

test('answers 200 once stored, and runs the bot', async () => {
  const seen: WebhookEvent[] = []
  const { hub, app } = receiving((hub) =>
    hub.bot('crm', { on: 'code:issues.*' }, (event) => void seen.push(event)),
  )
  await hub.work()
  const { rawBody, headers } = delivery({ action: 'opened', n: 1 })
  const reply = await request(app).post('/webhooks/code').set(headers).send(rawBody.toString())
  expect([reply.status, reply.text]).toEqual([200, ''])
  expect(reply.headers['trigger-hub-event']).toMatch(/^[\w-]{36}$/)
  const repeat = await request(createServer(app)).post('/webhooks/code').set(headers).send(rawBody.toString())
  expect([repeat.status, repeat.headers['trigger-hub-duplicate']]).toEqual([200, '?1'])
  await hub.close()
  expect(seen.map(({ type, data }) => [type, data])).toEqual([['issues.opened', { action: 'opened', n: 1 }]])
})

test('refuses a wrong signature with 401 and says no more', async () => {
  const { hub, app } = receiving()
  const { headers } = delivery({ action: 'opened' })
  const reply = await request(app).post('/webhooks/code').set(headers).send('{}')
  expect(reply.status).toBe(401)
  expect(reply.headers['content-type']).toBe('application/problem+json')
  expect(JSON.parse(reply.text)).toEqual({
    type: 'about:blank',
    title: 'Unauthorized',
    status: 401,
    code: 'ERR_UNAUTHORIZED',
  })
  await hub.close()
})

test.each([[undefined], [{ sources: { code: github({ secret }) } }]])(
  'refuses what is no hub at start',
  (hub) => {
    expect(() => webhooks(hub as never)).toThrow(/give the hub, new TriggerHub/)
  },
)
