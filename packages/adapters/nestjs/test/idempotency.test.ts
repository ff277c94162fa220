import { Readable } from 'node:stream'
import {
  Body,
  Controller,
  HttpCode,
  HttpException,
  Post,
  Res,
  StreamableFile,
  UseInterceptors,
} from '@nestjs/common'
import { memory } from '@trigger-hub/core/memory'
import { eventually } from '../../../../test/eventually.ts'
import { IdempotencyInterceptor } from '../src/index.ts'
import { platforms } from './app.ts'
import { running, wrapping } from './running.ts'
import { codeOf, post } from './sender.ts'

describe.each(Object.entries(platforms))('IdempotencyInterceptor on %s', (_, platform) => {
  const run = running(platform)

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

  test('logs where the app wants it that its store is out of reach', async () => {
    const codes: string[] = []
    const store = Object.assign(memory(), { claim: () => Promise.reject(new Error('off')) })
    const log = ({ code }: { code: string }) => void codes.push(code)
    @Controller()
    @UseInterceptors(IdempotencyInterceptor({ store, log }))
    class Orders {
      @Post('orders')
      order() {
        return 'done'
      }
    }
    const { url } = await run(Orders)
    expect((await fetch(`${url}/orders`, post('{}', key))).status).toBe(503)
    expect(codes).toEqual(['ERR_STORE_UNAVAILABLE'])
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
