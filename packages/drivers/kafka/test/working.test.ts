import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { systemClock, type Clock } from '@trigger-hub/core'
import { eventually } from '../../../../test/eventually.ts'
import { linesIn } from '../../../../test/lines.ts'
import { endAll, Forked } from '../../../../test/processes/forked.ts'
import { needsOwn } from '../../../../test/servers/needs.ts'
import { Broker } from './broker.ts'
import { accept, done, everything, failed, work } from './hub.ts'

jest.setTimeout(120_000)

needsOwn('kafka', () => {
  let broker: Broker
  beforeAll(async () => {
    broker = await Broker.start()
  })
  afterAll(() => broker.stop())

  test('keeps the order of what has one key', async () => {
    const driver = broker.hub().driver()
    await driver.declare(everything('mail'))
    const keys = ['a', 'b', 'c', 'd', 'e']
    for (let nth = 0; nth < 50; nth++) {
      await accept(driver, { key: keys[nth % 5]!, rawBody: Buffer.from(String(nth)) })
    }
    const { runs } = await work(driver, 'mail')
    await eventually(() => runs.length === 50)
    for (const key of keys) {
      const order = runs.filter(({ event }) => event.key === key).map(({ event }) => Number(event.rawBody))
      expect(order).toEqual(order.toSorted((a, b) => a - b))
    }
  })

  test('shares the partitions among the processes that work for a bot, whoever comes and goes', async () => {
    const one = broker.hub()
    const [receiver, ...drivers] = Array.from({ length: 4 }, () => one.driver())
    await receiver!.declare(everything('mail'))
    const accepted: string[] = []
    const workers: Awaited<ReturnType<typeof work>>[] = []
    for (const driver of drivers) {
      workers.push(await work(driver, 'mail', () => done, 5))
      for (let nth = 0; nth < 40; nth++) accepted.push(await accept(receiver!))
    }
    await workers[0]!.drain()
    for (let nth = 0; nth < 40; nth++) accepted.push(await accept(receiver!))
    const runs = () => workers.flatMap((worker) => worker.runs)
    await eventually(() => runs().length >= accepted.length)
    await eventually(async () => (await receiver!.inspect()).bots[0]?.backlog === 0)
    expect(
      runs()
        .map(({ event }) => event.id)
        .sort(),
    ).toEqual(accepted.sort())
    expect(runs().filter(({ attempt, redelivered }) => attempt > 1 || redelivered)).toEqual([])
    expect(workers.flatMap(({ errors }) => errors)).toEqual([])
  })

  test('fifty restarts in the middle of a run cost no attempt and bury nothing', async () => {
    const one = broker.hub()
    const first = one.driver()
    await first.declare(everything('mail'))
    await accept(first)
    for (let nth = 0; nth < 50; nth++) {
      const driver = one.driver()
      const attempt = await new Promise<number>((resolve) => {
        void work(driver, 'mail', (delivery) => {
          resolve(delivery.attempt)
          return new Promise(() => undefined) // it runs when its process is told to end
        })
      })
      expect(attempt).toBe(1)
      await driver.close()
    }
    const { bots } = await first.inspect()
    expect(bots).toMatchObject([{ backlog: 0, waiting: 1, running: 0, deadLetters: 0 }])
  })

  test('what fails for hours holds up neither another bot nor other deliveries of its own', async () => {
    const driver = broker.hub().driver()
    await driver.declare(everything('mail', 'stock'))
    const accepted: string[] = []
    for (let nth = 0; nth < 100; nth++)
      accepted.push(await accept(driver, { rawBody: Buffer.from(String(nth)) }))
    const mail = await work(driver, 'mail', ({ event, attempt }) =>
      Number(event.rawBody) % 2 === 0 ? { is: 'retry', afterMs: 3_600_000, failed: failed(attempt) } : done,
    )
    const stock = await work(driver, 'stock')
    await eventually(() => stock.settled.length === 100 && mail.settled.length === 100, 60_000)
    const { bots } = await driver.inspect()
    expect(bots.map(({ name, backlog, waiting, running }) => ({ name, backlog, waiting, running }))).toEqual([
      { name: 'mail', backlog: 0, waiting: 50, running: 0 },
      { name: 'stock', backlog: 0, waiting: 0, running: 0 },
    ])
    await accept(driver, { rawBody: Buffer.from('1') })
    await eventually(() => mail.runs.length === 101)
  })

  test('composes a wait of several parts, never too short and at most a quarter of a second too long', async () => {
    const driver = broker.hub().driver()
    await driver.declare(everything('mail'))
    const starts = new Map<string, number[]>()
    const waits = [1_750, 300, 1]
    const { settled } = await work(
      driver,
      'mail',
      ({ event, attempt }) => {
        starts.set(event.id, [...(starts.get(event.id) ?? []), Date.now()])
        const afterMs = waits[attempt - 1]
        return afterMs === undefined ? done : { is: 'retry', afterMs, failed: failed(attempt) }
      },
      5,
    )
    const shortest = () =>
      waits.map((_, nth) => Math.min(...[...starts.values()].map((all) => all[nth + 1]! - all[nth]!)))
    // the best of a few, and of more while they are late: a busy machine is not always busy
    const areInTime = () => shortest().every((ms, nth) => ms < waits[nth]! + 250 + 1_000)
    for (let sent = 0; sent < 5 || (sent < 25 && !areInTime());) {
      const until = sent + 5
      for (; sent < until; sent++) {
        await accept(driver)
        await wait(200)
      }
      await eventually(() => settled.length === sent * 4, 60_000)
    }
    for (const [nth, ms] of shortest().entries()) expect(ms).toBeGreaterThanOrEqual(waits[nth]!)
    expect(areInTime()).toBe(true)
  })

  test('does not forget what becomes due in the very moment in which it is looked for', async () => {
    let calls = 0
    const early = (ms: number, task: () => void) => systemClock.after(Math.max(0, ms - 2), task)
    const restless: Clock = { ...systemClock, now: () => Date.now() + (calls++ % 4), after: early }
    const driver = broker.hub().driver({ clock: restless })
    await driver.declare(everything('mail'))
    await accept(driver)
    const { settled } = await work(driver, 'mail', () =>
      settled.length < 20 ? { is: 'release', interrupted: false } : done,
    )
    await eventually(() => settled.length === 21)
  })

  test('an event that kills its process each time costs attempts and stops nobody', async () => {
    const one = broker.hub()
    const driver = one.driver({ partitions: 1 })
    await driver.declare(everything('mail'))
    const ids: string[] = []
    for (const text of ['a', 'poison', 'b', 'c'])
      ids.push(await accept(driver, { rawBody: Buffer.from(text) }))
    const [, poison] = ids
    const log = join(tmpdir(), `trigger-hub-${one.prefix}.log`)
    writeFileSync(log, '')
    const options = { brokers: broker.url, prefix: one.prefix, log }
    for (let deaths = 0; deaths < 3; deaths++) {
      const child = new Forked(join(__dirname, 'poisoned.ts'), options)
      await child.start().catch(() => undefined) // it may be dead before it says that it is up
      expect((await child.exited).signal).toBe('SIGKILL')
    }
    await new Forked(join(__dirname, 'poisoned.ts'), options).start()
    const letters = await eventually(async () => {
      const found = await driver.deadLetters.list()
      return found.length > 0 ? found : undefined
    })
    expect(letters.map(({ event, attempts }) => [event.id, attempts.map(({ outcome }) => outcome)])).toEqual([
      [poison, ['lost', 'lost', 'lost']],
    ])
    // a neighbour that ran at a kill may run twice
    const handled = () => [...new Set(linesIn(log))].sort()
    await eventually(() => handled().length === 3)
    expect(handled()).toEqual(ids.filter((id) => id !== poison).sort())
    await endAll()
  })
})
