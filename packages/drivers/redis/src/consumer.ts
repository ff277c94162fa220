import type {
  Clock,
  ConsumeOptions,
  Delivery,
  Handle,
  Session,
  Settled,
  Subscription,
  Verdict,
} from '@trigger-hub/core'
import type { Connection } from './connection.ts'
import { eventOf, historyOf } from './event-record.ts'
import { Listener, type Ends } from './listener.ts'
import { patienceMs } from './registry.ts'
import { takeScript } from './scripts/deliveries.ts'
import type { Settlement, Settling } from './settling.ts'

export interface ConsumerOptions extends ConsumeOptions {
  readonly connection: Connection
  readonly session: Session
  readonly settling: Settling
  readonly clock: Clock
  readonly handle: Handle
  /** A number greater than all before, for this process. */
  readonly nextTurn: () => number
  readonly onDrained: () => void
}

/** A delivery that was handed out here, and under which lease. */
interface Run extends Settlement {
  readonly delivery: Delivery
}

interface Taken extends Ends {
  readonly more: boolean
}

const firstRetryMs = 100
const longestRetryMs = 2_000

/** Runs one bot: takes deliveries while there is room, hands them out, carries the verdicts back. */
export class Consumer implements Subscription {
  readonly #bot: string
  readonly #options: ConsumerOptions
  readonly #listener: Listener
  readonly #running = new Set<Run>()
  readonly #settling = new Set<Promise<void>>()
  #lost = new AbortController()
  /** The last turn whose answer has arrived: what was handed out after it never got here. */
  #arrived: number
  #isStopped = false
  #retryMs = firstRetryMs
  /** Ends a wait for room, or before the next try. */
  #wake: () => void = () => undefined
  #onIdle: (() => void)[] = []
  readonly #work: Promise<void>

  constructor(bot: string, options: ConsumerOptions) {
    this.#bot = bot
    this.#options = options
    this.#listener = new Listener(options.connection, bot)
    this.#arrived = options.nextTurn()
    this.#work = this.#takeAndRun()
  }

  /** The session's lease has run out: whoever still runs is told, and whether a verdict counts is for the server to say. */
  loseLease(): void {
    this.#running.clear()
    this.#lost.abort()
    this.#lost = new AbortController()
    this.#wake()
  }

  async drain(deadlineMs: number): Promise<void> {
    this.#stop()
    await this.#work
    await this.#idleOr(deadlineMs)
    for (const run of this.#running) this.#settle(run, { is: 'release', interrupted: true })
    this.#running.clear()
    this.#lost.abort()
    await Promise.all(this.#settling)
    this.#options.onDrained()
  }

  #stop(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#listener.end()
    this.#wake()
  }

  async #takeAndRun(): Promise<void> {
    while (!this.#isStopped) {
      try {
        if (this.#room() === 0) {
          await this.#pause()
          continue
        }
        const taken = await this.#take()
        this.#retryMs = firstRetryMs
        if (taken && !taken.more && this.#room() > 0 && !this.#isStopped) await this.#listener.wait(taken)
      } catch (error) {
        if (this.#isStopped) return
        this.#options.onError(error)
        await this.#pause(this.#retryMs)
        this.#retryMs = Math.min(this.#retryMs * 2, longestRetryMs)
      }
    }
  }

  #room(): number {
    return this.#options.concurrency - this.#running.size
  }

  /** Until there is room, or the time is over. */
  #pause(ms?: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = ms === undefined ? undefined : this.#options.clock.after(ms, resolve)
      this.#wake = () => {
        cancel?.()
        resolve()
      }
    })
  }

  /** @returns undefined when there is to be another look at once */
  async #take(): Promise<Taken | undefined> {
    const { connection, session, nextTurn, onError } = this.#options
    const id = await session.id()
    const turn = nextTurn()
    const args = [id, this.#bot, this.#room(), turn, this.#arrived]
    const answer = (await connection.run(takeScript, args, patienceMs)) as [
      Buffer,
      Buffer[][],
      ...(Buffer | number)[],
    ]
    const [is, deliveries, more, untilDueMs, stream, bell, gone] = answer
    if (String(is) === 'lost') session.lost(id)
    if (String(is) !== 'taken') return undefined
    this.#arrived = turn
    if (!session.isLive(id)) session.lost(id) // this process was stopped while the answer was on its way
    for (const fields of deliveries) {
      const run = this.#runOf(fields, id, turn)
      if (this.#isStopped || !session.isLive(id)) this.#settle(run, { is: 'release', interrupted: false })
      else this.#run(run)
    }
    if (Number(gone) > 0) onError(evicted(Number(gone)))
    return {
      more: more === 1,
      untilDueMs: Number(untilDueMs),
      stream: String(stream),
      bell: String(bell),
    }
  }

  #runOf(fields: readonly Buffer[], session: string, turn: number): Run {
    const [event, attempt, interrupted, history, record] = fields as [Buffer, Buffer, Buffer, Buffer, Buffer]
    const delivery: Delivery = {
      id: `${String(event)}.${this.#bot}`,
      bot: this.#bot,
      event: eventOf(record),
      attempt: Number(attempt),
      history: historyOf(history),
      redelivered: String(interrupted) === '1',
      lost: this.#lost.signal,
    }
    return { delivery, session, bot: this.#bot, event: String(event), turn, history: delivery.history }
  }

  #run(run: Run): void {
    this.#running.add(run)
    void this.#options.handle(run.delivery).then((verdict) => {
      if (this.#running.delete(run)) setImmediate(() => this.#wake()) // for all the room that this turn makes
      this.#settle(run, verdict, (outcome) => this.#options.onSettled(run.delivery, outcome, verdict))
      this.#checkIdle()
    })
  }

  /** If it fails for good, the end of the session or of its lease gives the delivery back. */
  #settle(run: Run, verdict: Verdict, onSettled: (outcome: Settled) => void = () => undefined): void {
    const isOver = (): boolean => this.#isStopped || run.delivery.lost.aborted
    this.#track(this.#options.settling.settle(run, verdict, isOver).then(onSettled))
  }

  #track(task: Promise<unknown>): void {
    const tracked = task.then(() => void this.#settling.delete(tracked))
    this.#settling.add(tracked)
  }

  #idleOr(deadlineMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(deadlineMs, resolve)
      this.#onIdle.push(() => {
        cancel()
        resolve()
      })
      this.#checkIdle()
    })
  }

  #checkIdle(): void {
    if (this.#running.size > 0) return
    for (const resolve of this.#onIdle.splice(0)) resolve()
  }
}

const evicted = (count: number): Error =>
  new Error(
    `${count} events are not on the server any more; set its maxmemory-policy to noeviction, and let nobody else delete keys of the prefix.`,
  )
