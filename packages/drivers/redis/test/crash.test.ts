import { crashBots } from '../../../../test/crash/bots.ts'
import { endAll } from '../../../../test/crash/child.ts'
import { judge } from '../../../../test/crash/oracle.ts'
import { pointsSuite } from '../../../../test/crash/points.ts'
import { crashRun, freshFolder, removeFolder, type CrashRun } from '../../../../test/crash/run.ts'
import { needsOwn } from '../../../../test/servers/needs.ts'
import { startRedis } from '../../../../scripts/services/redis.ts'
import type { Server } from '../../../../scripts/services/server.ts'

const events = Number(process.env.CRASH_EVENTS ?? 300)
const bots = crashBots(() => new Error())
const isLong = events > 300

needsOwn('redis', () => {
  let server: Server
  let folder: string
  const app = { redis: '' }
  beforeAll(async () => {
    server = await startRedis()
    app.redis = server.url
  })
  afterAll(() => server.stop())
  beforeEach(() => (folder = freshFolder()))
  afterEach(async () => {
    await endAll()
    removeFolder(folder)
  })

  const run = (): CrashRun => ({
    events,
    seed: Number(process.env.CRASH_SEED ?? 1),
    inFlight: isLong ? 64 : 16,
    life: isLong ? { ms: 300 } : { answers: 70 },
    roles: ['receiver', 'worker'],
    app,
  })

  test(
    'nothing is lost while a receiver and a worker are killed apart from each other',
    async () => {
      const { broken, counts } = judge(await crashRun(folder, run()), bots)
      expect(broken).toEqual([])
      expect(counts.acked).toBe(events)
      expect(counts.cuts).toBeGreaterThanOrEqual(4)
      expect(counts.redelivered).toBeGreaterThan(0) // the kills met running attempts
    },
    isLong ? 600_000 : 120_000,
  )

  describe('a process', () => pointsSuite(app))
})
