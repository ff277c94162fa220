import type { Clock, CompanionStore } from '@trigger-hub/core'
import type { KafkaBot } from './wishes.ts'
import type { Positions } from './positions.ts'
import type { Topics } from './topics.ts'

export interface HousekeepingOptions {
  readonly topics: Topics
  readonly positions: Positions
  readonly store: CompanionStore
  readonly clock: Clock
  /** All bots, also those that are being retired. */
  readonly bots: () => Promise<readonly KafkaBot[]>
  /** Goes on with retiring a bot. */
  readonly retire: (bot: KafkaBot) => Promise<void>
  readonly onError: (error: unknown) => void
}

const everyMs = 60_000
const name = 'kafka.housekeeping'

/** Frees what every bot has behind it. Once a minute, by one of all processes. */
export class Housekeeping {
  readonly #options: HousekeepingOptions
  #cancel: (() => void) | undefined
  #isEnded = false
  #work: Promise<void> = Promise.resolve()

  constructor(options: HousekeepingOptions) {
    this.#options = options
  }

  /** Begins, if it has not yet. */
  begin(): void {
    if (this.#cancel || this.#isEnded) return
    this.#cancel = this.#options.clock.after(everyMs * (0.5 + Math.random()), () => {
      this.#work = this.#inTurn()
        .catch(this.#options.onError)
        .finally(() => {
          this.#cancel = undefined
          this.begin()
        })
    })
  }

  async end(): Promise<void> {
    this.#isEnded = true
    this.#cancel?.()
    await this.#work
  }

  async #inTurn(): Promise<void> {
    const { store, clock } = this.#options
    const before = await store.shared(name)
    const now = clock.now()
    if (before && Math.abs(now - Number(before.text)) < everyMs / 2) return
    if (await store.share(name, String(now), before?.version)) await this.clean()
  }

  async clean(): Promise<void> {
    const { topics, positions, bots, retire } = this.#options
    // first where the events end: a bot that is declared after this begins behind it
    const ends = await topics.extents(topics.events)
    const all = await bots()
    const isAlone = all.length > 0 && (await topics.areAllOf(all))
    const lowest = new Map(ends.map(({ partition, high }) => [partition, high]))
    for (const bot of all.filter(({ isBuried }) => !isBuried)) {
      const places = await positions.of(bot)
      for (const { topic, partition, position } of places) {
        if (topic === topics.events) lowest.set(partition, Math.min(position, lowest.get(partition) ?? 0))
      }
      const own = places.filter(({ topic, position, low }) => topic !== topics.events && position > low)
      await topics.trim(
        topics.retries(bot),
        own.map(({ partition, position }) => ({ partition, offset: position })),
      )
    }
    // a bot that the store knows nothing of has one of its own, or the store has lost it: it needs what is there
    const passed = (isAlone ? ends : []).filter(({ partition, low }) => (lowest.get(partition) ?? 0) > low)
    await topics.trim(
      topics.events,
      passed.map(({ partition }) => ({ partition, offset: lowest.get(partition) ?? 0 })),
    )
    for (const bot of all) if (bot.isRetired) await retire(bot)
  }
}
