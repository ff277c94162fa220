import type { AppOptions } from './app.ts'
import { crashBots } from './bots.ts'
import { endAll } from './child.ts'
import { judge } from './oracle.ts'
import { crashRun, freshFolder, removeFolder, type CrashRun } from './run.ts'

const events = Number(process.env.CRASH_EVENTS ?? 300)
const bots = crashBots(() => new Error())
const isLong = events > 300

/**
 * The crash run for a driver on a server: receiver and worker are processes of their own.
 * @param app  which driver they use; looked at when the test runs
 */
export function apartSuite(app: Partial<AppOptions>): void {
  let folder: string
  beforeEach(() => (folder = freshFolder()))
  afterEach(async () => {
    await endAll()
    removeFolder(folder)
  })

  const run = (): CrashRun => ({
    events,
    seed: Number(process.env.CRASH_SEED ?? 1),
    inFlight: isLong ? 64 : 16,
    life: isLong ? 150 : 60,
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
}
