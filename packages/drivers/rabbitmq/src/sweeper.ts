import type { Clock, CompanionStore, DeadLetterReason } from '@trigger-hub/core'
import type { Inbox } from '@trigger-hub/core/split'
import type { Channel, ConsumeMessage } from 'amqplib'
import type { Bots } from './bots.ts'
import { closed } from './closed.ts'
import type { Link } from './link.ts'
import { eventOf, toldBy, type Received } from './message.ts'
import type { Outgoing } from './outgoing.ts'
import { Standing } from './standing.ts'

export interface SweeperOptions {
  readonly link: Link
  readonly bots: Bots
  readonly store: CompanionStore
  readonly inbox: Inbox
  readonly outgoing: Outgoing
  readonly clock: Clock
}

const lanes = 32
const lookAgainMs = 500
const notFound = 404

/**
 * Turns into dead letters what the server has left over: messages that it has given up, and those that come back to a
 * bot that is no more.
 */
export class Sweeper {
  readonly #options: SweeperOptions
  readonly #standing: Standing

  constructor(options: SweeperOptions) {
    this.#options = options
    const { link, bots } = options
    this.#standing = new Standing({
      link,
      handlers: new Map([
        [bots.names.orphans, (raw) => this.#takeOrphan(raw)],
        [bots.names.failed, (raw) => this.#bury(raw, raw.fields.routingKey, 'exhausted')],
      ]),
    })
  }

  /** Goes on by itself until it is closed. */
  start(): Promise<void> {
    return this.#standing.start()
  }

  close(): Promise<void> {
    return this.#standing.close()
  }

  /** Buries everything that is in the queues of a retired bot; removes them if nobody may hold a message of theirs. */
  async clear(bot: string): Promise<void> {
    const { link, bots, store } = this.#options
    await bots.detach(bot)
    const channel = await (await link.connection()).createChannel()
    channel.on('error', () => undefined) // the call that has failed tells
    try {
      const isEmpty = await this.#drain(channel, bot)
      if (isEmpty && (await store.tally(bot)).held === 0) await bots.remove(bot)
    } catch (error) {
      if ((error as { code?: unknown }).code !== notFound) throw error
      await bots.remove(bot) // another process was faster
    } finally {
      await closed(channel) // what was not buried goes back
    }
  }

  /** Ends early when the bot is declared again. @returns whether the queues are empty and nobody holds a message of theirs */
  async #drain(channel: Channel, bot: string): Promise<boolean> {
    const { bots } = this.#options
    let isEmpty = true
    for (const queue of [bots.names.bot(bot), bots.names.botAgain(bot)]) {
      const lane = async (): Promise<void> => {
        for (let raw = await channel.get(queue); raw; raw = await channel.get(queue)) {
          await bots.load()
          if (bots.has(bot)) return channel.nack(raw)
          await this.#bury(raw, bot, 'retired')
          channel.ack(raw)
        }
      }
      await Promise.all(Array.from({ length: lanes }, lane))
      // a consumer that was cancelled counts until it has settled or given back what it holds
      const { consumerCount, messageCount } = await channel.checkQueue(queue)
      isEmpty &&= consumerCount + messageCount === 0
    }
    return isEmpty
  }

  /** A bot that was declared again in the meantime gets it after all. */
  async #takeOrphan(raw: ConsumeMessage): Promise<void> {
    const { bots, outgoing } = this.#options
    const bot = raw.fields.routingKey
    await bots.load()
    if (!bots.has(bot)) return this.#bury(raw, bot, 'retired')
    await bots.ensure(bot)
    if (!(await outgoing.later(bot, eventOf(raw), toldBy(raw)))) throw new Error('it was not taken')
  }

  async #bury(raw: Received, bot: string, reason: DeadLetterReason): Promise<void> {
    const { inbox, outgoing, clock } = this.#options
    const event = eventOf(raw)
    const { generation } = toldBy(raw)
    if (!(await inbox.retire({ event: event.id, bot, generation }, event, reason))) {
      // somebody runs it; its end is worth more than ours
      const dueAt = clock.now() + lookAgainMs
      if (!(await outgoing.later(bot, event, { generation, dueAt }))) throw new Error('it was not taken')
    }
  }
}
