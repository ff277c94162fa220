import { systemClock } from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import type { Admin } from 'kafkajs'
import type { Connected } from '../src/connected.ts'
import { Housekeeping } from '../src/housekeeping.ts'
import type { Positions } from '../src/positions.ts'
import { Topics } from '../src/topics.ts'
import type { KafkaBot } from '../src/wishes.ts'

const mail: KafkaBot = { name: 'mail', id: '0123abcd', on: ['*:**'], wishes: [] }

/** What a turn of housekeeping frees of the events, of which `mail` has 700 behind it, where these topics are on the broker. */
async function freed(bots: KafkaBot[], others: string[] = []) {
  const trimmed: unknown[] = []
  const listTopics = async () => ['hub.events', 'hub.unmatched', 'hub.mail.0123abcd.retries', ...others]
  const admin = { use: (task: (one: unknown) => unknown) => task({ listTopics }) }
  const topics = new Topics(admin as unknown as Connected<Admin>, { prefix: 'hub', partitions: 1 })
  topics.extents = async () => [{ partition: 0, low: 0, high: 1_000 }]
  topics.trim = async (_, offsets) => void trimmed.push(...offsets)
  const place = { topic: 'hub.events', partition: 0, low: 0, high: 1_000, position: 700 }
  await new Housekeeping({
    ...{ topics, store: memory(), clock: systemClock },
    positions: {
      async of({ isBuried }: KafkaBot) {
        if (isBuried) throw new Error('its topic is not there')
        return [place]
      },
    } as unknown as Positions,
    bots: async () => bots,
    retire: async () => undefined,
    onError: () => undefined,
  }).clean()
  return trimmed
}

test('what every bot has behind it is freed', async () => {
  expect(await freed([mail])).toEqual([{ partition: 0, offset: 700 }])
})

test('a store that knows no bot frees nothing', async () => {
  expect(await freed([])).toEqual([])
})

test('nothing is freed while there is a bot that only another store knows', async () => {
  expect(await freed([mail], ['hub.print.4567cdef.retries'])).toEqual([])
})

test('a bot that is buried, and whose topic is there or not, keeps nothing', async () => {
  const print: KafkaBot = { ...mail, name: 'print', id: '4567cdef', isRetired: true, isBuried: true }
  expect(await freed([mail, print], ['hub.print.4567cdef.retries'])).toEqual([{ partition: 0, offset: 700 }])
  expect(await freed([print, mail])).toEqual([{ partition: 0, offset: 700 }])
})

test('hubs and topics with other names do not matter', async () => {
  const others = [
    'hub.b.events',
    'hub.b.print.4567cdef.retries',
    'shop.print.4567cdef.retries',
    'hub.retries',
  ]
  expect(await freed([mail], others)).toEqual([{ partition: 0, offset: 700 }])
})
