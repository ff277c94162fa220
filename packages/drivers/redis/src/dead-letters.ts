import type {
  CompanionStore,
  DeadLetter,
  DeadLetterFilter,
  DeadLetterPage,
  DeadLetterReason,
  DeadLetters,
} from '@trigger-hub/core'
import type { Connection } from './connection.ts'
import { eventOf, historyOf, recordOf } from './event-record.ts'
import { patienceMs, type Registry } from './registry.ts'
import { buryScript, discardScript, redriveScript } from './scripts/dead-letters.ts'

/** An entry of the stream of dead letters, without its event. */
interface Entry {
  readonly id: string
  readonly bot: string
  readonly reason: string
  readonly event: string
  readonly history: string
  readonly at: number
  /** Of a foreign one, whose event is kept apart. */
  readonly once: string | undefined
}

/** How far apart the clocks of the server and of whoever buries may be. */
const mostSkewMs = 86_400_000
/** Entries that are read at a time, and events. */
const slice = 200
const eventsAtOnce = 20

/** Dead letters in a stream: its ids say in which order they came, and when. Foreign ones say when by themselves. */
export class RedisDeadLetters implements DeadLetters, Pick<CompanionStore, 'bury'> {
  readonly #connection: Connection
  readonly #registry: Registry

  constructor(connection: Connection, registry: Registry) {
    this.#connection = connection
    this.#registry = registry
  }

  /** Keeps a foreign one. */
  async bury({ bot, reason, at, event, attempts }: Omit<DeadLetter, 'id'>, once: string): Promise<void> {
    const args = [once, bot ?? '', event.id, reason, JSON.stringify(attempts), at, recordOf(event)]
    await this.#connection.run(buryScript, args, patienceMs)
  }

  async list({ after, limit = 100, ...filter }: DeadLetterFilter & DeadLetterPage = {}): Promise<
    DeadLetter[]
  > {
    const wanted = Math.min(Math.max(limit, 1), 1_000)
    const entries: Entry[] = []
    for await (const some of this.#chosen(filter, after)) {
      entries.push(...some)
      if (entries.length >= wanted) break
    }
    return this.#withEvents(entries.slice(0, wanted))
  }

  async read(id: string): Promise<DeadLetter | undefined> {
    const [letter] = await this.#withEvents(await this.#entry(id))
    return letter
  }

  redrive(which: string | DeadLetterFilter): Promise<number> {
    return this.#each(which, async (entries) => {
      const args: (string | number)[] = []
      for (const entry of entries) {
        const bots = entry.bot === '' ? await this.#wanting(entry) : []
        args.push(entry.id, bots.length, ...bots)
      }
      return this.#connection.run(redriveScript, args, patienceMs)
    })
  }

  discard(which: string | DeadLetterFilter): Promise<number> {
    return this.#each(which, (entries) => {
      const ids = entries.map(({ id }) => id)
      return this.#connection.run(discardScript, ids, patienceMs)
    })
  }

  async #each(
    which: string | DeadLetterFilter,
    task: (entries: readonly Entry[]) => Promise<unknown>,
  ): Promise<number> {
    let count = 0
    const chosen = typeof which === 'string' ? [await this.#entry(which)] : this.#chosen(which)
    for await (const entries of chosen) if (entries.length > 0) count += Number(await task(entries))
    return count
  }

  /** Those that were there at the beginning, in slices. */
  async *#chosen(filter: DeadLetterFilter, after?: string): AsyncGenerator<Entry[]> {
    const { bot, reason, event, since = 0 } = filter
    const matches = (entry: Entry): boolean =>
      (bot === undefined || entry.bot === bot) &&
      (reason === undefined || entry.reason === reason) &&
      entry.at >= since
    if (event !== undefined) {
      const entries = await this.#ofEvent(event)
      yield entries.filter((entry) => matches(entry) && (after === undefined || isAfter(entry.id, after)))
      return
    }
    const last = await this.#last()
    let from = after !== undefined && ids.test(after) ? `(${after}` : '-'
    if (last === undefined) return
    const soonest = Math.max(0, Math.ceil(since - mostSkewMs))
    if (from === '-' || timeOf(from.slice(1)) < soonest) from = `${soonest}-0`
    for (;;) {
      const entries = await this.#range(from, last, slice)
      yield entries.filter(matches)
      const end = entries.at(-1)
      if (!end || entries.length < slice) return
      from = `(${end.id}`
    }
  }

  async #ofEvent(event: string): Promise<Entry[]> {
    const key = this.#connection.key(`dead:of:${event}`)
    const found = await this.#connection.call(({ client }) => client.smembers(key), patienceMs)
    const entries = await Promise.all(found.map((id) => this.#entry(id)))
    return entries.flat().sort((a, b) => (isAfter(a.id, b.id) ? 1 : -1))
  }

  async #last(): Promise<string | undefined> {
    const key = this.#connection.key('dead')
    const [entry] = await this.#connection.call(
      ({ client }) => client.xrevrange(key, '+', '-', 'COUNT', 1),
      patienceMs,
    )
    return entry?.[0]
  }

  async #entry(id: string): Promise<Entry[]> {
    return ids.test(id) ? this.#range(id, id, 1) : []
  }

  async #range(from: string, to: string, count: number): Promise<Entry[]> {
    const key = this.#connection.key('dead')
    const found = await this.#connection.call(
      ({ client }) => client.xrange(key, from, to, 'COUNT', count),
      patienceMs,
    )
    return found.map(([id, fields]) => {
      const [, bot = '', , reason = '', , event = '', , history = '[]', , once, , at = timeOf(id)] = fields
      return { id, bot, reason, event, history, once, at: Number(at) }
    })
  }

  async #withEvents(entries: readonly Entry[]): Promise<DeadLetter[]> {
    const letters: DeadLetter[] = []
    for (let from = 0; from < entries.length; from += eventsAtOnce) {
      const some = entries.slice(from, from + eventsAtOnce)
      const records = await Promise.all(some.map((entry) => this.#record(entry)))
      some.forEach(({ id, bot, reason, history, at }, nth) => {
        const record = records[nth]
        if (!record) return // somebody else has redriven or discarded it meanwhile
        letters.push({
          id,
          bot: bot === '' ? null : bot,
          reason: reason as DeadLetterReason,
          at,
          event: eventOf(record),
          attempts: historyOf(history),
        })
      })
    }
    return letters
  }

  #record({ event, once }: Pick<Entry, 'event' | 'once'>): Promise<Buffer | null> {
    const key = this.#connection.key(once === undefined ? `event:${event}` : `buried:${once}`)
    return this.#connection.call(({ client }) => client.getBuffer(key), patienceMs)
  }

  async #wanting(entry: Entry): Promise<string[]> {
    const record = await this.#record(entry)
    if (!record) return []
    const { source, type } = eventOf(record)
    return this.#registry.wanting(source, type)
  }
}

/** Of a dead letter: milliseconds and a number. */
const ids = /^\d{1,15}-\d{1,15}$/

const timeOf = (id: string): number => Number.parseInt(id, 10)

function isAfter(id: string, other: string): boolean {
  const [ms = 0, nth = 0] = id.split('-').map(Number)
  const [otherMs = 0, otherNth = 0] = other.split('-').map(Number)
  return ms > otherMs || (ms === otherMs && nth > otherNth)
}
