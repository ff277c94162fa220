import type { BotDeclaration, CompanionStore, EventRecord } from '@trigger-hub/core'
import { Registry } from '@trigger-hub/core/split'
import type { Positions } from './positions.ts'
import type { Topics } from './topics.ts'
import { begunAnew, declared, isNew, pruned, type KafkaBot } from './wishes.ts'

/** The bots that there are. One that is retired stays until everything of it is a dead letter. */
export class Bots extends Registry<KafkaBot> {
  readonly #topics: Topics
  readonly #positions: Positions
  #looking: Promise<readonly KafkaBot[]> | undefined

  constructor(store: CompanionStore, topics: Topics, positions: Positions) {
    super(store, `kafka.${topics.events}`)
    this.#topics = topics
    this.#positions = positions
  }

  /** The bot as it is now. @param id  undefined: whichever there is */
  async lookUp(name: string, id?: string): Promise<KafkaBot | undefined> {
    await this.#look()
    return this.active.find((bot) => bot.name === name && (id === undefined || bot.id === id))
  }

  /** Whether a bot wants such an event now. */
  async isWanted(event: EventRecord): Promise<boolean> {
    if (this.wanting(event).length > 0) return true
    await this.#look() // one may have been declared elsewhere
    return this.wanting(event).length > 0
  }

  /** Writes down what is new, with the ends of the partitions, from which on it holds. */
  async declare(declarations: readonly BotDeclaration[]): Promise<void> {
    await this.update(async (all) => {
      const ends = await this.#topics.extents(this.#topics.events)
      const bots = all.map((bot) => begunAnew(bot, ends))
      const active = bots.filter(({ isRetired }) => !isRetired)
      const retired = bots.filter(({ isRetired }) => isRetired)
      if (!isNew(active, declarations)) return bots
      const changed = declared(active, declarations, ends)
      const short = changed.map(async (bot) =>
        bot.wishes.length > 1 ? pruned(bot, await this.#positions.of(bot), this.#topics.events) : bot,
      )
      return [...retired, ...(await Promise.all(short))]
    })
  }

  /** @returns those of this name that are being retired now */
  async retire(name: string): Promise<KafkaBot[]> {
    await this.update((all) =>
      all.map((bot) => (bot.name === name ? { ...bot, on: [], isRetired: true as const } : bot)),
    )
    return this.retired.filter((bot) => bot.name === name)
  }

  /** Everything of it is a dead letter. */
  async buried({ id }: KafkaBot): Promise<void> {
    await this.update((all) => all.map((bot) => (bot.id === id ? { ...bot, isBuried: true as const } : bot)))
  }

  async remove({ id }: KafkaBot): Promise<void> {
    await this.update((all) => all.filter((bot) => bot.id !== id))
  }

  /** All who ask in one turn of the event loop look together. */
  #look(): Promise<readonly KafkaBot[]> {
    this.#looking ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      this.#looking = undefined
      return this.load()
    })
    return this.#looking
  }
}
