import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { freshFolder, removeFolder } from '../crash/run.ts'
import { eventually } from '../eventually.ts'
import { linesIn } from '../lines.ts'
import { endAll, Forked } from '../processes/forked.ts'
import { suspended } from '../processes/suspended.ts'
import type { Effect, GuardedApp, Warning } from './app.ts'
import { charge, charged, type Answer } from './caller.ts'

/** Longer than a busy machine, or its disk, keeps a process from renewing it. */
const leaseMs = 3_000

/**
 * Fifty requests with one key at two processes that share a store, and what must hold when the one that runs the route
 * is killed, or stopped for longer than its lease.
 * @param redis  URL of the store; without it the processes share a file
 */
export function raceSuite(redis?: string): void {
  jest.setTimeout(120_000)

  let folder: string
  let prefix: string
  beforeEach(() => {
    folder = freshFolder()
    prefix = randomUUID()
  })
  afterEach(async () => {
    await endAll()
    removeFolder(folder)
  })

  const forked = (options: Partial<GuardedApp>): Forked =>
    new Forked(join(__dirname, 'app.ts'), {
      ...{ folder, prefix, leaseMs: 60_000, waitMs: 0, workMs: 20 },
      ...(redis === undefined ? {} : { redis }),
      ...options,
    } satisfies GuardedApp)

  async function two(options: Partial<GuardedApp>): Promise<{ children: Forked[]; ports: number[] }> {
    const children = [forked(options), forked(options)]
    return { children, ports: await Promise.all(children.map((child) => child.start())) }
  }

  const lines = <Line>(name: string): Line[] =>
    linesIn(join(folder, `${name}.log`)).map((line) => JSON.parse(line) as Line)
  const effects = (key: string): Effect[] => lines<Effect>('effects').filter((effect) => effect.key === key)
  const warnings = (): Warning[] => lines<Warning>('warnings')

  /** Which of the two runs the route for this key. */
  async function ownerOf(key: string, children: readonly Forked[]): Promise<number> {
    await eventually(() => effects(key).length > 0)
    return children.findIndex(({ pid }) => pid === effects(key)[0]?.pid)
  }

  const fifty = Array.from({ length: 50 }, (_, nth) => nth)
  const rounds = Array.from({ length: 20 }, (_, nth) => `round-${nth}`)

  /** One of them comes from the run itself, all others are the same again. */
  function expectOneAnswer(answers: readonly Answer[], key: string): void {
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201))
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1)
    expect(new Set(answers.map(({ said }) => said)).size).toBe(1)
    expect(effects(key).map(({ is }) => is)).toEqual(['begun', 'done'])
  }

  test('callers that retry after 409 get one execution and forty-nine replays of its bytes, in every round', async () => {
    const { ports } = await two({})
    let refused = 0
    const owners = new Set<number>()
    for (const [round, key] of rounds.entries()) {
      // each is the first one to hear of every other key
      const answers = await Promise.all(fifty.map((nth) => charged(() => ports[(nth + round) % 2]!, key)))
      expectOneAnswer(answers, key)
      refused += answers.reduce((sum, one) => sum + one.refused, 0)
      owners.add(effects(key)[0]!.pid)
    }
    expect(refused).toBeGreaterThan(rounds.length) // the requests did meet a run in flight
    expect(owners.size).toBe(2) // and both processes were in the race
    expect(warnings().filter(({ code }) => code !== 'ERR_KEY_IN_FLIGHT')).toEqual([])
  })

  test('callers that the guard lets wait get the same, without a 409', async () => {
    const { ports } = await two({ waitMs: 30_000 })
    for (const key of rounds) {
      const answers = await Promise.all(fifty.map((nth) => charge(ports[nth % 2]!, key)))
      expectOneAnswer(answers.map((answer) => answer!), key) // prettier-ignore
    }
  })

  test('a 409 says when to try again', async () => {
    const { children, ports } = await two({ workMs: 60_000 })
    const first = charge(ports[0]!, 'slow')
    await ownerOf('slow', children)
    expect(await charge(ports[1]!, 'slow')).toMatchObject({ status: 409, retryAfter: '1', replayed: false })
    await endAll()
    expect(await first).toBeUndefined()
  })

  test('a key whose owner is killed in flight is free after the lease, and one of the others runs', async () => {
    const slow = { leaseMs, workMs: 'until SIGUSR2' } as const
    let { children, ports } = await two(slow)
    for (const key of rounds.slice(0, 3)) {
      const answers = fifty.map((nth) => charged((tries) => ports[(nth + tries) % 2]!, key))
      const owner = await ownerOf(key, children)
      const at = performance.now()
      children[owner]!.kill('SIGKILL')
      children[1 - owner]!.kill('SIGUSR2')
      const got = await Promise.all(answers)
      expect(performance.now() - at).toBeLessThan(leaseMs + 10_000)

      expect(got.filter(({ replayed }) => !replayed)).toHaveLength(1)
      expect(new Set(got.map(({ said }) => said)).size).toBe(1)
      const successor = children[1 - owner]!.pid
      expect(effects(key)).toEqual([
        { is: 'begun', key, pid: children[owner]!.pid },
        { is: 'begun', key, pid: successor },
        { is: 'done', key, pid: successor },
      ])
      await endAll()
      ;({ children, ports } = await two(slow))
      expect((await charge(ports[0]!, key))?.said).toBe(got[0]!.said) // the reply outlives both
    }
  })

  test("an owner stopped past its lease cannot finish the key: the successor's reply stays", async () => {
    const { children, ports } = await two({ leaseMs, workMs: 'until SIGUSR2' })
    const key = 'stopped'
    const answers = fifty.map((nth) => charged(() => ports[nth % 2]!, key))
    const owner = await ownerOf(key, children)
    await suspended(children[owner]!, join(folder, 'guard.db'))
    children[1 - owner]!.kill('SIGUSR2')
    const others = await Promise.all(answers.filter((_, nth) => nth % 2 !== owner))
    expect(others.filter(({ replayed }) => !replayed)).toHaveLength(1)
    const { said } = others[0]!
    expect(new Set(others.map((one) => one.said))).toEqual(new Set([said]))
    expect(warnings().filter(({ code }) => code === 'WARN_REPLY_NOT_KEPT')).toEqual([])

    children[owner]!.kill('SIGCONT')
    children[owner]!.kill('SIGUSR2')
    const late = await Promise.all(answers.filter((_, nth) => nth % 2 === owner))
    // its own caller learns what its run has done; everybody else what is kept
    expect(late.filter((one) => one.said !== said).map(({ replayed }) => replayed)).toEqual([false])
    expect(late.filter((one) => one.said === said).map(({ replayed }) => replayed)).toEqual(
      Array(24).fill(true),
    )
    expect(
      effects(key).map(({ is, pid }) => [is, pid === children[owner]!.pid ? 'owner' : 'successor']),
    ).toEqual([
      ['begun', 'owner'],
      ['begun', 'successor'],
      ['done', 'successor'],
      ['done', 'owner'],
    ])
    expect(warnings().filter(({ code }) => code === 'WARN_REPLY_NOT_KEPT')).toMatchObject([
      { pid: children[owner]!.pid, message: expect.stringContaining('its lease had run out') as string },
    ])
    for (const port of ports) expect(await charge(port, key)).toMatchObject({ said, replayed: true })
  })

  test('a route that takes longer than its lease keeps it for as long as it runs', async () => {
    const { ports } = await two({ leaseMs, workMs: 2.5 * leaseMs })
    const answers = await Promise.all(fifty.map((nth) => charged(() => ports[nth % 2]!, 'long')))
    expectOneAnswer(answers, 'long')
  })
}
