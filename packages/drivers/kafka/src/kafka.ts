import {
  type AcceptOptions,
  type Accepted,
  type BotDeclaration,
  type Capabilities,
  type Clock,
  type CompanionStore,
  type ConsumeOptions,
  type DeadLetter,
  type DeadLetters,
  type Driver,
  type EventRecord,
  type Handle,
  type Report,
  type Subscription,
} from '@trigger-hub/core'
import { Inbox, splitAccept, splitDeadLetters, type Published } from '@trigger-hub/core/split'
import type { Admin } from 'kafkajs'
import { Bots } from './bots.ts'
import { Client } from './client.ts'
import { Connected } from './connected.ts'
import { Consumer } from './consumer.ts'
import { look, type Found } from './durability.ts'
import { Housekeeping } from './housekeeping.ts'
import { settingsOf, type KafkaOptions } from './options.ts'
import { Positions } from './positions.ts'
import { Publisher } from './publisher.ts'
import { buryAll } from './retiring.ts'
import { Topics } from './topics.ts'
import { unavailable } from './trouble.ts'
import type { KafkaBot } from './wishes.ts'

/**
 * The driver on Apache Kafka. Any number of processes share it, on any number of machines if the store allows it. Making
 * one touches nothing; it connects with the first call. A client that is handed in is used; the store is closed with it.
 * @throws SetupError `ERR_OPTION_INVALID`, `ERR_OPTION_UNKNOWN`, `ERR_DRIVER_UNUSABLE` without a store
 */
export function kafka(options: KafkaOptions): Driver {
  return new KafkaDriver(options)
}

class KafkaDriver implements Driver {
  readonly name = 'kafka'
  readonly accept: (event: EventRecord, options: AcceptOptions) => Promise<Accepted>
  readonly deadLetters: DeadLetters
  readonly #store: CompanionStore
  readonly #clock: Clock
  readonly #leaseMs: number
  readonly #client: Client
  readonly #admin: Connected<Admin>
  readonly #topics: Topics
  readonly #publisher: Publisher
  readonly #positions: Positions
  readonly #bots: Bots
  readonly #inbox: Inbox
  readonly #housekeeping: Housekeeping
  readonly #consumers = new Set<Consumer>()
  #found: Found | undefined
  #closed: Promise<void> | undefined

  constructor(options: KafkaOptions) {
    const { store, prefix, partitions, leaseMs, clock } = settingsOf(options)
    this.#leaseMs = leaseMs
    this.#store = store
    this.#clock = clock
    this.#client = new Client(options)
    this.#admin = new Connected(this.#client, (one) => one.admin())
    this.#topics = new Topics(this.#admin, { prefix, partitions })
    this.#publisher = new Publisher(this.#client, this.#topics, clock)
    this.#positions = new Positions(this.#admin, this.#topics, store)
    this.#bots = new Bots(store, this.#topics, this.#positions)
    this.#inbox = new Inbox(store, { clock, leaseMs: this.#leaseMs })
    this.#housekeeping = new Housekeeping({
      ...{ store, clock, topics: this.#topics, positions: this.#positions },
      bots: () => this.#bots.load(),
      retire: (bot) => this.#bury(bot),
      onError: () => undefined, // it is done again a minute later
    })
    this.accept = splitAccept(store, (event) => this.#publish(event), {
      ...{ name: this.name, clock, inbox: this.#inbox },
    })
    this.deadLetters = splitDeadLetters(store, (letter) => this.#redeliver(letter), clock)
  }

  /** What the broker and the store are worth together, once a hub has been started or `inspect()` called. */
  get capabilities(): Capabilities {
    const { durability, reach, maxEventBytes } = this.#found ?? unknown
    return { durability, reach, maxEventBytes }
  }

  async declare(bots: readonly BotDeclaration[]): Promise<void> {
    await this.#look()
    await this.#bots.load()
    for (const bot of this.#bots.retired) {
      if (bots.some(({ name }) => name === bot.name)) await this.#bury(bot)
    }
    await this.#bots.declare(bots)
    await this.#topics.ensure(this.#bots.active)
    this.#housekeeping.begin()
  }

