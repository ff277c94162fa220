import type { ChannelModel, ConfirmChannel, Message } from 'amqplib'
import type { Envelope } from './message.ts'

/** What the server says of a message: an error when it has not taken it, or is not there any more to say so. */
export type Concluded = (error: Error | null, isReturned: boolean) => void

export interface LaneEvents {
  /** Nothing can be published here any more. */
  readonly onClosed: () => void
  /** Something was published to an exchange that is not there, which closes the lane. */
  readonly onMissing: () => void
}

const notFound = 404

/** A channel on which the server confirms. */
export class Lane {
  readonly #channel: ConfirmChannel
  /** Messages that the server could not route, by where they went and their id; it says so before it confirms them. */
  readonly #returned = new Map<string, number>()

  static async open(connection: ChannelModel, events: LaneEvents): Promise<Lane> {
    return new Lane(await connection.createConfirmChannel(), events)
  }

  private constructor(channel: ConfirmChannel, { onClosed, onMissing }: LaneEvents) {
    this.#channel = channel
    channel.on('error', ({ code }: { code?: unknown }) => {
      if (code === notFound) onMissing()
    })
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
