/**
 * What the Kafka driver costs beside the bare client, both on one broker of our own, one after the other in each round:
 *
 *     node --conditions=@trigger-hub/source --require tsx/cjs bench/kafka.ts [events]
 *
 * Bodies of 2 KB, 64 accepts in flight, one process, a single broker that flushes before it answers. An accept claims the
 * key, waits for the record's confirm and completes the key, with the store in this process; a bare `send` (acks=all) does the
 * middle part. To handle is to begin, run and end in the inbox; the bare consumer has `eachMessage` and commits.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { fingerprint } from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import { kafka } from '@trigger-hub/kafka'
import { Kafka, logLevel, Partitioners } from 'kafkajs'
import { startKafka } from '../scripts/services/kafka.ts'

const inFlight = 64
const rounds = 5
const body = Buffer.from(JSON.stringify({ order: randomBytes(1_014).toString('hex') }))
const print = fingerprint(body)

interface Cost {
  readonly perSecond: number
  readonly cpuMicros: number
}

async function cost(events: number, task: () => Promise<unknown>): Promise<Cost> {
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  await task()
  const { user, system } = process.cpuUsage(cpu)
  return {
    perSecond: (events / (performance.now() - startedAt)) * 1_000,
    cpuMicros: (user + system) / events,
  }
}

async function lanes(events: number, one: () => Promise<unknown>): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next++ < events) await one()
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
}

const median = (values: number[]): number =>
  values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN

export async function main(): Promise<void> {
  const events = Number(process.argv[2] ?? 3_000)
  const server = await startKafka()
  const driver = kafka({ brokers: server.url, store: memory() })
  await driver.declare([{ name: 'mail', on: ['shop:**'] }])

  const client = new Kafka({ brokers: [server.url], logLevel: logLevel.NOTHING })
  const admin = client.admin()
  const producer = client.producer({ createPartitioner: Partitioners.DefaultPartitioner })
  await Promise.all([admin.connect(), producer.connect()])
  const topic = 'bare'
  const configEntries = [{ name: 'flush.messages', value: '1' }]
  await admin.createTopics({ topics: [{ topic, numPartitions: 6, configEntries }] })

  const accepts = (): Promise<void> =>
    lanes(events, () => {
      const id = randomUUID()
      return driver.accept(
        {
          id,
          source: 'shop',
          type: 'orders.create',
          rawType: 'orders/create',
          time: Date.now(),
          headers: {},
          rawBody: body,
        },
        { key: id, fingerprint: print, ttlMs: 60_000, token: id, timeoutMs: 10_000 },
      )
    })
  const sends = (): Promise<void> =>
    lanes(events, () => producer.send({ topic, acks: -1, messages: [{ key: randomUUID(), value: body }] }))

  /** Who has had what there was leaves its group, which is waited for between the rounds. */
  const ends: Promise<void>[] = []
  const handles = async (): Promise<void> => {
    let left = events
    let isOver = (): void => undefined
    const over = new Promise<void>((resolve) => (isOver = resolve))
    const around = {
      concurrency: 100,
      onSettled: () => void (--left === 0 && isOver()),
      onError: console.error,
    }
    const subscription = await driver.consume('mail', around, async () => ({ is: 'done' }))
    await over
    ends.push(subscription.drain(5_000))
  }
  const consumes = async (): Promise<void> => {
    let left = events
    let isOver = (): void => undefined
    const over = new Promise<void>((resolve) => (isOver = resolve))
    const consumer = client.consumer({ groupId: 'bare', maxWaitTimeInMs: 500 })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({ eachMessage: async () => void (--left === 0 && isOver()) })
    await over
    ends.push(consumer.disconnect())
  }

  const tasks = {
    'kafka accept': accepts,
    'kafka handle': handles,
    'bare send': sends,
    'bare consume': consumes,
  }
  const measured = new Map(Object.keys(tasks).map((name) => [name, [] as Cost[]]))
  for (let round = 0; round <= rounds; round++) {
    for (const [name, task] of Object.entries(tasks)) {
      const one = await cost(events, task)
      await Promise.all(ends.splice(0))
      if (round > 0) measured.get(name)?.push(one) // the first one warms up
    }
  }
  const of = (name: string): Cost => ({
    perSecond: median((measured.get(name) ?? []).map(({ perSecond }) => perSecond)),
    cpuMicros: median((measured.get(name) ?? []).map(({ cpuMicros }) => cpuMicros)),
  })
  console.log(
    `\nNode.js ${process.versions.node}, 2 KB bodies, ${inFlight} in flight, one broker that flushes`,
  )
  for (const [ours, theirs] of [
    ['kafka accept', 'bare send'],
    ['kafka handle', 'bare consume'],
  ] as const) {
    for (const name of [ours, theirs]) {
      const { perSecond, cpuMicros } = of(name)
      console.log(
        `${name.padEnd(16)} ${perSecond.toFixed(0).padStart(7)}/s ${cpuMicros.toFixed(1).padStart(7)} µs of CPU`,
      )
    }
    const [a, b] = [of(ours), of(theirs)]
    console.log(
      `${''.padEnd(16)} ${(a.perSecond / b.perSecond).toFixed(2).padStart(7)} ×  ${(a.cpuMicros / b.cpuMicros).toFixed(2).padStart(6)} ×`,
    )
  }
  await driver.close()
  await Promise.all([admin.disconnect(), producer.disconnect()])
  await server.stop()
}

void main()
