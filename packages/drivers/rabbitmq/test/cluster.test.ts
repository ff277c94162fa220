import { basename } from 'node:path'
import { redis } from '@trigger-hub/redis'
import {
  startRabbitMqCluster,
  type RabbitMqCluster,
  type RabbitMqNode,
} from '../../../../scripts/services/rabbitmq.ts'
import { startRedis } from '../../../../scripts/services/redis.ts'
import { Child, endAll } from '../../../../test/crash/child.ts'
import { endsWell } from '../../../../test/crash/ending.ts'
import { freshFolder, removeFolder } from '../../../../test/crash/run.ts'
import { message, Sender } from '../../../../test/crash/sender.ts'
import { Traffic } from '../../../../test/crash/traffic.ts'
import { eventually } from '../../../../test/eventually.ts'
import { needs, needsOwn } from '../../../../test/servers/needs.ts'
import { everything, refusal, Trial } from './trial.ts'

jest.setTimeout(240_000)

/** The app gives its driver 2 s to accept; the rest is for a machine that is busy with three servers. */
const budgetMs = 5_000

needsOwn('rabbitmq', () =>
  needs('redis', (redisUrl) => {
    let cluster: RabbitMqCluster
    /** Clients try the first one first, and who makes a queue leads it. */
    let [first, second, third]: RabbitMqNode[] = []
    let urls: string[]
    beforeAll(async () => {
      cluster = await startRabbitMqCluster(3, {
        config: { collect_statistics_interval: 500 },
        hidden: { quorum_tick_interval: 500 }, // how often it tells
      })
      ;[first, second, third] = cluster.nodes
      urls = cluster.nodes.map(({ url }) => url)
    })
    afterAll(() => cluster.stop())

    interface Queue {
      readonly name: string
      readonly leader: string
      readonly members: readonly string[]
    }

    /** The queues of a hub, as a node tells. */
    async function queues(node: RabbitMqNode | undefined, prefix: string): Promise<Queue[]> {
      const url = new URL('/api/queues', node?.management)
      url.username = url.password = ''
      const authorization = `Basic ${Buffer.from('guest:guest').toString('base64')}`
      const answer = await fetch(url, { headers: { authorization } })
      return ((await answer.json()) as Queue[]).filter(({ name }) => name.startsWith(`${prefix}/`))
    }

    describe('with a store that is as safe', () => {
      let trial: Trial
      beforeEach(() => (trial = new Trial(urls[0]!)))
      afterEach(() => trial.end())

      test('every queue has three members, and a queue with fewer is told of', async () => {
        const primary = await startRedis()
        const port = new URL(primary.url).port
        const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', port] })
        try {
          const store = redis(primary.url, { prefix: trial.prefix, replicas: 1 })
          const { management } = third!
          const driver = trial.driver({ url: urls, store, management })
          await eventually(() =>
            driver.declare(everything).then(
              () => true,
              () => false, // until the replica has come
            ),
          )
          const { summary, warnings } = await eventually(async () => {
            const report = await driver.inspect()
            return report.summary.includes('quorum queues of 3') && report // which a node hears of a little later
          })
          expect(summary).toMatch(/quorum queues of 3, with redis as its store \(replicated\)/)
          expect([driver.capabilities.durability, warnings]).toEqual(['replicated', []])

          const channel = await (await trial.client()).createChannel()
          const careless = { 'x-queue-type': 'quorum', 'x-quorum-initial-group-size': 1 }
          await channel.assertQueue(trial.names.bot('careless'), { arguments: careless })
          const [warning] = await eventually(async () => {
            const report = await driver.inspect()
            return report.warnings.length > 0 && report.warnings
          })
          expect(warning).toMatchObject({ code: 'WARN_RABBITMQ_FEW_MEMBERS' })
          expect(warning?.message).toContain(`"${trial.names.bot('careless')}" has fewer than 3 members`)
          expect(driver.capabilities.durability).toBe('disk')
          await trial.end()
        } finally {
          await Promise.all([primary.stop(), replica.stop()])
        }
      })
    })

    test('right after the node was killed that leads the queues, what is asked of a process is done', async () => {
      const trial = new Trial(urls[0]!)
      try {
        const driver = await trial.declared({ url: urls })
        const { runs, settled } = await trial.work(driver, () => ({ is: 'dead-letter', reason: 'permanent' }))
        await trial.accept(driver)
        await eventually(() => settled.length === 1)
        const another = trial.driver({ url: urls })
        await first!.kill('SIGKILL')
        const asked = [
          driver.inspect(),
          another.deadLetters.redrive({ bot: 'all' }),
          trial.declared({ url: urls }),
        ]
        expect((await Promise.all(asked))[1]).toBe(1)
        await eventually(() => runs.length === 2)
      } finally {
        await trial.end()
        await first!.restart()
      }
    })

    test('when the node is killed that leads the queues and has the connections, the others go on, and nothing is lost', async () => {
      const folder = freshFolder()
      const prefix = basename(folder)
      const driver = { is: 'rabbitmq cluster' as const, urls, store: redisUrl }
      const child = new Child({ folder, role: 'both', leaseMs: 10_000, driver })
      const port = await child.start()
      const sender = new Sender(folder, () => port)
      try {
        await sender.deliver(message(3)) // one that is tried twice
        await child.quiet()
        await eventually(async () => {
          const all = await queues(third, prefix)
          return (
            all.length > 0 &&
            all.every(({ leader, members }) => leader === first!.name && members.length === 3)
          )
        })

        const traffic = new Traffic(sender, { from: 4 })
        await traffic.accepts(100)
        await first!.kill('SIGKILL')
        await traffic.refuses(1)
        await traffic.accepts(100)
        await traffic.end()
        // an event of unknown outcome is asked for again when its claim, of 3 s, is over
        expect([...traffic.refusals].filter((one) => !/^503 [123]$/.test(one))).toEqual([])
        expect(traffic.slowestMs).toBeLessThan(budgetMs)

        expect((await endsWell(child, folder)).acked).toBe(1 + traffic.accepted)
        await eventually(async () => {
          const all = await queues(third, prefix)
          return all.length > 0 && all.every(({ leader }) => leader !== first!.name)
        })
      } finally {
        sender.close()
        await endAll()
        removeFolder(folder)
      }
    })

    test('without a majority of its nodes events are refused; when one comes back, all goes on', async () => {
      const trial = new Trial(urls[2]!)
      try {
        await first!.kill('SIGKILL')
        const driver = await trial.declared({ url: urls, management: third!.management })
        const { settled } = await trial.work(driver)
        await trial.accept(driver)
        await second!.kill('SIGKILL')
        await eventually(() =>
          refusal(trial.accept(driver, {}, 500)).then(
            () => true,
            () => false,
          ),
        )
        const told = await eventually(async () => {
          const report = await driver.inspect().catch(() => undefined) // it may be connecting
          return report?.warnings.find(({ message: text }) => text.includes('no majority'))
        }, 60_000)
        expect(told.code).toBe('WARN_RABBITMQ_MEMBERS_AWAY')
        expect(told.message).toContain('events are refused until there is one again')
        await first!.restart()
        await eventually(
          () =>
            trial.accept(driver, {}, 2_000).then(
              ({ is }) => is === 'accepted',
              () => false,
            ),
          60_000,
        )
        await eventually(() => settled.length >= 2)
        expect(trial.errors.length).toBeGreaterThan(0)
      } finally {
        await trial.end()
      }
    })
  }),
)
