import { crashBots } from './bots.ts'
import { endAll } from './child.ts'
import { judge } from './oracle.ts'
import { crashRun, freshFolder, removeFolder, type CrashRun } from './run.ts'

const events = Number(process.env.CRASH_EVENTS ?? 300)
const seed = Number(process.env.CRASH_SEED ?? 1)
const bots = crashBots(() => new Error())
const long = events > 300

jest.setTimeout(long ? 900_000 : 120_000)

let folder: string
beforeEach(() => (folder = freshFolder()))
afterEach(async () => {
  await endAll()
  removeFolder(folder)
})

const run: CrashRun = {
  events,
  seed,
  inFlight: long ? 64 : 16,
  life: long ? 150 : 60,
  roles: ['both'],
}

test('nothing that was answered 2xx is lost while the process is killed again and again', async () => {
  const { broken, counts } = judge(await crashRun(folder, run), bots)
  expect(broken).toEqual([])
  expect(counts.acked).toBe(events)
  expect(counts.cuts).toBeGreaterThanOrEqual(3)
  expect(counts.redelivered).toBeGreaterThan(0) // the kills met running attempts
})

test('nothing is lost while a receiver and a worker are killed apart from each other', async () => {
  const apart = await crashRun(folder, { ...run, roles: ['receiver', 'worker'] })
  const { broken, counts } = judge(apart, bots)
  expect(broken).toEqual([])
  expect(counts.acked).toBe(events)
  expect(counts.cuts).toBeGreaterThanOrEqual(4)
})

test('the same run loses events when they are answered before they are stored', async () => {
  const early = await crashRun(folder, { ...run, app: { ack: 'immediate', storeMs: 20 } })
  const lost = judge(early, bots).broken.filter((line) => line.startsWith('lost: '))
  expect(lost).not.toEqual([])
})
