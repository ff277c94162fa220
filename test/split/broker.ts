import type { Clock, EventRecord } from '@trigger-hub/core'

/** A message in the queue of a bot. */
export interface Queued {
  readonly event: EventRecord
  readonly generation: string
}

/** Who consumes. A broker notices by its silence that it is gone. */
export interface Connection {
  lastSign: number
  readonly unacked: Map<Queued, string>
}

/**
 * A broker in this process, which keeps the least that brokers keep: a queue for each bot, messages that were handed out and
 * not acked, messages that come back later. It hands a message out again when its consumer has gone silent.
 */
export class Broker {
  readonly queues = new Map<string, Queued[]>()
  readonly unmatched: EventRecord[] = []
  readonly #later = new Set<{ bot: string; message: Queued; cancel: () => void }>()
  readonly #connections = new Set<Connection>()
  readonly #leaseMs: number
  readonly #onReady = new Set<() => void>()

  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs
  }

  connect(clock: Clock): Connection {
    const connection = { lastSign: clock.monotonicMs(), unacked: new Map<Queued, string>() }
    this.#connections.add(connection)
    const beat = (): void => {
      if (!this.#connections.has(connection)) return
      connection.lastSign = clock.monotonicMs()
      this.#dropSilent(connection.lastSign)
      clock.after(this.#leaseMs / 4, beat)
    }
    clock.after(this.#leaseMs / 4, beat)
    return connection
  }

  onReady(look: () => void): () => void {
    this.#onReady.add(look)
    return () => this.#onReady.delete(look)
  }

  put(bot: string, message: Queued, first = false): void {
    const queue = this.queues.get(bot) ?? []
    if (first) queue.unshift(message)
    else queue.push(message)
    this.queues.set(bot, queue)
    for (const look of this.#onReady) look()
  }

  putLater(bot: string, message: Queued, ms: number, clock: Clock): void {
    const due = (): void => {
      this.#later.delete(entry)
      this.put(bot, message, true)
    }
    const entry = { bot, message, cancel: clock.after(ms, due) }
    this.#later.add(entry)
  }

  pull(bot: string, connection: Connection): Queued | undefined {
    const message = this.#connections.has(connection) ? this.queues.get(bot)?.shift() : undefined
    if (message) connection.unacked.set(message, bot)
    return message
  }

  /** @throws when the connection was dropped, as a closed channel does */
  ack(message: Queued, connection: Connection): void {
    if (!connection.unacked.delete(message)) throw new Error('The connection is closed.')
  }

  isConnected(connection: Connection): boolean {
    return this.#connections.has(connection)
  }

  drop(connection: Connection): void {
    this.#connections.delete(connection)
    for (const [message, bot] of [...connection.unacked].reverse()) this.put(bot, message, true)
    connection.unacked.clear()
  }

  /** Everything that waits for a bot. */
  remove(bot: string): Queued[] {
    const waiting = [...this.#later].filter((entry) => entry.bot === bot)
    for (const entry of waiting) {
      entry.cancel()
      this.#later.delete(entry)
    }
    const ready = this.queues.get(bot) ?? []
    this.queues.delete(bot)
    return [...ready, ...waiting.map(({ message }) => message)]
  }

  #dropSilent(now: number): void {
    for (const one of this.#connections) if (now - one.lastSign > this.#leaseMs) this.drop(one)
  }
}
