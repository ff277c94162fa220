import {
  DriverUnavailableError,
  type Accepted,
  type AcceptOptions,
  type BotDeclaration,
  type BotReport,
  type Clock,
  type CompanionStore,
  type ConsumeOptions,
  type DeadLetters,
  type Driver,
  type EventRecord,
  type Handle,
  type Report,
  type Subscription,
} from '@trigger-hub/core'
import {
  Inbox,
  Registry,
  Runs,
  splitAccept,
  splitDeadLetters,
  type Message,
  type PublishEvent,
} from '@trigger-hub/core/split'
import type { Broker, Connection, Queued } from './broker.ts'

export interface SplitSetting {
  readonly broker: Broker
  readonly store: CompanionStore
  readonly clock: Clock
  readonly leaseMs: number
}

/** The least driver over a broker: what `@trigger-hub/core/split` gives, and the broker's part. */
export class SplitDriver implements Driver {
  readonly name = 'split'
  readonly capabilities: Driver['capabilities']
  readonly deadLetters: DeadLetters
  readonly #setting: SplitSetting
  readonly #registry: Registry
  readonly #inbox: Inbox
  readonly #accept: Driver['accept']
  readonly #subscriptions = new Set<Subscription>()
  #connection: Connection
  #isClosed = false

  constructor(setting: SplitSetting) {
    const { store, clock, broker } = setting
    this.#setting = setting
    this.capabilities = { ...store.capabilities, maxEventBytes: Infinity }
    this.#registry = new Registry(store)
    this.#inbox = new Inbox(store, setting)
    this.#connection = broker.connect(clock)
    const publish: PublishEvent = async (event) => this.#publish(event, '')
    this.#accept = splitAccept(store, publish, { name: 'split', clock, inbox: this.#inbox })
    this.deadLetters = splitDeadLetters(
      store,
      async ({ id, bot, event }) => {
        await this.#registry.load()
        if (bot === null) return this.#publish(event, id).is === 'published'
        if (!this.#registry.has(bot)) return false
        broker.put(bot, { event, generation: id })
        return true
      },
      clock,
    )
  }

  async declare(bots: readonly BotDeclaration[]): Promise<void> {
    await this.#registry.update((known) => [
      ...known.filter(({ name }) => !bots.some((bot) => bot.name === name)),
      ...bots.map(({ name, on }) => ({ name, on })),
    ])
  }

  async retire(bot: string): Promise<void> {
    await this.#registry.update((bots) => bots.filter(({ name }) => name !== bot))
    for (const { event, generation } of this.#setting.broker.remove(bot)) {
      await this.#inbox.retire({ event: event.id, bot, generation }, event)
    }
  }

  async inspect(): Promise<Report> {
    const { store, broker } = this.#setting
    const bots = await Promise.all(
      (await this.#registry.load()).map(async ({ name, on }): Promise<BotReport> => {
        const { held, left, deadLetters } = await store.tally(name)
        const backlog = broker.queues.get(name)?.length ?? 0
        return { name, on, backlog, waiting: left, running: held, deadLetters }
      }),
    )
    const { deadLetters } = await store.tally(null)
    return {
      summary: 'split',
      warnings: [],
      bots,
      unmatched: broker.unmatched.length,
      quarantined: deadLetters,
    }
  }

  async accept(event: EventRecord, options: AcceptOptions): Promise<Accepted> {
    if (this.#isClosed) throw new DriverUnavailableError('split', 'it is closed.')
    await this.#registry.load()
    return this.#accept(event, options)
  }

  async consume(bot: string, options: ConsumeOptions, handle: Handle): Promise<Subscription> {
    const { broker, clock, leaseMs } = this.#setting
    const runs = new Runs(bot, { ...options, inbox: this.#inbox, clock, leaseMs, handle })
    let open = 0
    let isStopped = false
    const look = (): void => {
      if (!broker.isConnected(this.#connection)) this.#connection = broker.connect(clock) // it was taken for dead
      while (!isStopped && open < options.concurrency) {
        const queued = broker.pull(bot, this.#connection)
        if (!queued) return
        open++
        const message = this.#messageOf(bot, queued, this.#connection)
        void runs.take(message).finally(() => {
          open--
          setImmediate(look)
        })
      }
    }
    const unlisten = broker.onReady(() => setImmediate(look))
    look()
    const subscription = {
      drain: async (deadlineMs: number): Promise<void> => {
        isStopped = true
        unlisten()
        await runs.drain(deadlineMs)
        this.#subscriptions.delete(subscription)
      },
    }
    this.#subscriptions.add(subscription)
    return subscription
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#subscriptions].map((one) => one.drain(0)))
    this.#setting.broker.drop(this.#connection)
    await this.#setting.store.close()
  }

  #publish(event: EventRecord, generation: string): { is: 'published' } {
    const { broker } = this.#setting
    const wanting = this.#registry.wanting(event)
    for (const { name } of wanting) broker.put(name, { event, generation })
    if (wanting.length === 0) broker.unmatched.push(event)
    return { is: 'published' }
  }

  #messageOf(bot: string, queued: Queued, connection: Connection): Message {
    const { broker, clock } = this.#setting
    const { event, generation } = queued
    return {
      ...queued,
      ack: async () => broker.ack(queued, connection),
      defer: async (ms) => {
        await this.#registry.load()
        if (this.#registry.has(bot)) broker.putLater(bot, { ...queued }, ms, clock)
        else await this.#inbox.retire({ event: event.id, bot, generation }, event)
        broker.ack(queued, connection)
      },
      giveBack: async () => {
        broker.ack(queued, connection)
        broker.put(bot, { ...queued }, true)
      },
    }
  }
}
