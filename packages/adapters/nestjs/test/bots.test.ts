import {
  Body,
  Controller,
  Headers,
  Inject,
  Injectable,
  Post,
  Scope,
  type INestApplicationContext,
} from '@nestjs/common'
import { NestFactory, REQUEST } from '@nestjs/core'
import { Test } from '@nestjs/testing'
import { TriggerHub, type AttemptContext } from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import {
  Attempt,
  Bot,
  On,
  Payload,
  TRIGGER_HUB_OPTIONS,
  TestingHub,
  TriggerHubModule,
  TriggerHubTestingModule,
  WebhookEvent,
} from '../src/index.ts'
import { rootOf } from './app.ts'
import { signed, source } from './sender.ts'

const seen: unknown[] = []
beforeEach(() => (seen.length = 0))

const apps: Pick<INestApplicationContext, 'close'>[] = []
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close()
})

@Injectable()
class Mailer {
  send(to: string) {
    seen.push(`mail to ${to}`)
  }
}

/** An app with these providers whose bots run in memory. */
async function running(providers: object[], controllers: never[] = []) {
  const root = rootOf({
    imports: [TriggerHubTestingModule.forRoot({ sources: { shop: source } })],
    providers: [Mailer, ...(providers as [])],
    controllers,
  })
  const app = await Test.createTestingModule({ imports: [root] })
    .setLogger(false as never)
    .compile()
  await app.init()
  apps.push(app)
  return { hub: app.get(TriggerHub), testing: app.get(TestingHub) }
}

test('a bot is a provider like any other, with what it injects', async () => {
  @Bot('welcome-email')
  class Welcome {
    constructor(@Inject(Mailer) private readonly mailer: Mailer) {}
    @On('shop:customers.create')
    greet(@Payload() customer: { email: string }) {
      this.mailer.send(customer.email)
    }
  }
  const { testing } = await running([Welcome])
  await testing.deliver('shop:customers.create', { email: 'a@example.com' })
  await testing.deliver('shop:customers.delete', { email: 'b@example.com' })
  await testing.settled()
  expect(seen).toEqual(['mail to a@example.com'])
})

test('hands a method the event, its payload or a part of it, and the attempt', async () => {
  @Bot('all')
  class All {
    @On(['shop:orders.*', 'shop:refunds'], { retry: { retries: 1, base: 1 } })
    run(
      @WebhookEvent() event: WebhookEvent,
      @Payload('id') id: number,
      @Attempt() { attempt, bot, lastAttempt }: AttemptContext,
      @Body() body: unknown,
      @Headers('x-from') from: string,
    ) {
      seen.push([event.type, id, attempt, bot, lastAttempt, body, from])
      if (attempt === 1) throw new Error('again')
    }
  }
  const { testing } = await running([All])
  await testing.deliver('shop:orders.paid', { id: 7 }, { headers: { 'x-from': 'test' } })
  await testing.settled()
  expect(seen).toEqual([
    ['orders.paid', 7, 1, 'all', false, { id: 7 }, 'test'],
    ['orders.paid', 7, 2, 'all', true, { id: 7 }, 'test'],
  ])
})

test('a method without decorators is handed the event and the attempt', async () => {
  @Bot('plain')
  class Plain {
    @On('shop:**')
    run(event: WebhookEvent, { attempt }: AttemptContext) {
      seen.push([event.data, attempt])
    }
  }
  const { testing } = await running([Plain])
  await testing.deliver('shop:orders', { id: 1 })
  await testing.settled()
  expect(seen).toEqual([[{ id: 1 }, 1]])
})

test('finds bots that are values, come from factories, have aliases, or are controllers; each once', async () => {
  @Bot('a')
  class A {
    @On('shop:**')
    run() {
      seen.push('a')
    }
  }
  @Bot('b')
  class B extends A {}
  @Bot('c')
  class C extends A {}
  @Bot('d')
  @Controller()
  class D extends A {
    @Post('d')
    route() {
      return 'a route beside it'
    }
  }
  const { hub, testing } = await running(
    [
      A,
      { provide: 'B', useFactory: () => new B() },
      { provide: 'C', useValue: new C() },
      { provide: 'A2', useExisting: A },
    ],
    [D] as never[],
  )
  expect((await hub.inspect()).bots.map(({ name }) => name).sort()).toEqual(['a', 'b', 'c', 'd'])
  await testing.deliver('shop:orders', {})
  await testing.settled()
  expect(seen).toHaveLength(4)
})

test('a request-scoped bot is made anew for each attempt, and may inject the event', async () => {
  let made = 0
  @Bot('scoped')
  @Injectable({ scope: Scope.REQUEST })
  class Scoped {
    readonly nth = ++made
    constructor(
      @Inject(REQUEST) private readonly event: WebhookEvent<{ id: number }>,
      @Inject(Mailer) private readonly mailer: Mailer,
    ) {}
    @On('shop:orders')
    run(@Payload('id') id: number) {
      this.mailer.send('scoped')
      seen.push([this.nth, this.event.data.id, id])
    }
  }
  const { testing } = await running([Scoped])
  await testing.deliver('shop:orders', { id: 1 })
  await testing.settled()
  await testing.deliver('shop:orders', { id: 2 })
  await testing.settled()
  expect(seen).toEqual(['mail to scoped', [1, 1, 1], 'mail to scoped', [2, 2, 2]])
})

