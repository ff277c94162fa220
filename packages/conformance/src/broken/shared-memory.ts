import {
  DriverUnavailableError,
  type Clock,
  type ConsumeOptions,
  type Delivery,
  type Driver,
  type Handle,
  type Subscription,
  type Verdict,
} from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import type { DriverSetting, MakeDriver } from '../driver/trial.ts'

/** What may be wrong with the leases. */
export interface LeaseFaults {
  /** Nobody takes over from an instance whose lease ran out. */
  readonly neverTakesOver?: boolean
  /** An instance does not renew its lease. */
  readonly neverRenews?: boolean
  /** A late verdict is said to be carried out. */
  readonly neverFences?: boolean
  /** Nobody is told that a delivery was cut off before. */
  readonly neverTells?: boolean
}

/** One run of an instance, under its lease. */
interface Run {
  readonly delivery: Delivery
  readonly startedAt: number
  readonly lost: AbortController
  readonly settle: (verdict: Verdict) => void
}

/** A bot that an instance works for; `subscription` is there while the instance is thought to live. */
interface Work {
  readonly begin: () => Promise<Subscription>
  subscription: Subscription | undefined
}

/** What the instances share. */
interface Backend {
  readonly driver: Driver
  readonly instances: Set<LeasedMemory>
  /** Ids of deliveries of which a run was cut off. */
  readonly cutOff: Set<string>
}

/**
 * The memory driver as if several processes shared it, each with a lease on what it runs. It is what the cases for such
 * drivers are proven with; nothing else is meant to use it.
 */
export function sharedMemory(faults: LeaseFaults = {}): MakeDriver {
  const backends = new Map<string, Backend>()
  return (setting) => {
    const { name, clock } = setting
    const backend = backends.get(name) ?? {
      driver: memory({ clock }),
      instances: new Set(),
      cutOff: new Set(),
    }
    backends.set(name, backend)
    return new LeasedMemory(backend, setting, faults)
  }
}

class LeasedMemory implements Driver {
  readonly name = 'shared memory'
  readonly capabilities: Driver['capabilities']
  readonly deadLetters: Driver['deadLetters']
  readonly #backend: Backend
  readonly #clock: Clock
  readonly #leaseMs: number
  readonly #faults: LeaseFaults
  readonly #works = new Set<Work>()
  readonly #runs = new Set<Run>()
  /** Runs that were lost while this instance did not look. */
  readonly #lost = new Set<Run>()
  #leasedUntil = 0
  #stopRenewing = (): void => undefined
  #closed = false

  constructor(backend: Backend, { clock, leaseMs }: DriverSetting, faults: LeaseFaults) {
    this.#backend = backend
    this.#clock = clock
    this.#leaseMs = leaseMs
    this.#faults = faults
    this.capabilities = { ...backend.driver.capabilities, reach: 'machine' }
    this.deadLetters = backend.driver.deadLetters
    this.#leasedUntil = clock.monotonicMs() + leaseMs
    backend.instances.add(this)
    this.#watch()
  }

  declare: Driver['declare'] = async (bots) => this.#whileOpen().declare(bots)
  retire: Driver['retire'] = async (bot) => this.#whileOpen().retire(bot)
  inspect: Driver['inspect'] = async () => this.#whileOpen().inspect()
  accept: Driver['accept'] = async (event, options) => this.#whileOpen().accept(event, options)

  async consume(bot: string, options: ConsumeOptions, handle: Handle): Promise<Subscription> {
    const taken = new WeakSet<Verdict>()
    const shared: ConsumeOptions = {
      ...options,
      onSettled: (...settled) => (taken.has(settled[2]) ? undefined : options.onSettled(...settled)),
    }
    const run = (given: Delivery): Promise<Verdict> =>
      new Promise((resolve) => {
        const lost = new AbortController()
        const redelivered =
          given.redelivered || (!this.#faults.neverTells && this.#backend.cutOff.has(given.id))
        const delivery = { ...given, redelivered, lost: AbortSignal.any([given.lost, lost.signal]) }
        const settle = (verdict: Verdict): void => {
          if (!this.#runs.has(leased)) taken.add(verdict)
          resolve(verdict)
        }
        const leased: Run = { delivery, startedAt: this.#clock.now(), lost, settle }
        this.#runs.add(leased)
        void handle(delivery).then((verdict) => {
          if (!this.#runs.has(leased)) {
            return options.onSettled(delivery, this.#faults.neverFences ? 'settled' : 'fenced', verdict)
          }
          settle(verdict)
          this.#runs.delete(leased)
        })
      })
    const work: Work = {
      begin: async () => this.#whileOpen().consume(bot, shared, run),
      subscription: undefined,
    }
    work.subscription = await work.begin()
    this.#works.add(work)
    return {
      drain: async (deadlineMs) => {
        this.#works.delete(work)
        await work.subscription?.drain(deadlineMs)
      },
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#stopRenewing()
    this.#backend.instances.delete(this)
    await Promise.all([...this.#works].map(async ({ subscription }) => subscription?.drain(0)))
  }

  /** Renews the own lease, and looks whether that of another has run out. */
  #watch(): void {
    const now = this.#clock.monotonicMs()
    if (!this.#faults.neverRenews) this.#leasedUntil = now + this.#leaseMs
    void this.#comeBack()
    for (const other of this.#backend.instances) {
      if (!this.#faults.neverTakesOver && other.#leasedUntil < now) other.#lose(this.#clock)
    }
    this.#stopRenewing = this.#clock.after(this.#leaseMs / 4, () => this.#watch())
  }

  /** Called by another instance: what this one runs is for others from now on. */
  #lose(clock: Clock): void {
    for (const work of this.#works) {
      void work.subscription?.drain(0)
      work.subscription = undefined
    }
    for (const run of this.#runs) {
      const { delivery, startedAt, settle } = run
      this.#runs.delete(run)
      this.#lost.add(run)
      this.#backend.cutOff.add(delivery.id)
      const failed = { attempt: delivery.attempt, startedAt, endedAt: clock.now(), outcome: 'lost' } as const
      settle({ is: 'retry', afterMs: 0, failed })
    }
  }

  async #comeBack(): Promise<void> {
    for (const { lost } of this.#lost) lost.abort()
    this.#lost.clear()
    for (const work of this.#works) work.subscription ??= await work.begin()
  }

  #whileOpen(): Driver {
    if (this.#closed) throw new DriverUnavailableError(this.name, 'it is closed.')
    return this.#backend.driver
  }
}
