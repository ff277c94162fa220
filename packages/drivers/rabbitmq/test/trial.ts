import { randomUUID } from 'node:crypto'
import {
  WebhookError,
  type Accepted,
  type CompanionStore,
  type Delivery,
  type Driver,
  type EventRecord,
  type Verdict,
} from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import { rabbitmq, type RabbitMqOptions } from '@trigger-hub/rabbitmq'
import { connect, type Channel, type ChannelModel } from 'amqplib'
import type { OpenConnection } from '../src/link.ts'
import { Names } from '../src/names.ts'
import { wipe } from './wipe.ts'

export const everything = [{ name: 'all', on: ['*:**'] }]
export const done: Verdict = { is: 'done' }

/** A hub's names, one store, drivers on both, and a plain client beside them. */
export class Trial {
  readonly prefix = `trial-${randomUUID().slice(0, 8)}`
  readonly names = new Names(this.prefix)
  /** Nothing that any driver does closes it. */
  readonly store: CompanionStore = Object.assign(memory(), { close: async () => undefined })
  readonly errors: unknown[] = []
  readonly #url: string
  readonly #bots: readonly string[] | undefined
  readonly #ends: (() => unknown)[] = []

  /** @param bots  all that it declares, on a server that others use after it: its end removes what they have there */
  constructor(url: string, bots?: readonly string[]) {
    this.#url = url
    this.#bots = bots
  }

  driver(options: Partial<RabbitMqOptions> = {}): Driver {
    const driver = rabbitmq({ url: this.#url, store: this.store, prefix: this.prefix, ...options })
    this.#ends.push(() => driver.close())
    return driver
  }

  async declared(options: Partial<RabbitMqOptions> = {}): Promise<Driver> {
    const driver = this.driver(options)
    await driver.declare(everything)
    return driver
  }

  /** A client without Trigger Hub. */
  async client(): Promise<ChannelModel> {
    const client = await connect(this.#url)
    client.on('error', () => undefined)
    this.#ends.push(() => client.close().catch(() => undefined))
    return client
  }

  accept(
    driver: Driver,
    event: Partial<EventRecord> = {},
    timeoutMs = 5_000,
    key: string = randomUUID(),
  ): Promise<Accepted> {
    const id = randomUUID()
    const rawBody = Buffer.from('{}')
    const whole = { id, source: 'shop', type: 'a', rawType: 'a', time: 1, headers: {}, rawBody, ...event }
    return driver.accept(whole, { key, fingerprint: key, ttlMs: 60_000, token: id, timeoutMs })
  }

  /** Lets a bot work. @returns its deliveries, as they come */
  async work(
    driver: Driver,
    behaviour: (delivery: Delivery) => Verdict | Promise<Verdict> = () => done,
    { bot = 'all', concurrency = 1 } = {},
  ): Promise<{ runs: Delivery[]; settled: string[] }> {
    const runs: Delivery[] = []
    const settled: string[] = []
    const around = {
      concurrency,
      onSettled: (_: Delivery, outcome: string) => settled.push(outcome),
      onError: (error: unknown) => this.errors.push(error),
    }
    await driver.consume(bot, around, async (delivery) => {
      runs.push(delivery)
      return behaviour(delivery)
    })
    return { runs, settled }
  }

  async end(): Promise<void> {
    for (const end of this.#ends.splice(0)) await end()
    if (this.#bots) await wipe(this.#url, this.prefix, this.#bots)
  }
}

/** Opens connections whose channels are changed before anybody has them. */
export const changing =
  (url: string, change: (channel: Channel) => void): OpenConnection =>
  async (socket) => {
    const connection = await connect(url, { ...socket })
    const create = connection.createChannel.bind(connection)
    connection.createChannel = async () => {
      const channel = await create()
      change(channel)
      return channel
    }
    return connection
  }

/** What a call is refused with, which has to be 503. */
export async function refusal(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.catch((caught: unknown) => caught)
  if (!WebhookError.is(error)) throw new Error(`It was not refused: ${String(error)}`)
  expect([error.code, error.status, error.retryable]).toEqual(['ERR_DRIVER_UNAVAILABLE', 503, true])
  return error.message
}

export const failed = ({ attempt }: Delivery, afterMs: number): Verdict => ({
  is: 'retry',
  afterMs,
  failed: { attempt, startedAt: 1, endedAt: 2, outcome: 'failed' },
})
