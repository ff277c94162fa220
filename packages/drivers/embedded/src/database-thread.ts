import { Worker } from 'node:worker_threads'
import { DriverUnavailableError, SetupError, systemClock, WebhookError, type Clock } from '@trigger-hub/core'
import type { News, Order } from './group-commit.ts'
import type { ArgsOf, OperationName, ResultOf } from './operations/index.ts'
import { preparePlace, type Warning } from './place.ts'
import type { Said } from './thread.ts'

interface Waiting {
  readonly until: number
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
}

export interface DatabaseThreadOptions {
  readonly path: string
  readonly clock: Clock
  /** These bots may find something new; all of them when none is named. */
  readonly onWoken: (bots?: readonly string[]) => void
  /** The file is open; again after it was opened anew. */
  readonly onOpened: () => void
}

const deadlineCheckMs = 20
const name = 'embedded'

/**
 * The file, seen from the main thread. Calls of one turn of the event loop leave as one message and come back as one.
 * The thread starts with the first call and keeps the process alive only while somebody waits or consumes.
 */
export class DatabaseThread {
  readonly #options: DatabaseThreadOptions
  readonly #waiting = new Map<number, Waiting>()
  #queue: Order[] = []
  #flushing = false
  #n = 0
  #worker: Worker | undefined
  #starting: Promise<void> | undefined
  #closed: Promise<void> | undefined
  #isWatching = false
  #deadlines: NodeJS.Timeout | undefined
  #onClosed: (() => void) | undefined
  /** Known once the file is open. */
  opened:
    { readonly engine: string; readonly version: string; readonly warnings: readonly Warning[] } | undefined

  constructor(options: DatabaseThreadOptions) {
    this.#options = options
  }

