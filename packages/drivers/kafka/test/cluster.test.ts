import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { Driver } from '@trigger-hub/core'
import { redis } from '@trigger-hub/redis'
import { kafka } from '@trigger-hub/kafka'
import { Kafka, logLevel, type Admin } from 'kafkajs'
import { startKafkaCluster } from '../../../../scripts/services/kafka.ts'
import { startRedis } from '../../../../scripts/services/redis.ts'
import type { Server } from '../../../../scripts/services/server.ts'
import { Child, endAll } from '../../../../test/crash/child.ts'
import { endsWell } from '../../../../test/crash/ending.ts'
import { freshFolder, removeFolder } from '../../../../test/crash/run.ts'
import { Sender } from '../../../../test/crash/sender.ts'
import { Traffic } from '../../../../test/crash/traffic.ts'
import { eventually } from '../../../../test/eventually.ts'
import { linesIn } from '../../../../test/lines.ts'
import { needsOwn } from '../../../../test/servers/needs.ts'
import { accept, everything, work } from './hub.ts'

jest.setTimeout(300_000)

/** The app gives its driver 2 s to accept; the rest is for a machine on which brokers start meanwhile. */
const budgetMs = 5_000

needsOwn('kafka', () =>
  needsOwn('redis', () => {
    let brokers: Server[]
    let store: Server
    let replica: Server
    let url: string
    let admin: Admin
    const folder = freshFolder()

    beforeAll(async () => {
      ;[brokers, store] = await Promise.all([
        startKafkaCluster(),
        startRedis({ args: ['--repl-diskless-sync-delay', '0'] }),
      ])
      replica = await startRedis({ args: ['--replicaof', '127.0.0.1', new URL(store.url).port] })
      const careful = redis(store.url, { replicas: 1 })
      await eventually(() => careful.inspect().catch(() => undefined), 60_000)
      await careful.close()
      url = brokers.map((one) => one.url).join(',')
      admin = new Kafka({ brokers: url.split(','), logLevel: logLevel.NOTHING }).admin()
      await admin.connect()
    })
    afterAll(async () => {
      await endAll()
      await admin.disconnect()
      await Promise.all([...brokers, store, replica].map((server) => server.stop()))
      removeFolder(folder)
    })

    const driverOf = (prefix: string) =>
      kafka({ brokers: url, prefix, store: redis(store.url, { prefix, replicas: 1 }) })

    /** Copies of each partition, by topic; and whether all of them are in sync. */
    async function copies() {
      const { topics } = await admin.fetchTopicMetadata()
      return {
        of: topics.map(({ name, partitions }) => ({
          name,
          fewest: Math.min(...partitions.map(({ replicas }) => replicas.length)),
        })),
        areInSync: topics.every(({ partitions }) => partitions.every(({ isr }) => isr.length === 3)),
      }
    }

    /** Of each topic of a hub that has just declared its first bot. */
    const copiesOf = (prefix: string) =>
      eventually(async () => {
        const found = (await copies()).of.filter(({ name }) => name.startsWith(prefix))
        return found.length === 3 ? found.map(({ fewest }) => fewest) : undefined // which a broker may hear of a little later
      })

    /** Resolves when each of these knows of so many that work. */
    async function agree(some: readonly Server[], count: number): Promise<void> {
      for (const { url: only } of some) {
        const one = new Kafka({ brokers: [only], logLevel: logLevel.NOTHING }).admin()
        await eventually(async () => {
          await one.connect()
          return (await one.describeCluster()).brokers.length === count
        }, 60_000).finally(() => one.disconnect())
      }
    }

    test('its topics have three copies, of which two are waited for', async () => {
      const prefix = `hub-${randomUUID().slice(0, 8)}`
      const driver = driverOf(prefix)
      await driver.declare(everything('mail'))
      expect(await copiesOf(prefix)).toEqual([3, 3, 3])
      const { summary, warnings } = await eventually(async () => {
        const report = await driver.inspect()
        return report.summary.startsWith('kafka: 3 brokers') && report // one may be missed for a moment
      }, 60_000)
      expect(summary).toMatch(
        /^kafka: 3 brokers, 3 copies, min.insync.replicas 2, .*: 2 brokers have every accepted event before the answer\.$/,
      )
      expect([warnings, driver.capabilities]).toMatchObject([
        [],
        { durability: 'replicated', reach: 'network' },
      ])
      await driver.close()
    })

    test('right after a broker was killed a process starts, works, redrives and retires', async () => {
      const prefix = `hub-${randomUUID().slice(0, 8)}`
      const first = driverOf(prefix)
      await first.declare(everything('mail', 'print'))
      await accept(first)
      const given = await work(first, 'mail', () => ({ is: 'dead-letter', reason: 'permanent' }))
      await eventually(() => given.settled.length === 1)
      await first.close()
      const drivers = Array.from({ length: 4 }, () => driverOf(prefix))
      const [starting, working, redriving, retiring] = drivers as [Driver, Driver, Driver, Driver]
      await agree(brokers, 3)
      await brokers[2]!.kill('SIGKILL')
      const [, { runs }, redriven] = await Promise.all([
        starting.declare(everything('mail')).then(() => starting.inspect()),
        work(working, 'mail'),
        redriving.deadLetters.redrive({ bot: 'mail' }),
        retiring.retire('print'),
      ])
      expect(redriven).toBe(1)
      await eventually(() => runs.length > 0, 60_000)
      expect(await retiring.deadLetters.list({ bot: 'print' })).toHaveLength(1)
      await Promise.all(drivers.map((driver) => driver.close()))
    })

    test('a hub that starts while a broker is away gives its topics three copies, too', async () => {
      const [others, gone] = [brokers.slice(0, 2), brokers[2]!] // it was killed
      await agree(others, 2)
      const prefix = `hub-${randomUUID().slice(0, 8)}`
      const driver = driverOf(prefix)
      await driver.declare(everything('mail'))
      expect(await copiesOf(prefix)).toEqual([3, 3, 3])
      await accept(driver)
      await driver.close()
      await gone.restart()
      await eventually(async () => (await copies().catch(() => undefined))?.areInSync, 60_000)
    })

    test('a topic of which one copy is waited for is warned of', async () => {
      const prefix = `hub-${randomUUID().slice(0, 8)}`
      const configEntries = [
        { name: 'min.insync.replicas', value: '1' },
        { name: 'retention.ms', value: '-1' },
      ]
      await admin.createTopics({
        waitForLeaders: false, // of which the driver knows better
        topics: [{ topic: `${prefix}.events`, numPartitions: 1, replicationFactor: 3, configEntries }],
      })
      const driver = driverOf(prefix)
      const { warnings } = await driver.inspect()
      expect(warnings.map(({ code }) => code)).toEqual(['WARN_KAFKA_MIN_INSYNC', 'WARN_KAFKA_FSYNC'])
      expect(driver.capabilities.durability).toBe('none')
      await driver.close()
    })

    test('each broker may be killed in its turn: the others take its place, and nothing is lost', async () => {
      const driver = { is: 'kafka' as const, url, store: store.url }
      const child = new Child({ folder, role: 'both', leaseMs: 10_000, driver })
      const port = await child.start()
      const sender = new Sender(folder, () => port)
      const handled = () =>
        linesIn(join(folder, 'bot-audit.log')).filter((line) => line.startsWith('{"is":"done"')).length
      try {
        const traffic = new Traffic(sender)
        const leads = async (nth: number) => {
          const { topics } = await admin.fetchTopicMetadata()
          return topics.flatMap(({ partitions }) => partitions).some(({ leader }) => leader === nth + 1)
        }
        for (const [nth, broker] of brokers.entries()) {
          await traffic.accepts(50)
          await eventually(() => leads(nth).catch(() => false))
          await broker.kill('SIGKILL')
          await eventually(async () => !(await leads(nth).catch(() => true)), 60_000)
          await traffic.accepts(100)
          const until = traffic.accepted
          await eventually(() => handled() >= until, 60_000)
          await broker.restart()
          await eventually(async () => (await copies().catch(() => undefined))?.areInSync, 60_000)
        }
        await traffic.end()
        for (const refusal of traffic.refusals) expect(refusal).toMatch(/^503 [123]$/)
        expect(traffic.slowestMs).toBeLessThan(budgetMs)

        expect(await endsWell(child, folder)).toMatchObject({ acked: traffic.accepted, redelivered: 0 })
      } finally {
        sender.close()
      }
    })
  }),
)
