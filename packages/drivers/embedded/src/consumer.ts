import type {
  AttemptRecord,
  Clock,
  ConsumeOptions,
  Delivery,
  Handle,
  Session,
  Subscription,
  Verdict,
} from '@trigger-hub/core'
import type { DatabaseThread } from './database-thread.ts'
import { attemptsOf, eventOf } from './event-record.ts'
import type { DeliveryRow, SettleArgs } from './operations/deliveries.ts'

export interface ConsumerOptions extends ConsumeOptions {
  readonly thread: DatabaseThread
  readonly session: Session
  readonly clock: Clock
  readonly handle: Handle
  readonly onDrained: () => void
}

const firstRetryMs = 100
const longestRetryMs = 5_000

/** Runs one bot: takes deliveries while there is room, hands them out, carries the verdicts back. */
export class Consumer implements Subscription {
  readonly #bot: string
  readonly #options: ConsumerOptions
  readonly #running = new Map<number, DeliveryRow>()
  readonly #settling = new Set<Promise<void>>()
  #lost = new AbortController()
  #isTaking = false
  #isWanted = false // something may have come since the last look
  #isStopped = false
  #isRefilling = false
  #isUnsure = false // an answer was lost, so the file may hold for running what this consumer does not run
  #retryMs = firstRetryMs
  #cancelTimer: (() => void) | undefined
  #onIdle: (() => void)[] = []

  constructor(bot: string, options: ConsumerOptions) {
    this.#bot = bot
    this.#options = options
  }

  /** There may be something to take. */
  wake(): void {
    this.#isWanted = true
    if (!this.#isTaking && !this.#isStopped && this.#room() > 0) void this.#take()
  }

  /** The session's lease has run out: whoever still runs is told, and whether a verdict counts is for the file to say. */
  loseLease(): void {
    this.#running.clear()
    this.#lost.abort()
    this.#lost = new AbortController()
    this.wake()
  }

  async drain(deadlineMs: number): Promise<void> {
    this.#isStopped = true
    this.#cancelTimer?.()
    await this.#idleOr(deadlineMs)
    for (const row of this.#running.values()) this.#giveBack(row, true)
    this.#running.clear()
    this.#lost.abort()
    await Promise.all(this.#settling)
    this.#options.onDrained()
  }

  #idleOr(deadlineMs: number): Promise<void> {
    if (deadlineMs <= 0) return Promise.resolve()
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(deadlineMs, resolve)
      this.#onIdle.push(() => {
        cancel()
        resolve()
      })
      this.#checkIdle()
    })
  }

  #room(): number {
    return this.#options.concurrency - this.#running.size
  }

  async #take(): Promise<void> {
    const { thread, session, clock, onError } = this.#options
    this.#isTaking = true
    this.#cancelTimer?.()
    try {
      while (this.#isWanted && !this.#isStopped && this.#room() > 0) {
        this.#isWanted = false
        const id = await session.id()
        const running = this.#isUnsure ? [...this.#running.keys()] : null
        this.#isUnsure = false
        const taken = await thread.call('takeDeliveries', {
          bot: this.#bot,
          session: id,
          limit: this.#room(),
          running,
        })
        if (!running) this.#retryMs = firstRetryMs
        if (taken.is === 'lost') {
          session.lost(id)
          continue
        }
        if (!session.isLive(id)) session.lost(id) // this process was stopped while the answer was on its way
        if (taken.more) this.#isWanted = true
        for (const row of taken.deliveries) {
          if (this.#isStopped || !session.isLive(id)) this.#giveBack(row, false)
          else this.#run(row)
        }
        if (taken.nextDueAt !== null) this.#wakeIn(taken.nextDueAt - clock.now())
      }
    } catch (error) {
      this.#lookAgain()
      if (!this.#isStopped) onError(error)
    } finally {
      this.#isTaking = false
      this.#checkIdle()
    }
  }

  /** After a while, and at what the file has this consumer run: what became of a call is not known. */
  #lookAgain(): void {
    this.#isUnsure = this.#isWanted = true
    this.#wakeIn(this.#retryMs)
    this.#retryMs = Math.min(this.#retryMs * 2, longestRetryMs)
  }

  #wakeIn(ms: number): void {
    this.#cancelTimer?.()
    if (!this.#isStopped) this.#cancelTimer = this.#options.clock.after(Math.max(ms, 0), () => this.wake())
  }

  #run(row: DeliveryRow): void {
    const delivery: Delivery = {
      id: `${row.id}.${this.#bot}`,
      bot: this.#bot,
      event: eventOf(row),
      attempt: row.attempt,
      history: attemptsOf(row.history),
      redelivered: row.interrupted === 1,
      lost: this.#lost.signal,
    }
    this.#running.set(row.seq, row)
    void this.#options.handle(delivery).then((verdict) => {
      this.#refillSoon() // before the verdict, so that both go in one message
      this.#settle(row, delivery, verdict)
    })
  }

  /** Takes more for all the room that this turn of the loop makes, in one message with its verdicts. */
  #refillSoon(): void {
    if (this.#isRefilling || !this.#isWanted) return
    this.#isRefilling = true
    setImmediate(() => {
      this.#isRefilling = false
      if (this.#isWanted) this.wake()
    })
  }

  #settle(row: DeliveryRow, delivery: Delivery, verdict: Verdict): void {
    if (this.#running.get(row.seq) === row) this.#running.delete(row.seq)
    this.#track(
      this.#options.thread
        .call('settle', settleArgs(row, this.#bot, verdict, delivery.history))
        .catch(() => {
          this.#lookAgain()
          return 'unknown' as const
        })
        .then((outcome) => this.#options.onSettled(delivery, outcome, verdict)),
    )
  }

  #giveBack(row: DeliveryRow, interrupted: boolean): void {
    const args = settleArgs(row, this.#bot, { is: 'release', interrupted })
    // if it fails, the end of the session or of its lease gives it back
    this.#track(this.#options.thread.call('settle', args).catch(() => undefined))
  }

  #track(settling: Promise<unknown>): void {
    const tracked = settling.then(() => {
      this.#settling.delete(tracked)
      this.#checkIdle()
    })
    this.#settling.add(tracked)
  }

  #checkIdle(): void {
    if (this.#isTaking || this.#running.size > 0) return
    for (const resolve of this.#onIdle.splice(0)) resolve()
  }
}

function settleArgs(
  row: DeliveryRow,
  bot: string,
  verdict: Verdict,
  history: readonly AttemptRecord[] = [],
): SettleArgs {
  const of = { event: row.seq, eventId: row.id, bot, generation: row.generation }
  const historyWith = (failed: AttemptRecord | undefined): string =>
    failed ? JSON.stringify([...history, failed]) : row.history
  switch (verdict.is) {
    case 'retry':
      return {
        ...of,
        verdict: { is: 'retry', afterMs: verdict.afterMs, history: historyWith(verdict.failed) },
      }
    case 'dead-letter':
      return {
        ...of,
        verdict: { is: 'dead-letter', reason: verdict.reason, history: historyWith(verdict.failed) },
      }
    case 'done':
    case 'release':
      return { ...of, verdict }
  }
}
