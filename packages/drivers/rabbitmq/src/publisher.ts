import type { ChannelModel } from 'amqplib'
import { Lane } from './lane.ts'
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
/** How long a lane is used at least that does not take a message. */
const shortestLaneMs = 250

export interface PublisherEvents {
  /** Confirms are owed, and none comes. Called again while that is so. */
  readonly onSilence: () => void
  /** An exchange is not there. */
  readonly onMissing: () => void
}

/** The lane of a connection. */
interface Current {
  readonly of: ChannelModel
  readonly opening: Promise<Lane>
  readonly openedAt: number
}

/** Publishes and waits for the server's confirm: the message is on the disk, of most members if there are several. */
export class Publisher {
  readonly #link: Link
  readonly #events: PublisherEvents
  /** Of the connection that is there. */
  #current: Current | undefined
  #unconfirmed = 0
  #heardAt = 0
  #watch: NodeJS.Timeout | undefined

  constructor(link: Link, events: PublisherEvents) {
    this.#link = link
    this.#events = events
  }

  /** Rejects when it is not known what became of the message. */
  async publish(exchange: string, key: string, envelope: Envelope): Promise<Sent> {
    let current: Current
    let lane: Lane
    try {
      if (this.#link.isBlocked) await this.#unblocked()
      current = await this.#open()
      lane = await current.opening
    } catch (error) {
      return { is: 'refused', reason: fixOf(error) }
    }
    return new Promise((resolve, reject) => {
      try {
        lane.publish(exchange, key, envelope, (error, isReturned) => {
          this.#hear()
          this.#unconfirmed--
          if (!error) return resolve({ is: isReturned ? 'unrouted' : 'routed' })
          this.#avoid(current)
          reject(error) // also a nack: one queue has refused it, another one may have it
        })
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

  async #open(): Promise<Current> {
    const connection = await this.#link.connection(waitMs)
    if (this.#current?.of === connection) return this.#current
    const forget = (): void => {
      if (this.#current === opened) this.#current = undefined
    }
    const opening = Lane.open(connection, { onClosed: forget, onMissing: this.#events.onMissing })
    const opened = { of: connection, opening, openedAt: performance.now() }
    opening.catch(forget)
    return (this.#current = opened)
  }

  /** Gives a server that is short of memory a moment. */
  async #unblocked(): Promise<void> {
    for (const until = performance.now() + waitMs; this.#link.isBlocked && performance.now() < until;) {
      await new Promise((resume) => setTimeout(resume, 10))
    }
  }

  /** A server whose queue has lost its leader may look for it on this lane in the old place for ever, and refuses meanwhile. */
  #avoid(refusing: Current): void {
    if (this.#current !== refusing || performance.now() - refusing.openedAt < shortestLaneMs) return
    this.#startAfresh(longestSilenceMs) // what else is on it may be confirmed
  }

  /** Later messages get a lane of their own. */
  #startAfresh(graceMs = 0): void {
    const left = this.#current
    this.#current = undefined
    setTimeout(() => void left?.opening.then((lane) => lane.close()).catch(() => undefined), graceMs).unref()
  }

  #hear(): void {
    this.#heardAt = performance.now()
  }

  #look(): void {
    this.#watch = undefined
    if (this.#unconfirmed === 0) return
    const silentForMs = performance.now() - this.#heardAt
    if (silentForMs >= silenceMs) this.#events.onSilence()
    // a queue that was not up yet when it got a message may never confirm it, nor what comes after it on this lane
    if (silentForMs >= longestSilenceMs && !this.#link.isBlocked) this.#startAfresh()
    this.#watch = setTimeout(() => this.#look(), silenceMs).unref()
  }
}
