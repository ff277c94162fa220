import type { Batch, Consumer, TopicPartitionOffset } from 'kafkajs'
import { within, type Client } from './client.ts'
import { unavailable } from './trouble.ts'

export interface FetchingOptions {
  readonly client: Client
  readonly group: string
  readonly topics: readonly string[]
  /** After this long without a sign of life the partitions go to another member of the group. */
  readonly sessionMs: number
  /** These partitions are ours from now on; fetching goes on at what it says to seek. */
  readonly onAssigned: (assignment: Readonly<Record<string, readonly number[]>>) => Promise<void>
  readonly onBatch: (batch: Batch) => Promise<void>
  readonly onError: (error: unknown) => void
}

const firstRetryMs = 100
const longestRetryMs = 2_000
const graceMs = 3_000
const connectMs = 5_000
const commitMs = 3_000

/** A member of a group, that joins anew, on new connections, whenever it falls. */
export class Fetching {
  readonly #options: FetchingOptions
  readonly #work: Promise<void>
  #consumer: Consumer | undefined
  /** The commit that has not ended, and how many there were that the broker has confirmed. */
  #committing: Promise<void> | undefined
  #confirmed = 0
  #isEnded = false
  #wake: () => void = () => undefined

  constructor(options: FetchingOptions) {
    this.#options = options
    this.#work = this.#goOn()
  }

  /** Rejects when this process is no member of the group at the moment, or the partition is not its own. */
  async commit(offsets: TopicPartitionOffset[]): Promise<void> {
    // kafkajs goes on with what we have given up on, which must not come after what is newer
    if (this.#committing) await within(this.#committing, commitMs)
    if (!this.#consumer) throw unavailable(new Error('the group was not joined yet'))
    const before = this.#confirmed
    const commit = this.#consumer.commitOffsets(offsets)
    this.#committing = commit.catch(() => undefined).finally(() => (this.#committing = undefined))
    await within(commit, commitMs)
    // from one that has just fallen it resolves as well
    if (this.#confirmed === before) throw unavailable(new Error('the group was left'))
  }

  seek(topic: string, partition: number, offset: number): void {
    this.#consumer?.seek({ topic, partition, offset: String(offset) })
  }

  pause(topic: string, partition: number): void {
    this.#consumer?.pause([{ topic, partitions: [partition] }])
  }

  resume(topic: string, partition: number): void {
    this.#consumer?.resume([{ topic, partitions: [partition] }])
  }

  /** Leaves the group. */
  async end(): Promise<void> {
    this.#isEnded = true
    this.#wake()
    await this.#work
  }

  async #goOn(): Promise<void> {
    for (let waitMs = firstRetryMs; !this.#isEnded; waitMs = Math.min(waitMs * 2, longestRetryMs)) {
      try {
        await this.#takePart(() => (waitMs = firstRetryMs))
      } catch (error) {
        if (this.#isEnded) return
        this.#options.onError(unavailable(error))
        await this.#wakenOr(waitMs)
      }
    }
  }

  /** Resolves when it is to end, rejects when the consumer has fallen. */
  async #takePart(onWorking: () => void): Promise<void> {
    const { client, group, topics, sessionMs, onAssigned, onBatch, onError } = this.#options
    const { kafka, cut, avoid } = client.line()
    const consumer = kafka.consumer({
      groupId: group,
      sessionTimeout: sessionMs,
      rebalanceTimeout: Math.max(sessionMs, 6_000),
      heartbeatInterval: Math.min(1_000, Math.floor(sessionMs / 3)),
      maxWaitTimeInMs: Math.min(500, Math.floor(sessionMs / 10)),
      allowAutoTopicCreation: false,
      // as long as it goes on it stays the same member of its group, which nobody has to wait for
      retry: { initialRetryTime: 50, maxRetryTime: 1_000, retries: 15, restartOnFailure: async () => false },
    })
    let fall: (error: unknown) => void = () => undefined
    const over = new Promise<void>((resolve, reject) => {
      this.#wake = resolve
      fall = reject
    })
    over.catch(() => undefined)
    let assign = async (): Promise<void> => undefined
    const { COMMIT_OFFSETS, CRASH, GROUP_JOIN, REQUEST_TIMEOUT } = consumer.events
    consumer.on(COMMIT_OFFSETS, () => void this.#confirmed++)
    consumer.on(CRASH, ({ payload }) => fall(payload.error))
    consumer.on(REQUEST_TIMEOUT, cut) // the connection may be dead
    consumer.on(GROUP_JOIN, ({ payload }) => {
      assign = once(() => onAssigned(payload.memberAssignment).then(onWorking))
      assign().catch(onError) // the next batch tries again
    })
    let joining: Promise<void> = Promise.resolve()
    try {
      await within(consumer.connect(), connectMs, avoid)
      await within(consumer.subscribe({ topics: [...topics], fromBeginning: true }), connectMs)
      this.#consumer = consumer
      joining = consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: 100,
        eachBatch: async (payload) => {
          await assign()
          await onBatch(payload.batch)
          payload.resolveOffset(payload.batch.lastOffset())
        },
      })
      if (this.#isEnded) this.#wake()
      await Promise.race([over, joining.then(() => over)])
    } finally {
      await within(joining, graceMs).catch(() => undefined) // who leaves while joining is waited for by the others
      this.#consumer = undefined
      await within(consumer.disconnect(), graceMs).catch(() => undefined)
      cut()
    }
  }

  #wakenOr(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

/** Does it until it has succeeded, and then no more. */
function once(task: () => Promise<void>): () => Promise<void> {
  let doing: Promise<void> | undefined
  return () =>
    (doing ??= task().catch((error: unknown) => {
      doing = undefined
      throw error
    }))
}
