import type { LogRecord } from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import { hmac } from '@trigger-hub/core/sources'
import { sign } from '@trigger-hub/core/verify'
import { TriggerHub, webhooks } from '@trigger-hub/express'
import type { ErrorRequestHandler, Express, RequestHandler } from 'express'
import { setTimeout as wait } from 'node:timers/promises'
import { eventually } from '../eventually.ts'
import { listening, recording, servers, type Serving } from './apps.ts'
import { exchange, Wire, bytesOf, type WireRequest } from './wire.ts'

const source = hmac({ secret: 'the secret of this suite' })
const other = hmac({ secret: 'the secret of another sender' })

const signed = (
  path: string,
  by = source,
  body = '{"a":1}',
  headers: WireRequest['headers'] = {},
): WireRequest => ({
  path,
  body,
  headers: {
    'content-type': 'application/json',
    ...sign(by, { rawBody: Buffer.from(body), nowMs: Date.now() }),
    ...headers,
  },
})

function hubOf(sources: Record<string, typeof source>) {
  const { driver, accepts } = recording(memory())
  const logged: LogRecord[] = []
  const hub = new TriggerHub({ driver, allowVolatile: true, sources, log: (record) => logged.push(record) })
  return { hub, accepts, logged }
}

describe.each(servers)('$server', ({ express, listen }) => {
  const open: Serving[] = []
  afterEach(() => Promise.all(open.splice(0).map((serving) => serving.close())))

  async function serving(build: (app: Express) => void): Promise<number> {
    const app = express()
    build(app)
    const served = await listening(listen(app))
    open.push(served)
    return served.port
  }

  const parsers: [string, RequestHandler][] = [
    ['express.json()', express.json()],
    ['express.urlencoded()', express.urlencoded({ extended: true, type: '*/*' })],
    ['express.text()', express.text({ type: '*/*' })],
  ]
  it.each(parsers)('answers 500 behind %s, and the log names the line to move', async (_, parser) => {
    const { hub, accepts, logged } = hubOf({ shop: source })
    const port = await serving((app) => app.use(parser, webhooks(hub)))
    const { status, body } = await exchange(port, signed('/shop'))
    expect([status, JSON.parse(body), accepts]).toEqual([
      500,
      { type: 'about:blank', title: 'Internal Server Error', status: 500, code: 'ERR_BODY_CONSUMED' },
      [],
    ])
    expect(logged).toMatchObject([{ level: 'warn', code: 'ERR_BODY_CONSUMED' }])
    expect(logged[0]?.message).toContain('app.use(express.json()), below the line that adds the webhooks')
  })

  it.each<[string, RequestHandler, WireRequest['headers']]>([
    ['express.raw(), which keeps the bytes', express.raw({ type: '*/*' }), {}],
    [
      'express.json() with a hook that keeps the bytes',
      express.json({ verify: (req, _res, bytes) => void Object.assign(req, { rawBody: bytes }) }),
      {},
    ],
    [
      'express.json() when the body is of another type',
      express.json(),
      { 'content-type': 'application/xml' },
    ],
  ])('receives behind %s', async (_, parser, headers) => {
    const { hub, accepts } = hubOf({ shop: source })
    const port = await serving((app) => app.use(parser, webhooks(hub)))
    expect((await exchange(port, signed('/shop', source, '{"a":1}', headers))).status).toBe(200)
    expect(accepts.map(({ event }) => event.rawBody.toString())).toEqual(['{"a":1}'])
  })

  it('keeps two hubs apart, each with its own sources', async () => {
    const first = hubOf({ shop: source, both: source })
    const second = hubOf({ crm: other, both: other })
    const port = await serving((app) => app.use('/hooks', webhooks(first.hub), webhooks(second.hub)))
    const statusOf = async (path: string, by: typeof source) =>
      (await exchange(port, signed(path, by))).status
    expect(await statusOf('/hooks/shop', source)).toBe(200)
    expect(await statusOf('/hooks/crm', other)).toBe(200)
    expect(await statusOf('/hooks/crm', source)).toBe(401)
    expect(await statusOf('/hooks/both', source)).toBe(200) // the first hub that has the source answers
    expect(await statusOf('/hooks/both', other)).toBe(401)
    expect([first.accepts.length, second.accepts.length]).toEqual([2, 1])
  })

  it('stores a request once when the hub is mounted twice', async () => {
    const { hub, accepts } = hubOf({ shop: source })
    const port = await serving((app) => app.use(webhooks(hub), webhooks(hub)).use('/again', webhooks(hub)))
    expect((await exchange(port, signed('/shop'))).headers['trigger-hub-duplicate']).toBeUndefined()
    expect((await exchange(port, signed('/again/shop'))).headers['trigger-hub-duplicate']).toBeUndefined()
    expect(accepts).toHaveLength(2)
  })

  it('leaves the parsers and routes behind it as they were', async () => {
    const { hub } = hubOf({ shop: source })
    const port = await serving((app) =>
      app
        .use('/hooks', webhooks(hub))
        .post(['/hooks/echo', '/echo'], express.json(), (req, res) => void res.json(req.body)),
    )
    expect((await exchange(port, signed('/hooks/echo'))).body).toBe('{"a":1}')
    expect((await exchange(port, signed('/echo'))).body).toBe('{"a":1}')
  })

  it('hands errors of the routes behind it to the error handler of the app', async () => {
    const { hub } = hubOf({ shop: source })
    const fails: RequestHandler = () => {
      throw new Error('the own route failed')
    }
    const handler: ErrorRequestHandler = (error: Error, _req, res, _next) =>
      void res.status(418).end(error.message)
    const port = await serving((app) => {
      app.use(webhooks(hub)).post('/own', fails).use(handler)
    })
    expect(await exchange(port, signed('/own'))).toMatchObject({ status: 418, body: 'the own route failed' })
  })

  it('does nothing for a sender that went away while a middleware was waiting', async () => {
    const { hub, accepts, logged } = hubOf({ shop: source })
    let reached = false
    let wentOn = false
    const port = await serving((app) =>
      app.use(async (req, _res, next) => {
        reached = true
        await new Promise((resolve) => req.socket.once('close', resolve))
        next()
        wentOn = true
      }, webhooks(hub)),
    )
    const wire = await Wire.open(port)
    wire.send(bytesOf(signed('/shop')).subarray(0, -2))
    await eventually(() => reached)
    wire.end()
    await eventually(() => wentOn)
    await wait(20)
    expect([accepts, logged]).toEqual([[], []])
  })

  it('answers requests that were sent in one go on one connection in their order', async () => {
    const { hub, accepts } = hubOf({ shop: source })
    const port = await serving((app) => app.use(webhooks(hub)))
    const wire = await Wire.open(port)
    wire.send(
      Buffer.concat([
        bytesOf(signed('/shop')),
        bytesOf(signed('/shop', other)),
        bytesOf(signed('/shop', source, '{"a":2}')),
      ]),
    )
    const statuses = [(await wire.reply()).status, (await wire.reply()).status, (await wire.reply()).status]
    wire.end()
    expect([statuses, accepts.length]).toEqual([[200, 401, 200], 2])
  })
})
