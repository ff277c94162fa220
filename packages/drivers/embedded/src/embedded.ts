import { join, resolve } from 'node:path'
import {
  clockOf,
  knownOptions,
  milliseconds,
  Session,
  textOf,
  type AcceptOptions,
  type Accepted,
  type BotDeclaration,
  type BotReport,
  type Clock,
  type CompanionStore,
  type ConsumeOptions,
  type DeadLetter,
  type DeadLetterFilter,
  type DeadLetterPage,
  type DeadLetters,
  type Driver,
  type Duration,
  type EventRecord,
  type Handle,
  type Report,
  type Subscription,
} from '@trigger-hub/core'
import { Consumer } from './consumer.ts'
import { DatabaseThread } from './database-thread.ts'
import { argsOf, deadLetterOf } from './event-record.ts'
import type { Slice, DeadLetterRange } from './operations/dead-letters.ts'
import { EmbeddedStore } from './store.ts'

export interface EmbeddedOptions {
  /** The file; its folder is made. Default `.trigger-hub/hub.db` in the working directory. */
  path?: string
  /** How long settled and unmatched events are kept; 0 is not at all. Default `'24h'`. */
  retention?: Duration
  /** How long after its last sign of life a process's deliveries go to another one, 100 ms to 1 h. Default `'10s'`. */
  lease?: Duration
  /** For tests. */
  clock?: Clock
}

const mb = 1_024 ** 2
const sweepEveryMs = 5_000
const sweepPauseMs = 20

/**
 * The durable driver and store in one SQLite file, without a server. Any number of processes of one machine share it.
 * Making one touches nothing; the file is opened with the first call.
 * @throws SetupError `ERR_OPTION_INVALID`, `ERR_OPTION_UNKNOWN`
 */
export function embedded(options: EmbeddedOptions = {}): Driver & CompanionStore {
  return new EmbeddedDriver(options)
}

class EmbeddedDriver extends EmbeddedStore implements Driver, CompanionStore {
  readonly name = 'embedded'
  readonly capabilities = { durability: 'disk', reach: 'machine', maxEventBytes: 64 * mb } as const
  readonly #path: string
  readonly #clock: Clock
  readonly #retentionMs: number
  readonly #thread: DatabaseThread
  readonly #session: Session
  readonly #consumers = new Map<string, Consumer>()
  #sweptTo = 0
  #cancelSweep: (() => void) | undefined
  #closed: Promise<void> | undefined

  constructor(options: EmbeddedOptions) {
    knownOptions('embedded()', options, ['path', 'retention', 'lease', 'clock'])
    const { path: file = join('.trigger-hub', 'hub.db'), retention = '24h', lease = '10s' } = options
    const path = resolve(textOf('path', file, /./s, 'the path of a file'))
    const clock = clockOf(options.clock)
    const retentionMs = milliseconds(retention, 'retention')
    const leaseMs = milliseconds(lease, 'lease', ['100ms', '1h'])
    const thread = new DatabaseThread({
      path,
      clock,
      onWoken: (bots) => this.#wake(bots),
      onOpened: () => {
        if (!this.#cancelSweep) this.#sweepLater(sweepEveryMs)
      },
    })
    super(thread)
    this.#path = path
    this.#clock = clock
    this.#retentionMs = retentionMs
    this.#thread = thread
    this.#session = new Session({
      clock,
      leaseMs,
      renew: (session, begin) => thread.call('renewSession', { session, leaseMs, pid: process.pid, begin }),
      end: (session) => thread.call('endSession', { session }),
      onLost: () => {
        for (const consumer of this.#consumers.values()) consumer.loseLease()
      },
    })
  }

  async declare(bots: readonly BotDeclaration[]): Promise<void> {
    await this.#thread.call('declareBots', { bots: bots.map(({ name, on }) => ({ name, on: [...on] })) })
  }

  async retire(bot: string): Promise<void> {
    while (await this.#thread.call('retireBot', { bot })) {
      // a slice at a time, so that accepts get their turn
    }
  }

