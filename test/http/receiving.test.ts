import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { TriggerHub, webhooks } from '@trigger-hub/express'
import { hmac } from '@trigger-hub/core/sources'
import { sign } from '@trigger-hub/core/verify'
import type { EventRecord } from '@trigger-hub/core'
import type { Express } from 'express'
import { eventually } from '../eventually.ts'
import { listening, recording, servers, type Serving } from './apps.ts'
import { exchange, type WireReply, type WireRequest } from './wire.ts'

const source = hmac({ secret: 'the secret of this suite' })
const unauthorized = '{"type":"about:blank","title":"Unauthorized","status":401,"code":"ERR_UNAUTHORIZED"}'
const limit = 64 * 1024

let nextKey = 0

/** A request that the sender signed, whatever else is wrong with it. */
function signed(
  body: Buffer | string,
  headers: WireRequest['headers'] = {},
  more: Partial<WireRequest> = {},
): WireRequest {
  const rawBody = Buffer.from(body)
  const key = `event-${nextKey++}`
  return {
    path: '/webhooks/shop',
    body: rawBody,
    headers: { 'x-idempotency-key': key, ...sign(source, { rawBody, nowMs: Date.now() }), ...headers },
    ...more,
  }
}

const digest = sign(source, { rawBody: Buffer.from('{}'), nowMs: 0 })['x-signature']!

/** A request with another signature, or none, over a body of `{}`. */
const forged = (signature: string | readonly string[] | undefined): WireRequest => ({
  path: '/webhooks/shop',
  body: '{}',
  headers: {
    'content-type': 'application/json',
    ...(signature === undefined ? {} : { 'x-signature': signature }),
  },
})

const json = { 'content-type': 'application/json' }

/** What is answered, whether an event was stored, and what its bots get as `data`. */
interface Case {
  name: string
  request: () => WireRequest
  status: number
  code?: string
  data?: unknown
}

const bytes = (body: Buffer | string): unknown => ({ bytes: Buffer.from(body).toString('base64') })

const accepted: Case[] = [
  { name: 'a JSON object', request: () => signed('{"a":1}', json), status: 200, data: { a: 1 } },
  {
    name: 'a body in chunks without a length',
    request: () => signed('{"a":1}', json, { chunkBytes: 2 }),
    status: 200,
    data: { a: 1 },
  },
  { name: 'an empty body', request: () => signed(''), status: 200, data: bytes('') },
  {
    name: 'an empty body that claims to be JSON',
    request: () => signed('', json),
    status: 200,
    data: bytes(''),
  },
  { name: 'no content type', request: () => signed('{"a":1}'), status: 200, data: { a: 1 } },
  {
    name: 'XML',
    request: () => signed('<a/>', { 'content-type': 'application/xml' }),
    status: 200,
    data: bytes('<a/>'),
  },
  {
    name: 'a multipart body',
    request: () => signed('--b\r\n\r\n1\r\n--b--', { 'content-type': 'multipart/form-data; boundary=b' }),
    status: 200,
    data: bytes('--b\r\n\r\n1\r\n--b--'),
  },
  {
    name: 'a form',
    request: () => signed('a=1&b=%C3%A4&a=2', { 'content-type': 'application/x-www-form-urlencoded' }),
    status: 200,
    data: { a: ['1', '2'], b: 'ä' },
  },
  { name: 'JSON that is none', request: () => signed('{"a":', json), status: 200, data: bytes('{"a":') },
  { name: 'JSON that is one number', request: () => signed('1e400', json), status: 200, data: Infinity },
  { name: 'a byte order mark', request: () => signed('\ufeff{"a":1}', json), status: 200, data: { a: 1 } },
  {
    name: 'invalid UTF-8',
    request: () => signed(Buffer.from('{"a":"\xff"}', 'latin1'), json),
    status: 200,
    data: bytes(Buffer.from('{"a":"\xff"}', 'latin1')),
  },
  {
    name: 'a lone surrogate',
    request: () => signed('{"a":"\\ud800"}', json),
    status: 200,
    data: { a: '\ud800' },
  },
  {
    name: 'a key twice, of which the last counts',
    request: () => signed('{"a":1,"a":2}', json),
    status: 200,
    data: { a: 2 },
  },
  {
    name: 'replacement patterns',
    request: () => signed("$$ $' $&", json),
    status: 200,
    data: bytes("$$ $' $&"),
  },
  {
    name: 'a __proto__ in JSON',
    request: () =>
      signed('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}', json),
    status: 200,
    data: JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'),
  },
  {
    name: 'a __proto__ in a form',
    request: () => signed('__proto__=1&__proto__=2', { 'content-type': 'application/x-www-form-urlencoded' }),
    status: 200,
    data: JSON.parse('{"__proto__":["1","2"]}'),
  },
  {
    name: 'headers named __proto__ and constructor',
    request: () => signed('1', { ...json, ['__proto__']: 'x', constructor: 'y' }),
    status: 200,
    data: 1,
  },
  {
    name: 'a type that is a path of its own',
    request: () => signed('1', { ...json, 'x-event-type': '../__proto__/**' }),
    status: 200,
    data: 1,
  },
  ...Object.entries({
    gzip: gzipSync,
    'x-gzip': gzipSync,
    GZIP: gzipSync,
    deflate: deflateSync,
    br: brotliCompressSync,
  }).map(([encoding, compress]): Case => ({
    name: `a body in ${encoding}, signed before it was compressed`,
    request: () => ({
      ...signed('{"a":1}', { ...json, 'content-encoding': encoding }),
      body: compress('{"a":1}'),
    }),
    status: 200,
    data: { a: 1 },
  })),
  {
    name: 'an encoding of identity',
    request: () => signed('1', { ...json, 'content-encoding': 'identity' }),
    status: 200,
    data: 1,
  },
  {
    name: 'a body of just the limit',
    request: () => signed('a'.repeat(limit)),
    status: 200,
    data: bytes('a'.repeat(limit)),
  },
  {
    name: 'a trailing slash in the path',
    request: () => signed('1', json, { path: '/webhooks/shop/' }),
    status: 200,
    data: 1,
  },
  {
    name: 'a query behind the path',
    request: () => signed('1', json, { path: '/webhooks/shop?a=1#b' }),
    status: 200,
    data: 1,
  },
]

