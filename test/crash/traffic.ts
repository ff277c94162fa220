import { setTimeout as wait } from 'node:timers/promises'
import { eventually } from '../eventually.ts'
import { message, type Sender } from './sender.ts'

const patienceMs = 60_000

/**
 * One new event after another on several lanes at once, each sent until it is accepted, for as long as a test wants.
 * What a test waits for is what has happened, so that it asks the same on a slow machine and on a fast one.
 */
export class Traffic {
  /** How many events were accepted. */
  accepted = 0
  /** How many requests were refused. */
  refused = 0
  /** The different ways in which they were: status and `retry-after`. */
  readonly refusals = new Set<string>()
  slowestMs = 0
  readonly #sender: Sender
  readonly #lanes: Promise<unknown>
  #next: number
  #isOver = false

  /** @param from  the number of the first event */
  constructor(sender: Sender, { from = 0, lanes = 8 } = {}) {
    this.#sender = sender
    this.#next = from
    this.#lanes = Promise.all(Array.from({ length: lanes }, () => this.#lane()))
    this.#lanes.catch(() => undefined) // a test that has failed closes the sender and waits for nobody
  }

  /** Waits until so many more events were accepted. */
  async accepts(count: number): Promise<void> {
    const until = this.accepted + count
    await eventually(() => this.accepted >= until, patienceMs)
  }

  /** Waits until so many more requests were refused. */
  async refuses(count: number): Promise<void> {
    const until = this.refused + count
    await eventually(() => this.refused >= until, patienceMs)
  }

  /** Begins no event any more, and resolves when the last one was accepted. */
  async end(): Promise<void> {
    this.#isOver = true
    await this.#lanes
  }

  async #lane(): Promise<void> {
    while (!this.#isOver) {
      const one = message(this.#next++)
      for (let isAccepted = false; !isAccepted;) {
        const from = performance.now()
        const { status, retryAfter } = await this.#sender.post(one)
        this.slowestMs = Math.max(this.slowestMs, performance.now() - from)
        isAccepted = status === 200
        if (isAccepted) continue
        this.refused++
        this.refusals.add(`${status} ${retryAfter}`)
        await wait(20)
      }
      this.accepted++
    }
  }
}
