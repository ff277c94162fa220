import { randomUUID } from 'node:crypto'
import type { AcceptOptions, Driver, EventRecord, Verdict } from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import { eventually } from '../../../test/eventually.ts'

// what every driver and store does is asked by the suites of @trigger-hub/conformance

const anEvent = (): EventRecord => ({
  id: randomUUID(),
  source: 'shop',
  type: 'orders.create',
  rawType: 'orders/create',
  time: 1_893_456_000_000,
  headers: {},
  rawBody: Buffer.from('{}'),
})

const options = (): AcceptOptions => ({
  fingerprint: 'same',
  ttlMs: 60_000,
  token: randomUUID(),
  timeoutMs: 500,
})

const nobody = { concurrency: 1, onSettled: () => undefined, onError: () => undefined }

it('says that it keeps nothing and is for one process', () => {
  expect(memory().capabilities).toEqual({ durability: 'none', reach: 'process', maxEventBytes: Infinity })
})

it('refuses an option that it does not have', () => {
  expect(() => memory({ path: 'hub.db' } as object)).toThrow(
    'memory() has no option "path". It takes: clock.',
  )
})

it('keeps the last thousand events that no bot wanted', async () => {
  const driver = memory()
  await driver.declare([])
  for (let nth = 0; nth < 1_100; nth++) await driver.accept(anEvent(), options())
  expect((await driver.inspect()).unmatched).toBe(1_000)
})

it('tells who lets an unknown bot consume what to do first', async () => {
  await expect(memory().consume('mail', nobody, async () => ({ is: 'done' }))).rejects.toThrow(
    'Bot "mail" is not in the registry: declare it before it consumes.',
  )
})

it('holds the keys of a store apart from those of accepted events', async () => {
  const hub = memory()
  await hub.declare([])
  await expect(hub.claim('key', 'same', { leaseMs: 1_000, timeoutMs: 500 })).resolves.toMatchObject({
    is: 'claimed',
  })
  await expect(hub.accept(anEvent(), { ...options(), key: 'key' })).resolves.toMatchObject({ is: 'accepted' })
})

it('leaves room for timers while a bot has work without end', async () => {
  const driver: Driver = memory()
  await driver.declare([{ name: 'mail', on: ['*:**'] }])
  await driver.accept(anEvent(), options())
  let runs = 0
  const again: Verdict = { is: 'release', interrupted: false }
  const subscription = await driver.consume('mail', nobody, async () =>
    ++runs < 100_000 ? again : { is: 'done' },
  )
  await eventually(() => runs > 0) // which looks by a timer
  expect(runs).toBeLessThan(100_000)
  await subscription.drain(1_000)
  await driver.close()
})