  async retire(name: string): Promise<void> {
    for (const bot of await this.#bots.retire(name)) await this.#bury(bot)
  }

  async inspect(): Promise<Report> {
    const { summary, warnings } = await this.#look()
    await Promise.all([...this.#consumers].map((consumer) => consumer.commit()))
    await this.#bots.load()
    const [bots, unmatched, { deadLetters: quarantined }] = await Promise.all([
      Promise.all(this.#bots.active.map((bot) => this.#reportOf(bot))),
      this.#topics.extents(this.#topics.unmatched),
      this.#store.tally(null),
    ])
    return {
      summary,
      warnings,
      bots: bots.sort((a, b) => (a.name < b.name ? -1 : 1)),
      unmatched: unmatched.reduce((sum, { low, high }) => sum + high - low, 0),
      quarantined,
    }
  }

  async consume(name: string, options: ConsumeOptions, handle: Handle): Promise<Subscription> {
    const { sessions } = this.#found ?? (await this.#look())
    const bot = await this.#bots.lookUp(name)
    if (!bot) throw new TypeError(`Bot "${name}" is not in the registry: declare it before it consumes.`)
    const consumer: Consumer = new Consumer(bot, {
      ...options,
      handle,
      client: this.#client,
      topics: this.#topics,
      positions: this.#positions,
      publisher: this.#publisher,
      inbox: this.#inbox,
      clock: this.#clock,
      leaseMs: this.#leaseMs,
      sessionMs: Math.min(Math.max(this.#leaseMs, sessions.shortestMs), sessions.longestMs),
      lookUp: () => this.#bots.lookUp(name, bot.id),
      onDrained: () => void this.#consumers.delete(consumer),
    })
    this.#consumers.add(consumer)
    return consumer
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close())
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#consumers].map((consumer) => consumer.drain(0)))
    await this.#housekeeping.end()
    await Promise.all([this.#publisher.close(), this.#admin.close()])
    await this.#store.close()
  }

  async #publish(event: EventRecord): Promise<Published> {
    if (this.#closed) throw unavailable(new Error('the driver is closed'))
    return this.#publisher.event(event, !(await this.#bots.isWanted(event)))
  }

  async #redeliver({ id, bot: name, event }: DeadLetter): Promise<boolean> {
    await this.#bots.load()
    const bots =
      name === null ? this.#bots.wanting(event) : this.#bots.active.filter((bot) => bot.name === name)
    await Promise.all(bots.map((bot) => this.#publisher.again(bot, event, id)))
    return name === null || bots.length > 0
  }

  /** Can be done again, wherever it was broken off. */
  async #bury(bot: KafkaBot): Promise<void> {
    if (!bot.isBuried) {
      try {
        if (!(await this.#buryAll(bot))) return
      } catch (error) {
        const known = (await this.#bots.load()).find(({ id }) => id === bot.id)
        if (known && !known.isBuried) throw error // else another process has done it
      }
      await this.#bots.buried(bot)
    }
    await this.#topics.remove(bot)
    await this.#bots.remove(bot)
  }

  async #buryAll(bot: KafkaBot): Promise<boolean> {
    const { sessions } = this.#found ?? (await this.#look())
    return buryAll(bot, {
      client: this.#client,
      topics: this.#topics,
      positions: this.#positions,
      inbox: this.#inbox,
      clock: this.#clock,
      sessionMs: Math.max(10_000, sessions.shortestMs),
    })
  }

  async #reportOf(bot: KafkaBot): Promise<Report['bots'][number]> {
    const [places, { held, left, deadLetters }] = await Promise.all([
      this.#positions.of(bot),
      this.#store.tally(bot.name),
    ])
    // what runs or waits is beyond the position too
    const open = places.reduce((sum, { position, high }) => sum + high - position, 0)
    const { name, on } = bot
    return { name, on, backlog: Math.max(0, open - held - left), waiting: left, running: held, deadLetters }
  }

  async #look(): Promise<Found> {
    await this.#topics.ensure()
    return (this.#found = await look(this.#admin, this.#topics, this.#store))
  }
}

/** Nothing is promised before anybody has looked. */
const unknown = { durability: 'none', reach: 'network', maxEventBytes: 1_048_588 - 65_536 } as const
