import type { Consumer } from 'kafkajs'
import type { Client } from '../src/client.ts'
import { Fetching } from '../src/fetching.ts'
import { eventually } from '../../../../test/eventually.ts'

const ended: Fetching[] = []
afterEach(async () => void (await Promise.all(ended.splice(0).map((one) => one.end()))))

/** A member of a group whose consumer commits so. */
async function member(commitOffsets: (confirm: () => void) => Promise<void>) {
  const listeners = new Map<string, () => void>()
  let isRunning = false
  const consumer: Partial<Consumer> = {
    events: { COMMIT_OFFSETS: 'commit' } as unknown as Consumer['events'],
    on: (name: string, listener: unknown) => {
      listeners.set(name, listener as () => void)
      return () => undefined
    },
    connect: async () => undefined,
    subscribe: async () => undefined,
    disconnect: async () => undefined,
    run: async () => void (isRunning = true),
    commitOffsets: () => commitOffsets(() => listeners.get('commit')?.()),
  }
  const line = { kafka: { consumer: () => consumer }, cut: () => undefined }
  const fetching = new Fetching({
    ...{ client: { line: () => line } as unknown as Client, group: 'mail', topics: [], sessionMs: 1_000 },
    ...{ onAssigned: async () => undefined, onBatch: async () => undefined, onError: () => undefined },
  })
  ended.push(fetching)
  await eventually(() => isRunning)
  return (offset: number) => fetching.commit([{ topic: 'events', partition: 0, offset: String(offset) }])
}

test('a commit that still goes on is not overtaken by a newer one, which it would undo', async () => {
  const ends: (() => void)[] = []
  const commit = await member(async (confirm) => {
    await new Promise<void>((resolve) => ends.push(resolve))
    confirm()
  })
  const first = commit(1)
  const second = commit(2)
  await new Promise((resolve) => setImmediate(resolve))
  expect(ends).toHaveLength(1)
  ends[0]!()
  await first
  await eventually(() => ends.length === 2)
  ends[1]!()
  await second
})

test('what the broker has not confirmed is not committed, though kafkajs says nothing against it', async () => {
  const commit = await member(async () => undefined) // as a consumer that has just fallen
  await expect(commit(1)).rejects.toMatchObject({ code: 'ERR_DRIVER_UNAVAILABLE' })
})
