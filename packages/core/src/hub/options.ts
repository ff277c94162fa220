import type { Driver } from '../ports/driver.ts'
import type { Store } from '../ports/store.ts'
import type { Source } from '../verify/index.ts'
import { bytes, milliseconds, type Duration, type Size } from '../words/amounts.ts'
import { systemClock, type Clock } from '../words/clock.ts'
import { SetupError } from '../words/errors.ts'
import { stderrLog, type Log } from '../words/log.ts'
import { knownOptions, oneOf } from '../words/options.ts'
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
  able('driver', options.driver, 'accept', 'embedded() or redis(url)')
  able('store', options.store, 'claim', 'embedded() or redis(url)')
  if (!['undefined', 'function'].includes(typeof options.log)) {
    throw new SetupError(
      'ERR_OPTION_INVALID',
      'Option "log" is no function: write (record) => console.log(record).',
    )
  }
  const { ack = 'durable', ackStatus = 200 } = options
  if (!Number.isInteger(ackStatus) || ackStatus < 200 || ackStatus > 299) {
    throw new SetupError('ERR_OPTION_INVALID', 'Option "ackStatus" must be a status from 200 to 299.')
  }
  const acks = typeof ack === 'string' ? [ack] : Object.values(ack)
  for (const one of acks) oneOf('ack', one, ['durable', 'immediate', 'sync'])
  for (const name of typeof ack === 'string' ? [] : Object.keys(ack)) {
    if (Object.hasOwn(options.sources ?? {}, name)) continue
    throw new SetupError(
      'ERR_SOURCE_UNKNOWN',
      `Option "ack" names the source "${name}", which "sources" does not have.`,
    )
  }
  return {
    ackOf: (source) => (typeof ack === 'string' ? ack : (ack[source] ?? 'durable')),
    ackStatus,
    limit: bytes(options.limit ?? '1mb', 'limit'),
    bodyTimeoutMs: milliseconds(options.bodyTimeout ?? '10s', 'bodyTimeout'),
    acceptTimeoutMs: milliseconds(options.acceptTimeout ?? '500ms', 'acceptTimeout'),
    syncTimeoutMs: milliseconds(options.syncTimeout ?? '5s', 'syncTimeout'),
    keepKeysMs: milliseconds(options.keepKeys ?? '3d', 'keepKeys'),
    onRepeat: oneOf('onRepeat', options.onRepeat ?? 'redrive', ['redrive', 'ignore']),
    onReplay: oneOf('onReplay', options.onReplay ?? 'mark', ['mark', 'reject']),
    onKeyReuse: oneOf('onKeyReuse', options.onKeyReuse ?? 'ack', ['ack', 'reject']),
    allowVolatile: options.allowVolatile ?? false,
    signals: options.signals ?? false,
    log: options.log ?? stderrLog,
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
  }
}

/** A part that was not called, or is still a promise, would be missed at the first request only. */
function able(option: string, part: object | undefined, method: string, such: string): void {
  if (part === undefined || typeof (part as Record<string, unknown> | null)?.[method] === 'function') return
  throw new SetupError('ERR_OPTION_INVALID', `Option "${option}" is no ${option}: give what ${such} returns.`)
}
