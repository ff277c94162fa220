import { DriverUnavailableError, SetupError } from '@trigger-hub/core'
import { TooLate, within } from '@trigger-hub/core/split'
import { Redis, type Cluster } from 'ioredis'
import type { Script } from './scripts/script.ts'
import { fixOf } from './trouble.ts'

/** A client of ioredis. */
export type Client = Redis | Cluster

type Argument = string | number | Buffer

const longestReconnectMs = 1_000
/**
 * Of the time for a call, since the server is up to 100 ms late to say that it waited in vain, and nothing else is done on
 * the connection meanwhile.
 */
const waitShare = 0.6
const longestWaitMs = 500

/**
 * The connection for everything that does not block. Every call has a deadline, and while the server is away it fails
 * at once instead of queueing up. It connects with the first call.
 */
export class Connection {
  readonly client: Client
  /** How many replicas must have what a script has done. */
  readonly replicas: number
  readonly #prefix: string
  /** The client is the user's, who closes it. */
  readonly #isLent: boolean
  #lastError: unknown
  #settling: Promise<void> | undefined
  #lastAnswerAt = 0
  #givenUp: object | undefined
  #isClosed = false

  /**
   * @param server  where it is, or a client that the user made
   * @throws SetupError `ERR_OPTION_INVALID`
   */
  constructor(server: string | Client, { prefix, replicas }: { prefix: string; replicas: number }) {
    this.replicas = replicas
    this.#prefix = `{${prefix}}:`
    this.#isLent = typeof server !== 'string'
    this.client = typeof server === 'string' ? newClient(server) : clientOf(server)
    this.client.on('error', this.#onError)
  }

  get isCluster(): boolean {
    return this.client.isCluster
  }

  /** Whether another server takes the place of this one by itself, when it has replicas and is gone. */
  get failsOver(): boolean {
    const { client } = this
    return client.isCluster || Boolean((client as Redis).options.sentinels?.length)
  }

  /** The whole name of a key. */
  key(name: string): string {
    return this.#prefix + name
  }

  /**
   * Runs a script.
   * @returns its answer, all texts as buffers
   * @throws DriverUnavailableError when the server is away or there is no answer within `timeoutMs`
   */
  run(script: Script, args: readonly Argument[], timeoutMs: number): Promise<unknown> {
    const until = performance.now() + timeoutMs
    const evaluate = (command: string, what: string): Promise<unknown> =>
      this.#evaluated([command, what, 1, this.#prefix, ...args], until)
    return this.call(async ({ client }) => {
      for (let nth = 0; ; nth++) {
        try {
          return await evaluate('evalsha', script.sha)
        } catch (error) {
          const { message } = error as Error
          if (message.startsWith('NOSCRIPT')) return evaluate('eval', script.lua)
          if (!message.startsWith('MOVED') || nth > 0) throw error
          await client.exists(this.#prefix) // only a command that is alone is led to the node that has the keys now
        }
      }
    }, timeoutMs)
  }

  /** What a script answers counts once the replicas have it, and all that it has seen. */
  async #evaluated(command: [string, ...Argument[]], until: number): Promise<unknown> {
    const { client, replicas } = this
    if (replicas === 0) return client.callBuffer(...command)
    const waitMs = Math.max(1, Math.floor(Math.min(waitShare * (until - performance.now()), longestWaitMs)))
    // together, and in a cluster to the same node
    const results = await client
      .pipeline()
      .callBuffer(...command)
      .wait(replicas, waitMs)
      .exec()
    const [[failed, answer] = [], [unheard, count] = []] = results ?? []
    if (failed) throw failed
    if (unheard) throw unheard
    if (Number(count) < replicas) throw new Error(`${String(count)} replicas have it`)
    return answer
  }

  /** Does something with the client. Throws as `run` does. */
  async call<T>(task: (connection: this) => Promise<T>, timeoutMs: number): Promise<T> {
    const until = performance.now() + timeoutMs
    await this.ready(timeoutMs)
    const sentAt = performance.now()
    try {
      const answer = await within(task(this), until - sentAt)
      this.#lastAnswerAt = performance.now()
      return answer
    } catch (error) {
      if (error instanceof TooLate) this.#suspect(sentAt)
      else if (isReply(error)) this.#lastAnswerAt = performance.now()
      throw this.unavailable(error)
    }
  }

  /** Resolves when the server is connected; rejects at once when it is not and nobody is connecting to it. */
  async ready(timeoutMs: number): Promise<void> {
    if (this.#isClosed) throw new DriverUnavailableError('redis', 'it is closed.')
    const { client } = this
    if (client.status === 'ready') return
    if (client.status === 'wait') client.connect().catch(() => undefined) // `error` has it
    if (!['connecting', 'connect'].includes(client.status)) throw this.unavailable(this.#lastError)
    try {
      this.#settling ??= settled(client).finally(() => (this.#settling = undefined))
      await within(this.#settling, timeoutMs)
    } catch (error) {
      throw this.unavailable(this.#lastError ?? error)
    }
  }

  /**
   * One more connection, for reads that block. It does not come back by itself when it is lost; whoever asks for it ends
   * it.
   */
  another(): Client {
    const { client } = this
    const another: Client = client.isCluster
      ? (client as Cluster).duplicate([], { lazyConnect: true, clusterRetryStrategy: () => null })
      : (client as Redis).duplicate({ ...ownOptions, retryStrategy: () => null })
    another.on('error', this.#onError)
    return another
  }

  unavailable(error: unknown): DriverUnavailableError {
    return new DriverUnavailableError('redis', fixOf(error), { cause: error })
  }

  close(): void {
    this.#isClosed = true
    if (!this.#isLent) this.client.disconnect()
    // an error on the way out still needs its listener
    else this.client.off('error', this.#onError).on('error', ignored)
  }

  readonly #onError = (error: unknown): void => {
    this.#lastError = error
  }

  /**
   * A connection that swallows what is written to it is given up: nothing was answered since the call was sent. Once, since
   * all calls that wait for it are late together, and `disconnect()` leaves something behind each time.
   */
  #suspect(sentAt: number): void {
    if (this.#isLent || this.#lastAnswerAt > sentAt || this.client.status !== 'ready') return
    const client = this.client as Redis
    if (client.stream === this.#givenUp) return
    this.#givenUp = client.stream
    this.#lastError = new Error('the connection is dead')
    client.disconnect(true)
  }
}

const ignored = (): void => undefined

/** For clients that we make: a command fails with its connection and is not sent again by itself. */
const ownOptions = {
  lazyConnect: true,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  connectTimeout: 2_000,
  retryStrategy: (times: number) => Math.min(50 * 2 ** Math.min(times, 10), longestReconnectMs),
  // after a failover the name leads to another server
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
} as const

function newClient(url: string): Redis {
  if (!/^rediss?:\/\/./.test(url) || !URL.canParse(url)) {
    throw new SetupError(
      'ERR_OPTION_INVALID',
      'redis() takes a URL such as "redis://127.0.0.1:6379" or "rediss://user:password@host:6380", or a client of ioredis.',
    )
  }
  return new Redis(url, ownOptions)
}

function clientOf(given: Client): Client {
  if (typeof (given as Partial<Client> | undefined)?.callBuffer === 'function') return given
  throw new SetupError(
    'ERR_OPTION_INVALID',
    'redis() takes a URL or a client of ioredis, version 5.4 or later.',
  )
}

/** Resolves when the connection is there, rejects when this attempt at it has failed. */
function settled(client: Client): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (error?: Error): void => {
      client.off('ready', onReady).off('close', onClose)
      if (error) reject(error)
      else resolve()
    }
    const onReady = (): void => end()
    const onClose = (): void => end(new Error('the connection was closed'))
    client.on('ready', onReady).on('close', onClose)
  })
}

const isReply = (error: unknown): boolean => (error as Error | undefined)?.name === 'ReplyError'
