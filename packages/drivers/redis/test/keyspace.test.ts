import { randomUUID } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { AttemptRecord, Delivery, Driver, EventRecord, Verdict } from '@trigger-hub/core'
import { redis } from '@trigger-hub/redis'
import { Redis } from 'ioredis'
import { startRedis } from '../../../../scripts/services/redis.ts'
import type { Server } from '../../../../scripts/services/server.ts'
import { eventually } from '../../../../test/eventually.ts'
import { needsOwn } from '../../../../test/servers/needs.ts'

jest.setTimeout(120_000)

const backlog = Number(process.env.BACKLOG ?? 10_000)

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** What this process holds on to. */
function heldBytes(): number {
  collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

const eventOf = (nth: number): EventRecord => ({
  id: `event-${nth}`,
  source: 'shop',
  type: 'orders.create',
  rawType: 'orders/create',
  time: 1,
  headers: {},
  rawBody: Buffer.alloc(2_048, nth % 256),
})

const failed = (attempt: number): AttemptRecord => ({ attempt, startedAt: 1, endedAt: 2, outcome: 'failed' })

needsOwn('redis', () => {
  let server: Server
  let client: Redis
  let driver: Driver
  let prefix: string
  beforeAll(async () => {
    server = await startRedis({ appendfsync: 'no' }) // what the disk costs is not asked here
  })
  afterAll(() => server.stop())
  beforeEach(() => {
    prefix = `keyspace-${randomUUID().slice(0, 8)}`
    client = new Redis(server.url)
    driver = redis(server.url, { prefix })
  })
  afterEach(async () => {
    await driver.close()
    client.disconnect()
  })

  const accept = (nth: number, to = driver, ttlMs = 60_000) =>
    to.accept(eventOf(nth), {
      key: `key-${nth}`,
      fingerprint: 'print',
      ttlMs,
      token: randomUUID(),
      timeoutMs: 10_000,
    })

  /** Accepts in waves of 200. */
  async function acceptAll(from: number, until: number, to = driver, ttlMs?: number): Promise<void> {
    for (let nth = from; nth < until; nth += 200) {
      await Promise.all(
        Array.from({ length: Math.min(200, until - nth) }, (_, more) => accept(nth + more, to, ttlMs)),
      )
    }
  }

  async function work(bot: string, verdictOf: (delivery: Delivery) => Verdict) {
    let settled = 0
    const subscription = await driver.consume(
      bot,
      { concurrency: 50, onSettled: () => settled++, onError: (error) => console.error(error) },
      async (delivery) => verdictOf(delivery),
    )
    return {
      drain: () => subscription.drain(5_000),
      async until(count: number) {
        await eventually(() => settled >= count, 60_000)
      },
    }
  }

  /** What the server keeps. */
  const usedBytes = async (): Promise<number> =>
    Number(/^used_memory:(\d+)/m.exec(await client.info('memory'))?.[1])

  test('frees everything that a settled event has used, but the memory of its key', async () => {
    await driver.declare([
      { name: 'mail', on: ['shop:**'] },
      { name: 'stock', on: ['shop:**'] },
      { name: 'crm', on: ['bank:**'] },
    ])
    await acceptAll(0, 30)
    const mail = await work('mail', ({ attempt, event }) => {
      if (event.id.endsWith('3') && attempt === 1) return { is: 'retry', afterMs: 5, failed: failed(1) }
      if (event.id.endsWith('7')) return { is: 'dead-letter', reason: 'exhausted', failed: failed(1) }
      return { is: 'done' }
    })
    const stock = await work('stock', () => ({ is: 'done' }))
    await Promise.all([mail.until(33), stock.until(30)])
    expect(await driver.deadLetters.discard({ bot: 'mail' })).toBe(3)
    await Promise.all([mail.drain(), stock.drain()])
    await driver.close()

    const names = (await client.keys(`{${prefix}}:*`)).map((key) => key.slice(prefix.length + 3))
    const keys = names.filter((name) => name.startsWith('key:'))
    expect(keys).toHaveLength(30)
    const rest = names.filter((name) => !name.startsWith('key:')).sort()
    expect(rest).toEqual(['bell:mail', 'bots', 'dead', 'stream:mail', 'stream:stock', 'version'])
    for (const stream of ['dead', 'stream:mail', 'stream:stock']) {
      expect(await client.xlen(`{${prefix}}:${stream}`)).toBe(0)
    }
    for (const key of keys) expect(await client.pttl(`{${prefix}}:${key}`)).toBeGreaterThan(0)
  })

  test('keeps a body once, however many bots want it, until the last of them has settled', async () => {
    const bots = ['a', 'b', 'c'].map((name) => ({ name, on: ['shop:**'] }))
    await driver.declare(bots)
    await accept(1)
    expect(await client.keys(`{${prefix}}:event:*`)).toHaveLength(1)
    for (const { name } of bots) {
      expect(await client.exists(`{${prefix}}:event:event-1`)).toBe(1)
      const worker = await work(name, () => ({ is: 'done' }))
      await worker.until(1)
      await worker.drain()
    }
    expect(await client.exists(`{${prefix}}:event:event-1`)).toBe(0)
  })

  test('keeps the last thousand of the events that nobody wants', async () => {
    await driver.declare([])
    await acceptAll(0, 1_200)
    expect((await driver.inspect()).unmatched).toBe(1_000)
    expect(await client.keys(`{${prefix}}:event:*`)).toHaveLength(1_000)
    expect(await client.exists(`{${prefix}}:event:event-1199`)).toBe(1)
  })

  test('keeps an event for as long as a bot is away, and remembers a settled one in a few bytes', async () => {
    await driver.declare([{ name: 'mail', on: ['shop:**'] }])
    const before = await usedBytes()
    const events = 5_000
    await acceptAll(0, events)
    for (const name of ['event:event-1', 'stream:mail']) {
      expect(await client.pttl(`{${prefix}}:${name}`)).toBe(-1) // nothing ends it but its settling
    }
    const mail = await work('mail', () => ({ is: 'done' }))
    await mail.until(events)
    await mail.drain()
    await eventually(async () => ((await usedBytes()) - before) / events < 400) // buffers of connections go a little later
  })

  test('holds a backlog in the server alone, and gives the memory back when it is settled', async () => {
    await driver.declare([{ name: 'mail', on: ['shop:**'] }])
    const soonMs = 1 // for so long a key is remembered
    const settleAll = async (count: number, check?: () => Promise<unknown>): Promise<void> => {
      const mail = await work('mail', () => ({ is: 'done' }))
      await mail.until(count / 2)
      await check?.()
      await mail.until(count)
      await mail.drain()
    }
    await acceptAll(0, 1_000, driver, soonMs) // with the first ones comes what is made once
    await settleAll(1_000)
    await eventually(async () => (await client.keys(`{${prefix}}:key:*`)).length === 0)
    const [ours, theirs] = [heldBytes(), await usedBytes()]
    // buffers go a little later than what has held them
    const isFlat = () => eventually(() => heldBytes() - ours < 5 * 1_024 ** 2)

    await acceptAll(1_000, 1_000 + backlog, driver, soonMs)
    await isFlat()
    const peak = await usedBytes()
    expect(peak - theirs).toBeGreaterThan(backlog * 2_048)
    await settleAll(backlog, isFlat)
    await isFlat()
    await eventually(async () => ((await usedBytes()) - theirs) / (peak - theirs) < 0.02)
  })

  test('takes no longer to accept and settle an event because many others wait', async () => {
    const batch = 1_000
    const serverMicroseconds = async (task: () => Promise<void>): Promise<number> => {
      const used = async (): Promise<number> => {
        const info = await client.info('cpu')
        const seconds = (mode: string): number =>
          Number(new RegExp(`^used_cpu_${mode}_main_thread:([\\d.]+)`, 'm').exec(info)?.[1])
        return (seconds('sys') + seconds('user')) * 1e6
      }
      const before = await used()
      await task()
      return Math.round((10 * ((await used()) - before)) / batch) / 10
    }
    let next = 0
    const acceptSome = (to: Driver) => serverMicroseconds(() => acceptAll(next, (next += batch), to))
    const settleSome = (of: Driver) =>
      serverMicroseconds(async () => {
        let left = batch
        let isOver = (): void => undefined
        const over = new Promise<void>((resolve) => (isOver = resolve))
        const subscription = await of.consume(
          'mail',
          { concurrency: 50, onSettled: () => undefined, onError: (error) => console.error(error) },
          async () => {
            if (--left === 0) isOver()
            return left >= 0 ? { is: 'done' } : { is: 'release', interrupted: false }
          },
        )
        await over
        await subscription.drain(5_000)
      })

    const full = redis(server.url, { prefix: `${prefix}-full` })
    for (const one of [driver, full]) await one.declare([{ name: 'mail', on: ['shop:**'] }])
    await acceptAll(next, (next += backlog), full)
    const measured = { empty: { accept: [], settle: [] }, full: { accept: [], settle: [] } } as Record<
      'empty' | 'full',
      Record<'accept' | 'settle', number[]>
    >
    // in turns, so that a busy machine is busy for both
    for (let round = 0; round < 8; round++) {
      for (const [name, one] of [
        ['empty', driver],
        ['full', full],
      ] as const) {
        measured[name].accept.push(await acceptSome(one))
        measured[name].settle.push(await settleSome(one))
      }
    }
    await full.close()
    const ratio = (step: 'accept' | 'settle'): number =>
      median(measured.full[step]) / median(measured.empty[step])
    expect(ratio('accept')).toBeLessThanOrEqual(1.3)
    expect(ratio('settle')).toBeLessThanOrEqual(1.3)
  })
})

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
