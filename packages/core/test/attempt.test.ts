import { spawnSync } from 'node:child_process'
import { fakeClock } from '@trigger-hub/conformance'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { bot, type BotOptions } from '../src/hub/bot.ts'
import { attempt, errorRecord, type AttemptContext, type Handler } from '../src/stages/attempt.ts'
import type { Delivery } from '../src/words/delivery.ts'
import { PermanentError, RetryAfterError } from '../src/words/errors.ts'

const event = {
  id: 'e1',
  source: 'shop',
  type: 'orders.create',
  rawType: 'orders/create',
  time: 0,
  headers: {},
  contentType: 'application/json',
  rawBody: Buffer.from('{"total":"secret-total"}'),
}

const delivery = (more: Partial<Delivery> = {}): Delivery => ({
  id: 'e1.crm',
  bot: 'crm',
  event,
  attempt: 1,
  history: [],
  redelivered: false,
  lost: new AbortController().signal,
  ...more,
})

function running(
  handler: Handler,
  options: Partial<BotOptions> = {},
  of = delivery(),
  closing = new AbortController(),
) {
  const clock = fakeClock()
  const around = { clock, random: () => 0, closing: closing.signal }
  return { clock, closing, result: attempt(bot('crm', { on: '*:**', ...options }, handler), of, around) }
}

const verdictOf = async (handler: Handler, options?: Partial<BotOptions>, of?: Delivery) =>
  (await running(handler, options, of).result).verdict

const fails =
  (error: unknown): Handler =>
  () =>
    Promise.reject(error)

test('is done when the handler resolves, and keeps its value', async () => {
  const { result } = running(async ({ data }) => data)
  expect(await result).toEqual({ verdict: { is: 'done' }, value: { total: 'secret-total' } })
})

test('tells the handler which attempt it is', async () => {
  const seen: AttemptContext[] = []
  const history = [{ attempt: 1, startedAt: 0, endedAt: 1, outcome: 'lost' }] as const
  const handler: Handler = (_event, context) => void seen.push(context)
  await verdictOf(handler, { retry: { retries: 1 } }, delivery({ attempt: 2, history, redelivered: true }))
  expect(seen).toMatchObject([{ bot: 'crm', attempt: 2, lastAttempt: true, redelivered: true, history }])
})

test('waits as the backoff says after a failure, and keeps name, message and code of the error', async () => {
  const error = Object.assign(new RangeError('no stock'), {
    code: 'E_STOCK',
    request: { authorization: 'secret' },
  })
  expect(await verdictOf(fails(error), {}, delivery({ attempt: 3 }))).toEqual({
    is: 'retry',
    afterMs: 4_000,
    failed: {
      attempt: 3,
      startedAt: expect.any(Number),
      endedAt: expect.any(Number),
      outcome: 'failed',
      error: { name: 'RangeError', message: 'no stock', code: 'E_STOCK' },
    },
  })
})

test('gives up after the last attempt', async () => {
  const verdict = await verdictOf(fails(new Error('no')), {}, delivery({ attempt: 4 }))
  expect(verdict).toMatchObject({ is: 'dead-letter', reason: 'exhausted', failed: { attempt: 4 } })
})

test('gives up at once on a PermanentError', async () => {
  const verdict = await verdictOf(fails(new PermanentError('no such customer')))
  expect(verdict).toMatchObject({ is: 'dead-letter', reason: 'permanent', failed: { outcome: 'permanent' } })
})

test.each([
  ['as long as asked', 90_000, 90_000],
  ['no longer than the cap', 1e9, 3_600_000],
  ['not at all for the past', -5, 0],
  ['as the backoff says when asked for nonsense', NaN, 1_000],
])('after a RetryAfterError waits %s', async (_, asked, afterMs) => {
  expect(await verdictOf(fails(new RetryAfterError('busy', asked)))).toMatchObject({ is: 'retry', afterMs })
})

test('aborts the signal at the timeout and counts the attempt as failed, even if the handler never returns', async () => {
  let signal: AbortSignal | undefined
  const never: Handler = (_event, context) => new Promise(() => (signal = context.signal))
  const { clock, result } = running(never, { timeout: '30s' })
  await Promise.resolve()
  clock.advance(30_000)
  expect((await result).verdict).toMatchObject({
    is: 'retry',
    failed: { outcome: 'timeout', error: { message: 'The handler did not finish within 30000 ms.' } },
  })
  expect(signal?.aborted).toBe(true)
})

test('gives a signal that is first looked at when the attempt is over, or from a copy of the context', async () => {
  let context: AttemptContext | undefined
  const never: Handler = (_event, given) => new Promise(() => (context = { ...given }))
  const { clock, result } = running(never, { timeout: '30s' })
  await Promise.resolve()
  expect(context!.signal.aborted).toBe(false)
  clock.advance(30_000)
  await result
  expect(context!.signal.reason).toMatchObject({ name: 'TimeoutError' })

  let late: AttemptContext | undefined
  const stopped = running((_event, given) => new Promise(() => (late = given)), { timeout: '30s' })
  await Promise.resolve()
  stopped.clock.advance(30_000)
  await stopped.result
  expect(late!.signal).toMatchObject({ aborted: true, reason: { name: 'TimeoutError' } })
})

