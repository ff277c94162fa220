import type { Clock, ConsumeOptions, EventRecord, Handle, Subscription } from '@trigger-hub/core'
import { Runs, type Inbox, type Message } from '@trigger-hub/core/split'
import type { Batch, KafkaMessage } from 'kafkajs'
import { wanted, type KafkaBot } from './wishes.ts'
import type { Client } from './client.ts'
import { Committing } from './committing.ts'
import { dueHeader, eventOf, generationHeader, headerOf } from './event-message.ts'
import { Fetching } from './fetching.ts'
import { rungs } from './ladder.ts'
import { Partition, type Entry } from './partition.ts'
import type { Positions } from './positions.ts'
import type { Publisher } from './publisher.ts'
import type { Topics } from './topics.ts'

export interface ConsumerOptions extends ConsumeOptions {
  readonly client: Client
  readonly topics: Topics
  readonly positions: Positions
  readonly publisher: Publisher
  readonly inbox: Inbox
  readonly clock: Clock
  readonly leaseMs: number
  readonly sessionMs: number
  readonly handle: Handle
  /** The bot as the registry has it now; undefined when it was retired. */
  readonly lookUp: () => Promise<KafkaBot | undefined>
  readonly onDrained: () => void
}

/** Before a record that was given back, or could not be put off, is looked at again. */
const againMs = 100
const soonMs = 5
/** Of a partition: more than this is not fetched ahead; the records beside those that may run. */
const mostBytes = 1_024 ** 2
const mostRecords = 1_000
/** Records of a rung that are looked at, at a time. */
const mostOfRung = 100

/** Runs one bot: fetches events and retries, hands them out while there is room, and commits what has an end. */
export class Consumer implements Subscription {
  #bot: KafkaBot
  readonly #options: ConsumerOptions
  readonly #runs: Runs
  readonly #fetching: Fetching
  readonly #committing: Committing
  readonly #partitions = new Map<string, Partition>()
  #running = 0
  #isStopped = false
  #cancelWaking: () => void = () => undefined
  #ended: Promise<void> | undefined

