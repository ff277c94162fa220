import { randomUUID } from 'node:crypto'
import { keyName } from '../pure/digest.ts'
import type { AcceptOptions } from '../ports/driver.ts'
import type { CompanionStore, Held } from '../ports/store.ts'
import type { Clock } from '../words/clock.ts'
import type { AttemptRecord, DeadLetterReason } from '../words/delivery.ts'
import type { EventRecord } from '../words/event.ts'
import { historyOf, noteOf, type History } from './notes.ts'

/** One event for one bot, since it was accepted or redriven. */
export interface InboxEntry {
  readonly event: string
  readonly bot: string
  /** Empty for an accepted event; the id of the dead letter that was redriven. */
  readonly generation: string
}

export type Beginning =
  /** It is ours to run, as long as the lease is kept. */
  | ({ readonly is: 'begun'; readonly held: Held; readonly entry: InboxEntry } & History)
  /** It has an end already: this is a copy. */
  | { readonly is: 'settled' }
  /** Another process is at it, or it is not due yet: to be looked at again. */
  | { readonly is: 'later'; readonly afterMs: number }

/** A delivery that is ours to run. */
export type Begun = Extract<Beginning, { is: 'begun' }>

/** `leaseMs`: how long a run is kept for a process that gives no sign of life. */
export interface InboxOptions {
  readonly clock: Clock
  readonly leaseMs: number
}

/** How long the end of a delivery is remembered, so that a copy of it is recognised; and an open one. */
const keepMs = 7 * 24 * 3_600_000
const patienceMs = 5_000
const longestLookMs = 1_000

/**
 * What the workers of a broker know of each delivery, in a store: which attempts there were, that one is running, that it
 * has an end. A broker may deliver a message twice (a publish of unknown outcome, a lost connection, an offset that was not
 * committed); the inbox lets one run at a time, and none after the end. A run that was cut off costs an attempt.
 */
export class Inbox {
  readonly #store: CompanionStore
  readonly #options: InboxOptions

  constructor(store: CompanionStore, options: InboxOptions) {
    this.#store = store
    this.#options = options
  }

  /**
   * Takes a delivery to run it, if it is due.
   * @param token  unique per message; the same when it is asked again since an answer was lost, or that would cost an attempt
   */
  begin(entry: InboxEntry, token: string): Promise<Beginning> {
    return this.#begin(entry, token, false)
  }

  /**
   * Gives up on a delivery, due or not, with the attempts that it had: its bot is gone, or the broker will not hand it out
   * any more.
   * @returns false when a run of it is under way, so that it is to be looked at again
   */
  async retire(
    entry: InboxEntry,
    event: EventRecord,
    reason: DeadLetterReason = 'retired',
  ): Promise<boolean> {
    const beginning = await this.#begin(entry, randomUUID(), true)
    if (beginning.is === 'begun') return this.bury(beginning, event, reason)
    return beginning.is === 'settled'
  }

  async #begin(entry: InboxEntry, token: string, evenEarly: boolean): Promise<Beginning> {
    const { clock } = this.#options
    const now = clock.now()
    const claim = await this.#claim(entry, token, noteOf.begun(now))
    switch (claim.is) {
      case 'completed':
      case 'mismatch': // never: all claims of a delivery have one fingerprint
        return { is: 'settled' }
      case 'in-flight':
        return { is: 'later', afterMs: Math.min(claim.retryAfterMs, longestLookMs) }
      case 'claimed': {
        const { dueAt, ...history } = historyOf(claim.before ?? [], now)
        if (dueAt <= now || evenEarly) return { is: 'begun', held: claim, entry, ...history }
        await this.#store.release(claim)
        return { is: 'later', afterMs: dueAt - now }
      }
    }
  }

  /** Prolongs the lease. @returns false when another has taken over */
  renew({ held }: Begun): Promise<boolean> {
    return this.#store.renew(held, this.#options.leaseMs)
  }

  /** It has an end. @returns false when another has taken over, as do the others */
  complete({ held }: Begun): Promise<boolean> {
    return this.#store.complete(held, { status: 200, headers: {} }, keepMs)
  }

  /** It failed and is to be run again. */
  fail({ held }: Begun, failed: AttemptRecord, afterMs: number): Promise<boolean> {
    return this.#store.release(held, noteOf.failed(failed, this.#options.clock.now() + afterMs))
  }

  /** It is given back, at no cost. @param interrupted  it had begun, so its effects may be there */
  release({ held }: Begun, interrupted: boolean): Promise<boolean> {
    return this.#store.release(held, interrupted ? noteOf.interrupted() : undefined)
  }

  /** It is given up on. The dead letter is there before the end is. */
  async bury(
    begun: Begun,
    event: EventRecord,
    reason: DeadLetterReason,
    failed?: AttemptRecord,
  ): Promise<boolean> {
    if (!(await this.renew(begun))) return false
    const { bot } = begun.entry
    const attempts = failed ? [...begun.history, failed] : begun.history
    const at = this.#options.clock.now()
    await this.#store.bury({ bot, reason, at, event, attempts }, nameOf(begun.entry))
    return this.complete(begun)
  }

  /** Puts down the attempts that were made in the request, before the event is published. */
  async resume(
    event: string,
    { bot, attempts, afterMs }: NonNullable<AcceptOptions['resume']>,
  ): Promise<void> {
    const dueAt = this.#options.clock.now() + afterMs
    for (const failed of attempts) {
      const claim = await this.#claim({ event, bot, generation: '' }, randomUUID(), noteOf.interrupted())
      if (claim.is === 'claimed') await this.#store.release(claim, noteOf.failed(failed, dueAt))
    }
  }

  #claim(entry: InboxEntry, token: string, note: string): ReturnType<CompanionStore['claim']> {
    const trace = { note, keepMs, bot: entry.bot }
    const { leaseMs } = this.#options
    return this.#store.claim(nameOf(entry), '', { leaseMs, timeoutMs: patienceMs, trace, token })
  }
}

const nameOf = ({ event, bot, generation }: InboxEntry): string => keyName('inbox', event, bot, generation)
