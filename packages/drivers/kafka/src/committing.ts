import type { Clock } from '@trigger-hub/core'
import type { Fetching } from './fetching.ts'
import type { Partition } from './partition.ts'
import type { Positions } from './positions.ts'
import { isRebalance } from './trouble.ts'
import type { KafkaBot } from './wishes.ts'

export interface CommittingOptions {
  readonly bot: KafkaBot
  readonly partitions: ReadonlyMap<string, Partition>
  readonly fetching: Fetching
  readonly positions: Positions
  readonly clock: Clock
  readonly onError: (error: unknown) => void
  readonly onCommitted: () => void
}

const everyMs = 100
const keepEveryMs = 60_000

/** Tells the broker how far the partitions are, and now and then the store. */
export class Committing {
  readonly #options: CommittingOptions
  #current: Promise<void> | undefined
  #cancel: (() => void) | undefined
  #keptAt = -Infinity
  /** The last try failed, which was told. */
  #isFailing = false

  constructor(options: CommittingOptions) {
    this.#options = options
  }

  /** Commits what has an end by now. Resolves also when that has failed. */
  async now(): Promise<void> {
    await this.#current
    await (this.#current ??= this.#commit().finally(() => (this.#current = undefined)))
  }

  /** @param isUrgent  something waits for it */
  soon(isUrgent: boolean): void {
    if (![...this.#options.partitions.values()].some(({ isMoved }) => isMoved)) return
    if (isUrgent && !this.#current) {
      this.#cancel?.()
      this.#cancel = undefined
      void this.now().then(this.#options.onCommitted)
    } else if (!this.#cancel) {
      this.#cancel = this.#options.clock.after(everyMs, () => {
        this.#cancel = undefined
        void this.now().then(this.#options.onCommitted)
      })
    }
  }

  async end(): Promise<void> {
    await this.now()
    this.#cancel?.()
    await this.#keep().catch(() => undefined) // the broker has it
  }

  async #commit(): Promise<void> {
    const { partitions, fetching, clock, onError } = this.#options
    const moved = [...partitions.values()].filter(({ isMoved }) => isMoved)
    const places = moved.map((one) => ({ one, position: one.position }))
    if (moved.length === 0) return
    try {
      await fetching.commit(
        places.map(({ one: { topic, partition }, position }) => ({
          ...{ topic, partition },
          offset: String(position),
        })),
      )
      this.#isFailing = false
      for (const { one, position } of places) one.committed(position)
      if (clock.now() - this.#keptAt > keepEveryMs) await this.#keep()
    } catch (error) {
      if (!isRebalance(error)) {
        if (!this.#isFailing) onError(error)
        this.#isFailing = true
      }
      await new Promise<void>((resume) => clock.after(everyMs, resume))
    }
  }

  async #keep(): Promise<void> {
    const { bot, partitions, positions, clock } = this.#options
    this.#keptAt = clock.now()
    const offsets: Record<string, number[]> = {}
    for (const { topic, partition, position } of partitions.values()) {
      ;(offsets[topic] ??= [])[partition] = position
    }
    await positions.keep(bot, offsets)
  }
}
