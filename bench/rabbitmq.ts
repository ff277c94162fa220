/**
 * What the RabbitMQ driver costs beside amqplib alone, both on one RabbitMQ of our own, one after the other in each round,
 * and what a backlog adds:
 *
 *     node --conditions=@trigger-hub/source --require tsx/cjs bench/rabbitmq.ts [events] [backlog]
 *
 * Bodies of 2 KB, 64 accepts in flight, one process; quorum queues, confirms, `noDelay`. The store is in memory, so that the
 * figures are those of the driver. A bare publish tells no repeat, and a bare handler does not know what ran before.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { fingerprint, type Driver } from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import { rabbitmq } from '@trigger-hub/rabbitmq'
import { connect } from 'amqplib'
import { startRabbitMq } from '../scripts/services/rabbitmq.ts'

const inFlight = 64
const concurrency = 100
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
  let left = events
  const lane = async (): Promise<void> => {
    while (left-- > 0) await one()
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
}

const median = (values: number[]): number =>
  values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN

type Task = readonly [name: string, task: () => Promise<void>]

/** Runs pairs of tasks, each in turns with its other, and says what they cost. The first round warms up. */
async function measured(
  events: number,
  pairs: readonly (readonly [Task, Task])[],
): Promise<(name: string) => Cost> {
  const costs = new Map<string, Cost[]>()
  for (let round = 0; round <= rounds; round++) {
    for (const [one, other] of pairs) {
      for (const [name, task] of round % 2 === 0 ? [one, other] : [other, one]) {
        const spent = await cost(events, task)
        if (round > 0) costs.set(name, [...(costs.get(name) ?? []), spent])
      }
    }
  }
  return (name) => ({
    perSecond: median((costs.get(name) ?? []).map(({ perSecond }) => perSecond)),
    cpuMicros: median((costs.get(name) ?? []).map(({ cpuMicros }) => cpuMicros)),
  })
}

function compare(of: (name: string) => Cost, ours: string, theirs: string): void {
  for (const name of [ours, theirs]) {
    const { perSecond, cpuMicros } = of(name)
    console.log(
      `${name.padEnd(24)} ${perSecond.toFixed(0).padStart(7)}/s ${cpuMicros.toFixed(1).padStart(7)} µs of CPU`,
    )
  }
  const [a, b] = [of(ours), of(theirs)]
  console.log(
    `${''.padEnd(24)} ${(a.perSecond / b.perSecond).toFixed(2).padStart(7)} ×  ${(a.cpuMicros / b.cpuMicros).toFixed(2).padStart(6)} ×`,
  )
}

const accepts = (driver: Driver, events: number): Promise<void> =>
  lanes(events, () => {
    const id = randomUUID()
    const type = 'orders.create'
    const event = { id, source: 'shop', type, rawType: type, time: Date.now(), headers: {}, rawBody: body }
    return driver.accept(event, { key: id, fingerprint: print, ttlMs: 1_000, token: id, timeoutMs: 60_000 })
  })

/** Handles as many events as asked for, and gives the rest back. */
async function handles(driver: Driver, events: number): Promise<void> {
  let left = events
  let isOver = (): void => undefined
  const over = new Promise<void>((resolve) => (isOver = resolve))
  const around = {
    concurrency,
    onSettled: () => void (--left === 0 && isOver()),
    onError: console.error,
  }
  const subscription = await driver.consume('mail', around, async () => ({ is: 'done' }))
  await over
  await subscription.drain(5_000)
}

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
  const of = await measured(events, [
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
  const beside = await measured(some, [
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
