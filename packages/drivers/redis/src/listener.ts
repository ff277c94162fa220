import { within } from '@trigger-hub/core/split'
import type { Client, Connection } from './connection.ts'

/** How long a read blocks at most: a connection that is dead is noticed by then, and so are waits that others have set. */
const longestBlockMs = 5_000
const graceMs = 2_000

/** Where a bot's stream and bell ended when they were looked at. */
export interface Ends {
  readonly stream: string
  readonly bell: string
  /** Until the next retry is due, milliseconds; -1 when none waits. */
  readonly untilDueMs: number
}

/** Waits for something to do, on a connection of its own. */
export class Listener {
  readonly #connection: Connection
  readonly #keys: readonly [stream: string, bell: string]
  #client: Client | undefined
  #interrupt: (error: Error) => void = () => undefined

  constructor(connection: Connection, bot: string) {
    this.#connection = connection
    this.#keys = [connection.key(`stream:${bot}`), connection.key(`bell:${bot}`)]
  }

  /**
   * Resolves when something has come since, when a retry is due, and now and then for nothing.
   * @throws DriverUnavailableError, also when it is ended meanwhile
   */
  async wait({ stream, bell, untilDueMs }: Ends): Promise<void> {
    const ms = untilDueMs < 0 ? longestBlockMs : Math.min(Math.max(untilDueMs, 1), longestBlockMs)
    const interrupted = new Promise<never>((_, reject) => (this.#interrupt = reject))
    try {
      await Promise.race([this.#read(ms, stream, bell), interrupted])
    } catch (error) {
      this.end()
      throw this.#connection.unavailable(error)
    }
  }

  /** Whoever waits gets an error. */
  end(): void {
    this.#client?.disconnect()
    this.#client = undefined
    this.#interrupt(new Error('it was ended'))
  }

  async #read(ms: number, stream: string, bell: string): Promise<void> {
    const client = (this.#client ??= this.#connection.another())
    if (client.status === 'wait') await within(client.connect(), graceMs)
    const read = client.xread('COUNT', 1, 'BLOCK', ms, 'STREAMS', ...this.#keys, stream, bell)
    await within(read, ms + graceMs)
  }
}
