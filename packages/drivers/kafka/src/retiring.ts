import { randomUUID } from 'node:crypto'
import type { Clock } from '@trigger-hub/core'
import { TooLate, type Inbox } from '@trigger-hub/core/split'
import { wanted, type KafkaBot } from './wishes.ts'
import type { Client } from './client.ts'
import { patienceMs } from './connected.ts'
import { eventOf, generationHeader, headerOf } from './event-message.ts'
import { Fetching } from './fetching.ts'
import type { Positions } from './positions.ts'
import type { Topics } from './topics.ts'
import { unavailable } from './trouble.ts'

export interface RetiringOptions {
  readonly client: Client
  readonly topics: Topics
  readonly positions: Positions
  readonly inbox: Inbox
  readonly clock: Clock
  readonly sessionMs: number
}

/**
 * Makes what a bot still has dead letters: events that it wanted, and its retries, due or not. Can be done again.
 * @returns false when something runs at this moment, and is to be looked at later
 * @throws DriverUnavailableError when nothing comes any more
 */
export async function buryAll(
  bot: KafkaBot,
  { client, topics, positions, inbox, clock, sessionMs }: RetiringOptions,
): Promise<boolean> {
  const places = (await positions.of(bot)).filter(({ position, high }) => position < high)
  const left = new Map(places.map((place) => [`${place.topic}/${place.partition}`, place]))
  if (left.size === 0) return true
  let isAll = true
  let trouble: unknown = new TooLate(patienceMs)
  await new Promise<void>((resolve, reject) => {
    let cancel = (): void => undefined
    const end = (): Promise<void> => {
      cancel()
      return fetching.end()
    }
    const goOn = (): void => {
      cancel()
      cancel = clock.after(patienceMs, () => {
        void end()
        reject(unavailable(trouble))
      })
    }
    const fetching: Fetching = new Fetching({
      ...{ client, sessionMs },
      group: `${topics.group(bot)}.retiring.${randomUUID()}`, // who shares it reads just a part
      topics: [topics.events, topics.retries(bot)],
      async onAssigned() {
        for (const { topic, partition, position } of left.values()) fetching.seek(topic, partition, position)
      },
      async onBatch(batch) {
        const { topic, partition, messages } = batch
        const place = left.get(`${topic}/${partition}`)
        if (!place) return
        for (const message of messages) {
          const offset = Number(message.offset)
          const event = offset < place.high ? eventOf(message) : undefined
          if (!event || (topic === topics.events && !wanted(bot, event, { partition, offset }))) continue
          const generation = headerOf(message.headers ?? {}, generationHeader) ?? ''
          if (!(await inbox.retire({ event: event.id, bot: bot.name, generation }, event))) isAll = false
          goOn()
        }
        goOn()
        if (Number(batch.lastOffset()) < place.high - 1) return
        left.delete(`${topic}/${partition}`)
        if (left.size === 0) void end().then(resolve)
      },
      onError: (error) => (trouble = error), // it goes on by itself
    })
    goOn()
  })
  return isAll
}
