import { randomUUID } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Driver } from '@trigger-hub/core'
import { kafka } from '@trigger-hub/kafka'
import { redis } from '@trigger-hub/redis'
import { Kafka, logLevel, Partitioners } from 'kafkajs'
import { startKafka } from '../../../../scripts/services/kafka.ts'
import type { Server } from '../../../../scripts/services/server.ts'
import { eventually } from '../../../../test/eventually.ts'
import { needs, needsOwn } from '../../../../test/servers/needs.ts'
import { messageOf } from '../src/event-message.ts'
import { accept, anEvent, done, everything } from './hub.ts'

const backlog = Number(process.env.BACKLOG_EVENTS ?? 20_000)
const patienceMs = 60_000 + backlog * 3
jest.setTimeout(patienceMs + 30_000)

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
const mb = 1_024 ** 2

/** What this process holds on to, in bytes. */
function heap(): number {
  collectGarbage()
  collectGarbage() // buffers that are found dead are freed in the background, and at the latest before the next time
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** CPU of this process in µs, since it had used `from`. */
function cpu(from?: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(from)
  return user + system
}

needsOwn('kafka', () =>
  // a store in this process would be counted with it
  needs('redis', (store) => {
    let server: Server
    const drivers: Driver[] = []
    beforeAll(async () => {
      server = await startKafka()
    })
    afterAll(async () => {
      await Promise.all(drivers.map((driver) => driver.close()))
      await server.stop()
    })

    /** A hub in which as many events as are asked for wait for the bot `slow`. */
    async function hubWith(waiting: number): Promise<Driver> {
      const prefix = `hub-${randomUUID().slice(0, 8)}`
      const driver = kafka({ brokers: server.url, store: redis(store, { prefix }), prefix, partitions: 1 })
      drivers.push(driver)
      await driver.declare(everything('slow'))
      await pile(`${prefix}.events`, waiting)
      return driver
    }

    /** Events as an accept leaves them behind, without the wait for each. */
    async function pile(topic: string, count: number): Promise<void> {
      const client = new Kafka({ brokers: [server.url], logLevel: logLevel.NOTHING })
      const producer = client.producer({ createPartitioner: Partitioners.DefaultPartitioner })
      await producer.connect()
      for (let left = count; left > 0; left -= 1_000) {
        await producer.send({
          topic,
          messages: Array.from({ length: Math.min(left, 1_000) }, () => messageOf(anEvent())),
        })
      }
      await producer.disconnect()
    }

    /** Lets a bot consume. Calls back with how many events it has run. */
    const run = (driver: Driver, bot: string, onRun: (count: number) => void) => {
      let count = 0
      const options = { concurrency: 100, onSettled: () => undefined, onError: () => undefined }
      return driver.consume(bot, options, async () => {
        onRun(++count)
        return done
      })
    }

    test('an event costs the same, however many others wait', async () => {
      const some = 400
      const hub = async (waiting: number) => {
        const driver = await hubWith(waiting)
        await driver.declare(everything('quick')) // which begins behind them
        let ran = 0
        await run(driver, 'quick', (count) => (ran = count))
        const costs: number[] = []
        const round = async (): Promise<void> => {
          const until = ran + some
          const from = process.cpuUsage()
          const lane = async (): Promise<void> => {
            for (let left = some / 20; left > 0; left--) await accept(driver)
          }
          await Promise.all(Array.from({ length: 20 }, lane))
          await eventually(() => ran >= until)
          costs.push(cpu(from) / some)
        }
        return { round, cost: () => Math.min(...costs) }
      }
      const [empty, full] = [await hub(0), await hub(backlog)]
      // the best of many in turns, and of more while they differ: a busy machine is busy for both
      for (let nth = 0; nth < 8 || (nth < 40 && full.cost() > empty.cost() * 1.3); nth++) {
        await empty.round()
        await full.round()
      }
      expect(full.cost() / empty.cost()).toBeLessThanOrEqual(1.3)
    })

    test('a backlog is gone through at one cost, and little of it is in memory at a time', async () => {
      const driver = await hubWith(backlog)
      const slice = backlog / 20
      const costs: number[] = []
      const heaps: number[] = []
      let ran = 0
      const before = heap()
      let from = process.cpuUsage()
      const slow = await run(driver, 'slow', (count) => {
        ran = count
        if (count % slice !== 0) return
        costs.push(cpu(from) / slice)
        heaps.push(heap())
        from = process.cpuUsage()
      })
      await eventually(() => ran >= backlog, patienceMs)
      await slow.drain(5_000)
      const [early, late] = [Math.min(...costs.slice(0, 10)), Math.min(...costs.slice(10))]
      expect(Math.max(early / late, late / early)).toBeLessThanOrEqual(1.3)
      expect(Math.max(...heaps) - before).toBeLessThan(16 * mb)
    })
  }),
)
