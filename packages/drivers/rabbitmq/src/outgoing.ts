import type { Clock, EventRecord } from '@trigger-hub/core'
import { rungFor } from './ladder.ts'
import { envelopeOf, type Told } from './message.ts'
import { routingKey, type Names } from './names.ts'
import type { Publisher, Sent } from './publisher.ts'

export interface OutgoingOptions {
  readonly names: Names
  readonly publisher: Publisher
  readonly clock: Clock
  /** A queue is not there that all bots share. */
  readonly onMissing: () => void
}

/** Everything that is published, by where it goes. Each rejects when it is not known what became of it. */
export class Outgoing {
  readonly #options: OutgoingOptions

  constructor(options: OutgoingOptions) {
    this.#options = options
  }

  /** To every bot that wants it. */
  toAll(event: EventRecord): Promise<Sent> {
    const { publisher, names } = this.#options
    return publisher.publish(names.events, routingKey(event), envelopeOf(event))
  }

  /** To where events are kept for a while that nobody wants. */
  toNobody(event: EventRecord): Promise<Sent> {
    const { publisher, names } = this.#options
    return publisher.publish('', names.unmatched, envelopeOf(event))
  }

  /** To one bot, as new. */
  toBot(bot: string, event: EventRecord, generation: string): Promise<Sent> {
    const { publisher, names } = this.#options
    return publisher.publish('', names.bot(bot), envelopeOf(event, { generation }))
  }

  /** Back to a bot, at `told.dueAt` or up to 250 ms later. @returns whether it is on its way */
  async later(bot: string, event: EventRecord, told: Told): Promise<boolean> {
    const { publisher, names, clock, onMissing } = this.#options
    const now = clock.now()
    const leftMs = told.dueAt - now
    const rungMs = rungFor(leftMs)
    const { is } =
      leftMs <= 0
        ? await publisher.publish(names.again, bot, envelopeOf(event, told))
        : await publisher.publish(
            '',
            names.waiting(rungMs),
            envelopeOf(event, told, { bot, leavesAt: now + rungMs }),
          )
    if (is === 'unrouted') onMissing()
    return is === 'routed'
  }
}
