import type { Channel, ConsumeMessage } from 'amqplib'
import { closed } from './closed.ts'
import type { Link } from './link.ts'

export interface StandingOptions {
  readonly link: Link
  /** What is done with the messages of each queue. One is acked when that resolves, and looked at again if it rejects. */
  readonly handlers: ReadonlyMap<string, (raw: ConsumeMessage) => Promise<void>>
  /** What was handed out is handed out again. */
  readonly onLost?: () => void
}

/** How many messages of each queue are handed out at once. */
const prefetch = 32
const retryMs = 1_000
const lookAgainMs = 500

/** Subscriptions on a channel of their own, which are made again whenever it is lost, until they are closed. */
export class Standing {
  readonly #options: StandingOptions
  #channel: Channel | undefined
  #starting: Promise<void> | undefined
  #retry: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(options: StandingOptions) {
    this.#options = options
  }

  /** Resolves when they are made, or will be later. */
  start(): Promise<void> {
    if (this.#channel || this.#isClosed) return Promise.resolve()
    return (this.#starting ??= this.#start()
      .catch(() => this.#startLater())
      .finally(() => (this.#starting = undefined)))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#retry)
    if (this.#channel) await closed(this.#channel)
  }

  async #start(): Promise<void> {
    const { link, handlers, onLost } = this.#options
    const channel = await (await link.connection()).createChannel()
    if (this.#isClosed) return closed(channel)
    channel.on('error', () => undefined)
    channel.on('close', () => {
      if (this.#channel === channel) this.#channel = undefined
      onLost?.()
      this.#startLater()
    })
    this.#channel = channel
    await channel.prefetch(prefetch)
    for (const [queue, handle] of handlers)
      await channel.consume(queue, (raw) => this.#take(channel, raw, handle))
  }

  #startLater(): void {
    if (this.#isClosed) return
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => void this.start(), retryMs).unref()
  }

  #take(channel: Channel, raw: ConsumeMessage | null, handle: (raw: ConsumeMessage) => Promise<void>): void {
    if (!raw) return void closed(channel) // somebody has deleted the queue
    const giveBack = async (): Promise<void> => channel.nack(raw) // throws while the channel is closing
    handle(raw)
      .then(() => channel.ack(raw))
      .catch(() => {
        setTimeout(() => void giveBack().catch(() => undefined), lookAgainMs).unref()
      })
  }
}
