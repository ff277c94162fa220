import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock, type Clock } from '@trigger-hub/core'
import { fakeClock } from './fake-clock.ts'

export interface TimeOptions {
  /**
   * `'fake'` (default): what is made takes its whole sense of time from the clock that it is handed, so that no case
   * waits. `'real'`: it has a clock of its own, such as its server's.
   */
  time?: 'fake' | 'real'
  /** How long a case waits for what must happen, in real milliseconds. Default 20,000. */
  patienceMs?: number
}

/** The clock of one instance, which can be stopped as a process that is suspended stops: time goes on without it. */
export interface InstanceClock extends Clock {
  readonly isFrozen: boolean
  freeze(): void
  thaw(): void
  /** Calls `listener` whenever it is stopped and whenever it goes on. */
  onFrozen(listener: (isFrozen: boolean) => void): void
}

const tickMs = 2
const steps = 20

/** The time of one case. A fake clock runs at about the speed of the real one, and `pass` jumps. */
export class TrialTime {
  readonly #fake = fakeClock()
  readonly #isReal: boolean
  readonly #patienceMs: number
  readonly #ticking: NodeJS.Timeout
  #consulted = false

  constructor({ time = 'fake', patienceMs = 20_000 }: TimeOptions) {
    this.#isReal = time === 'real'
    this.#patienceMs = patienceMs
    this.#ticking = setInterval(() => this.#fake.advance(tickMs), tickMs)
  }

  now(): number {
    return this.#isReal ? Date.now() : this.#fake.now()
  }

  /** Lets `ms` milliseconds go by. */
  async pass(ms: number): Promise<void> {
    if (!this.#isReal && !this.#consulted) {
      throw new Error('The clock was not read: hand `clock` on to what you make, or say { time: "real" }.')
    }
    return this.#jump(ms)
  }

  /** Long enough for what must not happen to show. */
  quiet(): Promise<void> {
    return this.#jump(200)
  }

  /**
   * The fake clock jumps in steps, each with a little real time after it, so that what a timer began (a look at a file) can
   * finish before the next.
   */
  async #jump(ms: number): Promise<void> {
    if (this.#isReal) return sleep(ms)
    for (let step = 0; step < steps; step++) {
      this.#fake.advance(Math.ceil(ms / steps)) // clocks tell whole milliseconds
      await sleep(tickMs)
    }
  }

  /** Resolves to the first truthy value that `look` gives. */
  async eventually<T>(what: string, look: () => T | Promise<T>): Promise<NonNullable<T>> {
    const deadline = performance.now() + this.#patienceMs
    for (;;) {
      const value = await look()
      if (value) return value
      if (performance.now() > deadline) throw new Error(`It never came to this: ${what}.`)
      await sleep(tickMs)
    }
  }

  /** Rejects when `promise` has not settled in time. */
  async settled<T>(what: string, promise: Promise<T>): Promise<T> {
    const late = new AbortController()
    const timeout = sleep(this.#patienceMs, undefined, { signal: late.signal }).then(() => {
      throw new Error(`It did not end: ${what}.`)
    })
    timeout.catch(() => undefined)
    return Promise.race([promise, timeout]).finally(() => late.abort())
  }

  /** A clock for one instance. */
  clock(): InstanceClock {
    const base: Clock = this.#isReal ? systemClock : this.#fake
    const consult = (): Clock => {
      this.#consulted = true
      return base
    }
    let held: (() => void)[] | undefined
    const listeners: ((isFrozen: boolean) => void)[] = []
    return {
      now: () => consult().now(),
      monotonicMs: () => consult().monotonicMs(),
      after: (ms, task) => consult().after(ms, () => (held ? held.push(task) : task())),
      get isFrozen() {
        return held !== undefined
      },
      freeze() {
        held ??= []
        for (const listener of listeners) listener(true)
      },
      thaw() {
        const due = held ?? []
        held = undefined
        for (const listener of listeners) listener(false)
        for (const task of due) task()
      },
      onFrozen: (listener) => void listeners.push(listener),
    }
  }

  stop(): void {
    clearInterval(this.#ticking)
  }
}
