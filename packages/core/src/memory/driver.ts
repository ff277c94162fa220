import type {
  Accepted,
  AcceptOptions,
  BotDeclaration,
  Capabilities,
  ConsumeOptions,
  Driver,
  Handle,
  Report,
  Subscription,
} from '../ports/driver.ts'
import type { CompanionStore, Tally } from '../ports/store.ts'
import { suspected } from '../pure/marked.ts'
import type { Clock } from '../words/clock.ts'
import type { DeadLetter } from '../words/delivery.ts'
import { DriverUnavailableError } from '../words/errors.ts'
import type { EventRecord } from '../words/event.ts'
import { MemoryDeadLetters } from './dead-letters.ts'
import { ExpiringMap } from './expiring-map.ts'
import { Queue, type Bury } from './queue.ts'
import { MemoryStore } from './store.ts'

/** What is remembered of an idempotency key. */
interface Known {
  readonly fingerprint: string
  readonly token: string
  readonly answer: Accepted & { readonly is: 'accepted' }
}

/** Events that no bot wanted are kept for a look, the last so many. */
const mostUnmatched = 1_000

/** Events in maps of this process, and the keys of a store beside them. */
export class MemoryDriver extends MemoryStore implements Driver, CompanionStore {
  override readonly capabilities: Capabilities = {
    durability: 'none',
    reach: 'process',
    maxEventBytes: Infinity,
  }
  readonly deadLetters = new MemoryDeadLetters((letter) => this.#revive(letter))
  readonly #clock: Clock
  readonly #queues = new Map<string, Queue>()
  readonly #keys: ExpiringMap<Known>
  /** The key under which a body came first. */
  readonly #replays: ExpiringMap<string>
  readonly #unmatched: EventRecord[] = []
  #closed = false

  constructor(clock: Clock) {
    super(clock)
    this.#clock = clock
    this.#keys = new ExpiringMap(() => clock.now())
    this.#replays = new ExpiringMap(() => clock.now())
  }

  async declare(bots: readonly BotDeclaration[]): Promise<void> {
    this.#whileOpen()
    for (const { name, on } of bots) {
      const queue = this.#queues.get(name) ?? new Queue(name, this.#clock, this.#bury)
      queue.want(on)
      this.#queues.set(name, queue)
    }
  }

  async retire(bot: string): Promise<void> {
    this.#whileOpen()
    this.#queues.get(bot)?.retire()
    this.#queues.delete(bot)
  }

  async inspect(): Promise<Report> {
    this.#whileOpen()
    const bots = [...this.#queues.values()].map((queue) => ({
      ...queue.report(),
      deadLetters: this.deadLetters.count(({ bot }) => bot === queue.name),
    }))
    return {
      summary: 'memory: events are lost when this process ends',
      warnings: [],
      bots,
      unmatched: this.#unmatched.length,
      quarantined: this.deadLetters.count(({ bot }) => bot === null),
    }
  }

  /** Nothing in here waits, so an accept is one atomic step by nature. */
  async accept(event: EventRecord, options: AcceptOptions): Promise<Accepted> {
    this.#whileOpen()
    const { key, fingerprint, replayKey, onReplay = 'mark', ttlMs, token } = options
    if (options.quarantine) return this.#quarantine(event)
    const known = key === undefined ? undefined : this.#keys.get(key)
    if (known) return this.#again(known, event, options)

    const replaySuspected = replayKey !== undefined && this.#replays.get(replayKey) !== undefined
    if (replaySuspected && onReplay === 'reject') return { is: 'replay' }

    const answer = { is: 'accepted', id: event.id, ...(replaySuspected ? { replaySuspected } : {}) } as const
    if (key !== undefined) {
      this.#keys.set(key, { fingerprint, token, answer }, ttlMs)
      if (replayKey !== undefined && !replaySuspected) this.#replays.set(replayKey, key, ttlMs)
    }
    this.#fanOut(replaySuspected ? suspected(event) : event, options.resume)
    return answer
  }

  async consume(bot: string, options: ConsumeOptions, handle: Handle): Promise<Subscription> {
    this.#whileOpen()
    const queue = this.#queues.get(bot)
    if (!queue) throw new TypeError(`Bot "${bot}" is not in the registry: declare it before it consumes.`)
    return queue.consume(options, handle)
  }

  async bury(letter: Omit<DeadLetter, 'id'>, once: string): Promise<void> {
    this.#whileOpen()
    this.deadLetters.addOnce(letter, once)
  }

  async tally(bot: string | null): Promise<Tally> {
    const deadLetters = this.deadLetters.count((letter) => letter.bot === bot)
    return { ...this.claimsFor(bot), deadLetters }
  }

  override async close(): Promise<void> {
    this.#closed = true
    for (const queue of this.#queues.values()) queue.close()
    await super.close()
  }

  /** The key was used before: by this very call, by a repeat of it, or for another body. */
  #again(known: Known, event: EventRecord, { fingerprint, token }: AcceptOptions): Accepted {
    if (known.token === token) return known.answer
    const { id } = known.answer
    if (known.fingerprint === fingerprint) {
      return { is: 'duplicate', id, deadLetters: this.deadLetters.count((letter) => letter.event.id === id) }
    }
    return this.#quarantine(event)
  }

  #quarantine(event: EventRecord): Accepted {
    const letter = { bot: null, reason: 'key-reused', at: this.#clock.now(), event, attempts: [] } as const
    this.deadLetters.add(letter, event.id)
    return { is: 'mismatch', id: event.id }
  }

  #fanOut(event: EventRecord, resume?: AcceptOptions['resume']): void {
    const queues = [...this.#queues.values()].filter((queue) => queue.wants(event))
    for (const queue of queues) {
      const work = newWork(event, queue.name)
      if (resume?.bot !== queue.name) queue.put(work)
      else {
        const { attempts, afterMs } = resume
        queue.putLater({ ...work, history: attempts, attempt: attempts.length + 1 }, afterMs)
      }
    }
    if (queues.length > 0) return
    this.#unmatched.push(event)
    if (this.#unmatched.length > mostUnmatched) this.#unmatched.shift()
  }

  readonly #bury: Bury = ({ id, bot, event }, reason, attempts) =>
    this.deadLetters.add({ bot, reason, at: this.#clock.now(), event, attempts }, id)

  #revive({ bot, event }: DeadLetter): boolean {
    this.#whileOpen()
    if (bot === null) this.#fanOut(event)
    else this.#queues.get(bot)?.put(newWork(event, bot))
    return bot === null || this.#queues.has(bot)
  }

  #whileOpen(): void {
    if (this.#closed) throw new DriverUnavailableError('memory', 'it is closed.')
  }
}

const newWork = (event: EventRecord, bot: string) => ({
  id: `${event.id}.${bot}`,
  bot,
  event,
  attempt: 1,
  history: [],
  redelivered: false,
})
