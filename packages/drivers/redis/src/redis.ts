import {
  clockOf,
  knownOptions,
  milliseconds,
  Session,
  textOf,
  wholeNumber,
  type AcceptOptions,
  type Accepted,
  type BotDeclaration,
  type Capabilities,
  type Clock,
  type CompanionStore,
  type ConsumeOptions,
  type DeadLetter,
  type Driver,
  type Duration,
  type EventRecord,
  type Handle,
  type RenewedSession,
  type Report,
  type Subscription,
} from '@trigger-hub/core'
import { Connection, type Client } from './connection.ts'
import { Consumer } from './consumer.ts'
import { RedisDeadLetters } from './dead-letters.ts'
import { durabilityOf } from './durability.ts'
import { Intake } from './intake.ts'
import { patienceMs, Registry } from './registry.ts'
import { endScript, renewScript } from './scripts/deliveries.ts'
import { standingScript } from './scripts/registry.ts'
import { Settling } from './settling.ts'
import { RedisStore } from './store.ts'

export interface RedisOptions {
  /** What all keys begin with, as `{prefix}:`; hubs with different ones never meet. Default `'trigger-hub'`. */
  prefix?: string
  /** How long after its last sign of life a process's deliveries go to another one, 100 ms to 1 h. Default `'10s'`. */
  lease?: Duration
  /**
   * How many replicas must have an event before it is accepted, and each later step before it counts, 0 to 10. Default 0.
   * Without as many, senders get 503.
   */
  replicas?: number
  /** For tests. */
  clock?: Clock
}

const mb = 1_024 ** 2

/**
 * The driver and store on Redis (6.2 or later) or Valkey. Any number of processes on any number of machines share it.
 * Making one touches nothing; it connects with the first call. A client that is handed in is used and not closed.
 * @param server  a URL, or a client of ioredis: single, Sentinel or Cluster. Default `redis://127.0.0.1:6379`
 * @throws SetupError `ERR_OPTION_INVALID`, `ERR_OPTION_UNKNOWN`
 */
export function redis(
  server: string | Client = 'redis://127.0.0.1:6379',
  options: RedisOptions = {},
): Driver & CompanionStore {
  return new RedisDriver(server, options)
}

class RedisDriver extends RedisStore implements Driver, CompanionStore {
  readonly name = 'redis'
  readonly deadLetters: RedisDeadLetters
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #registry: Registry
  readonly #intake: Intake
  readonly #session: Session
  readonly #settling: Settling
  readonly #consumers = new Set<Consumer>()
  /** Nothing is promised before the server was asked. */
  #durability: Capabilities['durability'] = 'none'
  #turn = 0
  #closed: Promise<void> | undefined

  constructor(server: string | Client, options: RedisOptions) {
    knownOptions('redis()', options, ['prefix', 'lease', 'replicas', 'clock'])
    const { prefix = 'trigger-hub', lease = '10s', replicas = 0 } = options
    const clock = clockOf(options.clock)
    textOf('prefix', prefix, /^[\w:.-]{1,100}$/, 'up to 100 letters, digits, "_", "-", "." and ":"')
    const leaseMs = milliseconds(lease, 'lease', ['100ms', '1h'])
    wholeNumber('replicas', replicas, [0, 10])
    const connection = new Connection(server, { prefix, replicas })
    super(connection)
    this.#clock = clock
    this.#connection = connection
    this.#registry = new Registry(connection)
    this.#intake = new Intake(connection, this.#registry)
    this.#settling = new Settling(connection, clock)
    this.#session = new Session({
      clock,
      leaseMs,
      renew: (id, begins) => this.#renew(id, begins, leaseMs),
      end: (id) => connection.run(endScript, [id], patienceMs),
      onLost: () => this.#onLost(),
    })
    this.deadLetters = new RedisDeadLetters(connection, this.#registry)
  }

  /** `durability` is what the server's settings are worth, once a hub has been started or `inspect()` called. */
  get capabilities(): Capabilities {
    return { durability: this.#durability, reach: 'network', maxEventBytes: 64 * mb }
  }

  async declare(bots: readonly BotDeclaration[]): Promise<void> {
    await this.#look()
    await this.#registry.declare(bots)
  }

  retire(bot: string): Promise<void> {
    return this.#registry.retire(bot)
  }

  async inspect(): Promise<Report> {
    const { summary, warnings } = await this.#look()
    const answer = await this.#connection.run(standingScript, [], patienceMs)
    const [bots, unmatched, quarantined] = answer as [(Buffer | number)[][], number, number]
    return {
      summary,
      warnings,
      bots: bots
        .map(([name, on, ...counts]) => {
          const [backlog = 0, waiting = 0, running = 0, deadLetters = 0] = counts.map(Number)
          const patterns = JSON.parse(String(on)) as string[]
          return { name: String(name), on: patterns, backlog, waiting, running, deadLetters }
        })
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
      unmatched,
      quarantined,
    }
  }

  accept(event: EventRecord, options: AcceptOptions): Promise<Accepted> {
    return this.#intake.accept(event, options)
  }

  bury(letter: Omit<DeadLetter, 'id'>, once: string): Promise<void> {
    return this.deadLetters.bury(letter, once)
  }

  async consume(bot: string, options: ConsumeOptions, handle: Handle): Promise<Subscription> {
    await this.#session.id()
    const consumer: Consumer = new Consumer(bot, {
      ...options,
      handle,
      connection: this.#connection,
      session: this.#session,
      settling: this.#settling,
      clock: this.#clock,
      nextTurn: () => ++this.#turn,
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
    await this.#session.end().catch(() => undefined) // its lease ends it anyway
    this.#connection.close()
  }

  async #look(): ReturnType<typeof durabilityOf> {
    const found = await durabilityOf(this.#connection)
    this.#durability = found.durability
    return found
  }

  async #renew(session: string, begins: boolean, leaseMs: number): Promise<RenewedSession> {
    const args = [session, leaseMs, begins ? 1 : 0]
    const timeoutMs = begins ? patienceMs : Math.min(patienceMs, leaseMs) // a renewal that is later is of no use
    const answer = await this.#connection.run(renewScript, args, timeoutMs)
    const [isHeld, nextExpiryMs] = answer as [number, number]
    return { isHeld: isHeld === 1, nextExpiryMs: nextExpiryMs < 0 ? undefined : nextExpiryMs }
  }

  #onLost(): void {
    for (const consumer of this.#consumers) consumer.loseLease()
    // it may be lost because the server's data are, and with them the registry
    this.#registry.reload(patienceMs).catch(() => undefined)
  }
}
