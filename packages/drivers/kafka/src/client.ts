import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { SetupError, isRecord, oneOf, textOf } from '@trigger-hub/core'
import { TooLate, within as settledWithin } from '@trigger-hub/core/split'
import { Kafka, logLevel, type ISocketFactory, type KafkaConfig } from 'kafkajs'
import { inWholeAnswers } from './answers.ts'
import { unavailable } from './trouble.ts'

/** Where the brokers are, or a client that the user made. */
export interface Server {
  /** `'host:9092'`; several as a list, or with commas between them. */
  brokers?: string | readonly string[] | undefined
  ssl?: KafkaConfig['ssl'] | undefined
  sasl?: KafkaConfig['sasl'] | undefined
  /** Instead of the others. */
  client?: Kafka | undefined
}

/** How long the broker may take for an answer, beside what it was asked to wait for. */
export const requestMs = 2_000

/** A client for one purpose, and how to let go of its connections. */
export interface Line {
  readonly kafka: Kafka
  /** Breaks off every connection; those who wait for an answer hear of it, and the next call connects anew. */
  readonly cut: () => void
  /** Breaks off as well, and lets later clients ask another broker first: this one stands still, which kafkajs waits for. */
  readonly avoid: () => void
}

/** Makes clients. Those of one purpose share their connections with nobody, so that none waits behind a long poll. */
export class Client {
  readonly #config: KafkaConfig | undefined
  readonly #given: Kafka | undefined
  /** Of the brokers, which a client asks first. */
  #first = 0

  /** @throws SetupError `ERR_OPTION_INVALID` */
  constructor({ brokers, ssl, sasl, client }: Server) {
    if (client !== undefined) {
      if (brokers !== undefined || typeof (client as Partial<Kafka> | null)?.consumer !== 'function')
        throw notBoth()
      this.#given = client
      return
    }
    const all =
      typeof brokers === 'string' ? brokers.split(',').map((one) => one.trim()) : [brokers ?? []].flat()
    if (all.length === 0 || !all.every((one) => /^[^\s/]+:\d{1,5}$/.test(one))) throw notBoth()
    if (ssl !== undefined && !isRecord(ssl)) oneOf('ssl', ssl, [true, false])
    if (sasl !== undefined) {
      const mechanism: unknown = (sasl as Partial<typeof sasl> | null)?.mechanism
      textOf('sasl.mechanism', mechanism, /./, `'plain', 'scram-sha-256' or another one of kafkajs`)
    }
    this.#config = {
      clientId: 'trigger-hub',
      brokers: all,
      ...(ssl === undefined ? {} : { ssl }),
      ...(sasl === undefined ? {} : { sasl }),
      connectionTimeout: 1_000,
      authenticationTimeout: requestMs,
      requestTimeout: requestMs,
      retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 3 },
      logLevel: logLevel.NOTHING,
    }
  }

  line(): Line {
    if (this.#given) return { kafka: this.#given, cut: () => undefined, avoid: () => undefined }
    const sockets = new Set<Socket>()
    const config = this.#config!
    const all = config.brokers as string[]
    const first = this.#first
    const brokers = [...all.slice(first), ...all.slice(0, first)]
    const kafka = new Kafka({ ...config, brokers, socketFactory: keptIn(sockets) })
    const cut = (): void => {
      for (const socket of sockets) socket.destroy(new Error('Closed connection'))
    }
    const avoid = (): void => {
      cut()
      if (this.#first === first) this.#first = (first + 1) % all.length
    }
    return { kafka, cut, avoid }
  }
}

const notBoth = (): SetupError =>
  new SetupError(
    'ERR_OPTION_INVALID',
    'kafka() takes "brokers", such as "127.0.0.1:9092" or several of them, or "client", a Kafka of kafkajs.',
  )

const keptIn =
  (sockets: Set<Socket>): ISocketFactory =>
  ({ host, port, ssl, onConnect }) => {
    const socket = ssl
      ? connectTls({ host, port, ...(isIP(host) ? {} : { servername: host }), ...ssl }, onConnect)
      : connect({ host, port }, onConnect)
    sockets.add(socket.setKeepAlive(true, 60_000).setNoDelay())
    socket.setMaxListeners(0) // kafkajs leaves one with each `disconnect()`, also when it has ended long ago
    socket.once('close', () => sockets.delete(socket))
    return inWholeAnswers(socket)
  }

/**
 * The promise, or a rejection with `DriverUnavailableError` when it fails or the time is over.
 * @param late  is called when the time is over
 */
export async function within<T>(promise: Promise<T>, ms: number, late?: () => void): Promise<T> {
  try {
    return await settledWithin(promise, ms, () => {
      late?.()
      return new TooLate(ms)
    })
  } catch (error) {
    throw unavailable(error)
  }
}
