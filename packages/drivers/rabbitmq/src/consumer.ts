import type { Clock, ConsumeOptions, Handle, Subscription } from '@trigger-hub/core'
import { Runs, within, type Inbox, type Message } from '@trigger-hub/core/split'
import type { Channel, ConsumeMessage } from 'amqplib'
import type { Bots } from './bots.ts'
import { closed } from './closed.ts'
import type { Link } from './link.ts'
import { eventOf, toldBy } from './message.ts'
import { patienceMs } from './patience.ts'
import type { Outgoing } from './outgoing.ts'
import { unavailable } from './trouble.ts'

export interface ConsumerOptions extends ConsumeOptions {
  readonly link: Link
  readonly bots: Bots
  readonly outgoing: Outgoing
  readonly inbox: Inbox
  readonly clock: Clock
  readonly leaseMs: number
  readonly handle: Handle
  readonly onDrained: () => void
}

const retryMs = 200
/** A queue that is made again at once leaves consumers of the deleted one hanging that the server had not told yet. */
export const deletedMs = 500

/**
 * Runs one bot. What is new and what comes back have a queue each, and take turns, so that neither holds up the other.
 * The server hands out as many of both as may run at a time; what finds no room waits here.
 */
export class Consumer implements Subscription {
  readonly #bot: string
  readonly #options: ConsumerOptions
  readonly #runs: Runs
  readonly #fresh: Message[] = []
  readonly #again: Message[] = []
  #busy = 0
  #isAgainNext = true
  #channel: Channel | undefined
  #tags: string[] = []
  #subscribing = Promise.resolve()
  #stopped: Promise<void> | undefined

  constructor(bot: string, options: ConsumerOptions) {
    this.#bot = bot
    this.#options = options
    const { inbox, clock, leaseMs, handle, onSettled, onError } = options
    this.#runs = new Runs(bot, { inbox, clock, leaseMs, handle, onSettled, onError })
  }

  /** How many new events were handed out to this process and have not begun. */
  get unbegun(): number {
    return this.#fresh.length
  }

  /** Resolves once the server hands out. */
  async start(): Promise<void> {
    try {
      await this.#subscribe()
    } catch (error) {
      this.#stopped = Promise.resolve()
      throw unavailable(error)
    }
  }

  async drain(deadlineMs: number): Promise<void> {
    await (this.#stopped ??= this.#stop())
    await this.#runs.drain(deadlineMs)
    if (this.#channel) await closed(this.#channel)
    this.#options.onDrained()
  }

  async #stop(): Promise<void> {
    await within(this.#subscribing, patienceMs).catch(() => undefined)
    const channel = this.#channel
    if (channel) {
      const cancelled = Promise.all(this.#tags.map((tag) => channel.cancel(tag)))
      await within(cancelled, patienceMs).catch(() => undefined) // it is lost, and with it what was handed out
    }
    for (const message of [...this.#again.splice(0), ...this.#fresh.splice(0)]) {
      await message.giveBack().catch(() => undefined)
    }
  }

  async #subscribe(): Promise<void> {
    const { bots, concurrency, link } = this.#options
    await bots.ensure(this.#bot)
    const connection = await link.connection()
    const channel = await connection.createChannel()
    if (this.#stopped) return closed(channel)
    channel.on('error', (error) => this.#options.onError(unavailable(error))) // then it closes
    channel.on('close', () => this.#lose(channel))
    this.#channel = channel
    this.#tags = []
    await channel.prefetch(concurrency)
    const consume = async (queue: string, isAgain: boolean): Promise<void> => {
      const { consumerTag } = await channel.consume(queue, (raw) => {
        if (raw) this.#take(channel, raw, isAgain)
        else setTimeout(() => void closed(channel), deletedMs) // somebody has deleted the queue
      })
      this.#tags.push(consumerTag)
    }
    await consume(bots.names.botAgain(this.#bot), true)
    await consume(bots.names.bot(this.#bot), false)
  }

  /** The server hands out once more what was not settled. */
  #lose(channel: Channel): void {
    if (this.#channel !== channel) return
    this.#channel = undefined
    this.#again.length = 0
    this.#fresh.length = 0
    this.#subscribing = this.#subscribing.then(() => this.#resubscribe())
  }

  async #resubscribe(): Promise<void> {
    for (let isTold = false; !this.#stopped && !this.#channel; isTold = true) {
      try {
        await this.#subscribe()
      } catch (error) {
        this.#channel = undefined // a half-made one does not count
        if (!isTold) this.#options.onError(unavailable(error))
        await new Promise((resume) => setTimeout(resume, retryMs))
      }
    }
  }

  #take(channel: Channel, raw: ConsumeMessage, isAgain: boolean): void {
    const event = eventOf(raw)
    const { generation, dueAt } = toldBy(raw)
    const message: Message = {
      event,
      generation,
      ack: async () => channel.ack(raw),
      giveBack: async () => channel.nack(raw),
      defer: (ms) => this.#defer(channel, raw, message, ms),
    }
    const leftMs = dueAt - this.#options.clock.now()
    if (leftMs > 0 && !this.#stopped) return void message.defer(leftMs).catch(() => undefined) // the next part of its wait
    const queue = isAgain ? this.#again : this.#fresh
    queue.push(message)
    this.#runNext()
  }

  #runNext(): void {
    while (!this.#stopped && this.#busy < this.#options.concurrency) {
      const queues = this.#isAgainNext ? [this.#again, this.#fresh] : [this.#fresh, this.#again]
      const next = queues[0]?.shift() ?? queues[1]?.shift()
      if (!next) return
      this.#isAgainNext = !this.#isAgainNext
      this.#busy++
      void this.#runs.take(next).then(() => {
        this.#busy--
        this.#runNext()
      })
    }
  }

  /** Into the ladder, then acked. Goes on until one of them is out of reach for good. */
  async #defer(
    channel: Channel,
    raw: ConsumeMessage,
    { event, generation }: Message,
    ms: number,
  ): Promise<void> {
    const { outgoing, clock } = this.#options
    const dueAt = clock.now() + ms
    for (; this.#channel === channel; await new Promise((resume) => setTimeout(resume, retryMs))) {
      const isSent = await outgoing.later(this.#bot, event, { generation, dueAt }).catch(() => false)
      if (isSent) return channel.ack(raw)
    }
    throw new Error('channel closed')
  }
}
