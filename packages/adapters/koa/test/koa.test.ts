import { Readable } from 'node:stream'
import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import { TriggerHub } from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import { hmac } from '@trigger-hub/core/sources'
import { sign } from '@trigger-hub/core/verify'
import type Koa from 'koa'
import koaMount from 'koa-mount'
import { idempotency, rawBody, retry, verifySignature, webhookErrors, webhooks } from '../src/index.ts'
import { listening, majors } from './serve.ts'

const source = hmac({ secret: 'It is a secret to everybody' })

/** A request that the source has signed. */
function signed(payload: unknown, headers: Record<string, string> = {}): RequestInit {
  const rawBody = Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload))
  const all = { 'content-type': 'application/json', 'x-event-type': 'order/paid', ...headers }
  return {
    method: 'POST',
    headers: { ...all, ...sign(source, { rawBody, nowMs: Date.now() }) },
    body: rawBody,
  }
}

const post = (body: string, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body,
})

const codeOf = async (reply: Response) => ((await reply.json()) as { code: string }).code

describe.each(Object.entries(majors))('on %s', (_, App) => {
  const closing: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const close of closing.splice(0)) await close()
  })

  async function run(...middlewares: Koa.Middleware[]) {
    const app = new App()
    const errors: Error[] = []
    app.on('error', (error: Error) => errors.push(error))
    for (const middleware of middlewares) app.use(middleware)
    const served = await listening(app)
    closing.push(() => served.close())
    const { url } = served
    return { url, errors }
  }

  function hubOf() {
    const hub = new TriggerHub({ driver: memory(), allowVolatile: true, sources: { shop: source } })
    closing.push(() => hub.close())
    return hub
  }

  describe('webhooks(hub)', () => {
    test.each([
      '/webhooks/nobody',
      '/webhooks',
      '/webhooks/',
      '/webhooksshop',
      '/other',
      '/webhooks/shop/more',
    ])('leaves %s to the app', async (path) => {
      const hub = hubOf()
      const { url } = await run(webhooks(hub, { prefix: '/webhooks' }), (ctx) => void (ctx.body = ctx.path))
      expect(await (await fetch(url + path, signed({}))).text()).toBe(path)
    })

    test('lets a body parser behind it parse what is not for the hub', async () => {
      const hub = hubOf()
      const { url } = await run(
        webhooks(hub, { prefix: '/webhooks' }),
        bodyParser(),
        (ctx) => void (ctx.body = ctx.request.body),
      )
      expect(await (await fetch(`${url}/echo`, post('{"a":1}'))).json()).toEqual({ a: 1 })
      expect((await fetch(`${url}/webhooks/shop`, signed({ n: 1 }))).status).toBe(200)
    })

    test('works below koa-mount', async () => {
      const hub = hubOf()
      const { url } = await run(koaMount('/in', webhooks(hub)), (ctx) => void (ctx.body = ctx.path))
      expect((await fetch(`${url}/in/shop`, signed({ n: 1 }))).status).toBe(200)
      expect(await (await fetch(`${url}/in/nobody`, signed({}))).text()).toBe('/in/nobody')
    })

    test('works in a route of @koa/router', async () => {
      const hub = hubOf()
      const router = new Router().all('/hooks/:source', webhooks(hub, { prefix: '/hooks' }))
      const { url } = await run(router.routes() as Koa.Middleware)
      expect((await fetch(`${url}/hooks/shop`, signed({ n: 1 }))).status).toBe(200)
      expect((await fetch(`${url}/hooks/shop`, post('{}'))).status).toBe(401)
    })

    test('keeps two hubs in one app, and one hub in two places, apart', async () => {
      const [one, two] = [hubOf(), hubOf()]
      const { url } = await run(
        webhooks(one, { prefix: '/a' }),
        webhooks(two, { prefix: '/b' }),
        webhooks(two, { prefix: '/c' }),
      )
      const request = signed({ n: 1 }, { 'x-idempotency-key': 'k1' })
      const marks = []
      for (const path of ['/a/shop', '/b/shop', '/c/shop', '/a/shop']) {
        marks.push((await fetch(url + path, request)).headers.get('trigger-hub-duplicate'))
      }
      expect(marks).toEqual([null, null, '?1', '?1'])
    })

    test.each(['webhooks', '//webhooks', '/web?hooks'])('refuses the prefix %s at start', (prefix) => {
      expect(() => webhooks(hubOf(), { prefix })).toThrow(/use a path, such as '\/webhooks'/)
    })

    test('refuses what is no hub, and options that it does not have, at start', () => {
      const hub = hubOf()
      expect(() => webhooks(undefined as never)).toThrow(/give the hub, new TriggerHub/)
      expect(() => webhooks(hub, { path: '/webhooks' } as never)).toThrow(
        /has no option "path". It takes: prefix/,
      )
      expect(() => webhooks(hub, '/webhooks' as never)).toThrow(/in an object, not a string/)
    })
  })

  describe('à la carte', () => {
    test('verifySignature hands the route the event, and the payload as ctx.request.body', async () => {
      const { url } = await run(verifySignature(source), (ctx) => {
        const { event, verified, rawBody } = ctx.state.webhook!
        ctx.body = { body: ctx.request.body, type: event?.type, verified, bytes: rawBody?.length }
      })
      const reply = await fetch(url, signed({ n: 1 }))
      expect(await reply.json()).toEqual({ body: { n: 1 }, type: 'order.paid', verified: true, bytes: 7 })
    })

    test('a body parser behind verifySignature leaves the payload as it is', async () => {
      const { url } = await run(
        verifySignature(source),
        bodyParser(),
        (ctx) => void (ctx.body = ctx.request.body),
      )
      expect(await (await fetch(url, signed({ n: 1 }))).json()).toEqual({ n: 1 })
    })

    test('a body parser behind rawBody does not look for bytes that have been read', async () => {
      const { url } = await run(rawBody(), bodyParser(), (ctx) => {
        ctx.body = ctx.state.webhook?.rawBody
      })
      expect(await (await fetch(url, post('{"a":1}'))).text()).toBe('{"a":1}')
    })

    test('a refusal with onReject: next reaches the middlewares before, and webhookErrors() answers it', async () => {
      const noticed: unknown[] = []
      const notice: Koa.Middleware = async (_ctx, next) => {
        try {
          await next()
        } catch (error) {
          noticed.push((error as { code: string }).code)
          throw error
        }
      }
      const { url } = await run(webhookErrors(), notice, verifySignature(source, { onReject: 'next' }))
      const reply = await fetch(url, post('{}'))
      expect([reply.status, await codeOf(reply)]).toEqual([401, 'ERR_UNAUTHORIZED'])
      expect(noticed).toEqual(['ERR_SIGNATURE_MISSING'])
    })

    test('an error of the route reaches the app untouched, through every middleware', async () => {
      const boom = Object.assign(new Error('boom'), { status: 418, expose: true })
      const { url, errors } = await run(
        webhookErrors(),
        verifySignature(source),
        idempotency({ store: memory() }),
        () => Promise.reject(boom),
      )
      const reply = await fetch(url, signed({}, { 'idempotency-key': 'k1' }))
      expect([reply.status, await reply.text()]).toEqual([418, 'boom'])
      expect(errors).toEqual([boom])
    })

    test('idempotency logs where the app wants it that its store is out of reach', async () => {
      const codes: string[] = []
      const store = Object.assign(memory(), { claim: () => Promise.reject(new Error('off')) })
      const { url } = await run(idempotency({ store, log: ({ code }) => void codes.push(code) }))
      expect((await fetch(url, signed({}, { 'idempotency-key': 'k1' }))).status).toBe(503)
      expect(codes).toEqual(['ERR_STORE_UNAVAILABLE'])
    })

    test('retry runs the handler again and throws its last error', async () => {
      let runs = 0
      const { url } = await run(
        retry({ retries: 2, base: 1 }, (ctx, { attempt }) => {
          runs++
          if (ctx.path === '/never' || attempt < 3) throw Object.assign(new Error('busy'), { status: 502 })
          ctx.body = { attempt }
        }),
      )
      expect(await (await fetch(url)).json()).toEqual({ attempt: 3 })
      expect([(await fetch(`${url}/never`)).status, runs]).toEqual([502, 6])
    })
  })

  describe('idempotency', () => {
    const key = { 'idempotency-key': 'k1' }

    /** An app whose route counts its runs. */
    async function guarded(route: Koa.Middleware, before: Koa.Middleware[] = []) {
      const counted = { runs: 0 }
      const app = await run(
        ...before,
        idempotency({ store: memory(), replayLimit: 64 }),
        async (ctx, next) => {
          counted.runs++
          await route(ctx, next)
        },
      )
      return { ...app, counted }
    }

    const facts = async (reply: Response) => ({
      status: reply.status,
      type: reply.headers.get('content-type'),
      body: Buffer.from(await reply.arrayBuffer()).toString('latin1'),
    })

    const bytes = Buffer.from([0, 255, 128, 10])
    const routes: [string, Koa.Middleware][] = [
      ['JSON', (ctx) => void (ctx.body = { ok: true })],
      ['a string', (ctx) => void (ctx.body = 'fine')],
      ['an empty string', (ctx) => void (ctx.body = '')],
      ['a buffer', (ctx) => void (ctx.body = bytes)],
      ['a stream', (ctx) => void (ctx.body = Readable.from([bytes, bytes]))],
      ['null', (ctx) => void (ctx.body = null)],
      ['a status alone', (ctx) => void (ctx.status = 202)],
      ['204', (ctx) => void (ctx.status = 204)],
      ['no answer at all', () => undefined],
      ['a refusal', (ctx) => void ((ctx.status = 402), (ctx.body = { pay: 'first' }))],
    ]
    test('sends each event of an event stream when it comes, and says to repeats that it was not kept', async () => {
      const events = new Readable({ read: () => undefined })
      events.push('data: 1\n\n')
      const { url } = await guarded((ctx) => {
        ctx.type = 'text/event-stream'
        ctx.body = events
      })
      const call = { method: 'POST', headers: key }
      const reader = (await fetch(url, call)).body?.getReader()
      expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('data: 1\n\n')
      expect((await fetch(url, call)).headers.get('idempotency-reply')).toBe('not-kept')
      events.push(null)
      expect((await reader?.read())?.done).toBe(true)
    })

    test.each(routes)('gives a repeat the same reply: %s', async (_name, route) => {
      const { url, counted } = await guarded(route)
      const first = await fetch(url, post('{}', key))
      const repeat = await fetch(url, post('{}', key))
      expect([first, repeat].map((reply) => reply.headers.get('idempotency-replayed'))).toEqual([
        null,
        'true',
      ])
      expect(await facts(repeat)).toEqual(await facts(first))
      expect(counted.runs).toBe(1)
    })

    test.each([
      ['without a parser', []],
      ['after a parser', [bodyParser() as Koa.Middleware]],
    ])('answers 422 for another body, %s', async (_name, before) => {
      const { url, counted } = await guarded((ctx) => void (ctx.body = ctx.request.body), before)
      expect(await (await fetch(url, post('{"a":1}', key))).json()).toEqual({ a: 1 })
      expect((await fetch(url, post('{"a":2}', key))).status).toBe(422)
      expect((await fetch(url, post('{"a":1}', key))).status).toBe(200)
      expect(counted.runs).toBe(1)
    })

    test('tells bodies apart that a parser before it has left alone', async () => {
      const { url } = await guarded((ctx) => void (ctx.body = 'fine'), [bodyParser() as Koa.Middleware])
      const text = { ...key, 'content-type': 'text/csv' }
      expect((await fetch(url, post('a,b', text))).status).toBe(200)
      expect((await fetch(url, post('a,c', text))).status).toBe(422)
    })

    test('frees the key when the route throws, or its stream does', async () => {
      const { url, counted } = await guarded((ctx) => {
        if (counted.runs === 1) throw new Error('boom')
        if (counted.runs === 2) {
          ctx.body = new Readable({ read() { this.destroy(new Error('cut')) } }) // prettier-ignore
        } else ctx.body = 'fine'
      })
      const statuses = []
      for (let i = 0; i < 4; i++) statuses.push((await fetch(url, post('{}', key))).status)
      expect([statuses, counted.runs]).toEqual([[500, 500, 200, 200], 3])
    })

    test('lets a larger reply through whole and says to repeats that it was not kept', async () => {
      const large = Array.from({ length: 100 }, (_, i) => `line ${i}\n`)
      const { url, counted } = await guarded((ctx) => {
        ctx.status = 201
        ctx.body = ctx.path === '/stream' ? Readable.from(large) : large.join('')
      })
      for (const path of ['/stream', '/text']) {
        const first = await fetch(url + path, post('{}', key))
        expect([first.status, await first.text()]).toEqual([201, large.join('')])
        const repeat = await fetch(url + path, post('{}', key))
        expect([repeat.status, repeat.headers.get('idempotency-reply')]).toEqual([201, 'not-kept'])
      }
      expect(counted.runs).toBe(2)
    })

    test('a route that writes to the socket by itself has finished its key', async () => {
      const { url, counted } = await guarded((ctx) => {
        ctx.respond = false
        setImmediate(() => ctx.res.writeHead(201).end('by hand'))
      })
      expect(await (await fetch(url, post('{}', key))).text()).toBe('by hand')
      expect((await fetch(url, post('{}', key))).status).toBe(201)
      expect(counted.runs).toBe(1)
    })
  })
})

test('idempotency says what it needs when it is given nothing', () => {
  expect(() => idempotency(undefined as never)).toThrow(/in an object, not undefined. It takes: .*, store,/)
})
