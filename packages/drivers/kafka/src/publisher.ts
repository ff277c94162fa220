import { DriverUnavailableError, type Clock, type EventRecord } from '@trigger-hub/core'
import type { Published } from '@trigger-hub/core/split'
import { Partitioners, type Message, type Producer } from 'kafkajs'
import type { Client } from './client.ts'
import { Connected, patienceMs } from './connected.ts'
import { dueHeader, generationHeader, messageOf } from './event-message.ts'
import { rungFor } from './ladder.ts'
import type { BotName, Topics } from './topics.ts'
import { fixOf, isPassing, isRefusal, isStale, unavailable } from './trouble.ts'

interface Outgoing {
  readonly topic: string
  readonly messages: readonly Message[]
}

interface Waiting extends Outgoing {
  readonly bytes: number
  readonly resolve: (published: Published) => void
  readonly reject: (error: unknown) => void
}

const mostBytes = 512 * 1_024
const mostMessages = 200
/** After this the broker is to have given up by itself. */
const brokerMs = 5_000
/** How long a partition may have no leader, as when it was just made or its leader has gone. */
const staleMs = 3_000
const staleRetryMs = 50

/** Writes records, those of one turn of the event loop together, and waits until all replicas in sync have them. */
export class Publisher {
  readonly #producer: Connected<Producer>
  readonly #topics: Topics
  readonly #clock: Clock
  #waiting: Waiting[] = []

  constructor(client: Client, topics: Topics, clock: Clock) {
    this.#topics = topics
    this.#clock = clock
    this.#producer = new Connected(client, (kafka) =>
      kafka.producer({
        allowAutoTopicCreation: false,
        // kafkajs calls its own idempotence experimental, and allows one request at a time then; the inbox knows copies
        idempotent: false,
        createPartitioner: Partitioners.DefaultPartitioner,
        retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 1 },
      }),
    )
  }

  /** Rejects when it is not known whether the broker has it. @param isUnmatched  no bot wants it: a copy is kept and counted */
  event(event: EventRecord, isUnmatched: boolean): Promise<Published> {
    const message = messageOf(event)
    const size = event.rawBody.length
    const published = this.#send({ topic: this.#topics.events, messages: [message] }, size)
    if (!isUnmatched) return published
    const copied = this.#send({ topic: this.#topics.unmatched, messages: [message] }, size)
    return Promise.all([published, copied]).then(([first]) => first)
  }

  /**
   * Puts an event into the private topic of a bot, where it comes out after `dueAt` at the earliest.
   * @throws DriverUnavailableError
   */
  async later(bot: BotName, event: EventRecord, generation: string, dueAt: number): Promise<void> {
    const now = this.#clock.now()
    const { headers, ...message } = messageOf(event)
    const own = {
      [dueHeader]: String(dueAt),
      ...(generation === '' ? {} : { [generationHeader]: generation }),
    }
    const retry = {
      ...message,
      headers: { ...headers, ...own },
      partition: rungFor(dueAt - now),
      timestamp: String(now),
    }
    const outcome = await this.#send(
      { topic: this.#topics.retries(bot), messages: [retry] },
      event.rawBody.length,
    )
    if (outcome.is === 'refused') throw new DriverUnavailableError('kafka', outcome.reason)
  }

  /**
   * As `later`, due at once, and until the broker says that it has it: a copy does no harm.
   * @throws DriverUnavailableError
   */
  async again(bot: BotName, event: EventRecord, generation: string): Promise<void> {
    for (const until = performance.now() + patienceMs; ;) {
      try {
        await this.#producer.ready(patienceMs)
        return await this.later(bot, event, generation, 0)
      } catch (error) {
        if (!isPassing(error) || performance.now() > until) throw error
      }
      await new Promise((resume) => setTimeout(resume, staleRetryMs))
    }
  }

  close(): Promise<void> {
    return this.#producer.close()
  }

  #send(outgoing: Outgoing, bytes: number): Promise<Published> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) setImmediate(() => this.#flush())
      this.#waiting.push({ ...outgoing, bytes, resolve, reject })
    })
  }

  #flush(): void {
    let batch: Waiting[] = []
    let bytes = 0
    for (const one of this.#waiting.splice(0)) {
      if (batch.length >= mostMessages || (batch.length > 0 && bytes + one.bytes > mostBytes)) {
        void this.#write(batch)
        batch = []
        bytes = 0
      }
      batch.push(one)
      bytes += one.bytes
    }
    void this.#write(batch)
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    const end = (published: Published): void => batch.forEach(({ resolve }) => resolve(published))
    let producer: Producer
    try {
      producer = await this.#producer.ready()
    } catch (error) {
      return end({ is: 'refused', reason: fixOf(error) }) // nothing was sent
    }
    const topicMessages = batch.map(({ topic, messages }) => ({ topic, messages: [...messages] }))
    let isUnknown = false
    for (const until = performance.now() + staleMs; ;) {
      try {
        await producer.sendBatch({ acks: -1, timeout: brokerMs, topicMessages })
        return end({ is: 'published' })
      } catch (error) {
        isUnknown ||= !isRefusal(error)
        if (isStale(error) && performance.now() < until) {
          await new Promise((resume) => setTimeout(resume, staleRetryMs))
          continue // a copy does no harm
        }
        if (!isUnknown && batch.length === 1) return end({ is: 'refused', reason: fixOf(error) })
        if (!isUnknown && !isStale(error)) {
          for (const one of batch) void this.#write([one]) // one of them is refused, and the others are not to be
          return
        }
        for (const { reject } of batch) reject(unavailable(error))
        return
      }
    }
  }
}
