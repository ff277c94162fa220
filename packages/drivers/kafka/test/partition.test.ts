import { systemClock } from '@trigger-hub/core'
import type { KafkaMessage } from 'kafkajs'
import { Committing, type CommittingOptions } from '../src/committing.ts'
import { Partition, type Entry } from '../src/partition.ts'

const entry = (offset: number, state: Entry['state'] = 'queued'): Entry => ({
  ...{ offset, state, readyAt: 0 },
  message: { value: Buffer.from('x') } as KafkaMessage,
})

/** Commits to a broker that answers with what is given. */
function committing(partition: Partition, commit: () => Promise<void>) {
  const errors: unknown[] = []
  let rounds = 0
  const one: Committing = new Committing({
    bot: { name: 'mail', id: '1', on: [], wishes: [] },
    partitions: new Map([['hub.events/0', partition]]),
    fetching: { commit } as unknown as CommittingOptions['fetching'],
    positions: { keep: async () => undefined } as unknown as CommittingOptions['positions'],
    clock: systemClock,
    onError: (error) => errors.push(error),
    onCommitted: () => {
      if (++rounds < 50) one.soon(true)
    },
  })
  return { one, errors, rounds: () => rounds }
}

test('a batch from before what was read last is not taken twice', () => {
  const partition = new Partition('hub.events', 0, 0, undefined)
  partition.add([entry(0), entry(1), entry(2)], 2)
  partition.add([], 1)
  expect(partition.next).toBe(3)
})

test('what is in the way, but has nothing to commit, is not committed over and over', async () => {
  const partition = new Partition('hub.events', 0, 5, undefined)
  const { one, rounds } = committing(partition, async () => undefined)
  one.soon(true)
  await new Promise((resolve) => setImmediate(resolve))
  expect(rounds()).toBe(0)
})

test('an outage in which nothing can be committed is told once', async () => {
  const partition = new Partition('hub.events', 0, 0, undefined)
  partition.add([entry(0, 'done')], 0)
  let isAway = true
  const { one, errors } = committing(partition, async () => {
    if (isAway) throw new Error('away')
  })
  await one.now()
  await one.now()
  expect(errors).toHaveLength(1)
  isAway = false
  await one.now()
  isAway = true
  partition.add([entry(1, 'done')], 1)
  await one.now()
  expect(errors).toHaveLength(2)
})
