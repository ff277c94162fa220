import { memory } from '@trigger-hub/core/memory'
import type { Admin } from 'kafkajs'
import type { Connected } from '../src/connected.ts'
import { Positions } from '../src/positions.ts'
import type { Topics } from '../src/topics.ts'

const bot = { name: 'mail', id: '1', on: ['*:**'], wishes: [{ on: ['*:**'], from: [0] }] }

/** Where a bot is when its group has committed this in the one partition of the events. */
function positions() {
  const broker = { committed: -1, high: 1_000, meanwhile: (): void => undefined }
  const fetchOffsets = async () => {
    await Promise.resolve() // the answer is on its way
    broker.meanwhile()
    const partitions = [{ partition: 0, offset: String(broker.committed), metadata: null }]
    return [{ topic: 'events', partitions }]
  }
  const admin = { use: (task: (one: unknown) => unknown) => task({ fetchOffsets }) }
  const topics: Partial<Topics> = {
    events: 'events',
    retries: () => 'retries',
    group: () => 'group',
    extents: async (topic) => (topic === 'events' ? [{ partition: 0, low: 10, high: broker.high }] : []),
  }
  const all = new Positions(admin as unknown as Connected<Admin>, topics as Topics, memory())
  return { all, broker, position: async () => (await all.of(bot))[0]?.position }
}

test('a broker that has forgotten where a group was is reminded by the store', async () => {
  const { all, position } = positions()
  await all.keep(bot, { events: [700] })
  expect(await position()).toBe(700)
})

test('a log that lost its end is read from its beginning, and when it has grown again nothing is left out', async () => {
  const { all, broker, position } = positions()
  await all.keep(bot, { events: [1_000] })
  Object.assign(broker, { committed: 1_000, high: 900 })
  expect(await position()).toBe(10)
  Object.assign(broker, { committed: 950, high: 1_100 })
  expect(await position()).toBe(950)
  await all.keep(bot, { events: [950] })
  broker.committed = -1
  expect(await position()).toBe(950)
})

test('a log that has once ended before where a bot was is read from its beginning, however long it is by then', async () => {
  const { all, broker, position } = positions()
  await all.keep(bot, { events: [1_000] })
  broker.high = 12
  expect(await position()).toBe(10)
  broker.high = 2_000
  expect(await position()).toBe(10)
})

test('what is committed while it is asked for is beyond no end', async () => {
  const { broker, position } = positions()
  broker.meanwhile = () => void Object.assign(broker, { committed: 1_001, high: 1_001 })
  expect(await position()).toBe(1_001)
})
