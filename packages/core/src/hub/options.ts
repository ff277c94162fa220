import type { Driver } from '../ports/driver.ts'
import type { Store } from '../ports/store.ts'
import type { Source } from '../verify/index.ts'
import { bytes, milliseconds, type Duration, type Size } from '../words/amounts.ts'
import { clockOf, type Clock } from '../words/clock.ts'
import { SetupError } from '../words/errors.ts'
import { stderrLog, type Log } from '../words/log.ts'
import {
  able,
  callable,
  invalidOption,
  isRecord,
  knownOptions,
  oneOf,
  wholeNumber,
} from '../words/options.ts'
import type { SourceName, Sources } from './types.ts'

/**
 * When the sender gets its answer: once the event is durable, before it is stored, or after the bot ran.
 * `'immediate'` can lose answered events when the process dies; `'sync'` needs exactly one bot for the source.
 */
export type Ack = 'durable' | 'immediate' | 'sync'

export interface TriggerHubOptions<S extends Sources = Sources> {
  /** What carries events to bots. Default: `embedded()`, a durable file, loaded from `@trigger-hub/embedded`. */
  driver?: Driver
  /** What remembers replies for `ack: 'sync'`. Default: the driver, if it is a store as well. */
  store?: Store
  /** Senders by name; `POST …/<name>` is their endpoint. */
  sources?: S
  /** For a hub of one sender: the path of its endpoint, such as `'/webhooks/orders'`. Goes with `source`. */
  endpoint?: `/${string}`
  /** The one sender; patterns call it `webhook`. Goes with `endpoint`. */
  source?: Source
  /** For all sources, or by name. Default `'durable'`. */
  ack?: Ack | Partial<Record<SourceName<S>, Ack>>
  /** Status of an ack, where the preset of the source asks for no other. Default 200. */
  ackStatus?: number
  /** Largest body. Default `'1mb'`. */
  limit?: Size
  /** How long a body may take to arrive. Default `'10s'`. */
  bodyTimeout?: Duration
  /** How long the driver may take to store an event before the sender gets 503. Default `'500ms'`. */
  acceptTimeout?: Duration
  /** How long the first attempt may take with `ack: 'sync'`. Default `'5s'`. */
  syncTimeout?: Duration
  /** How long a key is remembered. Default `'3d'`, the longest time for which a common sender retries. */
  keepKeys?: Duration
  /** A repeat of an event that has dead letters: redrive them (default), or leave them. */
  onRepeat?: 'redrive' | 'ignore'
  /** The same bytes under another, unsigned id: accept and mark the event (default), or answer 401. */
  onReplay?: 'mark' | 'reject'
  /** A signed key with another body, which goes to quarantine: answer 200 (default), or 422. */
  onKeyReuse?: 'ack' | 'reject'
  /** Allow `ack: 'durable'` on a driver that loses everything with its process. Default false. */
  allowVolatile?: boolean
  /** Close the hub and end the process on SIGTERM and SIGINT. Default false. */
  signals?: boolean
  /** Hears warnings and errors. Default: one line each on stderr. */
  log?: Log
  clock?: Clock
  /** From 0 to below 1, for jitter. Default `Math.random`. */
  random?: () => number
}

/** Checked options with their defaults; durations in milliseconds, sizes in bytes. */
export interface HubSettings {
  readonly ackOf: (source: string) => Ack
  readonly ackStatus: number
  readonly limit: number
  readonly bodyTimeoutMs: number
  readonly acceptTimeoutMs: number
  readonly syncTimeoutMs: number
  readonly keepKeysMs: number
  readonly onRepeat: 'redrive' | 'ignore'
  readonly onReplay: 'mark' | 'reject'
  readonly onKeyReuse: 'ack' | 'reject'
  readonly allowVolatile: boolean
  readonly signals: boolean
  readonly log: Log
  readonly clock: Clock
  readonly random: () => number
}

/** The compiler sees to it that none is missing here. */
const known: Record<keyof TriggerHubOptions, true> = {
  driver: true,
  store: true,
  sources: true,
  endpoint: true,
  source: true,
  ack: true,
  ackStatus: true,
  limit: true,
  bodyTimeout: true,
  acceptTimeout: true,
  syncTimeout: true,
  keepKeys: true,
  onRepeat: true,
  onReplay: true,
  onKeyReuse: true,
  allowVolatile: true,
  signals: true,
  log: true,
  clock: true,
  random: true,
}

/** @throws SetupError `ERR_OPTION_UNKNOWN`, `ERR_OPTION_INVALID`, `ERR_SOURCE_UNKNOWN` */
export function hubSettings(options: TriggerHubOptions): HubSettings {
  knownOptions('TriggerHub', options, Object.keys(known))
  const { driver, store, sources, ack = 'durable', ackStatus = 200 } = options
  const { limit = '1mb', bodyTimeout = '10s', acceptTimeout = '500ms', syncTimeout = '5s' } = options
  const { keepKeys = '3d', onRepeat = 'redrive', onReplay = 'mark', onKeyReuse = 'ack' } = options
  const { allowVolatile = false, signals = false, log = stderrLog, clock, random = Math.random } = options
  if (driver !== undefined) able('driver', driver, 'accept', 'embedded() or redis(url)')
  if (store !== undefined) able('store', store, 'claim', 'embedded() or redis(url)')
  return {
    ackOf: ackRule(ack, sources),
    ackStatus: wholeNumber('ackStatus', ackStatus, [200, 299]),
    limit: bytes(limit, 'limit', 1),
    bodyTimeoutMs: milliseconds(bodyTimeout, 'bodyTimeout', ['1ms']),
    acceptTimeoutMs: milliseconds(acceptTimeout, 'acceptTimeout', ['1ms']),
    syncTimeoutMs: milliseconds(syncTimeout, 'syncTimeout', ['1ms']),
    keepKeysMs: milliseconds(keepKeys, 'keepKeys', ['1ms']),
    onRepeat: oneOf('onRepeat', onRepeat, ['redrive', 'ignore']),
    onReplay: oneOf('onReplay', onReplay, ['mark', 'reject']),
    onKeyReuse: oneOf('onKeyReuse', onKeyReuse, ['ack', 'reject']),
    allowVolatile: oneOf('allowVolatile', allowVolatile, [true, false]),
    signals: oneOf('signals', signals, [true, false]),
    log: callable('log', log, 'a function, such as (record) => console.log(record)'),
    clock: clockOf(clock),
    random: callable('random', random),
  }
}

const acks = ['durable', 'immediate', 'sync'] as const

function ackRule(
  ack: NonNullable<TriggerHubOptions['ack']>,
  sources: Sources | undefined,
): (source: string) => Ack {
  if (typeof ack === 'string') {
    const forAll = oneOf('ack', ack, acks)
    return () => forAll
  }
  if (!isRecord(ack))
    throw invalidOption('ack', ack, "'durable', 'immediate', 'sync', or these words by source")
  for (const [name, one] of Object.entries(ack)) {
    oneOf(`ack.${name}`, one, acks)
    if (Object.hasOwn(sources ?? {}, name)) continue
    throw new SetupError(
      'ERR_SOURCE_UNKNOWN',
      `Option "ack" names the source "${name}", which "sources" does not have.`,
    )
  }
  const bySource = new Map(Object.entries(ack)) // a source may be called constructor
  return (source) => bySource.get(source) ?? 'durable'
}
