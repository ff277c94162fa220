import type {
  AttemptRecord,
  Clock,
  ConsumeOptions,
  Delivery,
  Handle,
  Subscription,
  Verdict,
} from '@trigger-hub/core'
import type { DatabaseThread } from './database-thread.ts'
import { attemptsOf, eventOf } from './event-record.ts'
import type { DeliveryRow, SettleArgs } from './operations/deliveries.ts'
import type { Session } from './session.ts'

export interface ConsumerOptions extends ConsumeOptions {
  readonly thread: DatabaseThread
  readonly session: Session
  readonly clock: Clock
  readonly handle: Handle
  readonly onDrained: () => void
}

interface Running {
  readonly row: DeliveryRow
  readonly delivery: Delivery
}

const settleTimeoutMs = 5_000
const firstRetryMs = 100
const longestRetryMs = 5_000

/** Runs one bot: takes deliveries while there is room, hands them out, carries the verdicts back. */
export class Consumer implements Subscription {
  readonly #bot: string
  readonly #options: ConsumerOptions
  readonly #running = new Map<number, Running>()
  readonly #settling = new Set<Promise<void>>()
  #lost = new AbortController()
  #isTaking = false
  #isWanted = false // something may have come since the last look
  #isStopped = false
  #isRefilling = false
  #retryMs = firstRetryMs
  #cancelTimer: (() => void) | undefined
  #onIdle: (() => void) | undefined

  constructor(bot: string, options: ConsumerOptions) {
    this.#bot = bot
    this.#options = options
  }

  /** There may be something to take. */
  wake(): void {
    this.#isWanted = true
    if (!this.#isTaking && !this.#isStopped && this.#room() > 0) void this.#take()
  }

  /** The session's lease has run out: whoever still runs is told. */
  loseLease(): void {
    this.#running.clear()
    this.#lost.abort()
    this.#lost = new AbortController()
    this.wake()
  }

  async drain(deadlineMs: number): Promise<void> {
    const { clock, onDrained } = this.#options
    if (!this.#isStopped) {
      this.#isStopped = true
      this.#cancelTimer?.()
    }
    await new Promise<void>((resolve) => {
      const cancel = clock.after(deadlineMs, resolve)
      this.#onIdle = () => {
        cancel()
        resolve()
      }
      this.#checkIdle()
    })
    for (const { row, delivery } of [...this.#running.values()]) {
      this.#settle(row, delivery, { is: 'release', interrupted: true })
    }
    this.#lost.abort()
    await Promise.all(this.#settling)
    onDrained()
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
        const taken = await thread.call('takeDeliveries', {
          bot: this.#bot,
          session: id,
          limit: this.#room(),
        })
        this.#retryMs = firstRetryMs
        if (taken.is === 'lost') {
          session.lost(id)
          continue
        }
        if (taken.more) this.#isWanted = true
        for (const row of taken.deliveries) this.#run(row)
        if (taken.nextDueAt !== null) this.#wakeIn(taken.nextDueAt - clock.now())
      }
    } catch (error) {
      this.#isWanted = true
      this.#wakeIn(this.#retryMs)
      this.#retryMs = Math.min(this.#retryMs * 2, longestRetryMs)
      if (!this.#isStopped) onError(error)
    } finally {
      this.#isTaking = false
      this.#checkIdle()
    }
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
    if (this.#isStopped) {
      this.#settle(row, delivery, { is: 'release', interrupted: false }) // taken while it was being drained
      return
    }
    this.#running.set(row.seq, { row, delivery })
    void this.#options.handle(delivery).then((verdict) => {
      this.#refillSoon() // before the verdict, so that both go in one message
      this.#settle(row, delivery, verdict)
    })
  }

  /** Takes more once half of the room is free, with the verdicts of the same turn of the loop. */
  #refillSoon(): void {
    if (this.#isRefilling || !this.#isWanted) return
    this.#isRefilling = true
    setImmediate(() => {
      this.#isRefilling = false
      if (this.#isWanted && this.#room() * 2 >= this.#options.concurrency) this.wake()
    })
  }

  #settle(row: DeliveryRow, delivery: Delivery, verdict: Verdict): void {
    if (this.#running.get(row.seq)?.row === row) this.#running.delete(row.seq)
    const settling: Promise<void> = this.#options.thread
      .call('settle', settleArgs(row, delivery, verdict), settleTimeoutMs)
      .catch(() => 'unknown' as const)
      .then((outcome) => {
        this.#settling.delete(settling)
        this.#options.onSettled(delivery, outcome, verdict)
        this.#checkIdle()
      })
    this.#settling.add(settling)
  }

  #checkIdle(): void {
    if (this.#isStopped && !this.#isTaking && this.#running.size === 0) this.#onIdle?.()
  }
}

function settleArgs(row: DeliveryRow, { bot, history }: Delivery, verdict: Verdict): SettleArgs {
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
