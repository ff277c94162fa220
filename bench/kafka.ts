/**
 * What the Kafka driver costs beside the bare client, both on one broker of our own, one after the other in each round:
 *
 *     node --conditions=@trigger-hub/source --require tsx/cjs bench/kafka.ts [events]
 *
 * Bodies of 2 KB, 64 accepts in flight, one process, a single broker that flushes before it answers. An accept claims the
 * key, waits for the record's confirm and completes the key, with the store in this process; a bare `send` (acks=all) does the
 * middle part. To handle is to begin, run and end in the inbox; the bare consumer has `eachMessage` and commits.
 */
import { randomUUID } from 'node:crypto'
import { memory } from '@trigger-hub/core/memory'
import { kafka } from '@trigger-hub/kafka'
import { Kafka, logLevel, Partitioners } from 'kafkajs'
import { startKafka } from '../scripts/services/kafka.ts'
import { accept, body, inFlight } from './accept.ts'
import { compare, handled, inTurns, lanes } from './beside.ts'

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

  const sends = (): Promise<void> =>
    lanes(events, () => producer.send({ topic, acks: -1, messages: [{ key: randomUUID(), value: body }] }))

  /** Who has had what there was leaves its group, which is waited for between the rounds. */
  const ends: Promise<void>[] = []
  const handles = async (): Promise<void> => void ends.push((await handled(driver, events)).drain(5_000))
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

  const of = await inTurns(
    events,
    [
      [
        ['kafka accept', () => accept(driver, events)],
        ['bare send', sends],
      ],
      [
        ['kafka handle', handles],
        ['bare consume', consumes],
      ],
    ],
    () => Promise.all(ends.splice(0)),
  )
  console.log(
    `\nNode.js ${process.versions.node}, 2 KB bodies, ${inFlight} in flight, one broker that flushes`,
  )
  compare(of, 'kafka accept', 'bare send')
  compare(of, 'kafka handle', 'bare consume')
  await driver.close()
  await Promise.all([admin.disconnect(), producer.disconnect()])
  await server.stop()
}

void main()
