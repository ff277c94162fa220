import type { Consumer } from 'kafkajs'
import type { Client } from '../src/client.ts'
import { Fetching } from '../src/fetching.ts'
import { eventually } from '../../../../test/eventually.ts'

const ended: Fetching[] = []
afterEach(async () => void (await Promise.all(ended.splice(0).map((one) => one.end()))))

test('who joins and falls again and again, since what it needs is away, waits longer each time', async () => {
  const joinedAt: number[] = []
  const consumer = () => {
    const listeners = new Map<string, (event: object) => void>()
    return {
      events: { GROUP_JOIN: 'join', CRASH: 'crash' },
      on: (name: string, listener: () => void) => void listeners.set(name, listener),
      connect: async () => undefined,
      subscribe: async () => undefined,
      disconnect: async () => undefined,
      async run() {
        joinedAt.push(performance.now())
        listeners.get('join')?.({ payload: { memberAssignment: {} } })
        setImmediate(() => listeners.get('crash')?.({ payload: { error: new Error('the store is away') } }))
      },
    }
  }
  const client = { line: () => ({ kafka: { consumer }, cut: () => undefined }) } as unknown as Client
  ended.push(
    new Fetching({
      ...{ client, group: 'mail', topics: [], sessionMs: 1_000 },
      onAssigned: () => Promise.reject(new Error('the store is away')),
      ...{ onBatch: async () => undefined, onError: () => undefined },
    }),
  )
  await eventually(() => joinedAt.length === 4)
  const waits = joinedAt.slice(1).map((at, nth) => at - joinedAt[nth]!)
  for (const [nth, leastMs] of [100, 200, 400].entries()) expect(waits[nth]).toBeGreaterThan(leastMs - 5)
})

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