  constructor(bot: KafkaBot, options: ConsumerOptions) {
    const { client, topics, sessionMs, onError } = options
    this.#bot = bot
    this.#options = options
    this.#runs = new Runs(bot.name, options)
    this.#fetching = new Fetching({
      ...{ client, sessionMs, onError },
      group: topics.group(bot),
      topics: [topics.events, topics.retries(bot)],
      onAssigned: (assignment) => this.#assign(assignment),
      onBatch: (batch) => this.#receive(batch),
    })
    this.#committing = new Committing({
      ...options,
      bot,
      partitions: this.#partitions,
      fetching: this.#fetching,
      onCommitted: this.#dispatch,
    })
  }

  async drain(deadlineMs: number): Promise<void> {
    this.#isStopped = true
    this.#cancelWaking()
    await this.#runs.drain(deadlineMs)
    await (this.#ended ??= this.#end())
  }

  /** Commits what has an end, so that others can count. */
  commit(): Promise<void> {
    return this.#committing.now()
  }

  async #end(): Promise<void> {
    await this.#committing.end()
    await this.#fetching.end()
    this.#options.onDrained()
  }

  /** Partitions that stay go on where they are, whatever is committed; those that go are somebody else's. */
  async #assign(assignment: Readonly<Record<string, readonly number[]>>): Promise<void> {
    const { topics, positions } = this.#options
    const mine = new Set(
      Object.entries(assignment).flatMap(([topic, all]) => all.map((one) => `${topic}/${one}`)),
    )
    for (const key of this.#partitions.keys()) if (!mine.has(key)) this.#partitions.delete(key)
    if ([...mine].some((key) => !this.#partitions.has(key))) {
      for (const { topic, partition, position } of await positions.of(this.#bot)) {
        const key = `${topic}/${partition}`
        if (!mine.has(key) || this.#partitions.has(key)) continue
        const rungMs = topic === topics.events ? undefined : (rungs[partition] ?? 0)
        this.#partitions.set(key, new Partition(topic, partition, position, rungMs))
      }
    }
    for (const one of this.#partitions.values()) {
      const { topic, partition, next } = one
      this.#fetching.seek(topic, partition, next)
      // kafkajs remembers a pause of before, and another client of it knows of none
      one.isPaused = false
      this.#fetching.resume(topic, partition)
    }
  }

  async #receive(batch: Batch): Promise<void> {
    // what was accepted after a declaration is fetched after it, and so is seen with it
    const bot = await this.#options.lookUp()
    let partition = this.#partitions.get(`${batch.topic}/${batch.partition}`)
    if (!partition || this.#isStopped || batch.messages.length === 0) return
    if (!bot) {
      this.#isStopped = true // whoever retires it deals with the rest
      void this.#fetching.end()
      return
    }
    this.#bot = bot
    const first = Number(batch.messages[0]?.offset)
    const last = Number(batch.lastOffset())
    if (Number(batch.highWatermark) < partition.next) partition = this.#startOver(partition, first)
    if (last < partition.next) {
      this.#fetching.seek(batch.topic, batch.partition, partition.next) // was asked for before it was told where to go on
      return
    }
    if (first > partition.next && partition.gap !== first) {
      partition.gap = first
      this.#fetching.seek(batch.topic, batch.partition, partition.next)
      return
    }
    const fresh = batch.messages.filter(({ offset }) => Number(offset) >= partition.next)
    partition.add(
      fresh.flatMap((message) => this.#entryOf(partition, message) ?? []),
      last,
    )
    this.#dispatch()
  }

  /** The brokers have lost the latest records and count on from before them: the inbox knows what has an end. */
  #startOver({ topic, partition, rungMs }: Partition, first: number): Partition {
    const fresh = new Partition(topic, partition, first, rungMs)
    this.#partitions.set(`${topic}/${partition}`, fresh)
    return fresh
  }

  /** @returns undefined for a record that is not for this bot */
  #entryOf({ rungMs, partition }: Partition, message: KafkaMessage): Entry | undefined {
    const offset = Number(message.offset)
    if (rungMs === undefined) {
      const event = eventOf(message)
      if (!event || !wanted(this.#bot, event, { partition, offset })) return undefined
      return { offset, message, readyAt: 0, state: 'queued' }
    }
    const readyAt = Math.min(dueAtOf(message), Number(message.timestamp) + rungMs)
    return { offset, message, readyAt, state: 'queued' }
  }

  /** Hands out what there is room for. */
  readonly #dispatch = (): void => {
    if (this.#isStopped) return
    this.#moveOn()
    while (this.#running < this.#options.concurrency) {
      const next = this.#next()
      if (!next) break
      this.#run(next)
    }
    this.#balance()
    this.#committing.soon([...this.#partitions.values()].some((one) => one.isHeldUp(this.#windowOf(one))))
    this.#wakeWhenDue()
  }

  /** A retry that is due comes before events, and of these the oldest first. */
  #next(): { partition: Partition; entry: Entry } | undefined {
    const now = this.#options.clock.now()
    let best: { partition: Partition; entry: Entry; rank: number } | undefined
    for (const partition of this.#partitions.values()) {
      const entry = partition.waiting(this.#windowOf(partition))
      if (!entry || entry.readyAt > now) continue
      const isRetry = partition.rungMs !== undefined
      const rank = isRetry ? entry.readyAt - 1e15 : Number(entry.message.timestamp)
      if (!best || rank < best.rank) best = { partition, entry, rank }
    }
    return best
  }

  #run({ partition, entry }: { partition: Partition; entry: Entry }): void {
    const event = eventOf(entry.message)
    if (!event) {
      entry.state = 'done'
      return
    }
    entry.state = 'running'
    this.#running++
    void this.#runs.take(this.#messageOf(entry, event)).then(() => {
      this.#running--
      if (this.#partitions.get(`${partition.topic}/${partition.partition}`) === partition) this.#dispatch()
      else setImmediate(this.#dispatch)
    })
  }

  #messageOf(entry: Entry, event: EventRecord): Message {
    const generation = headerOf(entry.message.headers ?? {}, generationHeader) ?? ''
    return {
      ...{ event, generation },
      ack: async () => void (entry.state = 'done'),
      defer: (ms) => this.#putOff(entry, event, generation, this.#options.clock.now() + ms),
      giveBack: async () => this.#again(entry),
    }
  }

  /** Into the ladder, durably; and to the dead letters if the bot has been retired meanwhile, when nobody reads the ladder. */
  async #putOff(entry: Entry, event: EventRecord, generation: string, dueAt: number): Promise<void> {
    const { publisher, lookUp, inbox, onError } = this.#options
    try {
      await publisher.later(this.#bot, event, generation, dueAt).catch(async (error: unknown) => {
        if (await lookUp()) throw error // else its topic has gone with it
      })
      const delivery = { event: event.id, bot: this.#bot.name, generation }
      if ((await lookUp()) || (await inbox.retire(delivery, event))) entry.state = 'done'
      else this.#again(entry) // it runs elsewhere at this moment
    } catch (error) {
      onError(error)
      this.#again(entry)
    }
  }

  #again(entry: Entry): void {
    entry.readyAt = this.#options.clock.now() + againMs
    entry.state = 'queued'
  }

  /** What has waited on its rung, and is not due yet, goes to the next one. */
  #moveOn(): void {
    const now = this.#options.clock.now()
    for (const partition of this.#partitions.values()) {
      if (partition.rungMs === undefined) continue
      for (;;) {
        const entry = partition.waiting(this.#windowOf(partition))
        if (!entry || entry.readyAt > now || dueAtOf(entry.message) <= now) break
        const event = eventOf(entry.message)
        const generation = headerOf(entry.message.headers ?? {}, generationHeader) ?? ''
        entry.state = event ? 'running' : 'done'
        if (event) void this.#putOff(entry, event, generation, dueAtOf(entry.message)).then(this.#dispatch)
      }
    }
  }

  /** Fetches no more for a partition that has enough for now. */
  #balance(): void {
    for (const one of this.#partitions.values()) {
      const filled = Math.max(one.bytes / mostBytes, (one.length - this.#windowOf(one)) / mostRecords)
      if (!one.isPaused && filled > 1) {
        one.isPaused = true
        this.#fetching.pause(one.topic, one.partition)
      } else if (one.isPaused && filled < 0.5) {
        one.isPaused = false
        this.#fetching.resume(one.topic, one.partition)
      }
    }
  }

  /** So many records from what is committed are looked at; a whole rung may become due at once. */
  #windowOf({ rungMs }: Partition): number {
    const { concurrency } = this.#options
    return rungMs === undefined ? concurrency : Math.max(concurrency, mostOfRung)
  }

  #wakeWhenDue(): void {
    this.#cancelWaking()
    const { clock, concurrency } = this.#options
    let dueAt = Infinity
    for (const partition of this.#partitions.values()) {
      dueAt = Math.min(dueAt, partition.waiting(this.#windowOf(partition))?.readyAt ?? Infinity)
    }
    if (dueAt === Infinity) return
    const waitMs = dueAt - clock.now() // it may have become due since it was looked at
    if (waitMs > 0 || this.#running < concurrency) {
      this.#cancelWaking = clock.after(waitMs > 0 ? waitMs : soonMs, this.#dispatch)
    }
  }
}

const dueAtOf = ({ headers }: KafkaMessage): number => Number(headerOf(headers ?? {}, dueHeader) ?? 0)
