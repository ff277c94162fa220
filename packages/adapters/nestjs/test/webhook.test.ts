import {
  Body,
  Catch,
  Controller,
  Headers,
  Post,
  Version,
  VersioningType,
  type ArgumentsHost,
  type CanActivate,
} from '@nestjs/common'
import type { AttemptContext } from '@trigger-hub/core'
import { Attempt, Payload, TestingHub, Webhook, WebhookEvent } from '../src/index.ts'
import { platforms } from './app.ts'
import { running, wrapping } from './running.ts'
import { codeOf, post, signed } from './sender.ts'

describe.each(Object.entries(platforms))('@Webhook on %s', (_, platform) => {
  const run = running(platform)
  const seen: unknown[] = []
  beforeEach(() => (seen.length = 0))

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
    ['401 for JSON that is none', post('{"a":', { 'x-signature': 'ab'.repeat(32) }), 401, 'ERR_UNAUTHORIZED'],
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
