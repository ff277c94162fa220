import { randomUUID } from 'node:crypto'
import {
  fingerprint,
  type Accepted,
  type AcceptOptions,
  type AttemptRecord,
  type Clock,
  type DeadLetterReason,
  type Delivery,
  type Driver,
  type EventRecord,
  type Settled,
  type Subscription,
  type Verdict,
} from '@trigger-hub/core'
import { TrialTime, type InstanceClock, type TimeOptions } from '../time.ts'

/** What a suite asks of a driver that it wants to have. */
export interface DriverSetting {
  /** Names the backend, `[a-z0-9-]{1,40}`: two drivers that are made with one name share it, others never meet. */
  readonly name: string
  readonly clock: Clock
  /** How long a worker that has gone silent keeps its deliveries. For drivers whose `reach` is not `'process'`. */
  readonly leaseMs: number
  /**
   * Calls `listener` when the process that the driver stands for is suspended (for good, if it died), and when it goes on:
   * a connection that does not live by `clock` has to go silent with it.
   */
  readonly onFrozen: InstanceClock['onFrozen']
}

/** Makes a driver. Called again with the same name while the first is in use, if `reach` is not `'process'`. */
export type MakeDriver = (setting: DriverSetting) => Driver | Promise<Driver>

export interface DriverSuiteOptions extends TimeOptions {
  /**
   * That of the cases in which one runs out: longer than a busy machine takes to renew it. Default 3,000 in real time, which
   * has to be waited for, and 30,000 otherwise. In all other cases it is long.
   */
  leaseMs?: number
}

/** One driver of a case, with the process that it stands for. */
export interface Instance {
  readonly driver: Driver
  /** Frozen, the process is suspended, or dead for all that others can see. */
  readonly clock: InstanceClock
}

type Behaviour = (delivery: Delivery) => Verdict | Promise<Verdict>

/** A bot at work, and what was seen of it. */
export interface Worker {
  readonly runs: readonly { readonly delivery: Delivery; readonly at: number }[]
  readonly settled: readonly { readonly delivery: Delivery; readonly outcome: Settled; readonly is: string }[]
  drain(deadlineMs: number): Promise<void>
}

const day = 86_400_000
/** More than are between two renewals. */
const stepsPerLease = 8

/** What one case works with: a backend of its own, drivers on it, events, workers and time. */
export class DriverTrial {
  readonly time: TrialTime
  readonly leaseMs: number
  readonly #make: MakeDriver
  readonly #name = `trial-${randomUUID().slice(0, 18)}`
  readonly #instances: Instance[] = []
  readonly #subscriptions: Subscription[] = []
  readonly #unblock: (() => void)[] = []
  /** What went wrong inside a behaviour. */
  readonly #failures: unknown[] = []

  private constructor(make: MakeDriver, options: DriverSuiteOptions) {
    this.#make = make
    this.leaseMs = options.leaseMs ?? (options.time === 'real' ? 3_000 : 30_000)
    this.time = new TrialTime(options)
  }

