import { Controller, Post, UseGuards, UseInterceptors, type Type } from '@nestjs/common'
import { SetupError, TriggerHub, type VerifySignatureOptions } from '@trigger-hub/core'
import {
  Bot,
  EnqueueInterceptor,
  IdempotencyInterceptor,
  On,
  SignatureGuard,
  TriggerHubModule,
  TriggerHubTestingModule,
  Webhook,
  type OnOptions,
  type TriggerHubModuleOptions,
  type WebhookOptions,
} from '../src/index.ts'
import { create, platforms, rootOf } from './app.ts'
import { source } from './sender.ts'

const ofShop = () => TriggerHubTestingModule.forRoot({ sources: { shop: source } })

/** The code and the message with which an app of these parts does not start; undefined when it does. */
async function refusal(
  parts: () => Parameters<typeof rootOf>[0],
): Promise<{ code: unknown; message: string } | undefined> {
  try {
    const app = await create(rootOf(parts()), platforms.Express)
    await app.init()
    await app.close()
    return undefined
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    return { code: error.code, message: error.message }
  }
}

const nothings: unknown[] = [null, 5, 'shop', [], () => undefined]

test('a module without options is a hub whose events come from routes', async () => {
  @Controller()
  class Hooks {
    @Post('hook')
    @UseGuards(SignatureGuard(source))
    @UseInterceptors(EnqueueInterceptor())
    hook() {
      return undefined
    }
  }
  const root = rootOf({ imports: [TriggerHubModule.forRoot()], controllers: [Hooks] })
  const app = await create(root, platforms.Express) // whose default driver would be opened with `init()`
  expect(app.get(TriggerHub).route('/shop')).toBeUndefined()
  await app.close()
})

test.each(nothings)('a module is given its options in an object, not %p', async (options) => {
  const wanted = { code: 'ERR_OPTION_INVALID', message: expect.stringContaining('options in an object') }
  const given = options as TriggerHubModuleOptions
  expect(await refusal(() => ({ imports: [TriggerHubModule.forRoot(given)] }))).toEqual(wanted)
  const later = () => TriggerHubModule.forRootAsync({ useFactory: () => given })
  expect(await refusal(() => ({ imports: [later()] }))).toEqual(wanted)
  expect(await refusal(() => ({ imports: [TriggerHubModule.forRootAsync(options as never)] }))).toEqual(
    wanted,
  )
  expect(await refusal(() => ({ imports: [TriggerHubTestingModule.forRoot(given)] }))).toEqual(wanted)
})

test.each<[string, object, RegExp]>([
  ['a hub', { hub: null }, /"hub" is no hub: give what new TriggerHub/],
  ['a hub', { hub: {} }, /"hub" is no hub/],
  ['a role', { role: null }, /"role" is null: use 'receiver' or/],
  ['a prefix', { prefix: null }, /"prefix" is null: use a path/],
])('a module does not start without %s', async (_, options, message) => {
  const given = options as TriggerHubModuleOptions
  expect(await refusal(() => ({ imports: [TriggerHubModule.forRoot(given)] }))).toEqual({
    code: 'ERR_OPTION_INVALID',
    message: expect.stringMatching(message),
  })
})

test.each([undefined, null, {}])('a module to come has a factory, and not %p', async (useFactory) => {
  const later = () => TriggerHubModule.forRootAsync({ useFactory } as never)
  expect((await refusal(() => ({ imports: [later()] })))?.message).toMatch(
    /"useFactory" is .*: use a function/,
  )
})

describe('a bot', () => {
  const botOf = (on: unknown, options?: unknown, name: unknown = 'crm'): Type => {
    @Bot(name as string)
    class Crm {
      @On(on as string, options as OnOptions)
      hear() {
        return undefined
      }
    }
    return Crm
  }
  const code = async (...args: Parameters<typeof botOf>) =>
    (await refusal(() => ({ imports: [ofShop()], providers: [botOf(...args)] })))?.code

  test('is refused what it cannot be when the app starts', async () => {
    expect(await code('shop:**')).toBeUndefined()
    for (const on of [null, 5, {}, [null]]) expect(await code(on)).toBe('ERR_BOT_INVALID')
    for (const name of [null, 5, {}, '']) expect(await code('shop:**', {}, name)).toBe('ERR_BOT_INVALID')
    for (const options of nothings) expect(await code('shop:**', options)).toBe('ERR_OPTION_INVALID')
    expect(await code('shop:**', { retires: 3 })).toBe('ERR_OPTION_UNKNOWN')
  })

  test('in an app of several hubs, too', async () => {
    const imports = () => [rootOf({ imports: [ofShop()] }), rootOf({ imports: [ofShop()] })]
    const refused = await refusal(() => ({ imports: imports(), providers: [botOf([5])] }))
    expect(refused?.code).toBe('ERR_BOT_INVALID')
  })
})

test('a route is refused what it cannot be when the app starts', async () => {
  const code = async (options: unknown) => {
    const controller = (): Type => {
      @Controller()
      class Hooks {
        @Post('hook')
        @Webhook('shop', options as WebhookOptions)
        hook() {
          return undefined
        }
      }
      return Hooks
    }
    return (await refusal(() => ({ imports: [ofShop()], controllers: [controller()] })))?.code
  }
  expect(await code({ on: 'orders.*' })).toBeUndefined()
  for (const options of nothings) expect(await code(options)).toBe('ERR_OPTION_INVALID')
  for (const on of [null, 5, {}, [null]]) expect(await code({ on })).toBe('ERR_OPTION_INVALID')
  expect(await code({ on: [] })).toBe('ERR_BOT_INVALID')
})

test('a guard for a source of the hub has no name of its own to give', () => {
  const guard = (options: unknown) => () => SignatureGuard('shop', options as VerifySignatureOptions)
  expect(guard({ limit: '2mb' })).not.toThrow()
  expect(guard({ name: 'till' })).toThrow(/has no option "name". It takes: bodyTimeout, clock, limit/)
  expect(guard({ onReject: 'next' })).toThrow(/has no option "onReject"/)
  expect(guard(null)).toThrow(/in an object, not null/)
})

test('an interceptor is given its options in an object, and what is no target is not the hub', () => {
  for (const options of nothings) {
    expect(() => IdempotencyInterceptor(options as never)).toThrow(/in an object, not/)
  }
  expect(() => EnqueueInterceptor(null as never)).toThrow(/enqueue wants a hub/)
})
