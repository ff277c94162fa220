import { once } from 'node:events'
import type { Server } from 'node:http'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Receiving } from '../http/listener.ts'
import type { DeadLetters, Driver, Report } from '../ports/driver.ts'
import type { Store } from '../ports/store.ts'
import type { AttemptSurroundings, Handler } from '../stages/attempt.ts'
import type { Intake } from '../stages/enqueue.ts'
import { milliseconds, type Duration } from '../words/amounts.ts'
import { SetupError, WebhookError } from '../words/errors.ts'
import type { WebhookEvent } from '../words/event.ts'
import type { Log } from '../words/log.ts'
import { knownOptions } from '../words/options.ts'
import type { Reply, Stage, WebhookState } from '../words/request.ts'
import { botName, bot as checkedBot, type Bot, type BotOptions } from './bot.ts'
import { deadLettersOf } from './dead-letters.ts'
import { defaultDriver } from './default-driver.ts'
import { endpointsOf, payloadsOf, type Endpoint } from './endpoints.ts'
import { hubSettings, type HubSettings, type TriggerHubOptions } from './options.ts'
import { Receiver } from './receiver.ts'
import { retireFrom } from './retire.ts'
import { closed, serverOf, type ListenOptions } from './server.ts'
import type { SyncParts } from './sync.ts'
import type { DataOf, On, Sources } from './types.ts'
import { Worker } from './worker.ts'

/** How long a reply on its way may take beyond the deadline of a close. */
const replyMs = 1_000

/** The data that a bot gets: what its schema makes of it, or what its source declares. */
type Data<S extends Sources, Pattern extends string, Schema> = [Schema] extends [StandardSchemaV1]
  ? StandardSchemaV1.InferOutput<Schema>
  : DataOf<S, Pattern>

/**
 * Receives webhooks and runs bots on them. Making one touches nothing outside; `start()` (called by `work()`, `listen()`
 * and the first request) opens the driver, and all mistakes in the set-up come out there or in the constructor.
 */
export class TriggerHub<const S extends Sources = Sources> implements Intake, Receiving {
  readonly #settings: HubSettings
  /** Undefined when events come from `enqueue(hub)` alone, under names that the hub does not know beforehand. */
  readonly #endpoints: readonly Endpoint[] | undefined
  readonly #bots = new Map<string, Bot>()
  readonly #receiver: Receiver
  readonly #closing = new AbortController()
  readonly #servers: Promise<Server>[] = []
  readonly #store: Store | undefined
  readonly #attempts: AttemptSurroundings
  #driver: Driver | undefined
  #started: Promise<Driver> | undefined
  #worker: Promise<Worker> | undefined
  #closed: Promise<void> | undefined

