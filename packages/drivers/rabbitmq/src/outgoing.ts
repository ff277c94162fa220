import type { Clock, EventRecord } from '@trigger-hub/core'
import { rungFor } from './ladder.ts'
import type { Link } from './link.ts'
import { envelopeOf, type Told } from './message.ts'
import { routingKey, type Names } from './names.ts'
import type { Publisher, Sent } from './publisher.ts'
import { rungHeader, type Topology } from './topology.ts'

export interface OutgoingOptions {
  readonly names: Names
  readonly topology: Topology
  readonly link: Link
  readonly publisher: Publisher
  readonly clock: Clock
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
    const { publisher, names, clock, topology, link } = this.#options
    const leftMs = told.dueAt - clock.now()
    if (leftMs <= 0) {
      const { is } = await publisher.publish(names.again, bot, envelopeOf(event, told))
      return is === 'routed'
    }
    const rungMs = rungFor(leftMs)
    const envelope = envelopeOf(event, told, { [rungHeader]: rungMs })
    const first = await publisher.publish(names.wait, bot, envelope)
    if (first.is !== 'unrouted') return first.is === 'routed'
    await topology.makeRung(await link.connection(), rungMs) // the first that waits so long
    const { is } = await publisher.publish(names.wait, bot, envelope)
    return is === 'routed'
  }
}
