import { pattern, type Pattern } from '../pure/pattern.ts'
import type { BotDeclaration } from '../ports/driver.ts'
import type { CompanionStore } from '../ports/store.ts'
import type { EventRecord } from '../words/event.ts'

/** A bot as the registry keeps it, also while it is being retired: until nothing is left of it on the broker. */
export interface RegisteredBot extends BotDeclaration {
  readonly isRetired?: true
}

/** Changes the bots of a registry, and what the broker has for them. Called again when somebody else was faster. */
export type ChangeBots<Bot extends RegisteredBot> = (
  bots: readonly Bot[],
) => readonly Bot[] | Promise<readonly Bot[]>

/**
 * The bots that there are, as a text that all processes share through a store, and as this process has last seen it. A
 * driver may keep more about a bot than its declaration.
 */
export class Registry<Bot extends RegisteredBot = RegisteredBot> {
  readonly #store: CompanionStore
  readonly #name: string
  #bots: readonly Bot[] = []
  #patterns = new Map<string, readonly Pattern[]>()

  /** @param name  of the text in the store */
  constructor(store: CompanionStore, name = 'bots') {
    this.#store = store
    this.#name = name
  }

  /** Those that are not being retired. */
  get active(): readonly Bot[] {
    return this.#bots.filter(({ isRetired }) => !isRetired)
  }

  get retired(): readonly Bot[] {
    return this.#bots.filter(({ isRetired }) => isRetired)
  }

  /** Looks at what the store has. @returns also those that are being retired */
  async load(): Promise<readonly Bot[]> {
    return this.#see((await this.#store.shared(this.#name))?.text)
  }

  /** Writes changed bots, unless nothing has changed. */
  async update(change: ChangeBots<Bot>): Promise<void> {
    for (;;) {
      const before = await this.#store.shared(this.#name)
      const bots = await change(this.#see(before?.text))
      const text = JSON.stringify(bots)
      if (text === (before?.text ?? '[]') || (await this.#store.share(this.#name, text, before?.version))) {
        this.#see(text)
        return
      }
    }
  }

  /** Whether there is such a bot that is not being retired. */
  has(bot: string): boolean {
    return this.#patterns.has(bot)
  }

  /** The bots that want such an event. */
  wanting({ source, type }: Pick<EventRecord, 'source' | 'type'>): Bot[] {
    return this.active.filter(({ name }) =>
      this.#patterns.get(name)?.some((one) => one.matches(source, type)),
    )
  }

  #see(text = '[]'): readonly Bot[] {
    this.#bots = JSON.parse(text) as Bot[]
    this.#patterns = new Map(this.active.map(({ name, on }) => [name, on.map(pattern)]))
    return this.#bots
  }
}
