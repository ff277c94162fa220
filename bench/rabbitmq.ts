/**
 * What the RabbitMQ driver costs beside amqplib alone, both on one RabbitMQ of our own, one after the other in each round,
 * and what a backlog adds:
 *
 *     node --conditions=@trigger-hub/source --require tsx/cjs bench/rabbitmq.ts [events] [backlog]
 *
 * Bodies of 2 KB, 64 accepts in flight, one process; quorum queues, confirms, `noDelay`. The store is in memory, so that the
 * figures are those of the driver. A bare publish tells no repeat, and a bare handler does not know what ran before.
 */
import type { Driver } from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import { rabbitmq } from '@trigger-hub/rabbitmq'
import { connect } from 'amqplib'
import { startRabbitMq } from '../scripts/services/rabbitmq.ts'
import { accept, body, inFlight } from './accept.ts'
import { compare, handled, inTurns, lanes } from './beside.ts'

const concurrency = 100
/** A key is remembered for no longer than a second, so that the store in this process stays small. */
const accepts = (driver: Driver, events: number): Promise<void> => accept(driver, events, 1_000)

/** Handles as many events as asked for, and gives the rest back. */
const handles = async (driver: Driver, events: number): Promise<void> =>
  (await handled(driver, events)).drain(5_000)

export async function main(): Promise<void> {
  const events = Number(process.argv[2] ?? 10_000)
  const backlog = Number(process.argv[3] ?? 100_000)
  const server = await startRabbitMq()
  const connection = await connect(server.url, { noDelay: true })
  const publishing = await connection.createConfirmChannel()
  const consuming = await connection.createChannel()
  await publishing.assertQueue('bare', { durable: true, arguments: { 'x-queue-type': 'quorum' } })

  const hub = async (prefix: string): Promise<Driver> => {
    const driver = rabbitmq({ url: server.url, store: memory(), prefix })
    await driver.declare([{ name: 'mail', on: ['shop:**'] }])
    return driver
  }
  const driver = await hub('empty')

  const publishes = (): Promise<void> =>
    lanes(
      events,
      () =>
        new Promise((resolve, reject) =>
          publishing.publish('', 'bare', body, { persistent: true, mandatory: true }, (error: unknown) =>
            error ? reject(error) : resolve(undefined),
          ),
        ),
    )
  const consumes = async (): Promise<void> => {
    let left = events
    await consuming.prefetch(concurrency)
    const { consumerTag } = await new Promise<{ consumerTag: string }>((resolve) => {
      const consumer = consuming.consume('bare', (message) => {
        if (message) consuming.ack(message)
        if (--left === 0) void consumer.then(resolve)
      })
    })
    await consuming.cancel(consumerTag)
  }

  console.log(`\nNode.js ${process.versions.node}, 2 KB bodies, ${inFlight} in flight`)
  const of = await inTurns(events, [
    [
      ['rabbitmq accept', () => accepts(driver, events)],
      ['amqplib publish', publishes],
    ],
    [
      ['rabbitmq handle', () => handles(driver, events)],
      ['amqplib ack', consumes],
    ],
  ])
  compare(of, 'rabbitmq accept', 'amqplib publish')
  compare(of, 'rabbitmq handle', 'amqplib ack')

  const behind = await hub('behind')
  await accepts(behind, backlog)
  console.log(`\nwith a backlog of ${backlog} events, and without`)
  const before = process.memoryUsage().rss
  const some = Math.round(events / 4)
  const beside = await inTurns(some, [
    [
      ['accept with backlog', () => accepts(behind, some)],
      ['accept without', () => accepts(driver, some)],
    ],
    [
      ['handle with backlog', () => handles(behind, some)],
      ['handle without', () => handles(driver, some)],
    ],
  ])
  compare(beside, 'accept with backlog', 'accept without')
  compare(beside, 'handle with backlog', 'handle without')
  console.log(`memory ${((process.memoryUsage().rss - before) / 1_024 ** 2).toFixed(0)} MB more after it`)

  await behind.close()
  await driver.close()
  await connection.close()
  await server.stop()
}

void main()
