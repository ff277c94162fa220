import type { KafkaMessage } from 'kafkajs'

/** A record that was fetched and has no end yet, or whose end is not committed. */
export interface Entry {
  readonly offset: number
  readonly message: KafkaMessage
  /** Not to be looked at before, epoch milliseconds. */
  readyAt: number
  state: 'queued' | 'running' | 'done'
}

/**
 * A partition that this process reads. Everything below `position` has an end; a look at most at `window` records from what
 * is committed keeps small what is handed out again after a crash.
 */
export class Partition {
  readonly topic: string
  readonly partition: number
  /** How long a record is held back; undefined for events. */
  readonly rungMs: number | undefined
  isPaused = false
  /** Where a batch began that left out records: they are asked for once more. */
  gap: number | undefined
  /** The offset to read next. */
  #next: number
  #committed: number
  #entries: Entry[] = []
  #bytes = 0

  constructor(topic: string, partition: number, position: number, rungMs: number | undefined) {
    this.topic = topic
    this.partition = partition
    this.rungMs = rungMs
    this.#next = this.#committed = position
  }

  get next(): number {
    return this.#next
  }

  get position(): number {
    return this.#entries.find(({ state }) => state !== 'done')?.offset ?? this.#next
  }

  get isMoved(): boolean {
    return this.position > this.#committed
  }

  get bytes(): number {
    return this.#bytes
  }

  /** How many records it has in memory. */
  get length(): number {
    return this.#entries.length
  }

  /** @param last  the offset of the last record that was fetched, whether it was kept or not */
  add(entries: readonly Entry[], last: number): void {
    for (const entry of entries) this.#bytes += entry.message.value?.length ?? 0
    this.#entries.push(...entries)
    this.#next = Math.max(this.#next, last + 1)
  }

  committed(position: number): void {
    this.#committed = Math.max(this.#committed, position)
    const kept = this.#entries.findIndex(({ offset }) => offset >= position)
    const gone = kept < 0 ? this.#entries.splice(0) : this.#entries.splice(0, kept)
    for (const { message } of gone) this.#bytes -= message.value?.length ?? 0
  }

  /** The first record that waits for its turn, within the first `window` from what is committed. */
  waiting(window: number): Entry | undefined {
    let first: Entry | undefined
    for (let nth = 0; nth < this.#entries.length && nth < window; nth++) {
      const entry = this.#entries[nth]!
      if (entry.state === 'queued' && entry.readyAt < (first?.readyAt ?? Infinity)) first = entry
    }
    return first
  }

  /** There is more, and what has an end is in its way until it is committed. */
  isHeldUp(window: number): boolean {
    return this.#entries.length > window && this.#entries[0]?.state === 'done'
  }
}
