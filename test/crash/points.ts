import { join } from 'node:path'
import { eventually } from '../eventually.ts'
import { suspended } from '../processes/suspended.ts'
import type { AppOptions } from './app.ts'
import { crashBots } from './bots.ts'
import { Child, endAll } from './child.ts'
import { appender, readLedger, type Cut, type Ledger, type Run } from './ledger.ts'
import { judge } from './oracle.ts'
import { freshFolder, removeFolder } from './run.ts'
import { message, Sender } from './sender.ts'

const bots = crashBots(() => new Error())

/** When a process is killed, and what then becomes of its event. */
export type Point = [NonNullable<AppOptions['dieAt']>, { outcome: string; duplicate: boolean; runs: number }]

const points: readonly Point[] = [
  [
    'before the durable write',
    { outcome: 'has answered nothing, and the retry is the original', duplicate: false, runs: 1 },
  ],
  [
    'after the durable write',
    {
      outcome: 'has answered nothing, and the retry is a duplicate that runs nothing',
      duplicate: true,
      runs: 1,
    },
  ],
  [
    'after the effect',
    { outcome: 'has settled nothing, and the next run says redelivered', duplicate: true, runs: 2 },
  ],
]

/** Of a driver over a broker: the key is claimed in one place, the event stored in another. */
export const brokerPoints: readonly Point[] = [
  [
    'after the claim',
    {
      outcome: 'has stored nothing, and the retry is accepted when its lease is over',
      duplicate: false,
      runs: 1,
    },
  ],
  [
    'after the publish',
    {
      outcome: 'knows nothing of it, and the retry publishes a copy that runs nothing',
      duplicate: false,
      runs: 1,
    },
  ],
  [
    'after the confirm',
    {
      outcome: 'has told nobody, and the retry publishes a copy that runs nothing',
      duplicate: false,
      runs: 1,
    },
  ],
]

/**
 * What must hold when a process is killed at a certain point, stopped for long, or told to end.
 * @param app   which driver its processes use
 * @param more  points of that driver alone
 */
export function pointsSuite(app: Partial<AppOptions> = {}, more: readonly Point[] = []): void {
  jest.setTimeout(60_000)

  let folder: string
  let port = 0
  let sender: Sender
  beforeEach(() => {
    folder = freshFolder()
    port = 0
    sender = new Sender(folder, () => port)
  })
  afterEach(async () => {
    sender.close()
    await endAll()
    removeFolder(folder)
  })

  async function started(
    options: Omit<AppOptions, 'folder' | 'role'> & { role?: AppOptions['role'] } = {},
  ): Promise<Child> {
    const child = new Child({ role: 'both', ...app, ...options, folder })
    const itsPort = await child.start()
    if (options.role !== 'worker') port = itsPort
    return child
  }

  /** One that may be dead before it says that it is up. */
  function starting(options: Omit<AppOptions, 'folder'>): Child {
    const child = new Child({ ...app, ...options, folder })
    child.start().catch(() => undefined)
    return child
  }

  const cutOff = (child: Child): void => appender<Cut>(folder, 'cuts')({ pid: child.pid })

  /** What bot `audit`, which hears everything, did for a key. */
  const runsOf = ({ runs }: Ledger, key: string): Run[] => {
    const event = runs.find((run) => run.key === key)?.event
    return runs.filter((run) => run.bot === 'audit' && run.event === event)
  }

  describe.each([...points, ...more])('a process killed %s', (dieAt, { outcome, duplicate, runs }) => {
    it(`${outcome}`, async () => {
      const first = message(1)
      // receivers alone: a worker in the same process might have begun, and one point is a worker's
      const apart = dieAt === 'after the effect'
      const receiver = await started({ role: 'receiver', ...(apart ? {} : { dieAt }) })
      const before = await sender.post(first)
      expect(before.status).toBe(apart ? 200 : 0)
      const dead = apart ? starting({ role: 'worker', dieAt }) : receiver
      expect(await dead.exited).toEqual({ code: null, signal: 'SIGKILL' })
      cutOff(dead)

      const successor = await started()
      const retry = await sender.deliver(first)
      expect(retry).toMatchObject({ status: 200, duplicate })
      await successor.quiet()

      const ledger = readLedger(folder)
      expect(judge(ledger, bots).broken).toEqual([])
      const starts = runsOf(ledger, first.key).filter(({ is }) => is === 'started')
      expect(starts.map(({ attempt, redelivered }) => [attempt, redelivered])).toEqual(
        [
          [1, false],
          [2, true],
        ].slice(0, runs),
      )
    })
  })

  test('a worker stopped past its lease is taken over from, and its late verdict is refused and counted', async () => {
    await started({ role: 'receiver' })
    const slow = await started({ role: 'worker', workMs: 'until SIGUSR2' })
    const one = message(1)
    await sender.post(one)
    const hearing = bots.filter(({ hears }) => hears(one.type)).length
    await eventually(() => readLedger(folder).runs.length >= hearing)
    await suspended(slow, join(folder, 'hub.db'))
    cutOff(slow)
    const second = await started({ role: 'worker' })
    await second.quiet()
    slow.kill('SIGCONT')
    slow.kill('SIGUSR2')
    await eventually(() => readLedger(folder).runs.filter(({ is }) => is === 'fenced').length >= hearing)

    const ledger = readLedger(folder)
    expect(judge(ledger, bots).broken).toEqual([])
    const verdicts = runsOf(ledger, one.key).filter(({ is }) => is === 'settled' || is === 'fenced')
    expect(verdicts.map(({ is, pid }) => [is, pid === slow.pid ? 'stopped' : 'other'])).toEqual([
      ['settled', 'other'],
      ['fenced', 'stopped'],
    ])
  })

  test('SIGTERM ends intake with 503, lets what runs finish, loses nothing and exits with 0', async () => {
    const child = await started({ workMs: 'until SIGUSR2', storeMs: 20 })
    const burst = Array.from({ length: 20 }, (_, n) => message(n))
    const answers = burst.map((one) => sender.post(one))
    await eventually(() => readLedger(folder).runs.length > 0)
    child.kill('SIGTERM')
    const refused = await eventually(async () => {
      const sent = await sender.post(message(50))
      return sent.status !== 200 && sent
    })
    expect(refused).toMatchObject({ status: 503, retryAfter: '1' })
    child.kill('SIGUSR2')
    expect(await child.exited).toEqual({ code: 0, signal: null })
    const statuses = (await Promise.all(answers)).map(({ status }) => status)
    expect(statuses).toContain(200)
    expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([]) // nobody was cut off

    const successor = await started()
    await successor.quiet()
    const ledger = readLedger(folder)
    expect(judge(ledger, bots)).toMatchObject({ broken: [], counts: { redelivered: 0 } })
  })
}
