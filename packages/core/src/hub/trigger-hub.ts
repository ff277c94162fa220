import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { DeadLetterFilter, DeadLetterPage, DeadLetters, Driver, Report } from '../ports/driver.ts'
import type { Store } from '../ports/store.ts'
import type { Handler } from '../stages/attempt.ts'
import { compose } from '../stages/compose.ts'
import { enqueue, type Intake } from '../stages/enqueue.ts'
import { verifySignature } from '../stages/verify-signature.ts'
import type { Source } from '../verify/index.ts'
import { milliseconds, type Duration } from '../words/amounts.ts'
import { SetupError, WebhookError } from '../words/errors.ts'
import type { WebhookEvent } from '../words/event.ts'
import type { Log } from '../words/log.ts'
import type { Reply, Stage, WebhookState } from '../words/request.ts'
import { bot as checkedBot, type Bot, type BotOptions } from './bot.ts'
import { defaultDriver } from './default-driver.ts'
import { acceptDurably } from './durable.ts'
import { ImmediateAck } from './immediate.ts'
import { hubSettings, type HubSettings, type TriggerHubOptions } from './options.ts'
import { acceptInRequest } from './sync.ts'
import type { DataOf, On, Sources } from './types.ts'
import { Worker } from './worker.ts'

/** The data that a bot gets: what its schema makes of it, or what its source declares. */
type Data<S extends Sources, Pattern extends string, Schema> = [Schema] extends [StandardSchemaV1]
  ? StandardSchemaV1.InferOutput<Schema>
  : DataOf<S, Pattern>

/**
 * Receives webhooks and runs bots on them. Making one touches nothing outside; `start()` (called by `work()` and by the
 * first request) opens the driver, and all mistakes in the set-up come out there or in the constructor.
 */
export class TriggerHub<const S extends Sources = Sources> implements Intake {
  readonly #settings: HubSettings
  readonly #sources: Sources | undefined
  readonly #stages = new Map<string, Stage>()
  readonly #bots = new Map<string, Bot>()
  readonly #closing = new AbortController()
  readonly #immediate: ImmediateAck
  readonly #store: Store | undefined
  #driver: Driver | undefined
  #started: Promise<Driver> | undefined
  #worker: Promise<Worker> | undefined
  #closed: Promise<void> | undefined
  #intake = 0 // accepts that have not been answered
  #intakeEmpty: (() => void) | undefined

