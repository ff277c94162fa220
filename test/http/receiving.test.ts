import type { EventRecord } from '@trigger-hub/core'
import { TriggerHub, webhooks } from '@trigger-hub/express'
import type { Express } from 'express'
import { eventually } from '../eventually.ts'
import { accepted } from './accepted.ts'
import { listening, recording, servers, type Serving } from './apps.ts'
import { forgeries, refused } from './refused.ts'
import { bytes, json, limit, signed, source } from './requests.ts'
import { exchange, type WireReply, type WireRequest } from './wire.ts'

const unauthorized = '{"type":"about:blank","title":"Unauthorized","status":401,"code":"ERR_UNAUTHORIZED"}'

const elsewhere = [
  '/webhooks',
  '/webhooks/',
  '/webhooks/unknown',
  '/webhooks/shop/more',
  '/webhooks/__proto__',
  '/webhooks/constructor',
  '/webhooks/%73hop',
  '/shop',
]

/** Where in an app the webhooks may stand. */
const places: {
  place: string
  build: (app: Express, express: (typeof servers)[number]['express'], hub: TriggerHub) => void
}[] = [
  {
    place: 'before the parsers',
    build: (app, express, hub) => {
      app.use('/webhooks', webhooks(hub))
      app.use(
        express.json({ strict: false }),
        express.urlencoded({ extended: true }),
        express.text(),
        express.raw(),
      )
    },
  },
  {
    place: 'behind parsers of other paths, in a router of a router',
    build: (app, express, hub) => {
      app.use('/api', express.json(), express.urlencoded({ extended: true }))
      const inner = express.Router()
      inner.use('/', webhooks(hub))
      const outer = express.Router()
      outer.use('/webhooks', inner)
      app.use(outer)
    },
  },
  {
    place: 'in an app of its own, twice',
    build: (app, express, hub) => {
      const sub = express()
      sub.use(webhooks(hub), webhooks(hub))
      app.use('/webhooks', sub, webhooks(hub))
    },
  },
]

const setups = servers.flatMap((server) => places.map((place) => ({ ...server, ...place })))

describe.each(setups)('$server, $place', ({ express, listen, build }) => {
  const { driver, accepts } = recording()
  const delivered = new Map<string, unknown>()
  const hub = new TriggerHub({ driver, allowVolatile: true, limit, sources: { shop: source } })
  hub.bot('all', { on: 'shop:**' }, ({ id, data }) => void delivered.set(id, data))
  let serving: Serving

  beforeAll(async () => {
    const app = express()
    build(app, express, hub)
    app.use((req, res) => void res.status(404).json({ own: req.originalUrl }))
    serving = await listening(listen(app))
    await hub.work()
  })
  afterAll(async () => {
    await serving.close()
    await hub.close()
  })

  /** The reply, and the events that were stored for it. */
  async function ask(request: WireRequest): Promise<{ reply: WireReply; stored: EventRecord[] }> {
    const before = accepts.length
    const reply = await exchange(serving.port, request)
    return { reply, stored: accepts.slice(before).map(({ event }) => event) }
  }

  it.each(accepted)('accepts $name, and its bot gets it', async ({ request, data }) => {
    const asked = request()
    const { reply, stored } = await ask(asked)
    expect([reply.status, reply.body]).toEqual([200, ''])
    const [event] = stored
    expect(event?.id).toBe(reply.headers['trigger-hub-event'])
    const signedBytes = asked.headers?.['content-encoding'] ? undefined : Buffer.from(asked.body ?? '')
    if (signedBytes) expect(event?.rawBody.equals(signedBytes)).toBe(true)
    await eventually(() => delivered.has(event!.id))
    const got = delivered.get(event!.id)
    expect(Buffer.isBuffer(got) ? bytes(got) : got).toEqual(data)
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })

  it.each(forgeries)('answers 401, always the same, and stores nothing for %s', async (_, request) => {
    const { reply, stored } = await ask(request)
    expect([reply.status, reply.body, stored]).toEqual([401, unauthorized, []])
    expect(reply.headers['content-type']).toBe('application/problem+json')
  })

  it.each(refused)('answers $status and stores nothing for $name', async ({ request, status, code }) => {
    const { reply, stored } = await ask(request())
    expect([reply.status, JSON.parse(reply.body), stored]).toMatchObject([status, { status, code }, []])
    expect(reply.headers.allow).toBe(status === 405 ? 'POST' : undefined)
  })

  it('answers HEAD with 405 and no body', async () => {
    const { reply, stored } = await ask(signed('', {}, { method: 'HEAD' }))
    expect([reply.status, reply.body, reply.headers.allow, stored]).toEqual([405, '', 'POST', []])
  })

  it.each(elsewhere)('leaves %s to the routes of the app', async (path) => {
    const { reply, stored } = await ask(signed('1', {}, { path }))
    expect([reply.status, JSON.parse(reply.body), stored]).toEqual([404, { own: path }, []])
  })

  it('answers a repeat as a duplicate that names the same event', async () => {
    const request = signed('{"n":1}', json)
    const first = await ask(request)
    const second = await ask(request)
    expect([
      first.reply.headers['trigger-hub-duplicate'],
      second.reply.headers['trigger-hub-duplicate'],
    ]).toEqual([undefined, '?1'])
    expect(second.reply.headers['trigger-hub-event']).toBe(first.reply.headers['trigger-hub-event'])
    expect(second.reply.status).toBe(200)
  })

  it('judges only the bytes that the content-length announces', async () => {
    const short = signed('{"a":1}', { 'content-length': '3' })
    const { reply, stored } = await ask(short)
    expect(stored).toEqual([])
    expect([400, 401]).toContain(reply.status) // 400 is Node's: what is left over is no request
  })
})
