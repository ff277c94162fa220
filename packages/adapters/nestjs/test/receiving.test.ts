import {
  Body,
  Controller,
  Get,
  Inject,
  Injectable,
  Post,
  VersioningType,
  type INestApplication,
} from '@nestjs/common'
import type { CanActivate, CallHandler, NestInterceptor, PipeTransform } from '@nestjs/common'
import { TriggerHub, type LogRecord } from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import { map } from 'rxjs'
import { Bot, On, Payload, TriggerHubModule } from '../src/index.ts'
import { mount, platforms, rootOf, serve } from './mount.ts'
import { codeOf, post, signed, source } from './sender.ts'

describe.each(platforms)('receiving on %s', (_, create) => {
  const closing: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const close of closing.splice(0)) await close()
  })

  const log: LogRecord[] = []
  const hubOptions = () => ({
    driver: memory(),
    allowVolatile: true,
    sources: { shop: source },
    log: (record: LogRecord) => void log.push(record),
  })

  @Controller()
  class Echo {
    @Post('echo')
    echo(@Body() body: unknown) {
      return { body }
    }
    @Get('boom')
    boom() {
      throw new Error('boom')
    }
  }

  const seen: unknown[] = []
  @Bot('crm')
  class Crm {
    @On('shop:**')
    remember(@Payload() data: unknown) {
      seen.push(data)
    }
  }
  beforeEach(() => (seen.length = log.length = 0))

  async function run(
    options: Partial<Parameters<typeof TriggerHubModule.forRoot>[0]> = {},
    edit?: (app: INestApplication) => unknown,
  ) {
    const root = rootOf({
      imports: [TriggerHubModule.forRoot({ ...hubOptions(), ...options })],
      controllers: [Echo],
      providers: [Crm],
    })
    const app = await create(root)
    edit?.(app)
    const { url, close } = await serve(app)
    closing.push(close)
    return { url, app, close }
  }

  test('answers 200 with the id of the event once it is stored, runs the bot, and drains at the end', async () => {
    const { url, close } = await run()
    const reply = await fetch(`${url}/webhooks/shop`, signed({ n: 1 }))
    expect([reply.status, await reply.text(), reply.headers.get('content-type')]).toEqual([200, '', null])
    expect(reply.headers.get('trigger-hub-event')).toMatch(/^[\w-]{36}$/)
    await close()
    expect(seen).toEqual([{ n: 1 }])
  })

  test('recognises a repeat', async () => {
    const { url } = await run()
    const request = signed({ n: 1 }, { 'x-idempotency-key': 'k1' })
    await fetch(`${url}/webhooks/shop`, request)
    const repeat = await fetch(`${url}/webhooks/shop`, request)
    expect([repeat.status, repeat.headers.get('trigger-hub-duplicate')]).toEqual([200, '?1'])
  })

  test.each([
    ['401 for a wrong signature', post('{}', { 'x-signature': 'ab'.repeat(32) }), 401, 'ERR_UNAUTHORIZED'],
    ['401 for JSON that is none', post('{"a":', { 'x-signature': 'ab'.repeat(32) }), 401, 'ERR_UNAUTHORIZED'],
    ['413 for a body over the limit', signed('x'.repeat(1_100_000)), 413, 'ERR_BODY_TOO_LARGE'],
    ['405 for another method', { method: 'PUT', body: '{}' }, 405, 'ERR_METHOD_NOT_ALLOWED'],
    ['405 for OPTIONS', { method: 'OPTIONS' }, 405, 'ERR_METHOD_NOT_ALLOWED'],
    [
      '415 for an unknown encoding',
      post('{}', { 'content-encoding': 'zip' }),
      415,
      'ERR_BODY_ENCODING_UNSUPPORTED',
    ],
  ])('answers %s with a problem', async (_name, request, status, code) => {
    const { url } = await run()
    const reply = await fetch(`${url}/webhooks/shop`, request)
    expect([reply.status, reply.headers.get('content-type')]).toEqual([status, 'application/problem+json'])
    expect(await codeOf(reply)).toBe(code)
    expect(reply.headers.get('allow')).toBe(status === 405 ? 'POST' : null)
  })

  test('takes a body of any content type, as bytes if it must', async () => {
    const { url, close } = await run()
    for (const type of ['application/cloudevents+json', 'text/csv', 'application/xml']) {
      const reply = await fetch(`${url}/webhooks/shop`, signed('{"n":2}', { 'content-type': type }))
      expect(reply.status).toBe(200)
    }
    await close()
    expect(seen).toEqual([{ n: 2 }, Buffer.from('{"n":2}'), Buffer.from('{"n":2}')])
  })

  test('leaves other paths to the app, whose parsers work as ever', async () => {
    const { url } = await run()
    expect(await (await fetch(`${url}/echo`, post('{"a":1}'))).json()).toEqual({ body: { a: 1 } })
    expect((await fetch(`${url}/webhooks/nobody`, signed({}))).status).toBe(404)
    expect((await fetch(`${url}/boom`)).status).toBe(500)
    expect((await fetch(`${url}/echo`, post('{"a":'))).status).toBe(400)
  })

  test('is below the global prefix, unless the prefix excludes it', async () => {
    const { url } = await run({}, (app) => app.setGlobalPrefix('api'))
    expect((await fetch(`${url}/api/webhooks/shop`, signed({}))).status).toBe(200)
    expect((await fetch(`${url}/webhooks/shop`, signed({}))).status).toBe(404)
    const excluded = await run({}, (app) =>
      app.setGlobalPrefix('/api/v1/', { exclude: ['webhooks/:source'] }),
    )
    expect((await fetch(`${excluded.url}/webhooks/shop`, signed({}))).status).toBe(200)
  })

  test.each([
    ['URI', { type: VersioningType.URI, defaultVersion: '1' }],
    ['header', { type: VersioningType.HEADER, header: 'x-version' }],
  ] as const)('is of no version in an app with %s versioning', async (_name, versioning) => {
    const { url } = await run({}, (app) => app.enableVersioning(versioning))
    expect((await fetch(`${url}/webhooks/shop`, signed({}))).status).toBe(200)
  })

  test('is not stopped by the guards, interceptors and pipes of the app, which work on its routes', async () => {
    const guard: CanActivate = { canActivate: () => false }
    const pipe: PipeTransform = { transform: () => 'piped' }
    const interceptor: NestInterceptor = {
      intercept: (_, next: CallHandler) => next.handle().pipe(map((value: unknown) => ({ value }))),
    }
    const guarded = await run({}, (app) => app.useGlobalGuards(guard))
    expect((await fetch(`${guarded.url}/echo`, post('{}'))).status).toBe(403)
    expect((await fetch(`${guarded.url}/webhooks/shop`, signed({ n: 1 }))).status).toBe(200)
    const piped = await run({}, (app) => app.useGlobalPipes(pipe).useGlobalInterceptors(interceptor))
    expect(await (await fetch(`${piped.url}/echo`, post('{}'))).json()).toEqual({ value: { body: 'piped' } })
    const reply = await fetch(`${piped.url}/webhooks/shop`, signed({ n: 1 }))
    expect([reply.status, await reply.text()]).toEqual([200, ''])
  })

  test('takes another prefix', async () => {
    const { url } = await run({ prefix: '/in/from' })
    expect((await fetch(`${url}/in/from/shop`, signed({}))).status).toBe(200)
    await expect(run({ prefix: 'in' })).rejects.toThrow(/write it as '\/webhooks'/)
  })

  test('a worker receives nothing, and a receiver runs nothing', async () => {
    const worker = await run({ role: 'worker' })
    expect((await fetch(`${worker.url}/webhooks/shop`, signed({}))).status).toBe(404)
    const receiver = await run({ role: 'receiver' })
    expect((await fetch(`${receiver.url}/webhooks/shop`, signed({}))).status).toBe(200)
    const [crm] = (await receiver.app.get(TriggerHub).inspect()).bots
    expect([crm?.name, crm?.backlog, seen]).toEqual(['crm', 1, []])
  })

  test('takes its options from a factory', async () => {
    @Injectable()
    class Config {
      readonly prefix = '/from-config'
    }
    const config = rootOf({ providers: [Config], exports: [Config] })
    const hub = TriggerHubModule.forRootAsync({
      imports: [config],
      inject: [Config],
      useFactory: async ({ prefix }: Config) => ({ ...hubOptions(), prefix }),
    })
    const { url, close } = await serve(await create(rootOf({ imports: [hub], providers: [Crm] })))
    closing.push(close)
    expect((await fetch(`${url}/from-config/shop`, signed({}))).status).toBe(200)
  })

  test('takes a hub that is there already, and hands it to whoever injects it', async () => {
    const hub = new TriggerHub(hubOptions()).bot('crm', { on: 'shop:**' }, ({ data }) => void seen.push(data))
    @Controller()
    class Status {
      constructor(@Inject(TriggerHub) private readonly injected: TriggerHub) {}
      @Get('status')
      async status() {
        return { same: (this.injected as unknown) === hub, bots: (await this.injected.inspect()).bots.length }
      }
    }
    const root = rootOf({ imports: [TriggerHubModule.forRoot({ hub })], controllers: [Status] })
    const { url, close } = await serve(await create(root))
    expect((await fetch(`${url}/webhooks/shop`, signed({ n: 1 }))).status).toBe(200)
    expect(await (await fetch(`${url}/status`)).json()).toEqual({ same: true, bots: 1 })
    await close()
    expect(seen).toEqual([{ n: 1 }])
    expect(() => rootOf({ imports: [TriggerHubModule.forRoot({ hub, limit: '1mb' })] })).not.toThrow()
    await expect(
      create(rootOf({ imports: [TriggerHubModule.forRoot({ hub, limit: '1mb' })] })),
    ).rejects.toThrow(/Give "limit" to the hub itself/)
  })

  test('answers 503 with retry-after while it drains', async () => {
    let finish = (): void => undefined
    let begun = (): void => undefined
    const running = new Promise<void>((resolve) => (begun = resolve))
    const hub = new TriggerHub(hubOptions()).bot('slow', { on: 'shop:**' }, async () => {
      begun()
      await new Promise<void>((resolve) => (finish = resolve))
    })
    const { url, close } = await serve(await create(rootOf({ imports: [TriggerHubModule.forRoot({ hub })] })))
    expect((await fetch(`${url}/webhooks/shop`, signed({ n: 1 }))).status).toBe(200)
    await running
    const closed = close()
    const reply = await fetch(`${url}/webhooks/shop`, signed({ n: 2 }))
    expect([reply.status, reply.headers.get('retry-after')]).toEqual([503, '1'])
    finish()
    await closed
  })

  test('mounts a hub for the suites', async () => {
    const { url, close } = await mount(new TriggerHub(hubOptions()), create)
    closing.push(close)
    expect((await fetch(`${url}/webhooks/shop`, signed({}))).status).toBe(200)
  })
})
