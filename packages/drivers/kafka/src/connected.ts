import type { Admin, Kafka, Producer } from 'kafkajs'
import { within, type Client, type Line } from './client.ts'
import { isPassing, unavailable } from './trouble.ts'

/**
 * Of all calls that nobody waits for at a sender's expense. A broker that is gone is one of the cluster for 9 s
 * (`broker.session.timeout.ms`), and for some seconds more if it led the others.
 */
export const patienceMs = 20_000

const connectMs = 5_000
const staleRetryMs = 50

/** One client, and how many calls use it. */
interface Connection<Part> {
  readonly part: Part
  readonly line: Line
  connecting: Promise<void> | undefined
  isConnected: boolean
  calls: number
}

/** A producer or an admin that connects with the first call, and anew when what it has is dead or out of date. */
export class Connected<Part extends Admin | Producer> {
  readonly #make: () => Connection<Part>
  #current: Connection<Part>
  #isClosed = false

  constructor(client: Client, make: (kafka: Kafka) => Part) {
    this.#make = () => {
      const line = client.line()
      const part = make(line.kafka)
      const asked = part as Admin // both have events
      // kafkajs forgets the request and keeps the connection, which a half-open one never recovers from
      asked.on(asked.events.REQUEST_TIMEOUT, line.cut)
      return { part, line, connecting: undefined, isConnected: false, calls: 0 }
    }
    this.#current = this.#make()
  }

  /**
   * @param ms  how long it goes on from one broker that does not answer to the next
   * @throws DriverUnavailableError when it cannot be reached; then nothing was sent
   */
  async ready(ms = 0): Promise<Part> {
    return (await this.#connected(performance.now() + ms)).part
  }

  /** @throws DriverUnavailableError when it fails, or there is no answer in time */
  async use<T>(task: (part: Part) => Promise<T>, ms = patienceMs): Promise<T> {
    for (const until = performance.now() + ms; ;) {
      const connection = await this.#connected(until)
      connection.calls++
      try {
        return await within(task(connection.part), until - performance.now(), connection.line.cut)
      } catch (error) {
        if (!isPassing(error) || performance.now() + staleRetryMs > until) throw error
      } finally {
        connection.calls--
      }
      this.#replace(connection)
      await new Promise((resume) => setTimeout(resume, staleRetryMs))
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#end(this.#current)
  }

  async #connected(until: number): Promise<Connection<Part>> {
    for (;;) {
      const connection = this.#current
      try {
        return await this.#ready()
      } catch (error) {
        if (connection === this.#current || performance.now() > until) throw error
      }
    }
  }

  async #ready(): Promise<Connection<Part>> {
    if (this.#isClosed) throw unavailable(new Error('the driver is closed'))
    const current = this.#current
    if (current.isConnected) return current
    current.connecting ??= current.part
      .connect()
      .then(() => void (current.isConnected = true))
      .finally(() => (current.connecting = undefined))
    await within(current.connecting, connectMs, () => {
      current.line.avoid()
      this.#replace(current)
    })
    return current
  }

  /** An admin of kafkajs goes on believing in a leader that has changed: another one asks anew. */
  #replace(stale: Connection<Part>): void {
    if (stale !== this.#current) return
    this.#current = this.#make()
    const end = (): void => {
      if (stale.calls === 0) void this.#end(stale)
      else setTimeout(end, staleRetryMs).unref()
    }
    end()
  }

  async #end(connection: Connection<Part>): Promise<void> {
    await connection.connecting?.catch(() => undefined)
    if (!connection.isConnected) return
    await within(connection.part.disconnect(), connectMs).catch(() => undefined)
    connection.line.cut()
  }
}
