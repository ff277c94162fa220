import type { Clock } from '@trigger-hub/core'
import type { ConsumeMessage } from 'amqplib'
import { ladder } from './ladder.ts'
import type { Link } from './link.ts'
import { eventOf, toldBy, waitOf } from './message.ts'
import type { Names } from './names.ts'
import type { Outgoing } from './outgoing.ts'
import { Standing } from './standing.ts'

export interface WaitsOptions {
  readonly link: Link
  readonly names: Names
  readonly outgoing: Outgoing
  readonly clock: Clock
}

/**
 * Moves messages out of the wait queues, each when its time in there is over: to the queue for the rest of its wait, or
 * back to its bot. What is at the head of such a queue leaves it first, so that a process holds a few of each.
 *
 * The server could do that by dead-lettering with a time to live. In a cluster such messages can be stuck: RabbitMQ 3.10
 * moves none any more after the node has died that led both queues, until it is back.
 */
export class Waits {
  readonly #options: WaitsOptions
  readonly #standing: Standing
  /** What cancels the wait of each message that was handed out. */
  readonly #held = new Set<() => void>()

  constructor(options: WaitsOptions) {
    this.#options = options
    const { link, names } = options
    this.#standing = new Standing({
      link,
      handlers: new Map(ladder.map((rungMs) => [names.waiting(rungMs), (raw) => this.#moveOn(raw)])),
      onLost: () => this.#forget(),
    })
  }

  /** Goes on by itself until it is closed. */
  start(): Promise<void> {
    return this.#standing.start()
  }

  close(): Promise<void> {
    return this.#standing.close()
  }

  async #moveOn(raw: ConsumeMessage): Promise<void> {
    const { bot, leavesAt } = waitOf(raw)
    await this.#until(leavesAt)
    if (!(await this.#options.outgoing.later(bot, eventOf(raw), toldBy(raw))))
      throw new Error('it was not taken')
  }

  #until(at: number): Promise<void> {
    const { clock } = this.#options
    const ms = at - clock.now()
    if (ms <= 0) return Promise.resolve()
    return new Promise((resume) => {
      const cancel = clock.after(ms, () => {
        this.#held.delete(cancel)
        resume()
      })
      this.#held.add(cancel)
    })
  }

  #forget(): void {
    for (const cancel of this.#held) cancel()
    this.#held.clear()
  }
}
