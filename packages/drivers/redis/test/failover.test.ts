import { randomUUID } from 'node:crypto'
import { driverSuite, type Runner } from '@trigger-hub/conformance'
import { redis } from '@trigger-hub/redis'
import { crashBots } from '../../../../test/crash/bots.ts'
import { Child, endAll } from '../../../../test/crash/child.ts'
import type { DriverChoice } from '../../../../test/crash/drivers.ts'
import { endsWell } from '../../../../test/crash/ending.ts'
import { judge } from '../../../../test/crash/oracle.ts'
import { crashRun, freshFolder, removeFolder } from '../../../../test/crash/run.ts'
import { Sender } from '../../../../test/crash/sender.ts'
import { Traffic } from '../../../../test/crash/traffic.ts'
import { needsOwn } from '../../../../test/servers/needs.ts'
import { startClusterGroup, startSentinelGroup, type Group } from './groups.ts'

jest.setTimeout(120_000)

const bots = crashBots(() => new Error())
/** The app gives its driver 2 s to accept; the rest is for a busy machine. Who forgets a deadline waits far longer. */
const budgetMs = 5_000

/** What shows whether a driver works at all; the rest of the suite is for one server. */
const basic = ['accepting an event', 'delivering it', 'trying again', 'dead letters']
const basics: Runner = {
  describe: (name, body) => {
    if (basic.includes(name)) describe(name, body)
  },
  it,
}

needsOwn('redis', () => {
  describe.each<[string, (prefix: string) => Promise<Group>]>([
    ['a primary, two replicas and a Sentinel', startSentinelGroup],
    ['a cluster of three primaries, one of them with replicas', startClusterGroup],
  ])('on %s', (_, startGroup) => {
    const prefix = `failover-${randomUUID().slice(0, 8)}`
    let folder: string
    let group: Group
    let driver: DriverChoice
    beforeAll(async () => {
      group = await startGroup(prefix)
      driver = { is: 'redis group', prefix, ...group.at }
    })
    beforeEach(() => (folder = freshFolder()))
    afterEach(async () => {
      await endAll()
      removeFolder(folder)
    })
    afterAll(() => group.stop())

    describe('redis() as a driver', () =>
      driverSuite(
        basics,
        async ({ name, clock, leaseMs }) => {
          const client = group.client()
          const driver = redis(client, { prefix: name, clock, lease: leaseMs })
          const close = driver.close.bind(driver)
          driver.close = () => close().finally(() => client.disconnect())
          await driver.inspect()
          return driver
        },
        { time: 'real' },
      ))

    test('it says what an accepted event survives', async () => {
      const client = group.client()
      const [careless, careful] = [redis(client, { prefix }), redis(client, { prefix, replicas: 2 })]
      expect((await careless.inspect()).warnings.map(({ code }) => code)).toEqual(['WARN_REDIS_FAILOVER'])
      expect(careless.capabilities.durability).toBe('none')
      const { summary, warnings } = await careful.inspect()
      expect(summary).toMatch(/on the server's disk and with 2 of its replicas before the answer\.$/)
      expect([careful.capabilities.durability, warnings]).toEqual(['replicated', []])
      client.disconnect()
    })

    test('nothing is lost while a receiver and a worker are killed apart from each other', async () => {
      const roles = ['receiver', 'worker'] as const
      const run = { events: 150, seed: 1, inFlight: 16, life: 50, roles, app: { driver } }
      const { broken, counts } = judge(await crashRun(folder, run), bots)
      expect(broken).toEqual([])
      expect(counts.acked).toBe(150)
      expect(counts.cuts).toBeGreaterThanOrEqual(2)
    })

    test('when the primary is killed, another one takes its place, and nothing is lost', async () => {
      const child = new Child({ folder, role: 'both', leaseMs: 60_000, driver })
      const port = await child.start()
      const sender = new Sender(folder, () => port)
      try {
        const traffic = new Traffic(sender, { from: 1_000 })
        await traffic.accepts(100)
        await group.kill()
        await traffic.refuses(1)
        await traffic.accepts(100)
        await traffic.end()
        expect([...traffic.refusals]).toEqual(['503 1'])
        expect(traffic.slowestMs).toBeLessThan(budgetMs)

        expect((await endsWell(child, folder)).acked).toBe(traffic.accepted)
      } finally {
        sender.close()
      }
    })
  })
})
