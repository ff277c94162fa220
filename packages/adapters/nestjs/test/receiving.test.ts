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
import { create, listening, platforms, rootOf } from './app.ts'
import { post, signed, source } from './sender.ts'

describe.each(Object.entries(platforms))('receiving on %s', (_, platform) => {
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

  /** The app on a port, until the test is over. */
  async function served(app: INestApplication) {
    const serving = await listening(app)
    closing.push(serving.close)
    return serving
  }

  async function run(
    options: Partial<Parameters<typeof TriggerHubModule.forRoot>[0]> = {},
    edit?: (app: INestApplication) => unknown,
  ) {
    const root = rootOf({
      imports: [TriggerHubModule.forRoot({ ...hubOptions(), ...options })],
      controllers: [Echo],
      providers: [Crm],
    })
    const app = await create(root, platform)
    edit?.(app)
    return { app, ...(await served(app)) }
  }

  test('runs a bot for what it receives, and drains at the end', async () => {
    const { url, close } = await run()
    const reply = await fetch(`${url}/webhooks/shop`, signed({ n: 1 }))
    expect(reply.status).toBe(200)
    await close()
    expect(seen).toEqual([{ n: 1 }])
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
    await expect(run({ prefix: 'in' })).rejects.toThrow(/use a path, such as '\/webhooks'/)
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
    const { url } = await served(await create(rootOf({ imports: [hub], providers: [Crm] }), platform))
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
    const { url, close } = await served(await create(root, platform))
    expect((await fetch(`${url}/webhooks/shop`, signed({ n: 1 }))).status).toBe(200)
    expect(await (await fetch(`${url}/status`)).json()).toEqual({ same: true, bots: 1 })
    await close()
    expect(seen).toEqual([{ n: 1 }])
    await expect(
      create(rootOf({ imports: [TriggerHubModule.forRoot({ hub, limit: '1mb' })] }), platform),
    ).rejects.toThrow(/Give "limit" to the hub itself/)
  })

  test('keeps two hubs apart; a bot belongs to the hub that has its source', async () => {
    @Bot('of-the-other')
    class Other {
      @On('other:**')
      run(@Payload() data: unknown) {
        seen.push(['other', data])
      }
    }
    const imports = [
      TriggerHubModule.forRoot(hubOptions()),
      TriggerHubModule.forRoot({ ...hubOptions(), sources: { other: source }, prefix: '/more' }),
    ]
    const app = await create(rootOf({ imports, providers: [Crm, Other] }), platform)
    const { url, close } = await served(app)
    expect((await fetch(`${url}/webhooks/shop`, signed({ n: 1 }))).status).toBe(200)
    expect((await fetch(`${url}/more/other`, signed({ n: 2 }))).status).toBe(200)
    expect((await fetch(`${url}/webhooks/other`, signed({ n: 3 }))).status).toBe(404)
    await close()
    expect(seen).toEqual([{ n: 1 }, ['other', { n: 2 }]])
  })

  test('answers 503 with retry-after while it drains', async () => {
    let finish = (): void => undefined
    let begun = (): void => undefined
    const running = new Promise<void>((resolve) => (begun = resolve))
    const hub = new TriggerHub(hubOptions()).bot('slow', { on: 'shop:**' }, async () => {
      begun()
      await new Promise<void>((resolve) => (finish = resolve))
    })
    const app = await create(rootOf({ imports: [TriggerHubModule.forRoot({ hub })] }), platform)
    const { url } = await served(app)
    expect((await fetch(`${url}/webhooks/shop`, signed({ n: 1 }))).status).toBe(200)
    await running
    const closed = app.close() // and no connection is cut, which the next request may want to use
    const reply = await fetch(`${url}/webhooks/shop`, signed({ n: 2 }))
    expect([reply.status, reply.headers.get('retry-after')]).toEqual([503, '1'])
    finish()
    await closed
  })
})
