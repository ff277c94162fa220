/**
 * What the Redis driver costs beside BullMQ's `add`, both on one Redis of our own, one after the other in each round:
 *
 *     node --conditions=@trigger-hub/source --require tsx/cjs bench/redis.ts [events]
 *
 * Bodies of 2 KB, 64 accepts in flight, one process. An accept claims the key, stores the event and gives it to its bot;
 * an `add` (with a job id) does the same without telling another body under the same id.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { fingerprint } from '@trigger-hub/core'
import { redis } from '@trigger-hub/redis'
import { Queue, Worker } from 'bullmq'
import { startRedis } from '../scripts/services/redis.ts'

const inFlight = 64
const rounds = 5
const body = Buffer.from(JSON.stringify({ order: randomBytes(1_014).toString('hex') }))
const print = fingerprint(body)

interface Cost {
  readonly perSecond: number
  readonly cpuMicros: number
}

async function cost(events: number, task: () => Promise<unknown>): Promise<Cost> {
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  await task()
  const { user, system } = process.cpuUsage(cpu)
  return {
    perSecond: (events / (performance.now() - startedAt)) * 1_000,
    cpuMicros: (user + system) / events,
  }
}

async function lanes(events: number, one: (nth: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < events) await one(next++)
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
}

const median = (values: number[]): number =>
  values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN

export async function main(): Promise<void> {
  const events = Number(process.argv[2] ?? 20_000)
  for (const appendfsync of ['everysec', 'always'] as const) {
    const server = await startRedis({ appendfsync })
    const port = Number(new URL(server.url).port)
    const driver = redis(server.url)
    const queue = new Queue('bench', { connection: { port } })
    await driver.declare([{ name: 'mail', on: ['shop:**'] }])

    const accepts = (): Promise<void> =>
      lanes(events, () => {
        const id = randomUUID()
        return driver.accept(
          {
            id,
            source: 'shop',
            type: 'orders.create',
            rawType: 'orders/create',
            time: Date.now(),
            headers: {},
            rawBody: body,
          },
          { key: id, fingerprint: print, ttlMs: 60_000, token: id, timeoutMs: 10_000 },
        )
      })
    const text = body.toString()
    const adds = (): Promise<void> =>
      lanes(events, () => queue.add('order', text, { jobId: randomUUID(), removeOnComplete: true }))

    const runs = async (): Promise<void> => {
      let left = events
      let isOver = (): void => undefined
      const over = new Promise<void>((resolve) => (isOver = resolve))
      const around = {
        concurrency: 100,
        onSettled: () => void (--left === 0 && isOver()),
        onError: console.error,
      }
      const subscription = await driver.consume('mail', around, async () => ({ is: 'done' }))
      await over
      await subscription.drain(5_000)
    }
    const works = async (): Promise<void> => {
      let left = events
      let isOver = (): void => undefined
      const over = new Promise<void>((resolve) => (isOver = resolve))
      const worker = new Worker('bench', async () => undefined, { connection: { port }, concurrency: 100 })
      worker.on('completed', () => void (--left === 0 && isOver()))
      await over
      await worker.close()
    }

    const tasks = {
      'redis accept': accepts,
      'redis handle': runs,
      'BullMQ add': adds,
      'BullMQ handle': works,
    }
    const measured = new Map(Object.keys(tasks).map((name) => [name, [] as Cost[]]))
    for (let round = 0; round <= rounds; round++) {
      for (const [name, task] of Object.entries(tasks)) {
        const one = await cost(events, task)
        if (round > 0) measured.get(name)?.push(one) // the first one warms up
      }
    }
    const of = (name: string): Cost => ({
      perSecond: median((measured.get(name) ?? []).map(({ perSecond }) => perSecond)),
      cpuMicros: median((measured.get(name) ?? []).map(({ cpuMicros }) => cpuMicros)),
    })
    console.log(
      `\nNode.js ${process.versions.node}, 2 KB bodies, ${inFlight} in flight, appendfsync ${appendfsync}`,
    )
    for (const [ours, theirs] of [
      ['redis accept', 'BullMQ add'],
      ['redis handle', 'BullMQ handle'],
    ] as const) {
      for (const name of [ours, theirs]) {
        const { perSecond, cpuMicros } = of(name)
        console.log(
          `${name.padEnd(16)} ${perSecond.toFixed(0).padStart(7)}/s ${cpuMicros.toFixed(1).padStart(7)} µs of CPU`,
        )
      }
      const [a, b] = [of(ours), of(theirs)]
      console.log(
        `${''.padEnd(16)} ${(a.perSecond / b.perSecond).toFixed(2).padStart(7)} ×  ${(a.cpuMicros / b.cpuMicros).toFixed(2).padStart(6)} ×`,
      )
    }
    await driver.close()
    await queue.close()
    await server.stop()
  }
}

void main()