test('gives the delivery back when a shutdown cuts it off', async () => {
  const { closing, result } = running(() => new Promise(() => undefined))
  await Promise.resolve()
  closing.abort()
  expect((await result).verdict).toEqual({ is: 'release', interrupted: true })
})

test('gives the delivery back when its lease is lost', async () => {
  const lost = new AbortController()
  const { result } = running(() => new Promise(() => undefined), {}, delivery({ lost: lost.signal }))
  await Promise.resolve()
  lost.abort()
  expect((await result).verdict).toEqual({ is: 'release', interrupted: true })
})

test('does not run a handler for which crashes have used up the attempts', async () => {
  const handler = jest.fn()
  expect(await verdictOf(handler, {}, delivery({ attempt: 5 }))).toEqual({
    is: 'dead-letter',
    reason: 'exhausted',
  })
  expect(handler).not.toHaveBeenCalled()
})

test('does not run a handler that said never again while the sender waited', async () => {
  const handler = jest.fn()
  const history = [{ attempt: 1, startedAt: 0, endedAt: 1, outcome: 'permanent' }] as const
  const verdict = await verdictOf(handler, {}, delivery({ attempt: 2, history }))
  expect(verdict).toEqual({ is: 'dead-letter', reason: 'permanent' })
  expect(handler).not.toHaveBeenCalled()
})

const numberTotal: StandardSchemaV1<unknown, { total: number }> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) => {
      const { total } = value as { total: unknown }
      if (typeof total === 'number') return { value: { total: total * 100 } }
      return { issues: [{ message: `expected a number, got ${String(total)}`, path: ['total'] }] }
    },
  },
}

test('hands the handler what its schema makes of the payload', async () => {
  const ofNumber = delivery({ event: { ...event, rawBody: Buffer.from('{"total":7}') } })
  const { result } = running(({ data }) => data, { schema: numberTotal }, ofNumber)
  expect((await result).value).toEqual({ total: 700 })
})

test('dead-letters a payload that does not fit the schema, naming where and not what', async () => {
  const handler = jest.fn()
  const verdict = await verdictOf(handler, { schema: numberTotal })
  expect(verdict).toMatchObject({ is: 'dead-letter', reason: 'schema' })
  expect(JSON.stringify(verdict)).toContain('at: total.')
  expect(JSON.stringify(verdict)).not.toContain('secret-total')
  expect(handler).not.toHaveBeenCalled()
})

test.each<[string, unknown, object]>([
  ['a string', 'no', { name: 'Error', message: 'no' }],
  ['nothing', undefined, { name: 'Error', message: 'thrown undefined' }],
  ['an object without a message', { a: 1 }, { name: 'Error', message: 'thrown object' }],
  ['an object like an error', { name: 'X', message: 'no', code: 7 }, { name: 'X', message: 'no' }],
])('records a throw of %s', (_, thrown, expected) => {
  expect(errorRecord(thrown)).toEqual(expected)
})

test('warns of no leak when forty attempts wait for one shutdown', () => {
  // in a process of its own: inside jest, nobody hears the warnings of Node.js
  const code = `
    const { TriggerHub } = require('@trigger-hub/core')
    const { memory } = require('@trigger-hub/core/memory')
    const hub = new TriggerHub({ driver: memory(), allowVolatile: true })
    let running = 0
    const all = new Promise((resolve) => {
      hub.bot('slow', { on: 'shop:**', concurrency: 40 }, () => {
        if (++running === 40) resolve()
        return all
      })
    })
    const { event } = JSON.parse(process.argv[1])
    const rawBody = Buffer.from('{}')
    void hub.work().then(async () => {
      for (let id = 0; id < 40; id++) await hub.accept({ ...event, id: String(id), rawBody }, { verified: true })
      await all
      await hub.close()
    })`
  const { status, stderr } = spawnSync(process.execPath, ['-e', code, JSON.stringify({ event })], {
    encoding: 'utf8',
  })
  expect([status, stderr]).toEqual([0, ''])
})

test('cuts a message that is too long to keep', () => {
  expect(errorRecord(new Error('x'.repeat(5_000))).message).toHaveLength(1_001)
})

test.each<[string, () => unknown]>([
  [
    'a revoked proxy',
    () => {
      const { proxy, revoke } = Proxy.revocable({}, {})
      revoke()
      return proxy
    },
  ],
  [
    'an error whose message cannot be read',
    () =>
      Object.defineProperty(new Error(), 'message', {
        get: () => {
          throw new Error('unreadable')
        },
      }),
  ],
  ['null', () => null],
  ['undefined', () => undefined],
  ['an object without a prototype', () => Object.create(null) as object],
])('a handler that throws %s has failed like any other', async (_, thrown) => {
  const { result } = running(() => {
    throw thrown()
  })
  expect((await result).verdict).toMatchObject({
    is: 'retry',
    failed: { outcome: 'failed', error: { name: 'Error' } },
  })
})