test('pipes see what a method is handed', async () => {
  @Bot('piped')
  class Piped {
    @On('shop:orders', { retry: { retries: 0 } })
    run(@Payload({ transform: (value: { id: number }) => value.id * 2 }) doubled: unknown) {
      seen.push(doubled)
    }
  }
  const { testing } = await running([Piped])
  await testing.deliver('shop:orders', { id: 21 })
  await testing.settled()
  expect(seen).toEqual([42])
})

test('gives up on an event after its retries, and keeps it as a dead letter', async () => {
  @Bot('failing')
  class Failing {
    @On('shop:orders', { retry: { retries: 1, base: 1 } })
    run() {
      throw new Error('no stock')
    }
  }
  const { hub, testing } = await running([Failing])
  await testing.deliver('shop:orders', { id: 1 })
  await testing.settled()
  const [letter] = await hub.deadLetters.list()
  expect([letter?.bot, letter?.attempts.map(({ error }) => error?.message)]).toEqual([
    'failing',
    ['no stock', 'no stock'],
  ])
})

test('a second @On method of a class is a bot of its own, with a name', async () => {
  @Bot('orders')
  class Orders {
    @On('shop:orders.paid')
    paid() {
      seen.push('paid')
    }
    @On('shop:orders.refunded', { name: 'orders.refunds' })
    refunded() {
      seen.push('refunded')
    }
  }
  const { hub } = await running([Orders])
  expect((await hub.inspect()).bots.map(({ name, on }) => [name, on])).toEqual([
    ['orders', ['shop:orders.paid']],
    ['orders.refunds', ['shop:orders.refunded']],
  ])
})

describe('mistakes come out at start, with their fix', () => {
  class NoName {
    @On('shop:**')
    run() {
      return
    }
  }
  @Bot('twice')
  class Twice {
    @On('shop:a')
    first() {
      return
    }
    @On('shop:b')
    second() {
      return
    }
  }
  @Bot('typo')
  class Typo {
    @On('shopp:**')
    run() {
      return
    }
  }
  @Bot('deaf')
  class Deaf {
    run() {
      return
    }
  }
  test.each([
    [
      'a bot that hears nothing',
      Deaf,
      /Deaf has @Bot\('deaf'\) and hears nothing: put @On\('source:pattern'\)/,
    ],
    ['a method without a name', NoName, /NoName\.run has @On and no name: put @Bot\('a-name'\) on the class/],
    ['two methods with one name', Twice, /Twice\.second .* name it, @On\('…', \{ name: 'twice\.second' \}\)/],
    ['a source that is not there', Typo, /hears "shopp:\*\*", but the sources are: shop/],
  ])('%s', async (_name, provider, message) => {
    await expect(running([provider])).rejects.toThrow(message)
  })

  test('a role that there is not', async () => {
    const module = TriggerHubTestingModule.forRoot({ sources: { shop: source }, role: 'reciever' as never })
    const root = rootOf({ imports: [module] })
    await expect(
      NestFactory.createApplicationContext(root, { logger: false, abortOnError: false }),
    ).rejects.toThrow(/"role" is "reciever": use 'receiver'/)
  })
})

/** Notes what it is given. */
@Bot('crm')
class Crm {
  @On('shop:**')
  run(@Payload() data: unknown) {
    seen.push(data)
  }
}

test('works without HTTP, as a worker', async () => {
  const module = TriggerHubTestingModule.forRoot({ sources: { shop: source }, role: 'worker' })
  const root = rootOf({ imports: [module], providers: [Crm] })
  const app = await NestFactory.createApplicationContext(root, { logger: false, abortOnError: false })
  apps.push(app)
  await app.get(TestingHub).deliver('shop:orders', { id: 1 })
  await app.get(TestingHub).settled()
  expect(seen).toEqual([{ id: 1 }])
})

test('an app that has the module is tested in memory by overriding its options', async () => {
  const imports = [TriggerHubModule.forRoot({ sources: { shop: source } })]
  const root = rootOf({ imports, providers: [Crm] })
  const module = await Test.createTestingModule({ imports: [root], providers: [TestingHub] })
    .overrideProvider(TRIGGER_HUB_OPTIONS)
    .useValue({ driver: memory(), allowVolatile: true })
    .setLogger(false as never)
    .compile()
  const app = await module.init()
  apps.push(app)
  expect((await app.get(TriggerHub).inspect()).summary).toMatch(/^memory/)
  await app.get(TestingHub).deliver('shop:orders', { id: 1 })
  await app.get(TestingHub).settled()
  expect(seen).toEqual([{ id: 1 }])
})

test('an app under test receives over HTTP as well', async () => {
  const root = rootOf({
    imports: [TriggerHubTestingModule.forRoot({ sources: { shop: source } })],
    providers: [Crm],
  })
  const module = await Test.createTestingModule({ imports: [root] }).compile()
  const app = module.createNestApplication({ logger: false })
  apps.push(app)
  await app.listen(0, '127.0.0.1')
  expect((await fetch(`${await app.getUrl()}/webhooks/shop`, signed({ n: 1 }))).status).toBe(200)
  await app.get(TestingHub).settled()
  expect(seen).toEqual([{ n: 1 }])
})
