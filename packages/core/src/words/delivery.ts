import type { EventRecord } from './event.ts'

/** What an error was, without what may hold a secret: no stack, no payload, no cause. */
export interface ErrorRecord {
  readonly name: string
  readonly message: string
  readonly code?: string
}

/** One run of a bot that did not succeed. */
export interface AttemptRecord {
  /** From 1. */
  readonly attempt: number
  /** Epoch milliseconds. `endedAt` is when the loss was noticed if the worker died. */
  readonly startedAt: number
  readonly endedAt: number
  /** `permanent`: trying again cannot help. `lost`: the worker died or its lease ran out while the attempt ran. */
  readonly outcome: 'failed' | 'permanent' | 'timeout' | 'lost'
  readonly error?: ErrorRecord
}

/** One event for one bot, handed to a worker for one attempt. */
export interface Delivery {
  /** Names the event and the bot; the same for every attempt. */
  readonly id: string
  readonly bot: string
  readonly event: EventRecord
  /** The attempt to run, from 1. A crash of the worker costs one. */
  readonly attempt: number
  /** Earlier attempts, oldest first. */
  readonly history: readonly AttemptRecord[]
  /** True when an earlier run was cut off (crash, lost lease, shutdown), so that its effects may be there already. */
  readonly redelivered: boolean
  /** Aborts when the lease is lost: another worker may have taken over, and a verdict will be refused. */
  readonly lost: AbortSignal
}

export type DeadLetterReason =
  /** Every attempt failed. */
  | 'exhausted'
  /** The handler threw a `PermanentError`. */
  | 'permanent'
  /** The payload does not fit the bot's schema. */
  | 'schema'
  /** The bot was retired while the delivery waited. */
  | 'retired'
  /** The same signed key came with another body; the event was given to no bot. */
  | 'key-reused'

/** What core decided about an attempt; the driver carries it out. */
export type Verdict =
  | { readonly is: 'done' }
  | { readonly is: 'retry'; readonly afterMs: number; readonly failed: AttemptRecord }
  | { readonly is: 'dead-letter'; readonly reason: DeadLetterReason; readonly failed?: AttemptRecord }
  /** Given back by a shutdown: costs no attempt. `interrupted`: it had begun, so the next run says `redelivered`. */
  | { readonly is: 'release'; readonly interrupted: boolean }

/** A delivery given up on. */
export interface DeadLetter {
  /** Names the delivery and its generation, so that a redrive sent twice redrives once. */
  readonly id: string
  /** The bot that gave up; null for a quarantined event (`key-reused`), which no bot has seen. */
  readonly bot: string | null
  readonly reason: DeadLetterReason
  /** When it was dead-lettered, epoch milliseconds. */
  readonly at: number
  readonly event: EventRecord
  /** Every attempt that failed, oldest first. */
  readonly attempts: readonly AttemptRecord[]
}
