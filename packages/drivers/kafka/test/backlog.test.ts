import { memory } from '@trigger-hub/core/memory'
import { kafka } from '@trigger-hub/kafka'
import { Kafka, logLevel, Partitioners } from 'kafkajs'
import { startKafka } from '../../../../scripts/services/kafka.ts'
import type { Server } from '../../../../scripts/services/server.ts'
import { needsOwn } from '../../../../test/servers/needs.ts'
import { messageOf } from '../src/event-message.ts'
import { accept, anEvent, done, eventually, everything, work } from './hub.ts'

jest.setTimeout(120_000)

const backlog = Number(process.env.BACKLOG_EVENTS ?? 20_000)
const some = 400
const rawBody = Buffer.alloc(200, 'x')

needsOwn('kafka', () => {
  let server: Server
  beforeAll(async () => {
    server = await startKafka()
  })
  afterAll(() => server.stop())

  /** Events as an accept leaves them behind, without the wait for each. */
  async function pile(topic: string, count: number): Promise<void> {
    const client = new Kafka({ brokers: [server.url], logLevel: logLevel.NOTHING })
    const producer = client.producer({ createPartitioner: Partitioners.DefaultPartitioner })
    await producer.connect()
    for (let left = count; left > 0; left -= 1_000) {
      const messages = Array.from({ length: Math.min(left, 1_000) }, () => messageOf(anEvent({ rawBody })))
      await producer.send({ topic, messages })
    }
    await producer.disconnect()
  }

  /** CPU of this process in µs. */
  async function cpuOf(task: () => Promise<unknown>): Promise<number> {
    const from = process.cpuUsage()
    await task()
    const { user, system } = process.cpuUsage(from)
    return user + system
  }

  test('an event costs the same and memory stays flat, however many others wait', async () => {
    const driver = kafka({ brokers: server.url, store: memory(), prefix: 'hub' })
    await driver.declare(everything('quick', 'slow'))
    const quick = await work(driver, 'quick', () => done, 100)
    const rounds = async (): Promise<number> => {
      const costs: number[] = []
      for (let nth = 0; nth < 3; nth++) {
        const until = quick.settled.length + some
        const cost = await cpuOf(async () => {
          const lane = async (): Promise<void> => {
            for (let left = some / 20; left > 0; left--) await accept(driver, { rawBody })
          }
          await Promise.all(Array.from({ length: 20 }, lane))
          await eventually(() => quick.settled.length >= until)
        })
        costs.push(cost / some)
      }
      return Math.min(...costs)
    }
    await rounds() // the first ones are slow
    const empty = await rounds()
    await pile('hub.events', backlog)
    await eventually(() => quick.settled.length >= backlog, 60_000)
    const full = await rounds()

    // the bot that has it all before it goes through it at one speed
    const slices = 5
    const costs: number[] = []
    const heaps: number[] = []
    let from = process.cpuUsage()
    let count = 0
    const slow = await driver.consume(
      'slow',
      { concurrency: 100, onSettled: () => undefined, onError: console.error },
      async () => {
        if (++count % (backlog / slices) === 0) {
          const { user, system } = process.cpuUsage(from)
          costs.push((user + system) / (backlog / slices))
          heaps.push(process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers)
          from = process.cpuUsage()
        }
        return done
      },
    )
    await eventually(() => count >= backlog, 60_000)
    await slow.drain(5_000)
    expect(full / empty).toBeLessThanOrEqual(1.3)
    expect(costs.at(-1)! / costs[2]!).toBeLessThanOrEqual(1.3)
    expect(Math.max(...heaps) - heaps[0]!).toBeLessThan(200 * 1_024 ** 2) // what the store remembers of 100,000 included
    await driver.close()
  })
})
