import { createReadStream, readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pipeline, Readable } from 'node:stream'
import { DriverUnavailableError, type LogRecord, type Store } from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import express, { type RequestHandler } from 'express'
import type { Server } from 'node:http'
import { eventually } from '../../../../test/eventually.ts'
import { idempotency, webhookErrors } from '../src/index.ts'

type Options = Parameters<typeof idempotency>[0]

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close()
    server.closeAllConnections()
  }
})

/** An app with one guarded route, and how to call it. */
async function guarded(
  handler: RequestHandler,
  options: Partial<Options> = {},
  before: RequestHandler[] = [express.json()],
) {
  const logged: LogRecord[] = []
  const app = express()
  const guard = idempotency({ store: memory(), log: (record) => void logged.push(record), ...options })
  app.post('/charges', ...before, guard, handler)
  app.use(webhookErrors())
  app.use(((_error, _req, res, _next) => void res.status(500).send('mine')) as express.ErrorRequestHandler)
  const server = app.listen(0, '127.0.0.1')
  servers.push(server)
  await new Promise((resolve) => server.once('listening', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/charges`
  const post = (
    key: string | undefined,
    body: unknown = { amount: 1 },
    headers: Record<string, string> = {},
    signal: AbortSignal | null = null,
  ) =>
    fetch(url, {
      signal,
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(key === undefined ? {} : { 'idempotency-key': key }),
        ...headers,
      },
      body: JSON.stringify(body),
    })
  return { post, logged }
}

function gate() {
  let open!: () => void
  const opened = new Promise<void>((resolve) => (open = resolve))
  return { open, opened }
}

/** The reply to a key once nobody holds it. */
const freed = (post: () => Promise<Response>): Promise<Response> =>
  eventually(async () => {
    const reply = await post()
    return reply.status !== 409 && reply
  })

const bytesOf = async (reply: Response) => Buffer.from(await reply.arrayBuffer())

test.each<[string, (n: number) => RequestHandler, number]>([
  ['JSON', (n) => (_req, res) => void res.status(201).json({ n }), 201],
  ['bytes', (n) => (_req, res) => void res.type('png').send(Buffer.from([0xff, 0, n])), 200],
  [
    'text in pieces',
    (n) => (_req, res) => (res.write('a'), res.write(Buffer.from('b')), void res.end(String(n))),
    200,
  ],
  ['a stream', (n) => (_req, res) => void Readable.from(['x', String(n)]).pipe(res), 200],
  [
    'a head written by hand',
    (n) => (_req, res) => void res.writeHead(202, { 'content-type': 'text/x' }).end(String(n)),
    202,
  ],
  ['nothing at all', () => (_req, res) => void res.status(204).end(), 204],
  ['a refusal of the app', (n) => (_req, res) => void res.status(409).json({ n }), 409],
])('runs the route once and replays %s byte for byte', async (_, handler, status) => {
  let runs = 0
  const { post } = await guarded((req, res, next) => handler(++runs)(req, res, next))
  const first = await post('k')
  const repeat = await post('k')
  expect([first.status, repeat.status]).toEqual([status, status])
  expect(await bytesOf(repeat)).toEqual(await bytesOf(first))
  expect(repeat.headers.get('content-type')).toBe(first.headers.get('content-type'))
  expect([first, repeat].map(({ headers }) => headers.get('idempotency-replayed'))).toEqual([null, 'true'])
  expect(runs).toBe(1)
})

test('replays the headers that describe the reply, and never a cookie', async () => {
  const { post } = await guarded(
    (_req, res) =>
      void res
        .cookie('session', 'secret')
        .set({ location: '/charges/1', 'x-mine': '1', 'x-kept': '2' })
        .status(201)
        .end(),
    { headers: ['X-Kept', 'Set-Cookie'] },
  )
  expect((await post('k')).headers.get('set-cookie')).toContain('secret')
  const repeat = await post('k')
  expect(['location', 'x-mine', 'x-kept', 'set-cookie'].map((name) => repeat.headers.get(name))).toEqual([
    '/charges/1',
    null,
    '2',
    null,
  ])
})

test('answers 409 with retry-after while the first request runs, and lets it finish', async () => {
  const { open, opened } = gate()
  let runs = 0
  const { post } = await guarded((_req, res) => void (runs++, opened.then(() => res.json('done'))))
  const first = post('k')
  await eventually(() => runs === 1)
  const repeat = await post('k')
  expect([repeat.status, ((await repeat.json()) as { code: string }).code]).toEqual([
    409,
    'ERR_KEY_IN_FLIGHT',
  ])
  expect(Number(repeat.headers.get('retry-after'))).toBeGreaterThan(0)
  open()
  expect(await (await first).json()).toBe('done')
})

test('waits for the first request where the app wants it so', async () => {
  const { open, opened } = gate()
  const { post } = await guarded((_req, res) => void opened.then(() => res.json('done')), { wait: '20s' })
  const both = [post('k'), post('k')]
  setTimeout(open, 30)
  expect(await Promise.all((await Promise.all(both)).map((reply) => reply.json()))).toEqual(['done', 'done'])
})

test('runs one of fifty equal requests at once', async () => {
  let runs = 0
  const { post } = await guarded((_req, res) => void setTimeout(() => res.json(++runs), 20), { wait: '20s' })
  const replies = await Promise.all(Array.from({ length: 50 }, () => post('k')))
  expect(new Set(await Promise.all(replies.map((reply) => reply.text())))).toEqual(new Set(['1']))
  expect(replies.filter(({ headers }) => headers.get('idempotency-replayed') === 'true')).toHaveLength(49)
})

test('answers 422 to the same key with another body', async () => {
  const { post } = await guarded((_req, res) => void res.json({}))
  await post('k', { amount: 1, to: 'a' })
  expect((await post('k', { to: 'a', amount: 1 })).status).toBe(200) // the order of properties says nothing
  expect((await post('k', { amount: 2, to: 'a' })).status).toBe(422)
})

test('tells keys of different scopes apart', async () => {
  let runs = 0
  const { post } = await guarded((_req, res) => void res.json(++runs), {
    scope: ({ headers }) => headers.get('x-tenant') ?? '',
  })
  expect(await (await post('k', {}, { 'x-tenant': 'a' })).json()).toBe(1)
  expect(await (await post('k', {}, { 'x-tenant': 'b' })).json()).toBe(2)
})

test.each<[string, RequestHandler]>([
  ['a reply of 500 and above', (_req, res) => void res.status(503).send('later')],
  [
    'a throw',
    () => {
      throw new Error('boom')
    },
  ],
  ['a rejection', () => Promise.reject(new Error('boom'))],
  ['next(error)', (_req, _res, next) => next(new Error('boom'))],
])('frees the key after %s, which reaches the app untouched', async (_, failing) => {
  let runs = 0
  const { post } = await guarded((req, res, next) =>
    ++runs === 1 ? failing(req, res, next) : void res.json('ok'),
  )
  const first = await post('k')
  expect([first.status, await first.text()]).toEqual(first.status === 503 ? [503, 'later'] : [500, 'mine'])
  expect(await (await post('k')).json()).toBe('ok')
})

test('keeps only successes where the app wants it so', async () => {
  let runs = 0
  const { post } = await guarded((_req, res) => void res.status(++runs === 1 ? 402 : 201).end(), {
    cache: 'success',
  })
  expect([(await post('k')).status, (await post('k')).status, (await post('k')).status]).toEqual([
    402, 201, 201,
  ])
})

test('lets a reply through that is too large to keep, and says so to repeats', async () => {
  let runs = 0
  const { post } = await guarded(
    (_req, res) => (runs++, void Readable.from(['a'.repeat(600), 'b'.repeat(600)]).pipe(res)),
    { replayLimit: 1_000 },
  )
  expect(await (await post('k')).text()).toHaveLength(1_200)
  const repeat = await post('k')
  expect([repeat.status, repeat.headers.get('idempotency-reply'), runs]).toEqual([200, 'not-kept', 1])
})

test.each<[string, Record<string, string>]>([
  ['two keys', { 'x-idempotency-key': 'other' }],
  ['a key that is too long', { 'idempotency-key': 'x'.repeat(256) }],
  ['an empty key', { 'idempotency-key': '""' }],
  ['a key with an open quote', { 'idempotency-key': '"abc' }],
])('answers 400 to %s', async (_, headers) => {
  const { post } = await guarded((_req, res) => void res.json({}))
  const reply = await post('k', {}, headers)
  expect([reply.status, ((await reply.json()) as { code: string }).code]).toEqual([400, 'ERR_KEY_MALFORMED'])
})

test('takes a quoted and a bare key for the same', async () => {
  const { post } = await guarded((_req, res) => void res.json({}))
  await post('abc')
  expect((await post('"abc"')).headers.get('idempotency-replayed')).toBe('true')
})

test('runs unguarded without a key, unless one is required', async () => {
  let runs = 0
  const free = await guarded((_req, res) => void res.json(++runs))
  expect([await (await free.post(undefined)).json(), await (await free.post(undefined)).json()]).toEqual([
    1, 2,
  ])
  const strict = await guarded((_req, res) => void res.json(++runs), { required: true })
  expect((await strict.post(undefined)).status).toBe(400)
})

const away: Store = Object.assign(memory(), {
  claim: () => Promise.reject(new DriverUnavailableError('memory', 'off.')),
})

test('answers 503 while the store is out of reach', async () => {
  const { post } = await guarded((_req, res) => void res.json({}), { store: away })
  const reply = await post('k')
  expect([reply.status, reply.headers.get('retry-after')]).toEqual([503, '1'])
})

test('runs unguarded while the store is out of reach where the app wants it so', async () => {
  const { post } = await guarded((_req, res) => void res.json('ran'), { store: away, onStoreError: 'open' })
  expect(await (await post('k')).json()).toBe('ran')
})

test('sends the reply even if it could not be stored, and says so in the log', async () => {
  const store = Object.assign(memory(), {
    complete: () => Promise.reject(new DriverUnavailableError('memory', 'off.')),
  })
  const { post, logged } = await guarded((_req, res) => void res.json('ran'), { store })
  expect(await (await post('k')).json()).toBe('ran')
  expect(logged).toMatchObject([{ code: 'WARN_REPLY_NOT_KEPT' }])
})

test('reads the body itself where no parser has, and hands it to the route', async () => {
  const { post } = await guarded((req, res) => void res.json(req.body), {}, [])
  expect(await (await post('k', { amount: 3 })).json()).toEqual({ amount: 3 })
  expect((await post('k', { amount: 4 })).status).toBe(422)
})

test('a parser behind the guard finds nothing left to do', async () => {
  const { post } = await guarded(
    (req, res, next) =>
      express.json()(req, res, (error?: unknown) => (error ? next(error) : void res.json(req.body))),
    {},
    [],
  )
  expect(await (await post('k', { amount: 3 })).json()).toEqual({ amount: 3 })
})

test('does not send the reply before the store has it', async () => {
  const { open, opened } = gate()
  const store = memory()
  const complete = store.complete.bind(store)
  store.complete = async (...args) => opened.then(() => complete(...args))
  const { post } = await guarded((_req, res) => void res.json('ran'), { store })
  let answered = false
  const reply = post('k').then((got) => ((answered = true), got))
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(answered).toBe(false)
  open()
  expect(await (await reply).json()).toBe('ran')
})

const file: RequestHandler = (_req, res) => res.sendFile(join(__dirname, 'serve.ts'))
const piped: RequestHandler = (_req, res, next) =>
  void pipeline(createReadStream(join(__dirname, 'serve.ts')), res, (error) => error && next(error))

test.each([
  ['res.sendFile()', file],
  ['pipeline()', piped],
])('a file from %s is replayed, also when the caller has left before it begins', async (_, answer) => {
  const { open, opened } = gate()
  let runs = 0
  const { post } = await guarded(async (req, res, next) => {
    if (++runs === 2) await opened
    await answer(req, res, next)
  })
  const whole = await bytesOf(await post('k'))
  expect(whole).toEqual(readFileSync(join(__dirname, 'serve.ts')))
  expect(await bytesOf(await post('k'))).toEqual(whole)

  const leaving = new AbortController()
  const left = post('k2', undefined, {}, leaving.signal)
  await eventually(() => runs === 2)
  leaving.abort()
  await expect(left).rejects.toThrow()
  expect((await post('k2')).status).toBe(409)
  open()
  const repeat = await freed(() => post('k2'))
  expect([repeat.headers.get('idempotency-replayed'), await bytesOf(repeat), runs]).toEqual([
    'true',
    whole,
    2,
  ])
})

test('a route that fails in the middle of a reply is answered for by the app, and frees the key', async () => {
  let runs = 0
  const { post } = await guarded((_req, res, next) => {
    if (++runs > 1) return void res.json('ok')
    res.write('the first half')
    next(new Error('boom'))
  })
  const first = await post('k')
  expect([first.status, await first.text()]).toEqual([500, 'mine'])
  expect(await (await post('k')).json()).toBe('ok')
})

test("an error in the app's own rule is answered by the app", async () => {
  const { post } = await guarded((_req, res) => void res.json('ok'), {
    cache: () => {
      throw new Error('a slip')
    },
  })
  const reply = await post('k')
  expect([reply.status, await reply.text()]).toEqual([500, 'mine'])
})

test('a caller that leaves in the middle of a reply does not hold the key for ever', async () => {
  let runs = 0
  const endless = new Readable({ read: () => undefined })
  endless.push('begun')
  const { post } = await guarded((_req, res) => void (runs++, endless.pipe(res)))
  const leaving = new AbortController()
  const left = post('k', undefined, {}, leaving.signal)
  await eventually(() => runs === 1)
  leaving.abort()
  await expect(left).rejects.toThrow()
  const repeat = await freed(() => post('k'))
  expect([repeat.status, repeat.headers.get('idempotency-reply'), runs]).toEqual([200, 'not-kept', 1])
})

test('idempotency says what it needs when it is given nothing', () => {
  expect(() => idempotency(undefined as never)).toThrow(/in an object, not undefined. It takes: .*, store,/)
})

test.each<[string, RequestHandler]>([
  ['json()', (_req, res) => (res.json('first'), void res.json('a longer second one'))],
  ['end()', (_req, res) => (res.end('"first"'), void res.end('second'))],
  ['write()', (_req, res) => (res.end('"first"'), void res.write('second'))],
  ['set()', (_req, res) => (res.end('"first"'), void res.set('content-length', '3'))],
])('a route that answers and then calls %s has answered once', async (_, handler) => {
  const { post } = await guarded(handler)
  const replies = [await post('k'), await post('k')]
  expect(replies.map(({ status, headers }) => [status, headers.get('content-length')])).toEqual([
    [200, '7'],
    [200, '7'],
  ])
  expect(await Promise.all(replies.map((reply) => reply.json()))).toEqual(['first', 'first'])
})

test.each<[string, RequestHandler]>([
  ['no reason', (_req, res) => void res.writeHead(200, undefined, { 'x-a': '1', 'x-b': ['2', '3'] }).end()],
  ['a list', (_req, res) => void res.writeHead(200, ['x-a', '1', 'x-b', '2', 'X-B', '3']).end()],
])('a head written by hand with %s keeps its headers', async (_, handler) => {
  const { headers } = await (await guarded(handler)).post('k')
  expect(['x-a', 'x-b'].map((name) => headers.get(name))).toEqual(['1', '2, 3'])
})

test.each<[string, RequestHandler]>([
  ['before it has begun', (_req, res) => void res.destroy()],
  ['that it has begun', (_req, res) => (res.write('half'), void res.destroy())],
  [
    'since what it sends fails',
    (_req, res) => void pipeline(createReadStream('/nowhere'), res, () => undefined),
  ],
])('a route that gives up a reply %s frees the key', async (_, failing) => {
  let runs = 0
  const { post } = await guarded((req, res, next) =>
    ++runs === 1 ? failing(req, res, next) : void res.json('ok'),
  )
  await expect(post('k')).rejects.toThrow()
  expect(await (await freed(() => post('k'))).json()).toBe('ok')
})

test.each([
  ['', false],
  [' whose head is sent first', true],
])(
  'sends each event of an event stream when it comes%s, and says to repeats that it was not kept',
  async (_, headFirst) => {
    const { open, opened } = gate()
    const { post } = await guarded(async (_req, res) => {
      res.set('content-type', 'text/event-stream')
      if (headFirst) {
        res.flushHeaders()
        await opened
      }
      res.write('data: 1\n\n')
      await opened
      res.end()
    })
    const reply = await post('k') // its head is here
    expect((await post('k')).status).toBe(409)
    if (headFirst) open()
    const events = reply.body?.getReader()
    expect(Buffer.from((await events?.read())?.value ?? []).toString()).toBe('data: 1\n\n')
    open()
    expect((await events?.read())?.done).toBe(true)
    expect((await freed(() => post('k'))).headers.get('idempotency-reply')).toBe('not-kept')
  },
)
