import type { ChannelModel, ConfirmChannel, Message } from 'amqplib'
import type { Link } from './link.ts'
import type { Envelope } from './message.ts'
import { fixOf } from './trouble.ts'

/** What became of a message: every queue for it has it, there is none, or it was not sent. */
export type Sent =
  | { readonly is: 'routed' }
  | { readonly is: 'unrouted' }
  | { readonly is: 'refused'; readonly reason: string }

/** How long a message waits for the connection, or for a server that is short of memory, before it is refused. */
const waitMs = 200
const silenceMs = 1_000
const longestSilenceMs = 2_000

/** Publishes and waits for the server's confirm: the message is on the disk, of most members if there are several. */
export class Publisher {
  readonly #link: Link
  readonly #onSilence: () => void
  /** Of the connection that is there. */
  #channel: { readonly of: ChannelModel; readonly opening: Promise<ConfirmChannel> } | undefined
  /** Messages that the server could not route, by where they went and their id; it says so before it confirms them. */
  readonly #returned = new Map<string, number>()
  #unconfirmed = 0
  #heardAt = 0
  #watch: NodeJS.Timeout | undefined

  /** @param onSilence  called while confirms are owed and none comes */
  constructor(link: Link, onSilence: () => void) {
    this.#link = link
    this.#onSilence = onSilence
  }

  /** Rejects when it is not known what became of the message. */
  async publish(exchange: string, key: string, { body, properties }: Envelope): Promise<Sent> {
    let channel: ConfirmChannel
    try {
      if (this.#link.isBlocked) await this.#unblocked()
      channel = await this.#open()
    } catch (error) {
      return { is: 'refused', reason: fixOf(error) }
    }
    return new Promise((resolve, reject) => {
      const place = placeOf(exchange, key, properties.messageId)
      const conclude = (error: Error | null): void => {
        this.#hear()
        this.#unconfirmed--
        if (error) return reject(error) // also a nack: one queue has refused it, another one may have it
        resolve({ is: this.#takeReturned(place) ? 'unrouted' : 'routed' })
      }
      try {
        channel.publish(exchange, key, body, properties, conclude)
      } catch (error) {
        return resolve({ is: 'refused', reason: fixOf(error) }) // it was not written
      }
      if (this.#unconfirmed++ === 0) this.#hear()
      this.#watch ??= setTimeout(() => this.#look(), silenceMs).unref()
    })
  }

  close(): void {
    clearTimeout(this.#watch)
  }

  async #open(): Promise<ConfirmChannel> {
    const connection = await this.#link.connection(waitMs)
    if (this.#channel?.of !== connection)
      this.#channel = { of: connection, opening: this.#opened(connection) }
    return this.#channel.opening
  }

  async #opened(connection: ChannelModel): Promise<ConfirmChannel> {
    const forget = (): void => {
      if (this.#channel?.of !== connection) return
      this.#channel = undefined
      this.#returned.clear()
    }
    try {
      const channel = await connection.createConfirmChannel()
      channel.on('error', () => undefined) // what was not confirmed is told
      channel.on('close', forget)
      channel.on('return', ({ fields, properties }: Message) => {
        const place = placeOf(fields.exchange, fields.routingKey, properties.messageId)
        this.#returned.set(place, (this.#returned.get(place) ?? 0) + 1)
      })
      return channel
    } catch (error) {
      forget()
      throw error
    }
  }

  #takeReturned(place: string): boolean {
    const count = this.#returned.get(place)
    if (count === undefined) return false
    if (count === 1) this.#returned.delete(place)
    else this.#returned.set(place, count - 1)
    return true
  }

  async #unblocked(): Promise<void> {
    for (const until = performance.now() + waitMs; this.#link.isBlocked;) {
      if (performance.now() > until) {
        throw new Error('the server is short of memory or disk and takes no messages; free some')
      }
      await new Promise((resume) => setTimeout(resume, 10))
    }
  }

  /** A queue that was not up yet when it got a message may never confirm it, nor what comes after it on this channel. */
  #startAfresh(): void {
    const stuck = this.#channel
    this.#channel = undefined
    stuck?.opening.then((channel) => channel.close()).catch(() => undefined)
  }

  #hear(): void {
    this.#heardAt = performance.now()
  }

  #look(): void {
    this.#watch = undefined
    if (this.#unconfirmed === 0) return
    const silentForMs = performance.now() - this.#heardAt
    if (silentForMs >= silenceMs) this.#onSilence()
    if (silentForMs >= longestSilenceMs && !this.#link.isBlocked) this.#startAfresh()
    this.#watch = setTimeout(() => this.#look(), silenceMs).unref()
  }
}

/** An event may be on its way to several places at once. */
const placeOf = (exchange: string, key: string, messageId: unknown): string =>
  `${exchange} ${key} ${String(messageId)}`