const forgeries: [string, WireRequest][] = [
  ['no signature', forged(undefined)],
  ['an empty signature', forged('')],
  ['a signature of another body', { ...forged(digest), body: '{ }' }],
  ['a wrong signature', forged('0'.repeat(64))],
  ['half a signature', forged(digest.slice(0, 32))],
  ['one digit too few', forged(digest.slice(0, 63))],
  ['one digit too many', forged(`${digest}0`)],
  ['upper-case hex', forged(digest.toUpperCase())],
  ['the digest in base64', forged(Buffer.from(digest, 'hex').toString('base64'))],
  ['a prefix that this sender does not write', forged(`sha256=${digest}`)],
  ['white space inside', forged(`${digest.slice(0, 32)} ${digest.slice(32)}`)],
  ['letters that are no hex', forged('z'.repeat(64))],
  ['bytes beyond ASCII', forged('\u00e4'.repeat(64))],
  ['the signature twice in one line', forged(`${digest}, ${digest}`)],
  ['the right signature on two lines', forged([digest, digest])],
  ['a wrong signature on a second line', forged([digest, '0'.repeat(64)])],
  ['a signature of 8 KB', forged('0'.repeat(8_192))],
  [
    'the right key on two lines',
    { ...forged(digest), headers: { 'x-signature': digest, 'x-idempotency-key': ['1', '2'] } },
  ],
  ['a __proto__ in an unsigned body', { ...forged('0'.repeat(64)), body: '{"__proto__":{"polluted":true}}' }],
]

const zeros = Buffer.alloc(20_000_000)
const bombs = Object.entries({
  gzip: gzipSync(zeros),
  deflate: deflateSync(zeros),
  br: brotliCompressSync(zeros),
})
const tenMegabytes = Buffer.alloc(10_000_000)

const refused: Case[] = [
  {
    name: 'a body of one byte too many',
    request: () => signed('a'.repeat(limit + 1)),
    status: 413,
    code: 'ERR_BODY_TOO_LARGE',
  },
  {
    name: '10 MB with their length',
    request: () => signed(tenMegabytes),
    status: 413,
    code: 'ERR_BODY_TOO_LARGE',
  },
  {
    name: '10 MB in chunks',
    request: () => signed(tenMegabytes, {}, { chunkBytes: 65_536 }),
    status: 413,
    code: 'ERR_BODY_TOO_LARGE',
  },
  ...bombs.map(([encoding, bomb]): Case => ({
    name: `20 MB in ${bomb.length} bytes of ${encoding}`,
    request: () => signed(bomb, { 'content-encoding': encoding }),
    status: 413,
    code: 'ERR_BODY_TOO_LARGE',
  })),
  {
    name: 'half a gzip',
    request: () => signed(gzipSync('{"a":1}').subarray(0, -5), { 'content-encoding': 'gzip' }),
    status: 400,
    code: 'ERR_BODY_ENCODING_INVALID',
  },
  {
    name: 'plain text that claims to be gzip',
    request: () => signed('{"a":1}', { 'content-encoding': 'gzip' }),
    status: 400,
    code: 'ERR_BODY_ENCODING_INVALID',
  },
  ...['gzip, gzip', 'gzip, br', 'identity, gzip', 'zstd', 'compress', '__proto__', 'constructor'].map(
    (encoding): Case => ({
      name: `the encoding ${encoding}`,
      request: () => signed(gzipSync('1'), { 'content-encoding': encoding }),
      status: 415,
      code: 'ERR_BODY_ENCODING_UNSUPPORTED',
    }),
  ),
  {
    name: 'two lines of encodings',
    request: () => signed(gzipSync('1'), { 'content-encoding': ['gzip', 'gzip'] }),
    status: 415,
    code: 'ERR_BODY_ENCODING_UNSUPPORTED',
  },
  ...['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].map((method): Case => ({
    name: `${method}`,
    request: () => signed('1', {}, { method }),
    status: 405,
    code: 'ERR_METHOD_NOT_ALLOWED',
  })),
]

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
