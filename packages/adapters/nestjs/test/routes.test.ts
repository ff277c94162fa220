import {
  Body,
  Catch,
  Controller,
  Get,
  HttpException,
  Injectable,
  Post,
  UseFilters,
  UseGuards,
  UseInterceptors,
  type ArgumentsHost,
} from '@nestjs/common'
import { TriggerHub, type RetryContext } from '@trigger-hub/core'
import {
  Attempt,
  EnqueueInterceptor,
  IdempotencyInterceptor,
  Payload,
  RetryInterceptor,
  SignatureGuard,
  TriggerHubModule,
  WebhookEvent,
} from '../src/index.ts'
import { platforms } from './app.ts'
import { running } from './running.ts'
import { codeOf, post, signed, source } from './sender.ts'

describe.each(Object.entries(platforms))('routes on %s', (_, platform) => {
  const run = running(platform)
  const seen: unknown[] = []
  beforeEach(() => (seen.length = 0))

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
