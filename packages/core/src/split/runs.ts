import { randomUUID } from 'node:crypto'
import type { ConsumeOptions, Handle, Settled, Subscription } from '../ports/driver.ts'
import { keepLease, type KeptLease } from '../pure/keep-lease.ts'
import type { Clock } from '../words/clock.ts'
import type { Delivery, Verdict } from '../words/delivery.ts'
import type { EventRecord } from '../words/event.ts'
import type { Beginning, Begun, Inbox, InboxEntry } from './inbox.ts'

/**
 * One message as a broker has handed it out. A call that rejects, or is never made, means that the broker will hand it out
 * once more; the inbox knows what happened to it.
 */
export interface Message {
  readonly event: EventRecord
  /** As in `InboxEntry`. */
  readonly generation: string
  /** It is dealt with. */
  ack(): Promise<void>
  /** Hands it out again after at least `ms`: durable before the message is acked. */
  defer(ms: number): Promise<void>
  /** Hands it out again, to somebody else if there is one. */
  giveBack(): Promise<void>
}

/** What runs need beside the bot; `leaseMs` as in `InboxOptions`. */
export interface RunsOptions extends Omit<ConsumeOptions, 'concurrency'> {
  readonly inbox: Inbox
  readonly clock: Clock
  readonly leaseMs: number
  readonly handle: Handle
}

/** When the store was asked, by the monotonic clock. */
interface Asked {
  readonly askedAt: number
}

interface Run {
  readonly begun: Begun
  readonly message: Message
  readonly lost: AbortController
  readonly lease: KeptLease
}

const firstRetryMs = 100
const longestRetryMs = 2_000

/** Runs the messages of one bot in one process: each through the inbox, to the bot, and its verdict back. */
export class Runs implements Subscription {
  readonly #bot: string
  readonly #options: RunsOptions
  readonly #running = new Set<Run>()
  /** Messages that are being taken, run or settled. */
  readonly #open = new Set<Promise<void>>()
  #isStopped = false
  /** The drain is at its end: nothing waits for the store any more. */
  #isOver = false

  constructor(bot: string, options: RunsOptions) {
    this.#bot = bot
    this.#options = options
  }

  /** Resolves, never rejects, when the message is dealt with and there is room for another one. */
  take(message: Message): Promise<void> {
    const taken = this.#take(message).finally(() => this.#open.delete(taken))
    this.#open.add(taken)
    return taken
  }

  /** To be called when no more messages are taken. */
  async drain(deadlineMs: number): Promise<void> {
    this.#isStopped = true
    let cancel = (): void => undefined
    const deadline = new Promise<void>((resolve) => (cancel = this.#options.clock.after(deadlineMs, resolve)))
    await Promise.race([deadline, this.#settled()])
    cancel()
    this.#isOver = true
    const left = [...this.#running]
    this.#running.clear()
    await Promise.all(left.map((run) => this.#giveBack(run)))
  }

  async #settled(): Promise<void> {
    while (this.#open.size > 0) await Promise.all(this.#open)
  }

  async #take(message: Message): Promise<void> {
    const entry = { event: message.event.id, bot: this.#bot, generation: message.generation }
    const beginning = await this.#begin(entry)
    if (!beginning) return told(message.giveBack())
    switch (beginning.is) {
      case 'settled':
        return told(message.ack())
      case 'later':
        return told(message.defer(beginning.afterMs))
      case 'begun':
        return this.#isStopped ? this.#carryOut(beginning, message, given) : this.#run(beginning, message)
    }
  }

  /** Waits for a store that is out of reach. @returns undefined when the runs are to end */
  async #begin(entry: InboxEntry): Promise<(Beginning & Asked) | undefined> {
    const { inbox, clock, onError } = this.#options
    const token = randomUUID()
    for (let waitMs = firstRetryMs; !this.#isStopped; waitMs = Math.min(waitMs * 2, longestRetryMs)) {
      const askedAt = clock.monotonicMs()
      try {
        return { ...(await inbox.begin(entry, token)), askedAt }
      } catch (error) {
        onError(error)
        await this.#waited(waitMs)
      }
    }
    return undefined
  }

  async #run(begun: Begun & Asked, message: Message): Promise<void> {
    const { inbox, clock, leaseMs, handle, onSettled } = this.#options
    const lost = new AbortController()
    const lease = keepLease({
      ...{ leaseMs, clock, askedAt: begun.askedAt },
      renew: () => inbox.renew(begun),
      onLost: () => lost.abort(),
    })
    if (!lease.isLive) {
      lease.stop()
      return this.#carryOut(begun, message, given) // this process was stopped while the answer was on its way
    }
    const run: Run = { begun, message, lost, lease }
    this.#running.add(run)
    const { event } = message
    const { attempt, history, redelivered } = begun
    const delivery: Delivery = {
      id: `${event.id}.${this.#bot}`,
      bot: this.#bot,
      ...{ event, attempt, history, redelivered },
      lost: lost.signal,
    }
    const verdict = await handle(delivery)
    if (!this.#running.delete(run)) return onSettled(delivery, 'fenced', verdict) // it was given back
    await this.#carryOut(begun, message, verdict, (outcome) => onSettled(delivery, outcome, verdict))
    lease.stop()
  }

  async #giveBack({ begun, message, lost, lease }: Run): Promise<void> {
    lease.stop()
    lost.abort()
    await this.#carryOut(begun, message, { is: 'release', interrupted: true })
  }

  /** First the inbox, then the broker: what is settled there is known when the broker hands the message out again. */
  async #carryOut(
    begun: Begun,
    message: Message,
    verdict: Verdict,
    onSettled: (outcome: Settled) => void = () => undefined,
  ): Promise<void> {
    const outcome = await this.#settle(begun, message, verdict)
    onSettled(outcome)
    if (outcome === 'unknown') return told(message.giveBack())
    if (outcome === 'fenced') return told(message.defer(0)) // a copy, perhaps, whose original is still on its way
    if (verdict.is === 'release') return told(message.giveBack())
    return told(verdict.is === 'retry' ? message.defer(verdict.afterMs) : message.ack())
  }

  /** Goes on until the store has answered. Whether an earlier try was carried out is not known when a later one is refused. */
  async #settle(begun: Begun, { event }: Message, verdict: Verdict): Promise<Settled> {
    for (let isFirst = true; ; isFirst = false) {
      try {
        if (await this.#note(begun, event, verdict)) return 'settled'
        return isFirst ? 'fenced' : 'unknown'
      } catch (error) {
        this.#options.onError(error)
        if (this.#isOver) return 'unknown'
        await this.#waited(firstRetryMs)
      }
    }
  }

  #note(begun: Begun, event: EventRecord, verdict: Verdict): Promise<boolean> {
    const { inbox } = this.#options
    switch (verdict.is) {
      case 'done':
        return inbox.complete(begun)
      case 'retry':
        return inbox.fail(begun, verdict.failed, verdict.afterMs)
      case 'dead-letter':
        return inbox.bury(begun, event, verdict.reason, verdict.failed)
      case 'release':
        return inbox.release(begun, verdict.interrupted)
    }
  }

  #waited(ms: number): Promise<void> {
    return new Promise((resolve) => this.#options.clock.after(ms, resolve))
  }
}

/** A delivery that was taken and not begun. */
const given: Verdict = { is: 'release', interrupted: false }

/** A broker that could not be told hands the message out again, and the inbox then tells what it is. */
const told = (telling: Promise<void>): Promise<void> => telling.catch(() => undefined)
