import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Delivery, Settled } from '@trigger-hub/core'
import type { embedded } from '@trigger-hub/embedded'
import { eventually } from '../../../../test/eventually.ts'
import { suspended } from '../../../../test/processes/suspended.ts'
import { acceptOptions, anEvent } from './events.ts'
import { Child } from './child-process.ts'
import { atEnd, opened, path } from './opened.ts'

const child = (...args: ConstructorParameters<typeof Child>): Child => {
  const one = new Child(...args)
  atEnd(() => one.end())
  return one
}

/** Longer than a busy machine, or its disk, keeps a process from renewing it. */
const leaseMs = 3_000

const mail = [{ name: 'mail', on: ['*:**'] }]

/** Waits until every event of the list was handled; fails at the time limit of the test otherwise. */
const allHandled = (ids: readonly string[], deliveries: readonly Delivery[]): Promise<boolean> =>
  eventually(() => {
    const handled = new Set(deliveries.map(({ event }) => event.id))
    return ids.every((id) => handled.has(id))
  })

/** A bot that succeeds, and the deliveries that it got. */
async function work(driver: ReturnType<typeof embedded>) {
  const deliveries: (Delivery & { at: number })[] = []
  const settled: Settled[] = []
  await driver.consume(
    'mail',
    { concurrency: 50, onSettled: (_, outcome) => settled.push(outcome), onError: () => undefined },
    async (delivery) => {
      deliveries.push({ ...delivery, at: Date.now() })
      return { is: 'done' }
    },
  )
  return { deliveries, settled }
}

describe('a process that is killed', () => {
  it('has lost nothing that it acknowledged, however often it happens', async () => {
    await opened().declare(mail)
    const accepted: string[] = []
    for (const acks of [1, 40, 7, 150]) {
      const receiver = child('receive', path)
      await eventually(() => receiver.all('accepted').length >= acks)
      await receiver.end()
      accepted.push(...receiver.all('accepted'))
    }
    const { deliveries } = await work(opened())
    await allHandled(accepted, deliveries)
    expect(new Set(deliveries.map(({ event }) => event.id)).size).toBe(deliveries.length)
  })

  it('gives its deliveries to another one, at the cost of an attempt', async () => {
    const driver = opened({ lease: leaseMs })
    await driver.declare(mail)
    const event = anEvent()
    await driver.accept(event, acceptOptions(event))
    const dying = child('work', path, { argument: String(leaseMs) })
    await dying.says('running')
    await dying.end()
    const { deliveries } = await work(driver)
    const taken = await eventually(() => deliveries[0])
    expect(taken).toMatchObject({ attempt: 2, redelivered: true, history: [{ attempt: 1, outcome: 'lost' }] })
    expect(taken.event).toEqual(event)
  })
})

describe('a process that is suspended', () => {
  it('loses its deliveries when its lease runs out, and its late verdict is refused', async () => {
    const driver = opened({ lease: leaseMs })
    await driver.declare(mail)
    const event = anEvent()
    await driver.accept(event, acceptOptions(event))
    const late = child('work', path, { argument: String(leaseMs) })
    await late.says('running')
    await suspended(late, path)
    const { deliveries, settled } = await work(driver)
    await eventually(() => settled.length === 1)
    late.kill('SIGCONT')
    await late.says('lost')
    late.tell()
    expect(await late.says('settled')).toBe('settled fenced')
    expect(deliveries.map(({ attempt, redelivered }) => ({ attempt, redelivered }))).toEqual([
      { attempt: 2, redelivered: true },
    ])
    expect(settled).toEqual(['settled'])
  })

  it('and sits on the lock of the file costs others a 503 in time, and never their event loop', async () => {
    const driver = opened()
    await driver.declare(mail)
    const holder = child('lock', path)
    await holder.says('locked')
    holder.kill('SIGSTOP')
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    const startedAt = performance.now()
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, () => {
        const event = anEvent()
        return driver.accept(event, acceptOptions(event, { timeoutMs: 400 }))
      }),
    )
    const tookMs = performance.now() - startedAt
    delay.disable()
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: { code: 'ERR_DRIVER_UNAVAILABLE', status: 503 },
      })
    }
    expect(tookMs).toBeGreaterThan(350)
    expect(tookMs).toBeLessThan(3_000) // who forgets the deadline waits for the lock
    expect(delay.percentile(50) / 1e6).toBeLessThan(50) // the longest of them are the machine's

    const event = anEvent()
    const waiting = driver.accept(event, acceptOptions(event))
    holder.kill('SIGCONT')
    holder.tell()
    await expect(waiting).resolves.toEqual({ is: 'accepted', id: event.id })
  })
})

describe('two processes', () => {
  it('see each other: an idle worker notices what a receiver writes within 100 ms', async () => {
    const driver = opened()
    await driver.declare(mail)
    const { deliveries } = await work(driver)
    const receiver = child('send', path)
    await receiver.says('ready')
    const waits = { here: [] as number[], there: [] as number[] }
    const newest = (): number => deliveries.at(-1)?.at ?? NaN
    for (let nth = 1; nth <= 15; nth++) {
      const event = anEvent()
      await driver.accept(event, acceptOptions(event))
      const acceptedAt = Date.now()
      await eventually(() => deliveries.length === 2 * nth - 1)
      waits.here.push(newest() - acceptedAt)
      receiver.tell()
      await eventually(() => receiver.all('accepted').length === nth && deliveries.length === 2 * nth)
      const [, writtenAt] = receiver.all('accepted')[nth - 1]?.split(' ') ?? []
      waits.there.push(newest() - Number(writtenAt))
    }
    // what a delivery takes by itself is the machine's, and so are the slowest
    expect(median(waits.there) - median(waits.here)).toBeLessThan(100)
  })
})

describe('a disk that is full', () => {
  it('costs a 503 and nothing that was acknowledged', async () => {
    await opened().declare(mail)
    const receiver = child('fill', path, { limit: 4_000 })
    expect(await receiver.says('refused')).toBe('refused ERR_DRIVER_UNAVAILABLE')
    await receiver.says('closed')
    expect(await receiver.exited()).toBe(0)
    const accepted = receiver.all('accepted')
    expect(accepted.length).toBeGreaterThan(5)
    const { deliveries } = await work(opened())
    await allHandled(accepted, deliveries)
  })
})

describe('a process that only receives', () => {
  it('is not kept alive by the file', async () => {
    const receiver = child('once', path)
    expect(await receiver.exited()).toBe(0)
    expect(receiver.all('accepted')).toHaveLength(1)
  })
})

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