  async inspect(): Promise<Report> {
    const { bots, last, unmatched, quarantined } = await this.#thread.call('standing', {})
    const { engine, version, warnings } = this.#thread.opened ?? { engine: '', version: '', warnings: [] }
    const reports: BotReport[] = []
    for (const { cursor, ...bot } of bots) {
      let backlog = 0
      for (let after: number | null = cursor; after !== null && after < last;) {
        const part: { count: number; next: number | null } = await this.#thread.call('countBacklog', {
          bot: bot.name,
          after,
          until: last,
        })
        backlog += part.count
        after = part.next
      }
      reports.push({ ...bot, on: [...bot.on], backlog })
    }
    return {
      summary: `embedded: ${this.#path} (SQLite ${version}, ${engine}); every accepted event is on this machine's disk before the answer.`,
      warnings,
      bots: reports,
      unmatched,
      quarantined,
    }
  }

  async accept(event: EventRecord, options: AcceptOptions): Promise<Accepted> {
    const { resume } = options
    const accepted = await this.#thread.call(
      'accept',
      {
        key: options.key ?? `token:${options.token}`,
        fingerprint: options.fingerprint,
        replayKey: options.replayKey ?? null,
        rejectReplay: options.onReplay === 'reject',
        quarantine: options.quarantine ?? false,
        ttlMs: options.ttlMs,
        token: options.token,
        resume: resume
          ? {
              bot: resume.bot,
              history: JSON.stringify(resume.attempts),
              attempt: resume.attempts.length + 1,
              afterMs: resume.afterMs,
            }
          : null,
        ...argsOf(event),
      },
      options.timeoutMs,
    )
    return { ...accepted }
  }

  async consume(bot: string, options: ConsumeOptions, handle: Handle): Promise<Subscription> {
    await this.#session.id()
    const consumer: Consumer = new Consumer(bot, {
      ...options,
      handle,
      thread: this.#thread,
      session: this.#session,
      clock: this.#clock,
      onDrained: () => {
        if (this.#consumers.get(bot) === consumer) this.#consumers.delete(bot)
        if (this.#consumers.size === 0) this.#thread.watch(false)
      },
    })
    this.#consumers.set(bot, consumer)
    this.#thread.watch(true)
    consumer.wake()
    return consumer
  }

  async bury(letter: Omit<DeadLetter, 'id'>, once: string): Promise<void> {
    const { bot, reason, at, event, attempts } = letter
    const args = { bot, reason, at, history: JSON.stringify(attempts), once, ...argsOf(event) }
    await this.#thread.call('buryForeign', args)
  }

  readonly deadLetters: DeadLetters = {
    list: async ({ after, limit = 100, ...filter }: DeadLetterFilter & DeadLetterPage = {}) => {
      const found: DeadLetter[] = []
      const wanted = Math.min(Math.max(limit, 1), 1_000)
      for (let from = idOf(after ?? '0'); found.length < wanted;) {
        const range = { filter, after: from, until: Number.MAX_SAFE_INTEGER, limit: wanted - found.length }
        const rows = await this.#thread.call('listDeadLetters', range)
        if (rows.length === 0) break
        found.push(...rows.map(deadLetterOf))
        from = rows.at(-1)?.dead ?? from
      }
      return found
    },
    read: async (id) => {
      const [row] = await this.#thread.call('listDeadLetters', { ...one(id), filter: {} })
      return row && deadLetterOf(row)
    },
    redrive: (which) => this.#overDeadLetters('redriveDeadLetters', which),
    discard: (which) => this.#overDeadLetters('discardDeadLetters', which),
  }

  async #overDeadLetters(
    operation: 'redriveDeadLetters' | 'discardDeadLetters',
    which: string | DeadLetterFilter,
  ): Promise<number> {
    if (typeof which === 'string') {
      return (await this.#thread.call(operation, { ...one(which), filter: {} })).count
    }
    const until = await this.#thread.call('lastDeadLetter', {})
    let count = 0
    for (let after: number | null = 0; after !== null;) {
      const range: DeadLetterRange = { filter: which, after, until, limit: 200 }
      const slice: Slice = await this.#thread.call(operation, range)
      count += slice.count
      after = slice.next
    }
    return count
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close())
  }

  async #close(): Promise<void> {
    this.#cancelSweep?.()
    await Promise.all([...this.#consumers.values()].map((consumer) => consumer.drain(0)))
    await this.#session.end().catch(() => undefined) // its lease ends it anyway
    await this.#thread.close()
  }

  #wake(bots: readonly string[] = [...this.#consumers.keys()]): void {
    for (const bot of bots) this.#consumers.get(bot)?.wake()
  }

  #sweepLater(ms: number): void {
    if (this.#closed) return
    this.#cancelSweep = this.#clock.after(ms, () => {
      this.#thread
        .call('sweep', { retentionMs: this.#retentionMs, after: this.#sweptTo })
        .then(({ after, more }) => {
          this.#sweptTo = after
          this.#sweepLater(more ? sweepPauseMs : sweepEveryMs)
        })
        .catch(() => this.#sweepLater(sweepEveryMs)) // it is told to whoever needs the file
    })
  }
}

/** A dead letter's id is a number of the file; any other text names none. */
const idOf = (id: string): number => (/^\d{1,15}$/.test(id) ? Number(id) : 0)

const one = (id: string): Omit<DeadLetterRange, 'filter'> => ({
  after: idOf(id) - 1,
  until: idOf(id),
  limit: 1,
})
