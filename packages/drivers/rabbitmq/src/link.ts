import { DriverUnavailableError } from '@trigger-hub/core'
import { within } from '@trigger-hub/core/split'
import type { ChannelModel } from 'amqplib'
import { patienceMs } from './patience.ts'
import { unavailable } from './trouble.ts'

/** To be handed to amqplib's `connect` as it is, together with whatever else a socket needs. */
export interface SocketSettings {
  /** Without it a confirm takes 40 ms instead of 4. */
  readonly noDelay: true
  /** For the handshake, milliseconds. */
  readonly timeout: number
  /** Ends a connection that has gone silent. */
  readonly signal: AbortSignal
  readonly clientProperties: { readonly connection_name: string }
}

/** Opens a connection of amqplib: `(socket) => connect('amqps://…', { ...socket, ca })`. */
export type OpenConnection = (socket: SocketSettings) => Promise<ChannelModel>

export interface LinkOptions {
  readonly open: OpenConnection
  /** For the server's list of connections. */
  readonly name: string
  /** What has to be there before anybody uses a new connection. */
  readonly prepare?: (connection: ChannelModel) => Promise<void>
}

const handshakeMs = 2_000
const firstRetryMs = 50
const longestRetryMs = 1_000
const probeMs = 1_000
const full = 'the server is short of memory or disk and takes no messages; free some'

/** A connection that comes back by itself. It connects with the first call; while the server is away a call fails at once. */
export class Link {
  readonly #options: LinkOptions
  #connection: ChannelModel | undefined
  #connecting: Promise<ChannelModel> | undefined
  #abort = (): void => undefined
  #retry: NodeJS.Timeout | undefined
  #retryMs = firstRetryMs
  #lastError: unknown
  #isClosed = false
  /** The server is short of memory or disk: it reads nothing here any more, and would answer to nothing. */
  isBlocked = false

  constructor(options: LinkOptions) {
    this.#options = options
  }

  /** @throws DriverUnavailableError when the server is away, reads nothing, or is not there within `timeoutMs`; SetupError */
  async connection(timeoutMs = patienceMs): Promise<ChannelModel> {
    if (this.#isClosed) throw new DriverUnavailableError('rabbitmq', 'it is closed.')
    if (this.isBlocked) throw unavailable(new Error(full))
    if (this.#connection) return this.#connection
    if (this.#retry) throw unavailable(this.#lastError)
    this.#connecting ??= this.#connect()
    return within(this.#connecting, timeoutMs).catch((error: unknown) => {
      throw unavailable(error)
    })
  }

  /** Finds out whether the server still answers, and gives the connection up if it does not. */
  async probe(): Promise<void> {
    const connection = this.#connection
    if (!connection || this.isBlocked) return // a server that is blocked reads nothing
    try {
      const channel = await within(connection.createChannel(), probeMs)
      channel.on('error', ignored)
      await channel.close()
    } catch (error) {
      this.#lose(connection, error)
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#retry)
    const connection = this.#connection
    this.#connection = undefined
    if (connection) await within(connection.close(), probeMs).catch(ignored)
    this.#abort()
    await this.#connecting?.catch(ignored)
  }

  async #connect(): Promise<ChannelModel> {
    const { open, name, prepare } = this.#options
    const aborting = new AbortController()
    this.#abort = () => aborting.abort()
    try {
      const socket: SocketSettings = {
        noDelay: true,
        timeout: handshakeMs,
        signal: aborting.signal,
        clientProperties: { connection_name: name },
      }
      const connection = await Promise.resolve(socket).then(open) // which may throw before it gives a promise
      this.isBlocked = false
      connection.on('error', (error) => (this.#lastError = error))
      connection.on('blocked', () => (this.isBlocked = true))
      connection.on('unblocked', () => (this.isBlocked = false))
      connection.on('close', () => this.#lose(connection, this.#lastError))
      if (prepare) await within(prepare(connection), patienceMs)
      if (this.#isClosed) throw new Error('Connection closed')
      this.#connection = connection
      this.#retryMs = firstRetryMs
      return connection
    } catch (error) {
      this.#lastError = error
      aborting.abort()
      this.#comeBack()
      throw error
    } finally {
      this.#connecting = undefined
    }
  }

  #lose(connection: ChannelModel, error: unknown): void {
    if (connection !== this.#connection) return
    this.#connection = undefined
    this.#lastError = error ?? new Error('Connection closed')
    this.isBlocked = false
    this.#abort()
    this.#comeBack()
  }

  #comeBack(): void {
    if (this.#isClosed || this.#retry) return
    this.#retry = setTimeout(() => {
      this.#retry = undefined
      this.#connecting ??= this.#connect()
      this.#connecting.catch(ignored) // the next try is on its way
    }, this.#retryMs)
    this.#retryMs = Math.min(this.#retryMs * 2, longestRetryMs)
  }
}

const ignored = (): void => undefined