  /**
   * Dead letters of all bots. `list` gives them oldest first, `redrive` puts them back as attempt 1 for their own bot
   * only, `discard` removes them for good; the last two take an id or a filter and say how many.
   */
  readonly deadLetters: DeadLetters = {
    list: async (filter?: DeadLetterFilter & DeadLetterPage) => (await this.#open()).deadLetters.list(filter),
    read: async (id) => (await this.#open()).deadLetters.read(id),
    redrive: async (which) => (await this.#open()).deadLetters.redrive(which),
    discard: async (which) => (await this.#open()).deadLetters.discard(which),
  }

  /** @throws SetupError with a code for each mistake, and its fix */
  constructor(options: TriggerHubOptions<S> = {}) {
    this.#settings = hubSettings(options as TriggerHubOptions)
    this.#driver = options.driver
    this.#store = options.store ?? (isStore(options.driver) ? options.driver : undefined)
    this.#sources = options.sources
    this.#immediate = new ImmediateAck(this.#settings, async (event, state) =>
      acceptDurably(await this.#open(), event, state, this.#settings),
    )
    const { limit, bodyTimeoutMs: bodyTimeout, clock } = this.#settings
    for (const [name, source] of Object.entries(options.sources ?? {})) {
      if (!/^[A-Za-z0-9][\w-]{0,63}$/.test(name)) {
        throw new SetupError(
          'ERR_OPTION_INVALID',
          `"${name}" is not a name for a source: it is part of a URL and of patterns, so use letters, digits, "_" and "-".`,
        )
      }
      if (typeof (source as Partial<Source> | undefined)?.check !== 'function') {
        throw new SetupError(
          'ERR_OPTION_INVALID',
          `Source "${name}" is not one: use a preset, such as github({ secret }) from @trigger-hub/core/sources.`,
        )
      }
      const receive = compose(verifySignature(source, { name, limit, bodyTimeout, clock }), enqueue(this))
      this.#stages.set(name, async (request, next) => {
        if (request.method !== 'POST') {
          throw new WebhookError('ERR_METHOD_NOT_ALLOWED', 'Webhooks are sent with POST.')
        }
        this.#refuseWhenClosing()
        return receive(request, next)
      })
    }
  }

  /** Where warnings and errors go; adapters write theirs there too. */
  get log(): Log {
    return this.#settings.log
  }

  /**
   * The stage that receives for a path below the hub's mount point, such as `/shop`; undefined when no source has that
   * name, so that the app can go on to its own routes.
   */
  route(path: string): Stage | undefined {
    return this.#stages.get(path.replace(/^\/|\/$/g, ''))
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
        `Bot "${name}" comes after start(): add every bot before work() and the first request.`,
      )
    }
    if (this.#bots.has(name)) {
      throw new SetupError(
        'ERR_BOT_INVALID',
        `There are two bots named "${name}": a name tells whose progress it is, so give each its own.`,
      )
    }
    const bot = checkedBot(name, options as BotOptions, handler as Handler)
    for (const { source, text } of bot.on) {
      if (source === '*' || !this.#sources || Object.hasOwn(this.#sources, source)) continue
      throw new SetupError(
        'ERR_SOURCE_UNKNOWN',
        `Bot "${name}" hears "${text}", but there is no source "${source}". There are: ${Object.keys(this.#sources).join(', ')}.`,
      )
    }
    this.#bots.set(name, bot)
    return this
  }

  /**
   * Opens the driver, writes the bots into its registry and reports what it honestly offers. Done once; called by
   * `work()` and the first request.
   * @throws SetupError, or WebhookError `ERR_DRIVER_UNAVAILABLE`; may be tried again after the latter
   */
  async start(): Promise<void> {
    await this.#open()
  }

  /** Runs the bots in this process. Resolves once every bot consumes. */
  async work(): Promise<void> {
    const driver = await this.#open()
    this.#refuseWhenClosing()
    this.#worker ??= Worker.start(driver, this.#bots.values(), {
      ...this.#settings,
      closing: this.#closing.signal,
    })
    await this.#worker
  }

  /**
   * Takes a verified event and answers for it, by the ack mode of its source. What `enqueue(hub)` calls.
   * @throws WebhookError with status 503 when the event is not safe, 413 when it is too large for the driver
   */
  async accept(event: WebhookEvent, state: WebhookState): Promise<Reply> {
    this.#refuseWhenClosing()
    this.#intake++
    try {
      const driver = await this.#open()
      if (event.rawBody.length > driver.capabilities.maxEventBytes) {
        throw new WebhookError(
          'ERR_BODY_TOO_LARGE',
          `The ${driver.name} driver takes events of up to ${driver.capabilities.maxEventBytes} bytes.`,
        )
      }
      const ack = this.#settings.ackOf(event.source)
      if (ack === 'durable') return await acceptDurably(driver, event, state, this.#settings)
      if (ack === 'immediate') return await this.#immediate.accept(event, state)
      const around = { driver, settings: this.#settings, closing: this.#closing.signal }
      const { bot, store } = this.#syncParts(event.source, driver)
      return await acceptInRequest(bot, event, state, { ...around, store })
    } finally {
      if (--this.#intake === 0) this.#intakeEmpty?.()
    }
  }

  /** What the driver offers, what it warns of, and how every bot of its registry stands. */
  async inspect(): Promise<Report> {
    return (await this.#open()).inspect()
  }

  /** Removes a bot for good: what waits for it becomes dead letters with the reason `retired`. */
  async retire(bot: string): Promise<void> {
    await (await this.#open()).retire(bot)
  }

  /**
   * Stops: new requests get 503, running attempts may finish until the deadline, the rest is given back at no cost of
   * an attempt, the driver is closed. Safe to call twice.
   */
  close({ deadline = '10s' }: { deadline?: Duration } = {}): Promise<void> {
    return (this.#closed ??= this.#close(milliseconds(deadline, 'deadline')))
  }

  async #close(deadlineMs: number): Promise<void> {
    const { clock } = this.#settings
    const cancel = clock.after(deadlineMs, () => this.#closing.abort())
    const worker = await this.#worker?.catch(() => undefined)
    await Promise.all([this.#intakeDone(), worker?.stop(deadlineMs)])
    await this.#immediate.flush(deadlineMs)
    cancel()
    await (await this.#started?.catch(() => this.#driver))?.close()
  }

  #intakeDone(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#intake === 0) resolve()
      else this.#intakeEmpty = resolve
    })
  }

  #refuseWhenClosing(): void {
    if (this.#closed) throw new WebhookError('ERR_CLOSING', 'The hub is closing.')
  }

  #open(): Promise<Driver> {
    return (this.#started ??= this.#start().catch((error: unknown) => {
      if (WebhookError.is(error)) this.#started = undefined // out of reach now, perhaps not at the next request
      throw error
    }))
  }

  async #start(): Promise<Driver> {
    const { allowVolatile, log, signals } = this.#settings
    const driver = (this.#driver ??= await defaultDriver())
    const acks = new Set(Object.keys(this.#sources ?? { '': true }).map(this.#settings.ackOf))
    if (driver.capabilities.durability === 'none' && acks.has('durable') && !allowVolatile) {
      throw new SetupError(
        'ERR_NOT_DURABLE',
        `The ${driver.name} driver loses every event with its process, so a 2xx would promise too much. Use a durable driver, or set allowVolatile: true for tests.`,
      )
    }
    for (const name of Object.keys(this.#sources ?? {})) {
      if (this.#settings.ackOf(name) === 'sync') this.#syncParts(name, driver)
    }
    await driver.declare(
      [...this.#bots.values()].map(({ name, on }) => ({ name, on: on.map(({ text }) => text) })),
    )
    const report = await driver.inspect()
    for (const { code, message } of report.warnings) log({ level: 'warn', code, message })
    for (const { name } of report.bots) {
      if (this.#bots.has(name)) continue
      log({
        level: 'warn',
        code: 'WARN_BOT_UNDECLARED',
        message: `The registry has a bot "${name}" that this process does not declare; its events keep waiting. hub.retire('${name}') removes it.`,
      })
    }
    if (signals) this.#closeOnSignals()
    return driver
  }

  #syncParts(source: string, driver: Driver): { bot: Bot; store: Store } {
    const listening = [...this.#bots.values()].filter(({ on }) =>
      on.some((one) => one.source === '*' || one.source === source),
    )
    const [bot] = listening
    if (!bot || listening.length > 1) {
      throw new SetupError(
        'ERR_BOT_INVALID',
        `Source "${source}" has ack: 'sync', so exactly one bot may hear it, whose value is the reply; there are ${listening.length}.`,
      )
    }
    const store = this.#store ?? (isStore(driver) ? driver : undefined)
    if (!store) {
      throw new SetupError(
        'ERR_DRIVER_UNUSABLE',
        `Source "${source}" has ack: 'sync', which needs a store for the replies: add the option "store".`,
      )
    }
    return { bot, store }
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

const isStore = (part: object | undefined): part is Driver & Store => part !== undefined && 'claim' in part
