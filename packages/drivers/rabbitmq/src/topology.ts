import { SetupError, type BotDeclaration } from '@trigger-hub/core'
import type { Channel, ChannelModel } from 'amqplib'
import { closed } from './closed.ts'
import { ladder } from './ladder.ts'
import { bindingKeys, type Names } from './names.ts'

/**
 * How often the server may take a delivery back before it gives it up. A bot that always fails, or kills its process each
 * time, is a dead letter of the inbox long before; what a process had taken and gives back when it ends counts here too.
 */
const deliveryLimit = 1_000
/** For queues whose messages must not be given up. */
const unlimited = 1_000_000_000
const mostUnmatched = 1_000
const dayMs = 86_400_000

/** Replicated by consensus and on disk before it confirms. */
const quorum = { 'x-queue-type': 'quorum' }
/** A message leaves its queue only once the next one has it. */
const safely = { 'x-dead-letter-strategy': 'at-least-once', 'x-overflow': 'reject-publish' }

/** The exchanges and queues of one hub. All of it can be asked for again at any time. */
export class Topology {
  readonly names: Names

  constructor(names: Names) {
    this.names = names
  }

  /** Makes what all bots share. @throws SetupError `ERR_DRIVER_UNUSABLE` when it is there and differs */
  readonly prepare = (connection: ChannelModel): Promise<void> =>
    on(connection, (channel) => this.#shared(channel))

  /** Makes the queues of bots and binds them. Throws as `prepare`, and `ERR_BOT_INVALID`. */
  makeBots(connection: ChannelModel, bots: readonly BotDeclaration[]): Promise<void> {
    return on(connection, async (channel) => {
      for (const bot of bots) await this.#bot(channel, bot)
    })
  }

  /** Takes bindings away. */
  unbind(connection: ChannelModel, bot: string, keys: readonly string[]): Promise<void> {
    const { events, bot: queueOf } = this.names
    return on(connection, async (channel) => {
      for (const key of keys) await channel.unbindQueue(queueOf(bot), events, key)
    })
  }

  /** From now on, what comes back to this bot is an orphan. */
  detach(connection: ChannelModel, { name, on: patterns }: BotDeclaration): Promise<void> {
    return on(connection, async (channel) => {
      await channel.unbindQueue(this.names.botAgain(name), this.names.again, name)
      for (const key of bindingKeys({ name, on: patterns }))
        await channel.unbindQueue(this.names.bot(name), this.names.events, key)
    })
  }

  /** Both queues at once: while a member is down the server takes 5 s for each. */
  async removeBot(connection: ChannelModel, name: string): Promise<void> {
    const queues = [this.names.bot(name), this.names.botAgain(name)]
    await Promise.all(
      queues.map((one) => on(connection, async (channel) => void (await channel.deleteQueue(one)))),
    )
  }

  async #shared(channel: Channel): Promise<void> {
    const { events, again, failed, orphans, unmatched, waiting } = this.names
    await channel.assertExchange(events, 'topic')
    for (const name of [failed, orphans]) {
      await channel.assertExchange(name, 'fanout')
      await queue(channel, name, { 'x-delivery-limit': unlimited })
      await channel.bindQueue(name, name, '')
    }
    await channel.assertExchange(again, 'direct', { alternateExchange: orphans })
    for (const rungMs of ladder) await queue(channel, waiting(rungMs), { 'x-delivery-limit': unlimited })
    await queue(channel, unmatched, {
      'x-max-length': mostUnmatched,
      'x-message-ttl': dayMs,
      'x-overflow': 'drop-head',
    })
  }

  async #bot(channel: Channel, bot: BotDeclaration): Promise<void> {
    const { events, again, failed, bot: queueOf, botAgain } = this.names
    const { name } = bot
    const keys = bindingKeys(bot)
    const limited = {
      ...safely,
      'x-delivery-limit': deliveryLimit,
      'x-dead-letter-exchange': failed,
      'x-dead-letter-routing-key': name,
    }
    await queue(channel, botAgain(name), limited)
    await channel.bindQueue(botAgain(name), again, name)
    await queue(channel, queueOf(name), limited)
    for (const key of keys) await channel.bindQueue(queueOf(name), events, key)
  }
}

const queue = (channel: Channel, name: string, more: object): Promise<unknown> =>
  channel.assertQueue(name, { durable: true, arguments: { ...quorum, ...more } })

const preconditionFailed = 406

/** Does something on a channel of its own, since a refusal ends the channel. */
async function on(connection: ChannelModel, task: (channel: Channel) => Promise<void>): Promise<void> {
  const channel = await connection.createChannel()
  channel.on('error', () => undefined) // the call that has failed tells
  try {
    await task(channel)
  } catch (error) {
    if ((error as { code?: unknown }).code !== preconditionFailed) throw error
    const [, what = 'something'] = /"?(PRECONDITION_FAILED - [^"]*)"?/.exec(String(error)) ?? []
    throw new SetupError(
      'ERR_DRIVER_UNUSABLE',
      `RabbitMQ has what this hub needs under the same name, but made otherwise (${what}). Delete it once it is empty, or use another "prefix".`,
      { cause: error },
    )
  }
  await closed(channel)
}
