import { pattern, type Pattern } from '../pure/pattern.ts'
import type { BotDeclaration } from '../ports/driver.ts'
import type { CompanionStore } from '../ports/store.ts'
import type { EventRecord } from '../words/event.ts'

/** Changes the bots of a registry, and what the broker has for them. Called again when somebody else was faster. */
export type ChangeBots<Bot extends BotDeclaration> = (
  bots: readonly Bot[],
) => readonly Bot[] | Promise<readonly Bot[]>

/**
 * The bots that there are, as a text that all processes share through a store. `bots` is what this process has last seen.
 * A driver may keep more about a bot than its declaration.
 */
export class Registry<Bot extends BotDeclaration = BotDeclaration> {
  readonly #store: CompanionStore
  readonly #name: string
  #bots: readonly Bot[] = []
  #patterns = new Map<string, readonly Pattern[]>()

  /** @param name  of the text in the store */
  constructor(store: CompanionStore, name = 'bots') {
    this.#store = store
    this.#name = name
  }

  get bots(): readonly Bot[] {
    return this.#bots
  }

  /** Looks at what the store has. */
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

  /** Whether there is such a bot. */
  has(bot: string): boolean {
    return this.#patterns.has(bot)
  }

  /** The bots that want such an event, as far as this process has seen. */
  wanting(event: Pick<EventRecord, 'source' | 'type'>): Bot[] {
    return this.#bots.filter(({ name }) => this.wants(name, event))
  }

  /** Whether this bot wants such an event. */
  wants(bot: string, { source, type }: Pick<EventRecord, 'source' | 'type'>): boolean {
    return this.#patterns.get(bot)?.some((one) => one.matches(source, type)) ?? false
  }

  #see(text = '[]'): readonly Bot[] {
    this.#bots = JSON.parse(text) as Bot[]
    this.#patterns = new Map(this.#bots.map(({ name, on }) => [name, on.map(pattern)]))
    return this.#bots
  }
}
