import { Readable } from 'node:stream'
import {
  Body,
  Catch,
  Controller,
  Get,
  Headers,
  HttpCode,
  HttpException,
  Injectable,
  Post,
  Res,
  StreamableFile,
  UseFilters,
  UseGuards,
  UseInterceptors,
  Version,
  VersioningType,
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  type INestApplication,
  type NestInterceptor,
  type Type,
} from '@nestjs/common'
import { TriggerHub, type AttemptContext, type RetryContext } from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import { map } from 'rxjs'
import { eventually } from '../../../../test/eventually.ts'
import {
  Attempt,
  EnqueueInterceptor,
  IdempotencyInterceptor,
  Payload,
  RetryInterceptor,
  SignatureGuard,
  TestingHub,
  TriggerHubModule,
  TriggerHubTestingModule,
  Webhook,
  WebhookEvent,
} from '../src/index.ts'
import { create, listening, platforms, rootOf } from './app.ts'
import { codeOf, post, signed, source } from './sender.ts'

const wrapping: NestInterceptor = {
  intercept: (_, next: CallHandler) => next.handle().pipe(map((data: unknown) => ({ data }))),
}

describe.each(Object.entries(platforms))('routes on %s', (_, platform) => {
  const closing: (() => Promise<void>)[] = []
  const seen: unknown[] = []
  beforeEach(() => (seen.length = 0))
  afterEach(async () => {
    for (const close of closing.splice(0)) await close()
  })

  async function run(
    controller: Type,
    edit?: (app: INestApplication) => unknown,
    module = TriggerHubTestingModule.forRoot({ sources: { shop: source } }),
  ) {
    const app = await create(rootOf({ imports: [module], controllers: [controller] }), platform)
    edit?.(app)
    const { url, close } = await listening(app)
    closing.push(close)
    return { url, app }
  }

  describe('@Webhook', () => {
    @Controller('hooks')
    class Hooks {
      @Post('shop')
      @Webhook('shop', { on: ['order.*'], retry: { retries: 1, base: 1 } })
      received(
        @WebhookEvent() event: WebhookEvent,
        @Body() body: unknown,
        @Headers('x-event-type') type: string,
        @Attempt() { attempt, bot }: AttemptContext,
      ) {
        seen.push([event.type, body, type, attempt, bot])
        if (attempt === 1) throw new Error('again')
      }
    }

    test('answers once the event is safe, then runs the method as a bot, with retries', async () => {
      const { url, app } = await run(Hooks)
      const reply = await fetch(`${url}/hooks/shop`, signed({ n: 1 }))
      expect([reply.status, await reply.text()]).toEqual([200, ''])
      expect(reply.headers.get('trigger-hub-event')).toMatch(/^[\w-]{36}$/)
      await app.get(TestingHub).settled()
      expect(seen).toEqual([
        ['order.paid', { n: 1 }, 'order/paid', 1, 'Hooks.received'],
        ['order.paid', { n: 1 }, 'order/paid', 2, 'Hooks.received'],
      ])
    })

    test('recognises a repeat', async () => {
      const { url } = await run(Hooks)
      const request = signed({ n: 1 }, { 'x-idempotency-key': 'k1' })
      await fetch(`${url}/hooks/shop`, request)
      expect((await fetch(`${url}/hooks/shop`, request)).headers.get('trigger-hub-duplicate')).toBe('?1')
    })

    test.each([
      ['401 for a wrong signature', post('{}', { 'x-signature': 'ab'.repeat(32) }), 401, 'ERR_UNAUTHORIZED'],
      [
        '401 for JSON that is none',
        post('{"a":', { 'x-signature': 'ab'.repeat(32) }),
        401,
        'ERR_UNAUTHORIZED',
      ],
      ['413 for a body over the limit', signed('x'.repeat(1_100_000)), 413, 'ERR_BODY_TOO_LARGE'],
    ])('answers %s with a problem', async (_name, request, status, code) => {
      const { url } = await run(Hooks)
      const reply = await fetch(`${url}/hooks/shop`, request)
      expect([reply.status, reply.headers.get('content-type')]).toEqual([status, 'application/problem+json'])
      expect(await codeOf(reply)).toBe(code)
    })

    test('takes a body of any content type', async () => {
      const { url, app } = await run(Hooks)
      for (const type of ['text/csv', 'application/xml', 'application/json']) {
        expect((await fetch(`${url}/hooks/shop`, signed('a,b', { 'content-type': type }))).status).toBe(200)
      }
      await app.get(TestingHub).settled()
      expect(seen.filter((one) => (one as unknown[])[3] === 2).map((one) => (one as unknown[])[1])).toEqual(
        Array(3).fill(Buffer.from('a,b')),
      )
    })

    test('keeps its bytes whatever interceptors and filters the app has, and obeys its guards', async () => {
      @Catch()
      class Everything {
        catch(_error: unknown, host: ArgumentsHost) {
          const reply = host
            .switchToHttp()
            .getResponse<{ status(code: number): { send(body: string): void } }>()
          reply.status(500).send('caught')
        }
      }
      const { url } = await run(Hooks, (app) =>
        app.useGlobalInterceptors(wrapping).useGlobalFilters(new Everything()),
      )
      const reply = await fetch(`${url}/hooks/shop`, signed({ n: 1 }))
      expect([reply.status, await reply.text(), reply.headers.get('content-type')]).toEqual([200, '', null])
      expect((await fetch(`${url}/hooks/shop`, post('{}'))).status).toBe(401)
      const guarded = await run(Hooks, (app) =>
        app.useGlobalGuards({ canActivate: () => false } satisfies CanActivate),
      )
      expect((await fetch(`${guarded.url}/hooks/shop`, signed({ n: 1 }))).status).toBe(403)
    })

    test('works below a global prefix, and in versions', async () => {
      @Controller({ path: 'hooks', version: '2' })
      class Versioned {
        @Post(':tenant')
        @Webhook('shop')
        received(@Payload() data: unknown) {
          seen.push(data)
        }
        @Post('plain/:id')
        @Version('3')
        plain(@Body() body: unknown) {
          return body
        }
      }
      const { url, app } = await run(Versioned, (app) =>
        app.setGlobalPrefix('api').enableVersioning({ type: VersioningType.URI }),
      )
      expect(
        (await fetch(`${url}/api/v2/hooks/acme?x=1`, signed('[1]', { 'content-type': 'text/plain' }))).status,
      ).toBe(200)
      expect(await (await fetch(`${url}/api/v3/hooks/plain/1`, post('{"a":1}'))).json()).toEqual({ a: 1 })
      await app.get(TestingHub).settled()
      expect(seen).toEqual([[1]])
    })

    test('refuses a source that is not there at start', async () => {
      @Controller()
      class Wrong {
        @Post()
        @Webhook('nobody')
        received() {
          return
        }
      }
      await expect(run(Wrong)).rejects.toThrow(/"nobody", but the hub has no such source/)
    })
  })

  describe('SignatureGuard', () => {
    @Controller()
    class Signed {
      @Post('named')
      @UseGuards(SignatureGuard('shop'))
      named(@Body() body: unknown, @Payload('n') n: number, @WebhookEvent() { source }: WebhookEvent) {
        return { body, n, source }
      }
      @Post('own')
      @UseGuards(SignatureGuard(source, { name: 'mine' }))
      own(@WebhookEvent() { source }: WebhookEvent) {
        return { source }
      }
      @Post('boom')
      @UseGuards(SignatureGuard(source))
      boom() {
        throw new HttpException({ mine: true }, 418)
      }
      @Post('open')
      open(@Body() body: unknown) {
        return { body }
      }
    }

    test('lets through what the source has signed, with the payload as @Body()', async () => {
      const { url } = await run(Signed)
      expect(await (await fetch(`${url}/named`, signed({ n: 1 }))).json()).toEqual({
        body: { n: 1 },
        n: 1,
        source: 'shop',
      })
      expect(await (await fetch(`${url}/own`, signed({ n: 1 }))).json()).toEqual({ source: 'mine' })
      const refused = await fetch(`${url}/named`, post('{}'))
      expect([refused.status, await codeOf(refused)]).toEqual([401, 'ERR_UNAUTHORIZED'])
    })

    test("errors of the route are the app's own", async () => {
      const { url } = await run(Signed)
      const reply = await fetch(`${url}/boom`, signed({}))
      expect([reply.status, await reply.json()]).toEqual([418, { mine: true }])
    })

    test('leaves other routes to the parsers', async () => {
      const { url } = await run(Signed)
      expect(await (await fetch(`${url}/open`, post('{"a":1}'))).json()).toEqual({ body: { a: 1 } })
    })

    test('guards a whole controller', async () => {
      @Controller('all')
      @UseGuards(SignatureGuard(source))
      class All {
        @Post('one')
        one(@Body() body: unknown) {
          return { body }
        }
      }
      const { url } = await run(All)
      const text = signed('{"n":1}', { 'content-type': 'application/vnd.custom+json' })
      expect(await (await fetch(`${url}/all/one`, text)).json()).toEqual({ body: { n: 1 } })
      expect((await fetch(`${url}/all/one`, post('{}'))).status).toBe(401)
    })

    test('needs no hub: TriggerHubModule as it is will do', async () => {
      @Controller()
      class Alone {
        @Post()
        @UseGuards(SignatureGuard(source))
        route(@Payload() data: unknown) {
          return { data }
        }
      }
      const { url } = await run(Alone, undefined, { module: TriggerHubModule })
      expect(await (await fetch(url, signed({ n: 1 }))).json()).toEqual({ data: { n: 1 } })
      expect((await fetch(url, post('{}'))).status).toBe(401)
    })
  })

  describe('EnqueueInterceptor', () => {
    @Controller()
    class Enqueued {
      @Post('hub')
      @UseGuards(SignatureGuard('shop'))
      @UseInterceptors(EnqueueInterceptor())
      hub() {
        seen.push('called')
      }
      @Post('own')
      @UseGuards(SignatureGuard(source))
      @UseInterceptors(
        EnqueueInterceptor(({ data }) => {
          if ((data as { bad?: true }).bad) throw new Error('no broker')
          seen.push(data)
        }),
      )
      own() {
        seen.push('called')
      }
      @Post('unsigned')
      @UseInterceptors(EnqueueInterceptor())
      unsigned() {
        seen.push('called')
      }
    }

    test('answers once the event is safe with the hub, or with a function', async () => {
      const { url, app } = await run(Enqueued)
      expect((await fetch(`${url}/hub`, signed({ n: 1 }))).status).toBe(200)
      expect((await app.get(TriggerHub).inspect()).unmatched).toBe(1)
      expect((await fetch(`${url}/own`, signed({ n: 2 }))).status).toBe(200)
      const refused = await fetch(`${url}/own`, signed({ bad: true }))
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
      expect((await fetch(`${url}/unsigned`, signed({}))).status).toBe(401)
      expect(seen).toEqual([{ n: 2 }])
    })
  })

  describe('RetryInterceptor', () => {
    @Controller()
    @UseInterceptors(RetryInterceptor({ retries: 2, base: 1 }))
    class Retried {
      @Get('third')
      third(@Attempt() { attempt }: RetryContext) {
        if (attempt < 3) throw new Error('busy')
        return { attempt }
      }
      @Get('never')
      never(@Attempt() { attempt }: RetryContext) {
        throw new HttpException({ attempt }, 502)
      }
      @Get('refused')
      refused(@Attempt() { attempt }: RetryContext) {
        throw new HttpException({ attempt }, 404)
      }
    }

    test('runs the route again when it throws, but not for what it refuses itself', async () => {
      const { url } = await run(Retried)
      const got = []
      for (const path of ['third', 'never', 'refused']) {
        const reply = await fetch(`${url}/${path}`)
        got.push([reply.status, await reply.json()])
      }
      expect(got).toEqual([
        [200, { attempt: 3 }],
        [502, { attempt: 3 }],
        [404, { attempt: 1 }],
      ])
    })
  })

  describe('IdempotencyInterceptor', () => {
    const key = { 'idempotency-key': 'k1' }
    const bytes = Buffer.from([0, 255, 128, 10])
    const counted = { runs: 0 }
    let pause: Promise<void> | undefined
    beforeEach(() => {
      counted.runs = 0
      pause = undefined
    })

    type PlainReply = { status(code: number): { send(body: string): void } } // as far as both platforms have it

    @Controller()
    @UseInterceptors(IdempotencyInterceptor({ store: memory(), replayLimit: 64 }))
    class Api {
      @Post('json')
      json(@Body() body: unknown) {
        counted.runs++
        return { body }
      }
      @Post('text')
      @HttpCode(202)
      text() {
        counted.runs++
        return 'fine'
      }
      @Post('nothing')
      nothing() {
        counted.runs++
      }
      @Post('empty')
      @HttpCode(204)
      empty() {
        counted.runs++
      }
      @Post('buffer')
      buffer() {
        counted.runs++
        return new StreamableFile(bytes)
      }
      @Post('stream')
      stream() {
        counted.runs++
        return new StreamableFile(Readable.from([bytes, bytes]))
      }
      @Post('by-itself')
      byItself(@Res() reply: PlainReply) {
        counted.runs++
        reply.status(202).send('by itself')
      }
      @Post('passthrough')
      passthrough(@Res({ passthrough: true }) reply: PlainReply) {
        counted.runs++
        reply.status(203)
        return 'through'
      }
      @Post('large')
      large() {
        counted.runs++
        return new StreamableFile(Readable.from(Array(50).fill(bytes)))
      }
      @Post('throws')
      throws() {
        counted.runs++
        if (counted.runs === 1) throw new Error('boom')
        if (counted.runs === 2) throw new HttpException('not yet', 409)
        return 'fine'
      }
      @Post('slow')
      async slow() {
        counted.runs++
        await pause
        return 'done'
      }
    }
    /** Each test its own keys. */
    let nth = 0
    const fresh = () => ({ 'idempotency-key': `k${++nth}` })

    const facts = async (reply: Response) => ({
      status: reply.status,
      type: reply.headers.get('content-type'),
      body: Buffer.from(await reply.arrayBuffer()).toString('latin1'),
    })

    test.each(['json', 'text', 'nothing', 'empty', 'buffer', 'stream', 'by-itself', 'passthrough'])(
      'gives a repeat the same reply: %s',
      async (path) => {
        const { url } = await run(Api, (app) => path === 'json' && app.useGlobalInterceptors(wrapping))
        const request = post('{"a":1}', fresh())
        const first = await fetch(`${url}/${path}`, request)
        const repeat = await fetch(`${url}/${path}`, request)
        expect([first, repeat].map((reply) => reply.headers.get('idempotency-replayed'))).toEqual([
          null,
          'true',
        ])
        expect(await facts(repeat)).toEqual(await facts(first))
        expect(counted.runs).toBe(1)
      },
    )

    test('a replay has the headers that the app sets on every reply', async () => {
      const { url } = await run(Api, (app) => app.enableCors({ origin: 'https://example.com' }))
      const request = post('{}', fresh())
      await fetch(`${url}/json`, request)
      const repeat = await fetch(`${url}/json`, request)
      expect(repeat.headers.get('idempotency-replayed')).toBe('true')
      expect(repeat.headers.get('access-control-allow-origin')).toBe('https://example.com')
    })

    test('answers 422 for another body and 409 with retry-after while the first runs', async () => {
      const { url } = await run(Api)
      const headers = fresh()
      expect((await fetch(`${url}/json`, post('{"a":1}', headers))).status).toBe(201)
      expect((await fetch(`${url}/json`, post('{"a":2}', headers))).status).toBe(422)
      let go = (): void => undefined
      pause = new Promise<void>((resolve) => (go = resolve))
      counted.runs = 0
      const slow = post('{}', fresh())
      const first = fetch(`${url}/slow`, slow)
      await eventually(() => counted.runs === 1)
      const repeat = await fetch(`${url}/slow`, slow)
      expect([repeat.status, await codeOf(repeat)]).toEqual([409, 'ERR_KEY_IN_FLIGHT'])
      expect(Number(repeat.headers.get('retry-after'))).toBeGreaterThan(0)
      go()
      expect([(await first).status, counted.runs]).toEqual([201, 1])
    })

    test('frees the key when the route throws, whatever status that becomes', async () => {
      const { url } = await run(Api)
      const request = post('{}', fresh())
      const statuses = []
      for (let i = 0; i < 4; i++) statuses.push((await fetch(`${url}/throws`, request)).status)
      expect([statuses, counted.runs]).toEqual([[500, 409, 201, 201], 3])
    })

    test('lets a larger reply through whole and says to repeats that it was not kept', async () => {
      const { url } = await run(Api)
      const request = post('{}', fresh())
      expect((await (await fetch(`${url}/large`, request)).arrayBuffer()).byteLength).toBe(200)
      const repeat = await fetch(`${url}/large`, request)
      expect([repeat.status, repeat.headers.get('idempotency-reply')]).toEqual([201, 'not-kept'])
      expect(counted.runs).toBe(1)
    })

    test("takes the module's store when it is given none", async () => {
      @Controller()
      @UseInterceptors(IdempotencyInterceptor({ required: true }))
      class Charges {
        @Post()
        charge() {
          counted.runs++
          return 'charged'
        }
      }
      const { url } = await run(Charges)
      expect(await codeOf(await fetch(url, post('{}')))).toBe('ERR_KEY_MISSING')
      for (const replayed of [null, 'true']) {
        expect((await fetch(url, post('{}', key))).headers.get('idempotency-replayed')).toBe(replayed)
      }
      expect(counted.runs).toBe(1)
    })
  })

  test("an app's own filter on a route sees only the route's errors", async () => {
    @Catch()
    @Injectable()
    class Own {
      catch(error: Error, host: ArgumentsHost) {
        seen.push(error.message)
        const reply = host
          .switchToHttp()
          .getResponse<{ status(code: number): { send(body: string): void } }>()
        reply.status(599).send('own')
      }
    }
    @Controller()
    class Boom {
      @Post()
      @UseGuards(SignatureGuard(source))
      @UseInterceptors(IdempotencyInterceptor())
      @UseFilters(Own)
      boom() {
        throw new Error('boom')
      }
    }
    const { url } = await run(Boom)
    const reply = await fetch(url, signed({}, { 'idempotency-key': 'k1' }))
    expect([reply.status, await reply.text(), seen]).toEqual([599, 'own', ['boom']])
  })
})
