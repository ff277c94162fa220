import { memory } from '@trigger-hub/core/memory'
import { hmac } from '@trigger-hub/core/sources'
import { sign } from '@trigger-hub/core/verify'
import { TriggerHub, webhooks } from '@trigger-hub/express'
import { eventually } from '../eventually.ts'
import { listening, recording, servers, type Serving } from './apps.ts'
import { bytesOf, Wire } from './wire.ts'

const source = hmac({ secret: 'the secret of this suite' })
const bodyTimeout = 150

describe.each(servers)('$server', ({ express, listen }) => {
  const { driver, accepts } = recording(memory())
  const shared = { driver, allowVolatile: true, limit: 1_000, sources: { shop: source } }
  const hub = new TriggerHub({ ...shared, bodyTimeout })
  const patient = new TriggerHub(shared) // where the deadline must not come first, however slow the machine is
  let serving: Serving

  beforeAll(async () => {
    const app = express()
    app.use('/webhooks', webhooks(hub)).use('/patient', webhooks(patient))
    serving = await listening(listen(app))
  })
  afterAll(async () => {
    await serving.close()
    await hub.close()
    await patient.close()
  })
  afterEach(async () => {
    await eventually(async () => (await connections()) === 0)
    expect(accepts).toEqual([])
  })

  const connections = (): Promise<number> =>
    new Promise((resolve) => serving.server.getConnections((_, count) => resolve(count)))

  const headOf = (headers: Record<string, string>, path = '/webhooks/shop'): Buffer =>
    bytesOf({ path, headers })

  it('answers 408 at the deadline to a body that comes byte by byte, and frees its place', async () => {
    const wire = await Wire.open(serving.port)
    const startedAt = performance.now()
    wire.send(headOf({ 'content-length': '900' }))
    const drip = setInterval(() => wire.send(Buffer.from('a')), 20)
    const { status, headers, body } = await wire.reply()
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(bodyTimeout - 1)
    expect([status, headers.connection, JSON.parse(body).code]).toEqual([408, 'close', 'ERR_BODY_TIMEOUT'])
    await wire.closed
    clearInterval(drip)
    wire.end()
  })

  it.each(['content-length: 10', 'transfer-encoding: chunked'])(
    'answers 408 when nothing follows on %s',
    async (framing) => {
      const wire = await Wire.open(serving.port)
      wire.send(Buffer.from(`POST /webhooks/shop HTTP/1.1\r\nhost: localhost\r\n${framing}\r\n\r\n`))
      expect((await wire.reply()).status).toBe(408)
      await wire.closed
      wire.end()
    },
  )

  it('answers 400 or nothing when the sender half-closes in the middle of the body', async () => {
    const wire = await Wire.open(serving.port)
    wire.send(headOf({ 'content-length': '900' }, '/patient/shop'))
    wire.socket.end('half')
    const { status } = await wire.reply()
    expect([0, 400]).toContain(status)
    await wire.closed
    wire.end()
  })

  it('stores nothing when the sender goes away in the middle of the body', async () => {
    const body = Buffer.from('{"n":1}')
    const wire = await Wire.open(serving.port)
    const whole = bytesOf({
      path: '/patient/shop',
      body,
      headers: sign(source, { rawBody: body, nowMs: Date.now() }),
    })
    wire.send(whole.subarray(0, -1))
    await eventually(async () => (await connections()) === 1)
    wire.end()
  })

  it('lets a sender over the limit write on until it reads 413, then cuts it off at the deadline', async () => {
    const wire = await Wire.open(serving.port)
    const startedAt = performance.now()
    wire.send(headOf({ 'content-length': '100000000' }))
    const pour = setInterval(() => wire.send(Buffer.alloc(1_000)), 5)
    expect((await wire.reply()).status).toBe(413)
    await wire.closed
    clearInterval(pour)
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(bodyTimeout - 1)
    wire.end()
  })

  it('goes on with the next request on a connection after a 413 whose body has come', async () => {
    const wire = await Wire.open(serving.port)
    wire.send(bytesOf({ path: '/patient/shop', body: 'a'.repeat(5_000) }))
    expect((await wire.reply()).status).toBe(413)
    wire.send(bytesOf({ path: '/patient/shop', body: '{}' }))
    expect((await wire.reply()).status).toBe(401)
    wire.end()
  })
})
