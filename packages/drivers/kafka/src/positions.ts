import type { CompanionStore } from '@trigger-hub/core'
import type { Admin } from 'kafkajs'
import { beginningOf, type KafkaBot } from './wishes.ts'
import type { Connected } from './connected.ts'
import type { Extent, Topics } from './topics.ts'

/** Where a bot is in a partition: everything below `position` has an end. */
export interface Place extends Extent {
  readonly topic: string
  readonly position: number
}

/** Offsets by topic and partition. */
export type Offsets = Readonly<Record<string, readonly (number | null)[]>>

/**
 * How far each bot is. The group's committed offsets say so, and beside them the store, from now and then: a broker
 * forgets the offsets of a group that was empty for a week.
 */
export class Positions {
  readonly #admin: Connected<Admin>
  readonly #topics: Topics
  readonly #store: CompanionStore

  constructor(admin: Connected<Admin>, topics: Topics, store: CompanionStore) {
    this.#admin = admin
    this.#topics = topics
    this.#store = store
  }

  async of(bot: KafkaBot): Promise<Place[]> {
    const topics = [this.#topics.events, this.#topics.retries(bot)]
    const groupId = this.#topics.group(bot)
    const [committed, kept] = await Promise.all([
      this.#admin.use((admin) => admin.fetchOffsets({ groupId, topics })),
      this.#kept(bot),
    ])
    // later, or what was committed in between would be beyond the end
    const extents = await Promise.all(topics.map((topic) => this.#topics.extents(topic)))
    const lost: Record<string, number[]> = {}
    const places = topics.flatMap((topic, nth) => {
      const offsets = committed.find((one) => one.topic === topic)?.partitions ?? []
      return (extents[nth] ?? []).map((extent) => {
        const { partition, low, high } = extent
        const said = Number(offsets.find((one) => one.partition === partition)?.offset ?? -1)
        const known = Math.max(
          said >= 0 ? said : (kept.offsets[topic]?.[partition] ?? -1),
          topic === this.#topics.events ? beginningOf(bot, partition) : 0,
        )
        // a broker that has lost its latest records counts on from before them: the inbox knows what has an end
        if (known > high) (lost[topic] ??= [])[partition] = low
        return { topic, ...extent, position: known > high ? low : Math.max(known, low) }
      })
    })
    if (Object.keys(lost).length > 0) await this.keep(bot, lost) // as long as it shows: the end will come to where it was
    return places
  }

  /** Keeps offsets that were committed, lower ones too: a broker may have lost records. */
  async keep(bot: KafkaBot, offsets: Offsets): Promise<void> {
    for (;;) {
      const { offsets: before, version } = await this.#kept(bot)
      const after = merged(before, offsets)
      if (await this.#store.share(this.#nameOf(bot), JSON.stringify(after), version)) return
    }
  }

  async #kept(bot: KafkaBot): Promise<{ offsets: Offsets; version: string | undefined }> {
    const shared = await this.#store.shared(this.#nameOf(bot))
    return { offsets: JSON.parse(shared?.text ?? '{}') as Offsets, version: shared?.version }
  }

  #nameOf(bot: KafkaBot): string {
    return `kafka.${this.#topics.group(bot)}`
  }
}

function merged(before: Offsets, after: Offsets): Offsets {
  const topics = new Set([...Object.keys(before), ...Object.keys(after)])
  return Object.fromEntries(
    [...topics].map((topic) => {
      const [old = [], fresh = []] = [before[topic], after[topic]]
      const length = Math.max(old.length, fresh.length)
      return [topic, Array.from({ length }, (_, nth) => fresh[nth] ?? old[nth] ?? 0)]
    }),
  )
}