  /**
   * One atomic step on the file.
   * @throws DriverUnavailableError when there is no answer within `timeoutMs`; what became of the step is not known then
   * @throws SetupError `ERR_DRIVER_UNUSABLE` when the file cannot be used as it is
   */
  call<Name extends OperationName>(
    operation: Name,
    args: ArgsOf<Name>,
    timeoutMs = 5_000,
  ): Promise<ResultOf<Name>> {
    return new Promise<unknown>((resolve, reject) => {
      if (this.#closed) return reject(new DriverUnavailableError(name, 'it is closed.'))
      const n = ++this.#n
      const until = systemClock.monotonicMs() + timeoutMs
      this.#waiting.set(n, { until, resolve, reject })
      this.#queue.push({ n, name: operation, args, until })
      // in a turn's end: if this thread was held up, what has come meanwhile is heard first
      this.#deadlines ??= setInterval(() => setImmediate(() => this.#rejectLate()), deadlineCheckMs).unref()
      this.#starting ??= this.#start().catch((error: unknown) => this.#stop(error))
      this.#flushSoon()
    }) as Promise<ResultOf<Name>>
  }

  /** While on, other processes' writes are noticed and the process stays alive. */
  watch(on: boolean): void {
    this.#isWatching = on
    this.#say({ watch: on })
    this.#holdProcess()
  }

  /** Takes no more calls, waits for those under way, closes the file. Safe to call twice, and while opening. */
  close(): Promise<void> {
    return (this.#closed ??= this.#close())
  }

  async #start(): Promise<void> {
    const warnings = await preparePlace(this.#options.path)
    // sources are run as they are by a loader; a build has the thread beside it
    const file = import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.cjs'
    const worker = new Worker(new URL(file, import.meta.url), {
      name: 'trigger-hub-embedded',
      workerData: { path: this.#options.path },
    })
    this.#worker = worker
    worker.on('message', (news: News) => this.#hear(news, warnings))
    worker.on('error', (error) => this.#stop(unavailable('its thread failed', error)))
    worker.on('exit', () => {
      if (this.#worker === worker) this.#stop(unavailable('its thread has ended'))
    })
    if (this.#isWatching) this.#say({ watch: true })
    this.#holdProcess()
    this.#flushSoon()
  }

  /** Everybody who waits is told; the next call starts afresh. */
  #stop(error: unknown): void {
    void this.#worker?.terminate()
    this.#worker = undefined
    this.#starting = undefined
    this.opened = undefined
    this.#queue = []
    for (const { reject } of [...this.#waiting.values()]) reject(error)
    this.#waiting.clear()
    this.#afterAnswers()
    this.#onClosed?.()
  }

  async #close(): Promise<void> {
    await this.#starting
    while (this.#waiting.size > 0) await new Promise((resume) => setTimeout(resume, 5))
    const worker = this.#worker
    if (!worker) return
    worker.ref()
    await new Promise<void>((resolve) => {
      this.#onClosed = resolve
      setTimeout(resolve, 5_000).unref()
      this.#say({ close: true })
    })
    this.#worker = undefined
    await worker.terminate()
  }

  #hear(news: News, warnings: readonly Warning[]): void {
    switch (news.is) {
      case 'opened':
        this.opened = { ...news, warnings }
        this.#options.onOpened()
        this.#options.onWoken()
        break
      case 'refused':
        this.#stop(new SetupError('ERR_DRIVER_UNUSABLE', news.message))
        break
      case 'changed':
        this.#options.onWoken()
        break
      case 'closed':
        this.#onClosed?.()
        break
      case 'answers':
        for (const answer of news.answers) {
          const waiting = this.#waiting.get(answer.n)
          if (!waiting) continue // it was late
          this.#waiting.delete(answer.n)
          if ('result' in answer) waiting.resolve(answer.result)
          else waiting.reject(unavailable(answer.message))
        }
        this.#afterAnswers()
        if (news.woken.length > 0) this.#options.onWoken(news.woken)
        break
    }
  }

  #flushSoon(): void {
    if (this.#flushing || !this.#worker) return
    this.#flushing = true
    this.#holdProcess()
    setImmediate(() => {
      this.#flushing = false
      this.#flush()
    })
  }

  #flush(): void {
    if (this.#queue.length === 0) return
    const { clock } = this.#options
    const times = { now: clock.now(), monotonicMs: clock.monotonicMs() }
    const orders = this.#queue
    this.#queue = []
    const bodies = gathered(orders)
    try {
      this.#worker?.postMessage({ orders, ...times } satisfies Said, [bodies])
    } catch (error) {
      // something in one of them cannot be copied to a thread; the others must not suffer
      for (const order of orders) this.#flushAlone(order, times, error)
    }
  }

  #flushAlone(order: Order, times: { now: number; monotonicMs: number }, first: unknown): void {
    const bodies = gathered([order])
    try {
      this.#worker?.postMessage({ orders: [order], ...times } satisfies Said, [bodies])
    } catch {
      this.#waiting.get(order.n)?.reject(unavailable('it cannot store what it was given', first))
      this.#waiting.delete(order.n)
      this.#afterAnswers()
    }
  }

  #say(said: Said): void {
    this.#worker?.postMessage(said)
  }

  #rejectLate(): void {
    const now = systemClock.monotonicMs()
    for (const [n, { until, reject }] of this.#waiting) {
      // the thread refuses by itself at the deadline and knows the reason
      if (until + deadlineCheckMs > now) continue
      this.#waiting.delete(n)
      reject(unavailable('there was no answer in time'))
    }
    this.#afterAnswers()
  }

  #afterAnswers(): void {
    if (this.#waiting.size > 0) return
    clearInterval(this.#deadlines)
    this.#deadlines = undefined
    this.#holdProcess()
  }

  #holdProcess(): void {
    if (this.#waiting.size > 0 || this.#isWatching) this.#worker?.ref()
    else this.#worker?.unref()
  }
}

/** Moves the bodies into one fresh buffer, which goes to the thread: cloning a slice of a pool would copy the pool. */
function gathered(orders: readonly Order[]): ArrayBuffer {
  const all = orders.map(({ args }) => args as { body?: Uint8Array | null })
  const bytes = new Uint8Array(all.reduce((size, { body }) => size + (body?.byteLength ?? 0), 0))
  let at = 0
  for (const args of all) {
    if (!args.body) continue
    bytes.set(args.body, at)
    args.body = bytes.subarray(at, (at += args.body.byteLength))
  }
  return bytes.buffer
}

const unavailable = (message: string, cause?: unknown): DriverUnavailableError | WebhookError =>
  new DriverUnavailableError(name, `${message}.`, cause === undefined ? {} : { cause })
