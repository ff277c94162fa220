import type { BotReport, ConsumeOptions, Handle, Subscription } from '../ports/driver.ts'
import { pattern, type Pattern } from '../pure/pattern.ts'
import type { Clock } from '../words/clock.ts'
import type { AttemptRecord, DeadLetterReason, Delivery, Verdict } from '../words/delivery.ts'
import type { EventRecord } from '../words/event.ts'

/** A delivery that nobody runs at the moment. */
export type Work = Omit<Delivery, 'lost'>

/** Keeps a delivery that was given up on. */
export type Bury = (work: Work, reason: DeadLetterReason, attempts: readonly AttemptRecord[]) => void

interface Run {
  readonly work: Work
  readonly lost: AbortController
}

interface Consumer extends ConsumeOptions {
  readonly handle: Handle
  /** What runs, and when each run has ended. A run that is no longer here has lost its delivery. */
  readonly runs: Map<Run, Promise<void>>
}

/** One bot: what it wants, what waits for it, and who works for it. */
export class Queue {
  readonly name: string
  readonly #clock: Clock
  readonly #bury: Bury
  readonly #ready: Work[] = []
  /** Deliveries between two attempts, each with what cancels its wait. */
  readonly #waiting = new Map<Work, () => void>()
  readonly #consumers = new Set<Consumer>()
  #patterns: readonly Pattern[] = []
  #retired = false
  #handing: NodeJS.Immediate | undefined

  constructor(name: string, clock: Clock, bury: Bury) {
    this.name = name
    this.#clock = clock
    this.#bury = bury
  }

  want(on: readonly string[]): void {
    this.#patterns = on.map(pattern)
  }

  wants({ source, type }: EventRecord): boolean {
    return this.#patterns.some((wanted) => wanted.matches(source, type))
  }

  /** Behind everything that came before. */
  put(work: Work): void {
    this.#ready.push(work)
    this.#wake()
  }

  /** In front: what is due or was given back has waited already. */
  putFirst(work: Work): void {
    if (this.#retired) return this.#bury(work, 'retired', work.history)
    this.#ready.unshift(work)
    this.#wake()
  }

  putLater(work: Work, afterMs: number): void {
    if (this.#retired) return this.#bury(work, 'retired', work.history)
    const due = (): void => {
      this.#waiting.delete(work)
      this.putFirst(work)
    }
    this.#waiting.set(work, this.#clock.after(afterMs, due))
  }

  consume(options: ConsumeOptions, handle: Handle): Subscription {
    const consumer: Consumer = { ...options, handle, runs: new Map() }
    this.#consumers.add(consumer)
    this.#wake()
    return { drain: (deadlineMs) => this.#drain(consumer, deadlineMs) }
  }

  retire(): void {
    this.#retired = true
    for (const work of [...this.#ready.splice(0), ...this.#cancelWaits()]) {
      this.#bury(work, 'retired', work.history)
    }
  }

  /** Takes back what runs; nothing is handed out any more. */
  close(): void {
    this.#cancelWaits()
    for (const consumer of this.#consumers) {
      this.#consumers.delete(consumer)
      this.#takeBack(consumer)
    }
  }

  report(): Omit<BotReport, 'deadLetters'> {
    return {
      name: this.name,
      on: this.#patterns.map(({ text }) => text),
      backlog: this.#ready.length,
      waiting: this.#waiting.size,
      running: [...this.#consumers].reduce((sum, { runs }) => sum + runs.size, 0),
    }
  }

  #cancelWaits(): Work[] {
    const works = [...this.#waiting.keys()]
    for (const cancel of this.#waiting.values()) cancel()
    this.#waiting.clear()
    return works
  }

  /** In the next turn of the loop: `accept` resolves before a handler runs, and a backlog leaves room for the rest. */
  #wake(): void {
    this.#handing ??= setImmediate(() => {
      this.#handing = undefined
      this.#handOut()
    })
  }

  #handOut(): void {
    for (const consumer of this.#consumers) {
      while (consumer.runs.size < consumer.concurrency) {
        const work = this.#ready.shift()
        if (!work) return
        const run: Run = { work, lost: new AbortController() }
        consumer.runs.set(run, this.#run(consumer, run))
      }
    }
  }

  async #run(consumer: Consumer, run: Run): Promise<void> {
    const delivery: Delivery = { ...run.work, lost: run.lost.signal }
    const verdict = await consumer.handle(delivery)
    const held = consumer.runs.delete(run)
    if (held) this.#settle(run.work, verdict)
    consumer.onSettled(delivery, held ? 'settled' : 'fenced', verdict)
    this.#wake()
  }

  #settle(work: Work, verdict: Verdict): void {
    switch (verdict.is) {
      case 'done':
        return
      case 'retry': {
        const history = [...work.history, verdict.failed]
        return this.putLater({ ...work, history, attempt: work.attempt + 1 }, verdict.afterMs)
      }
      case 'dead-letter': {
        const attempts = verdict.failed ? [...work.history, verdict.failed] : work.history
        return this.#bury(work, verdict.reason, attempts)
      }
      case 'release':
        return this.putFirst({ ...work, redelivered: work.redelivered || verdict.interrupted })
    }
  }

  async #drain(consumer: Consumer, deadlineMs: number): Promise<void> {
    this.#consumers.delete(consumer)
    let cancel = (): void => undefined
    const deadline = new Promise<void>((resolve) => (cancel = this.#clock.after(deadlineMs, resolve)))
    await Promise.race([deadline, Promise.all(consumer.runs.values())])
    cancel()
    this.#takeBack(consumer)
  }

  #takeBack(consumer: Consumer): void {
    for (const run of consumer.runs.keys()) {
      consumer.runs.delete(run)
      run.lost.abort()
      this.#settle(run.work, { is: 'release', interrupted: true })
    }
  }
}
