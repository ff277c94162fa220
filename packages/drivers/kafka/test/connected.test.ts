import { KafkaJSAggregateError, type Admin, type Kafka } from 'kafkajs'
import type { Client } from '../src/client.ts'
import { Connected } from '../src/connected.ts'

/** As kafkajs asks for topics when no broker has answered it. */
const takeApart = (nothing: { topics: string[] } | null): string[] => {
  const { topics } = nothing!
  return topics
}

/** An admin, and the clients that were made for it. */
function connected() {
  const made: object[] = []
  const part = {
    events: { REQUEST_TIMEOUT: 'timeout' },
    on: () => undefined,
    connect: async () => undefined,
    disconnect: async () => undefined,
  } as unknown as Admin
  const client = { line: () => ({ kafka: {} as Kafka, cut: () => undefined }) } as unknown as Client
  const admin = new Connected(client, () => {
    const one = { ...part }
    made.push(one)
    return one
  })
  return { admin, made }
}

/** As kafkajs asks for the ends of a topic that the broker has not heard of. */
const endsOf = (high: { partitions: number[] }[]): number[] => {
  const { partitions } = high.pop()!
  return partitions
}

test('what a broker has not heard of yet is asked again until it has', async () => {
  let asked = 0
  const { admin } = connected()
  expect(await admin.use(async () => endsOf(++asked < 4 ? [] : [{ partitions: [7] }]))).toEqual([7])
  await admin.close()
})

test('a topic of which no broker takes a copy yet is asked for until one does', async () => {
  let asked = 0
  const { admin } = connected()
  const refused = new KafkaJSAggregateError('Topic creation errors', [
    Object.assign(new Error('Replication-factor is invalid'), { type: 'INVALID_REPLICATION_FACTOR' }),
  ])
  expect(await admin.use(async () => (++asked < 4 ? Promise.reject(refused) : asked))).toBe(4)
  await admin.close()
})

test('a broker that is gone is looked for on another connection, until its place is taken', async () => {
  const { admin, made } = connected()
  const gone = Object.assign(new Error('connect ECONNREFUSED'), { name: 'KafkaJSConnectionError' })
  expect(await admin.use(async (one) => (one === made[3] ? 7 : Promise.reject(gone)))).toBe(7)
  await admin.close()
})

test('a request that no broker answered is made again on other connections, as long as there is time', async () => {
  const { admin, made } = connected()
  expect(await admin.use(async (one) => takeApart(one === made[3] ? { topics: ['events'] } : null))).toEqual([
    'events',
  ])
  await expect(admin.use(async () => takeApart(null), 200)).rejects.toMatchObject({
    message: expect.stringContaining('the connection was lost') as string,
  })
  await admin.close()
})
