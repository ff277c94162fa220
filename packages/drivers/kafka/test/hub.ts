import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AttemptRecord, Clock, Delivery, Driver, EventRecord, Verdict } from '@trigger-hub/core'
import { embedded } from '@trigger-hub/embedded'
import { kafka, type KafkaOptions } from '@trigger-hub/kafka'

export const done: Verdict = { is: 'done' }

export const failed = (attempt: number): AttemptRecord => ({
  attempt,
  startedAt: 1,
  endedAt: 2,
  outcome: 'failed',
})

export const anEvent = (given: Partial<EventRecord> = {}): EventRecord => ({
  id: `event-${randomUUID()}`,
  source: 'shop',
  type: 'orders.create',
  rawType: 'orders/create',
  time: 1_893_456_000_123,
  headers: {},
  rawBody: Buffer.from('{}'),
  ...given,
})

/** What the processes of one hub share: names on a broker, and a file. Makes drivers for it, and ends them. */
export class Hub {
  readonly prefix: string
  readonly #brokers: () => string
  readonly #file: string
  readonly #drivers = new Set<Driver>()

  constructor(brokers: () => string, prefix = `hub-${randomUUID().slice(0, 8)}`) {
    this.prefix = prefix
    this.#brokers = brokers
    this.#file = join(tmpdir(), `trigger-hub-${prefix}.db`)
  }

  driver({ clock, ...options }: Partial<KafkaOptions> = {}): Driver {
    const around: { clock?: Clock } = clock ? { clock } : {}
    const driver = kafka({
      ...(options.client ? {} : { brokers: this.#brokers() }),
      store: embedded({ path: this.#file }),
      prefix: this.prefix,
      lease: 5_000, // longer than a busy machine keeps a process from renewing it
      ...around,
      ...options,
    })
    this.#drivers.add(driver)
    return driver
  }

  async close(): Promise<void> {
    await Promise.all([...this.#drivers].map((driver) => driver.close()))
    for (const part of ['', '-wal', '-shm']) rmSync(this.#file + part, { force: true })
  }
}

export async function accept(driver: Driver, given: Partial<EventRecord> = {}): Promise<string> {
  const event = anEvent(given)
  const token = randomUUID()
  const accepted = await driver.accept(event, {
    ...{ key: token, token, fingerprint: 'print' },
    ttlMs: 60_000,
    timeoutMs: 10_000,
  })
  if (accepted.is !== 'accepted') throw new Error(accepted.is)
  return accepted.id
}

export const everything = (...names: string[]): { name: string; on: string[] }[] =>
  names.map((name) => ({ name, on: ['*:**'] }))

/** Lets a bot consume. Resolves to what it has run, which grows. */
export async function work(
  driver: Driver,
  bot: string,
  handle: (delivery: Delivery) => Verdict | Promise<Verdict> = () => done,
  concurrency = 1,
) {
  const runs: Delivery[] = []
  const errors: unknown[] = []
  const settled: string[] = []
  const subscription = await driver.consume(
    bot,
    {
      concurrency,
      onSettled: (_, outcome) => settled.push(outcome),
      onError: (error) => errors.push(error),
    },
    async (delivery) => {
      runs.push(delivery)
      return handle(delivery)
    },
  )
  return { runs, errors, settled, drain: () => subscription.drain(5_000) }
}
