import type { ChannelModel, ConfirmChannel, Message } from 'amqplib'
import type { Envelope } from './message.ts'

/** What the server says of a message: an error when it has not taken it, or is not there any more to say so. */
export type Concluded = (error: Error | null, isReturned: boolean) => void

/** A channel on which the server confirms. */
export class Lane {
  readonly #channel: ConfirmChannel
  /** Messages that the server could not route, by where they went and their id; it says so before it confirms them. */
  readonly #returned = new Map<string, number>()

  /** @param onClosed  called when nothing can be published here any more */
  static async open(connection: ChannelModel, onClosed: () => void): Promise<Lane> {
    return new Lane(await connection.createConfirmChannel(), onClosed)
  }

  private constructor(channel: ConfirmChannel, onClosed: () => void) {
    this.#channel = channel
    channel.on('error', () => undefined) // what was not confirmed is told
    channel.on('close', onClosed)
    channel.on('return', ({ fields, properties }: Message) => {
      const place = placeOf(fields.exchange, fields.routingKey, properties.messageId)
      this.#returned.set(place, (this.#returned.get(place) ?? 0) + 1)
    })
  }

  /** Throws when it was not written. */
  publish(exchange: string, key: string, { body, properties }: Envelope, concluded: Concluded): void {
    const place = placeOf(exchange, key, properties.messageId)
    this.#channel.publish(exchange, key, body, properties, (error: Error | null) =>
      concluded(error, this.#takeReturned(place)),
    )
  }

  /** What is not confirmed by then concludes with an error. */
  async close(): Promise<void> {
    await this.#channel.close().catch(() => undefined)
  }

  #takeReturned(place: string): boolean {
    const count = this.#returned.get(place)
    if (count === undefined) return false
    if (count === 1) this.#returned.delete(place)
    else this.#returned.set(place, count - 1)
    return true
  }
}

/** An event may be on its way to several places at once. */
const placeOf = (exchange: string, key: string, messageId: unknown): string =>
  `${exchange} ${key} ${String(messageId)}`