  /**
   * Dead letters of all bots. `list` gives them oldest first, `redrive` puts them back as attempt 1 for their own bot
   * only, `discard` removes them for good; the last two take an id or a filter and say how many.
   */
  readonly deadLetters: DeadLetters = deadLettersOf(() => this.#open())

  /** @throws SetupError with a code for each mistake, and its fix */
  constructor(options: TriggerHubOptions<S> = {}) {
    const untyped = options as TriggerHubOptions
    this.#settings = hubSettings(untyped)
    this.#endpoints = endpointsOf(untyped)
    this.#driver = options.driver
    this.#store = options.store
    const { clock, random } = this.#settings
    this.#attempts = {
      clock,
      random,
      closing: this.#closing.signal,
      payloadOf: payloadsOf(this.#endpoints ?? []),
    }
    this.#receiver = new Receiver({
      settings: this.#settings,
      endpoints: this.#endpoints ?? [],
      open: () => this.#open(),
      syncParts: (source, driver) => this.#syncParts(source, driver),
      attempts: this.#attempts,
    })
  }

  /** Where warnings and errors go; adapters write theirs there too. */
  get log(): Log {
    return this.#settings.log
  }

  /**
   * Adds a bot: a named handler for every event that its pattern lets through, with its own progress, retries and dead
   * letters.
   * @throws SetupError `ERR_BOT_INVALID`, `ERR_SOURCE_UNKNOWN`, `ERR_OPTION_…`; `ERR_HUB_STARTED` after `start()`
   */
  bot<const Pattern extends On<S>, Schema extends StandardSchemaV1 | undefined = undefined>(
    name: string,
    options: Omit<BotOptions<Pattern>, 'schema'> & { schema?: Schema },
    handler: Handler<WebhookEvent<Data<S, Pattern, Schema>>>,
  ): this {
    if (this.#started) {
      throw new SetupError(
        'ERR_HUB_STARTED',
        `Bot "${name}" is late: add every bot before work() and the first request.`,
      )
    }
    if (this.#bots.has(name)) {
      throw new SetupError(
        'ERR_BOT_INVALID',
        `There are two bots "${name}"; progress is kept by name, so give each its own.`,
      )
    }
    const bot = checkedBot(name, options as BotOptions, handler as Handler)
    const sources = this.#endpoints?.map((endpoint) => endpoint.name)
    for (const { source, text } of bot.on) {
      if (source === '*' || !sources || sources.includes(source)) continue
      throw new SetupError(
        'ERR_SOURCE_UNKNOWN',
        `Bot "${name}" hears "${text}", but the sources are: ${sources.join(', ')}.`,
      )
    }
    this.#bots.set(name, bot)
    return this
  }

  /**
   * Opens the driver, writes the bots into its registry and reports what it honestly offers. Done once; called by
   * `work()`, `listen()` and the first request.
   * @throws SetupError, or WebhookError `ERR_DRIVER_UNAVAILABLE`, after which it may be tried again, or `ERR_CLOSING`
   */
  async start(): Promise<void> {
    await this.#open()
    this.#receiver.refuseWhenStopped()
  }

  /** Runs the bots in this process. Resolves once every bot consumes. */
  async work(): Promise<void> {
    const driver = await this.#open()
    this.#receiver.refuseWhenStopped()
    this.#worker ??= Worker.start(driver, this.#bots.values(), { ...this.#attempts, log: this.log }).catch(
      (error: unknown) => {
        this.#worker = undefined // may be tried again
        throw error
      },
    )
    await this.#worker
  }

  /**
   * Receives on a port of its own, without a framework. The server is closed with the hub.
   * @returns the server once it listens; its `address()` says where, if `port` was 0
   * @throws SetupError `ERR_OPTION_UNKNOWN`, `ERR_OPTION_INVALID`, and what `start` throws
   */
  async listen(options: ListenOptions): Promise<Server> {
    const server = serverOf(this, options)
    await this.#open()
    this.#receiver.refuseWhenStopped()
    const listening = once(server.listen(options.port, options.host), 'listening').then(() => server)
    this.#servers.push(listening)
    return await listening
  }

  /**
   * The stage that receives for a path below the mount point, such as `/shop`; undefined when it is no source's, so that
   * the app can go on to its own routes.
   */
  route(path: string): Stage | undefined {
    return this.#receiver.route(path)
  }

  /** The stage that checks the signature of a source of the hub, for routes of one's own; undefined when there is none. */
  verifier(source: string): Stage | undefined {
    return this.#receiver.verifier(source)
  }

  /**
   * Takes a verified event and answers for it, by the ack mode of its source. What `enqueue(hub)` calls.
   * @throws WebhookError with status 503 when the event is not safe, 413 when it is too large for the driver
   */
  accept(event: WebhookEvent, state: WebhookState): Promise<Reply> {
    return this.#receiver.accept(event, state)
  }

  /** What the driver offers, what it warns of, and how every bot of its registry stands. */
  async inspect(): Promise<Report> {
    return (await this.#open()).inspect()
  }

  /**
   * Removes a bot for good: what waits for it becomes dead letters with the reason `retired`. One that is not there may
   * have been retired before, so that is no error but a warning.
   * @throws SetupError `ERR_BOT_INVALID` for what is no name
   */
  async retire(bot: string): Promise<void> {
    botName(bot)
    await retireFrom(await this.#open(), bot, this.log)
  }

  /**
   * Stops: new requests get 503, running attempts may finish until the deadline (default 10 s), the rest is given back at
   * no cost of an attempt, the driver is closed. Safe to call twice.
   */
  async close(options: { deadline?: Duration } = {}): Promise<void> {
    knownOptions('close', options, ['deadline'])
    const { deadline = '10s' } = options
    const deadlineMs = milliseconds(deadline, 'deadline')
    await (this.#closed ??= this.#close(deadlineMs))
  }

  async #close(deadlineMs: number): Promise<void> {
    const { clock } = this.#settings
    const until = clock.monotonicMs() + deadlineMs
    const cancel = clock.after(deadlineMs, () => this.#closing.abort())
    const received = this.#receiver.stop(deadlineMs)
    const worker = await this.#worker?.catch(() => undefined)
    await Promise.all([received, worker?.stop(deadlineMs)])
    cancel()
    const leftMs = Math.max(until - clock.monotonicMs(), replyMs)
    await Promise.all(this.#servers.map((listening) => closed(listening, leftMs, clock)))
    await this.#started?.catch(() => undefined)
    await this.#driver?.close() // also one that could not be opened, and goes on trying
  }

  #open(): Promise<Driver> {
    return (this.#started ??= this.#start().catch((error: unknown) => {
      if (WebhookError.is(error)) this.#started = undefined // out of reach now, perhaps not at the next request
      throw error
    }))
  }

  async #start(): Promise<Driver> {
    this.#receiver.refuseWhenStopped()
    const driver = (this.#driver ??= await defaultDriver())
    this.#checkAcks(driver)
    await driver.declare(
      [...this.#bots.values()].map(({ name, on }) => ({ name, on: on.map(({ text }) => text) })),
    )
    this.#report(await driver.inspect())
    this.#checkDurability(driver) // a server has to be asked first
    if (this.#settings.signals) this.#closeOnSignals()
    return driver
  }

  #checkAcks(driver: Driver): void {
    for (const { name } of this.#endpoints ?? []) {
      if (this.#settings.ackOf(name) === 'sync') this.#syncParts(name, driver)
    }
  }

  #checkDurability({ name, capabilities }: Driver): void {
    const { ackOf, allowVolatile } = this.#settings
    const sources = this.#endpoints?.map((endpoint) => endpoint.name) ?? ['']
    if (capabilities.durability !== 'none' || allowVolatile) return
    if (!sources.some((source) => ackOf(source) === 'durable')) return
    throw new SetupError(
      'ERR_NOT_DURABLE',
      `The ${name} driver can lose accepted events, so a 2xx would promise too much. ` +
        'Use a durable driver (or server settings), or set allowVolatile: true to accept the loss, as in tests.',
    )
  }

  #syncParts(source: string, driver: Driver): SyncParts {
    const hearing = [...this.#bots.values()].filter(({ on }) =>
      on.some((pattern) => pattern.source === '*' || pattern.source === source),
    )
    const [bot] = hearing
    if (!bot || hearing.length > 1) {
      throw new SetupError(
        'ERR_BOT_INVALID',
        `Source "${source}" has ack: 'sync', so exactly one bot may hear it, whose value is the reply; there are ${hearing.length}.`,
      )
    }
    const store = this.#store ?? (isStore(driver) ? driver : undefined)
    if (store) return { bot, store }
    throw new SetupError(
      'ERR_DRIVER_UNUSABLE',
      `Source "${source}" has ack: 'sync', which needs a store for the replies: add the option "store".`,
    )
  }

  #report({ warnings, bots }: Report): void {
    for (const { code, message } of warnings) this.log({ level: 'warn', code, message })
    for (const { name } of bots) {
      if (this.#bots.has(name)) continue
      const message = `The registry has a bot "${name}" that this process does not declare. Its events wait for it until hub.retire('${name}').`
      this.log({ level: 'warn', code: 'WARN_BOT_UNDECLARED', message })
    }
  }

  #closeOnSignals(): void {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        this.close().then(
          () => process.exit(0),
          () => process.exit(1),
        )
      })
    }
  }
}

const isStore = (driver: Driver): driver is Driver & Store => 'claim' in driver
