import {
  type Accepted,
  type AcceptOptions,
  type BotDeclaration,
  type BotReport,
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
import { Bots } from './bots.ts'
import { Consumer, deletedMs, type ConsumerOptions } from './consumer.ts'
import { Doctor } from './doctor.ts'
import { Link } from './link.ts'
import { Names } from './names.ts'
import { checked, type RabbitMqOptions } from './options.ts'
import { Outgoing } from './outgoing.ts'
import { Publisher } from './publisher.ts'
import { Sweeper } from './sweeper.ts'
import { Topology } from './topology.ts'
import { patienceMs } from './patience.ts'
import { isPassing, unavailable } from './trouble.ts'
import { Waits } from './waits.ts'

const mb = 1_024 ** 2
const lookEveryMs = 60_000
const againMs = 100

/**
 * The driver on RabbitMQ (3.10 or later), with a store beside it. Any number of processes on any number of machines share
 * it, as far as they share the store. Making one touches nothing; it connects with the first call.
 * @throws SetupError `ERR_OPTION_INVALID`, `ERR_OPTION_UNKNOWN`, `ERR_DRIVER_UNUSABLE` without a store
 */
export function rabbitmq(options: RabbitMqOptions): Driver {
  return new RabbitMqDriver(options)
}

class RabbitMqDriver implements Driver {
  readonly name = 'rabbitmq'
  readonly deadLetters: DeadLetters
  readonly accept: (event: EventRecord, options: AcceptOptions) => Promise<Accepted>
  readonly #leaseMs: number
  readonly #clock: Clock
  readonly #store: CompanionStore
  /** One for what is published, another one for what is handed out: a server short of memory stops reading the first. */
  readonly #publishing: Link
  readonly #consuming: Link
  readonly #publisher: Publisher
  readonly #outgoing: Outgoing
  readonly #bots: Bots
  readonly #inbox: Inbox
  /** What everybody needs who takes messages. */
  readonly #working: Pick<ConsumerOptions, 'bots' | 'inbox' | 'outgoing' | 'link' | 'clock'>
  readonly #sweeper: Sweeper
  readonly #waits: Waits
  readonly #doctor: Doctor
  readonly #consumers = new Map<Consumer, string>()
  /** Nothing is promised before the server was asked. */
  #durability: Capabilities['durability'] = 'none'
  #repairing: Promise<void> | undefined
  /** When it was seen to that the queues are there, by the monotonic clock. */
  #lookedAt: number
  #closed: Promise<void> | undefined

  constructor(options: RabbitMqOptions) {
    const { prefix, leaseMs, clock, open } = checked(options)
    const { store, management } = options
    this.#leaseMs = leaseMs
    this.#clock = clock
    this.#lookedAt = clock.monotonicMs()
    this.#store = store
    const names = new Names(prefix)
    const topology = new Topology(names)
    this.#publishing = new Link({ open, name: `${prefix}: publishing`, prepare: topology.prepare })
    this.#consuming = new Link({ open, name: `${prefix}: consuming` })
    const onMissing = (): void => this.#repair()
    this.#publisher = new Publisher(this.#publishing, {
      onSilence: () => {
        void this.#publishing.probe()
        void this.#consuming.probe()
      },
      onMissing,
    })
    const onServer = { topology, link: this.#publishing }
    this.#outgoing = new Outgoing({ names, publisher: this.#publisher, clock, onMissing })
    this.#bots = new Bots({ ...onServer, store, clock })
    this.#inbox = new Inbox(store, { clock, leaseMs })
    this.#working = {
      bots: this.#bots,
      inbox: this.#inbox,
      outgoing: this.#outgoing,
      link: this.#consuming,
      clock,
    }
    this.#sweeper = new Sweeper({ ...this.#working, store })
    this.#waits = new Waits({ ...this.#working, names })
    this.#doctor = new Doctor({ store, names, management })
    this.accept = splitAccept(store, (event) => this.#publish(event), {
      name: this.name,
      clock,
      inbox: this.#inbox,
    })
    this.deadLetters = splitDeadLetters(store, (letter) => this.#redeliver(letter), clock)
  }

  /**
   * `durability` is what the server and the store are worth, once a hub has been started or `inspect()` called; processes
   * share one hub as far as they share the store.
   */
  get capabilities(): Capabilities {
    const { reach } = this.#store.capabilities
    return { durability: this.#durability, reach, maxEventBytes: 16 * mb }
  }

  declare(bots: readonly BotDeclaration[]): Promise<void> {
    return this.#reaching(async () => {
      await this.#bots.declare(bots)
      for (const { name } of this.#bots.retired) await this.#sweeper.clear(name)
    })
  }

  retire(bot: string): Promise<void> {
    return this.#reaching(async () => {
      if (!(await this.#bots.retire(bot))) return
      await this.#sweeper.start()
      await this.#sweeper.clear(bot)
    })
  }

  async inspect(): Promise<Report> {
    return this.#reaching(async () => {
      const connection = await this.#publishing.connection()
      await this.#bots.load()
      const found = await this.#doctor.examine(connection)
      this.#durability = found.durability
      const { backlogs, unmatched, warnings } = await this.#doctor.count(connection, this.#bots.active)
      const bots = await Promise.all(
        this.#bots.active.map(async ({ name, on }): Promise<BotReport> => {
          const { held, left, deadLetters } = await this.#store.tally(name)
          const backlog = (backlogs.get(name) ?? 0) + this.#unbegun(name)
          return { name, on, backlog, waiting: left, running: held, deadLetters }
        }),
      )
      const { deadLetters: quarantined } = await this.#store.tally(null)
      const all = [...found.warnings, ...warnings]
      return { summary: found.summary, warnings: all, bots, unmatched, quarantined }
    })
  }

  consume(bot: string, options: ConsumeOptions, handle: Handle): Promise<Subscription> {
    return this.#reaching(async () => {
      const consumer: Consumer = new Consumer(bot, {
        ...options,
        ...this.#working,
        handle,
        leaseMs: this.#leaseMs,
        onDrained: () => this.#consumers.delete(consumer),
      })
      await consumer.start()
      this.#consumers.set(consumer, bot)
      void this.#sweeper.start()
      void this.#waits.start()
      return consumer
    })
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close())
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#consumers.keys()].map((consumer) => consumer.drain(0)))
    await Promise.all([this.#sweeper.close(), this.#waits.close()])
    this.#publisher.close()
    await Promise.all([this.#publishing.close(), this.#consuming.close()])
    await this.#store.close()
  }

  async #publish(event: EventRecord): Promise<Published> {
    this.#look()
    const sent = await this.#outgoing.toAll(event)
    if (sent.is === 'refused') return sent
    if (sent.is === 'routed') return { is: 'published' }
    await this.#bots.load()
    if (this.#bots.wanting(event).length > 0) {
      this.#repair()
      return { is: 'refused', reason: 'the queue of a bot is not there; it is being made again.' }
    }
    const kept = await this.#outgoing.toNobody(event)
    return kept.is === 'routed'
      ? { is: 'published' }
      : { is: 'refused', reason: 'nobody wants it, and it was not kept.' }
  }

  /** That one bot's queue is not there shows nowhere as long as an event has another queue to go to. */
  #look(): void {
    const now = this.#clock.monotonicMs()
    if (now - this.#lookedAt < lookEveryMs) return
    this.#lookedAt = now
    this.#lookForQueues().catch(() => undefined) // in a minute it is tried again
  }

  async #lookForQueues(): Promise<void> {
    const connection = await this.#publishing.connection()
    await this.#bots.load()
    const { warnings } = await this.#doctor.count(connection, this.#bots.active)
    if (warnings.length > 0) this.#repair()
  }

  /** The next try may find the queues; see `deletedMs` for the wait. */
  #repair(): void {
    this.#repairing ??= new Promise((resume) => setTimeout(resume, 2 * deletedMs))
      .then(() => this.#bots.repair())
      .catch(() => undefined)
      .finally(() => (this.#repairing = undefined))
  }

  async #redeliver({ id, bot, event }: DeadLetter): Promise<boolean> {
    return this.#reaching(async () => {
      await this.#publishing.connection() // which says why there is none
      await this.#bots.load()
      const to =
        bot === null
          ? this.#bots.wanting(event).map(({ name }) => name)
          : [bot].filter((one) => this.#bots.has(one))
      for (const one of to) {
        const { is } = await this.#outgoing.toBot(one, event, id)
        if (is !== 'routed') throw new Error('the server did not take the event')
      }
      return to.length > 0
    })
  }

  #unbegun(bot: string): number {
    let count = 0
    for (const [consumer, of] of this.#consumers) if (of === bot) count += consumer.unbegun
    return count
  }

  /** Does what can be done again, and does so while a node is being replaced. */
  async #reaching<T>(task: () => Promise<T>): Promise<T> {
    for (const until = performance.now() + patienceMs; ;) {
      try {
        return await task()
      } catch (error) {
        if (this.#closed || !isPassing(error) || performance.now() > until) throw unavailable(error)
      }
      await new Promise((resume) => setTimeout(resume, againMs))
    }
  }
}
