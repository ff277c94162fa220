import {
  callable,
  clockOf,
  knownOptions,
  milliseconds,
  SetupError,
  textOf,
  type Clock,
  type CompanionStore,
  type Duration,
} from '@trigger-hub/core'
import { firstOf } from './addresses.ts'
import type { OpenConnection } from './link.ts'

export interface RabbitMqOptions {
  /**
   * Where the server is, `amqp://` or `amqps://`. Of a cluster the addresses of its nodes, of which the first is used that
   * answers. Default `'amqp://127.0.0.1'`.
   */
  url?: string | readonly string[] | undefined
  /** In place of `url`: opens a connection with amqplib, for certificates or other credentials. */
  connect?: OpenConnection
  /** Remembers keys, attempts, bots and dead letters: `redis(…)`, or `embedded()` for one machine. It is closed with the driver. */
  store: CompanionStore
  /** What all names on the server begin with, as `prefix/`; hubs with different ones never meet. Default `'trigger-hub'`. */
  prefix?: string
  /** How long after its last sign of life a process's deliveries go to another one, 100 ms to 1 h. Default `'10s'`. */
  lease?: Duration
  /** The server's management API, such as `'http://user:password@host:15672'`: the start-up report then knows more. */
  management?: string | undefined
  /** For tests. */
  clock?: Clock
}

/** What was asked for, in the driver's own units. */
export interface Checked {
  readonly prefix: string
  readonly leaseMs: number
  readonly clock: Clock
  readonly open: OpenConnection
}

/** @throws SetupError `ERR_OPTION_INVALID`, `ERR_OPTION_UNKNOWN`, `ERR_DRIVER_UNUSABLE` without a store */
export function checked(options: RabbitMqOptions): Checked {
  const invalid = (message: string): never => {
    throw new SetupError('ERR_OPTION_INVALID', message)
  }
  knownOptions('rabbitmq()', options, ['url', 'connect', 'store', 'prefix', 'lease', 'management', 'clock'])
  const { url = 'amqp://127.0.0.1', connect: open, management } = options
  const { store, prefix = 'trigger-hub', lease = '10s' } = options
  if (typeof (store as Partial<CompanionStore> | undefined)?.bury !== 'function') {
    throw new SetupError(
      'ERR_DRIVER_UNUSABLE',
      'rabbitmq() needs a store beside the server, for what was accepted and handled already: give the option "store", such as redis(url), or embedded() when all processes are on one machine.',
    )
  }
  textOf('prefix', prefix, /^[\w:.-]{1,100}$/, 'up to 100 letters, digits, "_", "-", "." and ":"')
  const leaseMs = milliseconds(lease, 'lease', ['100ms', '1h'])
  const clock = clockOf(options.clock)
  if (management !== undefined && !isUrl(management, /^https?:/)) {
    invalid('Option "management" takes a URL such as "http://user:password@host:15672".')
  }
  if (open !== undefined) {
    if (options.url !== undefined) invalid('Of the options "url" and "connect", give one.')
    return {
      prefix,
      leaseMs,
      clock,
      open: callable('connect', open, '(socket) => connect(url, { ...socket })'),
    }
  }
  const urls = [url].flat()
  if (urls.length === 0 || !urls.every((one) => isUrl(one, /^amqps?:/))) {
    invalid(
      'Option "url" takes a URL such as "amqp://user:password@host:5672/vhost" or "amqps://…", or a list.',
    )
  }
  // the server takes deliveries back from a process that gave no sign of life for two heartbeats
  return { prefix, leaseMs, clock, open: firstOf(urls, Math.max(1, Math.floor(leaseMs / 2_000))) }
}

/** Environment variables may be empty, and JavaScript may give anything. */
const isUrl = (text: unknown, scheme: RegExp): boolean =>
  typeof text === 'string' && scheme.test(text) && /^\w+:\/\/./.test(text) && URL.canParse(text)