  static async run(
    make: MakeDriver,
    options: DriverSuiteOptions,
    body: (trial: DriverTrial) => Promise<void>,
  ): Promise<void> {
    const trial = new DriverTrial(make, options)
    try {
      await trial.open()
      await body(trial)
      if (trial.#failures.length > 0) throw trial.#failures[0]
    } finally {
      await trial.#end()
    }
  }

  get driver(): Driver {
    return this.first.driver
  }

  /** The first instance. */
  get first(): Instance {
    const [first] = this.#instances
    if (!first) throw new Error('No driver was made.')
    return first
  }

  /** True when another instance can be opened on the same backend. */
  get isShared(): boolean {
    return this.driver.capabilities.reach !== 'process'
  }

  get isDurable(): boolean {
    return this.driver.capabilities.durability !== 'none'
  }

  /** One more instance on the backend of this trial. */
  async open(): Promise<Instance> {
    const clock = this.time.clock()
    const driver = await this.#make({
      name: this.#name,
      clock,
      leaseMs: this.leaseMs,
      onFrozen: (listener) => clock.onFrozen(listener),
    })
    const instance = { driver, clock }
    this.#instances.push(instance)
    return instance
  }

  /** Declares bots that want everything, or what `on` says. */
  async declare(...bots: (string | { name: string; on: string[] })[]): Promise<void> {
    await this.driver.declare(
      bots.map((bot) => (typeof bot === 'string' ? { name: bot, on: ['*:**'] } : bot)),
    )
  }

  /** Accepts an event under a key of its own unless told otherwise. */
  accept(
    event: EventRecord = anEvent(),
    options: Partial<AcceptOptions> = {},
    driver = this.driver,
  ): Promise<Accepted> {
    return driver.accept(event, { ...asAccepted(event), ...options })
  }

  /** Accepts `count` events one after the other. */
  async acceptMany(count: number, driver = this.driver): Promise<string[]> {
    const ids: string[] = []
    for (let nth = 0; nth < count; nth++) {
      const event = anEvent({ rawBody: Buffer.from(`{"nth":${nth}}`) })
      await this.accept(event, {}, driver)
      ids.push(event.id)
    }
    return ids
  }

  /** Lets a bot consume. */
  async work(
    bot: string,
    behaviour: Behaviour = succeed,
    { concurrency = 1, driver = this.driver } = {},
  ): Promise<Worker> {
    const runs: { delivery: Delivery; at: number }[] = []
    const settled: { delivery: Delivery; outcome: Settled; is: string }[] = []
    const subscription = await driver.consume(
      bot,
      {
        concurrency,
        onSettled: (delivery, outcome, verdict) => settled.push({ delivery, outcome, is: verdict.is }),
        onError: () => undefined, // what must happen happens or does not; how the driver gets there is its own affair
      },
      async (delivery) => {
        runs.push({ delivery, at: this.time.now() })
        try {
          return await behaviour(delivery)
        } catch (error) {
          this.#failures.push(error) // a handler never rejects; the case fails when it ends
          return done
        }
      },
    )
    this.#subscriptions.push(subscription)
    return { runs, settled, drain: (deadlineMs) => subscription.drain(deadlineMs) }
  }

  /** A behaviour that runs until it is told its verdict, at the latest when the case ends. */
  held(): { behaviour: Behaviour; end: (verdict?: Verdict) => void } {
    let end: (verdict: Verdict) => void = () => undefined
    const verdict = new Promise<Verdict>((resolve) => (end = resolve))
    this.#unblock.push(() => end({ is: 'release', interrupted: true }))
    return { behaviour: () => verdict, end: (given = done) => end(given) }
  }

  pass(ms: number): Promise<void> {
    return this.time.pass(ms)
  }

  /** Lets so many leases go by, of which the living renew theirs, however long that takes. */
  async passLeases(count: number): Promise<void> {
    for (let passed = 0; passed < count; passed += 1 / stepsPerLease) {
      await this.pass(this.leaseMs / stepsPerLease)
      const living = this.#instances.filter(({ clock }) => !clock.isFrozen)
      // it is answered after the renewals that were begun before
      await Promise.all(living.map(({ driver }) => driver.inspect().catch(() => undefined)))
    }
  }

  /** Long enough for what must not happen to show. */
  quiet(): Promise<void> {
    return this.time.quiet()
  }

  eventually<T>(what: string, look: () => T | Promise<T>): Promise<NonNullable<T>> {
    return this.time.eventually(what, look)
  }

  async #end(): Promise<void> {
    for (const { clock } of this.#instances) clock.thaw()
    for (const unblock of this.#unblock) unblock()
    const drains = this.#subscriptions.map((subscription) => subscription.drain(0).catch(() => undefined))
    try {
      await this.time.settled('the drain at the end of the case', Promise.all(drains))
      const closes = this.#instances.map(({ driver }) => driver.close())
      await this.time.settled('the close at the end of the case', Promise.all(closes))
    } finally {
      this.time.stop()
    }
  }
}

/** An event; whatever is not given is plain. */
export const anEvent = (given: Partial<EventRecord> = {}): EventRecord => ({
  id: `event-${randomUUID()}`,
  source: 'shop',
  type: 'orders.create',
  rawType: 'orders/create',
  time: 1_893_456_000_123,
  contentType: 'application/json',
  headers: {},
  rawBody: Buffer.from('{"order":1}'),
  ...given,
})

/** The same request once more, as a sender repeats it. */
export const repeated = (event: EventRecord): EventRecord => ({ ...event, id: `event-${randomUUID()}` })

const asAccepted = (event: EventRecord): AcceptOptions => ({
  key: `key-${randomUUID()}`,
  fingerprint: fingerprint(event.rawBody),
  ttlMs: day,
  token: randomUUID(),
  timeoutMs: 5_000,
})

export const done: Verdict = { is: 'done' }
export const succeed = (): Verdict => done

export const failedAttempt = ({ attempt }: Delivery): AttemptRecord => ({
  attempt,
  startedAt: 1_893_456_000_000 + attempt,
  endedAt: 1_893_456_000_500 + attempt,
  outcome: 'failed',
  error: { name: 'Error', message: `attempt ${attempt}: the other side’s door is shut`, code: 'E_SHUT' },
})

export const retryAfter =
  (afterMs: number): ((delivery: Delivery) => Verdict) =>
  (delivery) => ({ is: 'retry', afterMs, failed: failedAttempt(delivery) })

export const deadLetter =
  (reason: DeadLetterReason = 'exhausted'): ((delivery: Delivery) => Verdict) =>
  (delivery) => ({ is: 'dead-letter', reason, failed: failedAttempt(delivery) })

export const release =
  (interrupted: boolean): (() => Verdict) =>
  () => ({ is: 'release', interrupted })

/** Does each in turn; the last one ever after. */
export const inTurn = (...behaviours: Behaviour[]): Behaviour => {
  let next = 0
  return (delivery) => (behaviours[Math.min(next++, behaviours.length - 1)] ?? succeed)(delivery)
}

export const eventsOf = (worker: Worker): string[] => worker.runs.map(({ delivery }) => delivery.event.id)
export const attemptsOf = (worker: Worker): number[] => worker.runs.map(({ delivery }) => delivery.attempt)

/** Each member once, in a fixed order: for comparing sets. */
export const sorted = (values: readonly string[]): string[] => [...values].sort()
