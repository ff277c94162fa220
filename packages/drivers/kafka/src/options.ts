import {
  clockOf,
  knownOptions,
  milliseconds,
  SetupError,
  textOf,
  wholeNumber,
  type Clock,
  type CompanionStore,
  type Duration,
} from '@trigger-hub/core'
import type { Server } from './client.ts'

export interface KafkaOptions extends Server {
  /** Remembers keys, what became of each delivery, the bots, and dead letters: `redis(…)`, or `embedded()` on one machine. */
  store: CompanionStore
  /** What all names of topics and groups begin with; hubs with different ones never meet. Default `'trigger-hub'`. */
  prefix?: string
  /** Partitions of the topic of events, when it is made: so many processes can work for one bot. Default 6. */
  partitions?: number
  /** How long after its last sign of life a process's deliveries go to another one, 100 ms to 30 min. Default `'10s'`. */
  lease?: Duration
  /** For tests. */
  clock?: Clock
}

/** Options that make sense, with what was left out. */
export interface Settings extends Required<Pick<KafkaOptions, 'store' | 'prefix' | 'partitions' | 'clock'>> {
  readonly leaseMs: number
}

/** @throws SetupError `ERR_OPTION_INVALID`, `ERR_OPTION_UNKNOWN`, `ERR_DRIVER_UNUSABLE` without a store */
export function settingsOf(options: KafkaOptions): Settings {
  const known = ['brokers', 'ssl', 'sasl', 'client', 'store', 'prefix', 'partitions', 'lease', 'clock']
  knownOptions('kafka()', options, known)
  const { store, prefix = 'trigger-hub', partitions = 6, lease = '10s' } = options
  if (typeof (store as Partial<CompanionStore> | undefined)?.tally !== 'function') {
    throw new SetupError(
      'ERR_DRIVER_UNUSABLE',
      'kafka() needs "store", which remembers what Kafka does not: kafka({ brokers, store: redis(url) }), or embedded() on one machine.',
    )
  }
  return {
    store,
    prefix: textOf('prefix', prefix, /^[\w.-]{1,100}$/, 'up to 100 letters, digits, "_", "-" and "."'),
    partitions: wholeNumber('partitions', partitions, [1, 1_000]),
    leaseMs: milliseconds(lease, 'lease', ['100ms', '30m']),
    clock: clockOf(options.clock),
  }
}
