import type { Clock, CompanionStore, DeadLetterReason } from '@trigger-hub/core'
import type { Inbox } from '@trigger-hub/core/split'
import type { Channel, ConsumeMessage } from 'amqplib'
import type { Bots } from './bots.ts'
import type { Link } from './link.ts'
import { eventOf, toldBy, type Received } from './message.ts'
import type { Outgoing } from './outgoing.ts'

export interface SweeperOptions {
  readonly link: Link
  readonly bots: Bots
  readonly store: CompanionStore
  readonly inbox: Inbox
  readonly outgoing: Outgoing
  readonly clock: Clock
}

const prefetch = 32
const retryMs = 1_000
const lookAgainMs = 500
const notFound = 404

/**
 * Turns into dead letters what the server has left over: messages that it has given up, and those that come back to a
 * bot that is no more.
 */
export class Sweeper {
  readonly #options: SweeperOptions
  #channel: Channel | undefined
  #starting: Promise<void> | undefined
  #retry: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(options: SweeperOptions) {
    this.#options = options
  }

  /** Goes on by itself until it is closed. */
  start(): Promise<void> {
    if (this.#channel || this.#isClosed) return Promise.resolve()
    return (this.#starting ??= this.#start()
      .catch(() => this.#startLater())
      .finally(() => (this.#starting = undefined)))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#retry)
    await this.#starting
    await this.#channel?.close().catch(() => undefined)
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
      await channel.close().catch(() => undefined) // what was not buried goes back
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
          await this.#bury(channel, raw, bot, 'retired')
        }
      }
      await Promise.all(Array.from({ length: prefetch }, lane))
      // a consumer that was cancelled counts until it has settled or given back what it holds
      const { consumerCount, messageCount } = await channel.checkQueue(queue)
      isEmpty &&= consumerCount + messageCount === 0
    }
    return isEmpty
  }

  async #start(): Promise<void> {
    const { link, bots } = this.#options
    const channel = await (await link.connection()).createChannel()
    channel.on('error', () => undefined)
    channel.on('close', () => {
      if (this.#channel === channel) this.#channel = undefined
      this.#startLater()
    })
    this.#channel = channel
    await channel.prefetch(prefetch)
    const { orphans, failed } = bots.names
    await channel.consume(orphans, (raw) => this.#take(channel, raw, (one) => this.#takeOrphan(channel, one)))
    await channel.consume(failed, (raw) =>
      this.#take(channel, raw, (one) => this.#bury(channel, one, one.fields.routingKey, 'exhausted')),
    )
  }

  #startLater(): void {
    if (this.#isClosed) return
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => void this.start(), retryMs).unref()
  }

  /** What cannot be done now is looked at again in a while. */
  #take(channel: Channel, raw: ConsumeMessage | null, task: (raw: ConsumeMessage) => Promise<void>): void {
    if (!raw) return void channel.close().catch(() => undefined) // somebody has deleted the queue
    const giveBack = async (): Promise<void> => channel.nack(raw) // throws while the channel is closing
    task(raw).catch(() => {
      setTimeout(() => void giveBack().catch(() => undefined), lookAgainMs).unref()
    })
  }

  /** A bot that was declared again in the meantime gets it after all. */
  async #takeOrphan(channel: Channel, raw: ConsumeMessage): Promise<void> {
    const { bots, outgoing } = this.#options
    const bot = raw.fields.routingKey
    await bots.load()
    if (!bots.has(bot)) return this.#bury(channel, raw, bot, 'retired')
    await bots.ensure(bot)
    if (!(await outgoing.later(bot, eventOf(raw), toldBy(raw)))) throw new Error('it was not taken')
    channel.ack(raw)
  }

  async #bury(channel: Channel, raw: Received, bot: string, reason: DeadLetterReason): Promise<void> {
    const { inbox, outgoing, clock } = this.#options
    const event = eventOf(raw)
    const { generation } = toldBy(raw)
    if (!(await inbox.retire({ event: event.id, bot, generation }, event, reason))) {
      // somebody runs it; its end is worth more than ours
      const dueAt = clock.now() + lookAgainMs
      if (!(await outgoing.later(bot, event, { generation, dueAt }))) throw new Error('it was not taken')
    }
    channel.ack(raw)
  }
}
